//! A collector that is not ours between our exporter and the sink: what arrives behind it is what
//! arrives without it.
//!
//! `BARTIZAN_ROTEL` names the collector's program; `.ci/run` installs it. Without it there is
//! nothing to test, and the tests say so and pass.

#![expect(
    clippy::unwrap_used,
    reason = "clippy sees test code in test functions only; a helper that fails is a failed test"
)]

mod agent;
mod load;
mod seen;

use std::io::Write;
use std::time::Duration;

use bartizan_observe::telemetry::{BatchConfig, OtlpConfig, OtlpProtocol, Telemetry};
use bartizan_testkit::OtlpSink;

use self::agent::Agent;
use self::seen::Seen;

/// More than one batch of each.
const ITEMS: usize = 700;

/// Long enough for a busy machine.
const PLENTY: Duration = Duration::from_secs(60);

#[tokio::test]
async fn over_grpc_all_arrives_behind_it_as_it_does_without_it() {
    behind_and_without(OtlpProtocol::Grpc).await;
}

#[tokio::test]
async fn over_http_all_arrives_behind_it_as_it_does_without_it() {
    behind_and_without(OtlpProtocol::HttpProtobuf).await;
}

async fn behind_and_without(protocol: OtlpProtocol) {
    let Some(program) = std::env::var_os("BARTIZAN_ROTEL") else {
        let text = "skipped: BARTIZAN_ROTEL does not say where the collector is\n";
        std::io::stderr().write_all(text.as_bytes()).unwrap();
        return;
    };
    let (sink, behind) = (start().await, start().await);
    let agent = Agent::start(&program, &behind.endpoint_grpc());

    let direct = match protocol {
        OtlpProtocol::Grpc => sink.endpoint_grpc(),
        _ => sink.endpoint_http(),
    };
    export(&direct, protocol).await;
    export(&agent.endpoint(protocol), protocol).await;

    arrived(&sink).await;
    arrived(&behind).await;
    let (without, behind) = (Seen::at(&sink), Seen::at(&behind));
    assert_eq!(behind.spans, without.spans);
    assert_eq!(behind.logs, without.logs);
    assert_eq!(behind.points, without.points);
}

async fn start() -> OtlpSink {
    OtlpSink::start().await.unwrap()
}

/// Sends the load there, and insists that all of it is acknowledged.
async fn export(endpoint: &str, protocol: OtlpProtocol) {
    // The collector may still be starting.
    let moment = Duration::from_millis(20);
    let telemetry = Telemetry::builder()
        .with_service_name("orders")
        .with_otlp(OtlpConfig::new(endpoint, protocol).unwrap())
        .with_span_batch(BatchConfig::spans().with_retry_delays(moment, moment))
        .with_log_batch(BatchConfig::logs().with_retry_delays(moment, moment))
        .build()
        .unwrap();
    load::record(&telemetry, 0..1);
    let flushing = telemetry.clone();
    let flush = tokio::task::spawn_blocking(move || flushing.force_flush(PLENTY));
    assert!(flush.await.unwrap(), "{endpoint}: {}", telemetry.report());
    load::record(&telemetry, 1..ITEMS);
    let report = telemetry.shutdown_async(PLENTY).await;
    let items = ITEMS as u64;
    for signal in [report.spans, report.logs] {
        assert_eq!((signal.ended, signal.exported), (items, items), "{report}");
    }
    let collections = report.metrics.collections;
    assert_eq!(collections.exported, collections.ended, "{report}");
    assert_eq!(report.metrics.rejected_points, 0, "{report}");
}

async fn arrived(sink: &OtlpSink) {
    let all = |sink: &OtlpSink| {
        let counted = load::counted(&sink.latest(load::COUNTER));
        sink.spans().len() == ITEMS && sink.logs().len() == ITEMS && counted == ITEMS as i64
    };
    sink.wait_for(all, PLENTY).await.unwrap();
}
