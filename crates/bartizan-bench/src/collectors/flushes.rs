//! How long a shutdown and a flush take with a collector that is well: all three signals, and the
//! access log.

use std::io;
use std::time::Duration;

use bartizan::observe::telemetry::{OtlpConfig, OtlpProtocol};
use bartizan::{AccessLog, Telemetry};
use bartizan_testkit::OtlpSink;
use opentelemetry::logs::{LogRecord, Logger, Severity};
use opentelemetry::trace::{Span, Tracer};
use tokio::runtime::Builder;

use super::percentile;
use crate::BoxError;
use crate::measure::now;

const DEADLINE: Duration = Duration::from_secs(5);

/// Long enough that connections and threads are at rest.
const REST: Duration = Duration::from_millis(20);

/// Spans, and as many records, in each flush.
const ITEMS: usize = 10;

/// One transport and state, in milliseconds.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) most: f64,
}

pub(super) fn measure(times: usize) -> Result<Vec<Row>, BoxError> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let sink = runtime.block_on(OtlpSink::start())?;
    let mut rows = Vec::new();
    for (transport, endpoint, protocol) in [
        ("http", sink.endpoint_http(), OtlpProtocol::HttpProtobuf),
        ("grpc", sink.endpoint_grpc(), OtlpProtocol::Grpc),
    ] {
        let config = OtlpConfig::new(&endpoint, protocol)?;
        rows.push(row(transport, "fresh", fresh(&config, times)?));
        rows.push(row(transport, "idle", idle(&config, times)?));
    }
    Ok(rows)
}

/// The end of telemetry that has never sent anything.
fn fresh(config: &OtlpConfig, times: usize) -> Result<Vec<f64>, BoxError> {
    let mut took = Vec::new();
    for _ in 0..times {
        let telemetry = telemetry(config)?;
        record(&telemetry);
        let before = now();
        let report = telemetry.shutdown(DEADLINE);
        took.push((now() - before).as_secs_f64() * 1e3);
        if report.spans.exported != ITEMS as u64 {
            return Err(format!("a healthy collector does not get everything: {report}").into());
        }
    }
    Ok(took)
}

/// Flushes over connections that have been used and are at rest.
fn idle(config: &OtlpConfig, times: usize) -> Result<Vec<f64>, BoxError> {
    let mut took = Vec::new();
    let telemetry = telemetry(config)?;
    record(&telemetry);
    let mut in_time = telemetry.force_flush(DEADLINE);
    for _ in 0..times {
        std::thread::park_timeout(REST);
        record(&telemetry);
        let before = now();
        in_time &= telemetry.force_flush(DEADLINE);
        took.push((now() - before).as_secs_f64() * 1e3);
    }
    if !in_time {
        return Err("a healthy collector does not get everything".into());
    }
    Ok(took)
}

fn telemetry(config: &OtlpConfig) -> Result<Telemetry, BoxError> {
    let log = AccessLog::builder().with_sink(io::sink());
    Ok(Telemetry::builder()
        .with_service_name("bench")
        .with_otlp(config.clone())
        .with_access_log(log)
        .build()?)
}

fn record(telemetry: &Telemetry) {
    let counter = telemetry.meter().u64_counter("flushes").build();
    counter.add(1, &[]);
    for _ in 0..ITEMS {
        telemetry.tracer().start("work").end();
        let mut record = telemetry.logger().create_log_record();
        record.set_severity_number(Severity::Info);
        record.set_body("done".into());
        telemetry.logger().emit(record);
    }
}

fn row(transport: &str, state: &str, mut took: Vec<f64>) -> Row {
    Row {
        name: format!("{transport}, {state}"),
        p50: percentile(&mut took, 50),
        p99: percentile(&mut took, 99),
        most: percentile(&mut took, 100),
    }
}
