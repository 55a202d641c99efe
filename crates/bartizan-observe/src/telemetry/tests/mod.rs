//! The whole way from a span's end to a collector, over real sockets.

mod collector;
mod delivery;
mod enrich;
mod faults;
mod lines;
mod subscriber;

use std::time::Duration;

use opentelemetry::logs::{AnyValue, LogRecord, Logger, Severity};
use opentelemetry::trace::{Span, Tracer};

use self::collector::{Behaviour, Collector};
use super::*;

/// Long enough that a healthy shutdown is never cut short on a busy machine.
const PLENTY: Duration = Duration::from_secs(60);

const BOTH: [OtlpProtocol; 2] = [OtlpProtocol::HttpProtobuf, OtlpProtocol::Grpc];

fn exporting_to(collector: &Collector, protocol: OtlpProtocol) -> TelemetryBuilder {
    let config = OtlpConfig::new(&collector.address(), protocol).unwrap();
    Telemetry::builder()
        .with_service_name("test")
        .with_otlp(config)
}

fn end_spans(telemetry: &Telemetry, count: usize) {
    for _ in 0..count {
        telemetry.tracer().start("work").end();
    }
}

fn emit_logs(telemetry: &Telemetry, count: usize) {
    for _ in 0..count {
        let mut record = telemetry.logger().create_log_record();
        record.set_severity_number(Severity::Info);
        record.set_body(AnyValue::from("done"));
        telemetry.logger().emit(record);
    }
}

/// The books are closed and add up.
fn assert_settled(signal: &SignalReport) {
    assert_eq!(
        signal.ended,
        signal.exported + signal.unconfirmed + signal.dropped.total()
    );
    assert_eq!(signal.pending(), 0);
}
