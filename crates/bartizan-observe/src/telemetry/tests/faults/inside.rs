//! Code of the application's that fails within the pipelines.

use std::io::{self, Write};
use std::sync::mpsc;

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SpanExporter;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

#[test]
fn a_callback_that_panics_costs_the_metrics_and_neither_the_flush_nor_the_spans() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .build()
        .unwrap();
    let _gauge = telemetry
        .meter()
        .u64_observable_gauge("depth")
        .with_callback(|_| panic!("on purpose"))
        .build();
    end_spans(&telemetry, 3);
    assert!(telemetry.force_flush(PLENTY));
    let report = telemetry.shutdown(PLENTY);
    assert_eq!(report.spans.exported, 3);
    assert_eq!(report.metrics.collections, SignalReport::default());
}

/// Never takes a byte until it is told to.
struct Blocked(mpsc::Receiver<()>);

impl Write for Blocked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.recv().unwrap_or_default();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_that_cannot_be_written_do_not_cost_the_spans() {
    let collector = Collector::start(Behaviour::Accept);
    let (unblock, blocked) = mpsc::channel();
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .with_access_log(AccessLog::builder().with_sink(Blocked(blocked)))
        .build()
        .unwrap();
    end_spans(&telemetry, 7);
    emit_logs(&telemetry, 5);
    let writer = telemetry.access_log().unwrap().line_writer();
    writer.make_writer().write_all(b"a line\n").unwrap();
    let report = telemetry.shutdown(Duration::from_secs(2));
    assert_eq!(
        (report.spans.exported, report.logs.exported),
        (7, 5),
        "{report}"
    );
    drop(unblock);
}

/// An exporter of somebody else's, and none of the good ones.
#[derive(Debug)]
enum Bad {
    Fails,
    TimesOut,
    Panics,
    Hangs,
}

impl SpanExporter for Bad {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        match self {
            Self::Fails => Err(OTelSdkError::InternalFailure("on purpose".to_owned())),
            Self::TimesOut => Err(OTelSdkError::Timeout(SHORT)),
            Self::Panics => panic!("on purpose"),
            Self::Hangs => std::future::pending().await,
        }
    }
}

#[test]
fn a_bad_exporter_ends_neither_the_pipeline_nor_the_books() {
    for (exporter, rejected, unconfirmed) in [
        (Bad::Fails, 4, 0),
        (Bad::TimesOut, 0, 4),
        (Bad::Panics, 0, 4),
        (Bad::Hangs, 0, 4),
    ] {
        let what = format!("{exporter:?}");
        let telemetry = Telemetry::builder()
            .with_span_exporter(exporter)
            .with_span_batch(BatchConfig::spans().with_export_timeout(SHORT))
            .build()
            .unwrap();
        for _ in 0..2 {
            end_spans(&telemetry, 2);
            assert!(telemetry.force_flush(PLENTY), "{what}");
        }
        let spans = telemetry.shutdown(PLENTY).spans;
        assert_eq!(
            (spans.dropped.rejected, spans.unconfirmed),
            (rejected, unconfirmed),
            "{what}"
        );
        assert_settled(&spans);
    }
}

#[test]
fn dropping_the_last_handle_sends_what_is_there() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .build()
        .unwrap();
    end_spans(&telemetry, 3);
    let spans = Arc::clone(telemetry.0.queues.spans.as_ref().unwrap());
    let end = telemetry.end(PLENTY);
    drop(telemetry);
    spans.wait_ended(end);
    assert_eq!(spans.report().exported, 3);
}
