//! The whole way from a span's end to a collector, over real sockets.

mod chaos;
mod collector;
mod delivery;
mod ends;
mod enrich;
mod faults;
mod lines;
mod log_control;
mod matrix;
mod own_threads;
mod place;
mod spool;
mod subscriber;
mod tls;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::logs::{AnyValue, LogRecord, Logger, Severity};
use opentelemetry::trace::{Span, Tracer};
use opentelemetry_sdk::trace::SpanData;

use self::collector::{Behaviour, Collector};
pub(in crate::telemetry) use self::place::Place;
use super::*;
use crate::test_support::Nobody;

/// Long enough that a healthy shutdown is never cut short on a busy machine.
const PLENTY: Duration = Duration::from_secs(60);

/// Short, because tests wait for it.
const SHORT: Duration = Duration::from_millis(200);

/// Pauses that tests can wait for.
fn quick() -> BatchConfig {
    let moment = Duration::from_millis(5);
    BatchConfig::spans().with_retry_delays(moment, moment)
}

const BOTH: [OtlpProtocol; 2] = [OtlpProtocol::HttpProtobuf, OtlpProtocol::Grpc];

fn config(collector: SocketAddr, protocol: OtlpProtocol) -> OtlpConfig {
    OtlpConfig::new(&format!("http://{collector}"), protocol).unwrap()
}

fn exporting_to(collector: &Collector, protocol: OtlpProtocol) -> TelemetryBuilder {
    exporting(config(collector.addr(), protocol))
}

fn exporting(config: OtlpConfig) -> TelemetryBuilder {
    Telemetry::builder()
        .with_service_name("test")
        .with_otlp(config)
}

fn end_spans(telemetry: &Telemetry, count: usize) {
    for _ in 0..count {
        end_span(telemetry, 0);
    }
}

/// With so many bytes that say nothing.
fn end_span(telemetry: &Telemetry, padding: usize) {
    let mut span = telemetry.tracer().start("work");
    if padding > 0 {
        span.set_attribute(KeyValue::new("padding", "x".repeat(padding)));
    }
    span.end();
}

/// Each with a text of its own.
fn emit_logs(telemetry: &Telemetry, count: usize) {
    for _ in 0..count {
        emit_log(telemetry, 0);
    }
}

/// With so many bytes that say nothing.
fn emit_log(telemetry: &Telemetry, padding: usize) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut record = telemetry.logger().create_log_record();
    record.set_severity_number(Severity::Info);
    record.set_body(AnyValue::from(format!("done {number}")));
    if padding > 0 {
        record.add_attribute("padding", "x".repeat(padding));
    }
    telemetry.logger().emit(record);
}

/// The books are closed and add up.
fn assert_settled(signal: &SignalReport) {
    assert_eq!(
        signal.ended,
        signal.exported + signal.unconfirmed + signal.spooled + signal.dropped.total()
    );
    assert_eq!(signal.pending(), 0);
}
