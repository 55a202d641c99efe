use std::io::{self, Write};
use std::sync::{Barrier, mpsc};

use http::Request;
use opentelemetry_http::HttpClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SpanExporter;
use prost::Message;
use tracing_subscriber::fmt::MakeWriter;

use super::super::transport::{Sent, Signal, Transport};
use super::*;

#[test]
fn nobody_listening_is_unreachable() {
    for protocol in BOTH {
        let nobody = Nobody::new();
        let telemetry = exporting(config(nobody.addr(), protocol)).build().unwrap();
        end_spans(&telemetry, 600);
        let spans = telemetry.shutdown(PLENTY).spans;
        assert_eq!(
            (spans.ended, spans.dropped.unreachable),
            (600, 600),
            "{protocol:?}: {spans}"
        );
        assert_settled(&spans);
    }
}

#[test]
fn a_refusal_is_counted_as_rejected() {
    for protocol in BOTH {
        let collector = Collector::start(Behaviour::Refuse { http: 400, grpc: 3 });
        let telemetry = exporting_to(&collector, protocol).build().unwrap();
        end_spans(&telemetry, 4);
        let spans = telemetry.shutdown(PLENTY).spans;
        assert_eq!(
            (spans.ended, spans.dropped.rejected),
            (4, 4),
            "{protocol:?}: {spans}"
        );
        assert_settled(&spans);
    }
}

#[test]
fn what_is_refused_for_a_while_is_sent_again_until_it_is_taken() {
    for protocol in BOTH {
        let collector = Collector::start(Behaviour::first(
            3,
            &Behaviour::Busy { retry_after: None },
            Behaviour::Accept,
        ));
        let telemetry = exporting_to(&collector, protocol)
            .with_span_batch(quick())
            .build()
            .unwrap();
        end_spans(&telemetry, 4);
        assert!(telemetry.force_flush(PLENTY));
        let spans = telemetry.report().spans;
        assert_eq!(
            (spans.ended, spans.exported),
            (4, 4),
            "{protocol:?}: {spans}"
        );
        let received = collector.received();
        assert_eq!((received.requests.len(), received.spans.len()), (4, 4));
    }
}

#[test]
fn a_batch_whose_connection_broke_is_sent_again_and_may_come_twice() {
    for protocol in BOTH {
        let collector = Collector::start(Behaviour::first(1, &Behaviour::Break, Behaviour::Accept));
        let telemetry = exporting_to(&collector, protocol)
            .with_span_batch(quick())
            .build()
            .unwrap();
        end_spans(&telemetry, 3);
        assert!(telemetry.force_flush(PLENTY));
        let spans = telemetry.report().spans;
        assert_eq!(
            (spans.exported, spans.lost()),
            (3, 0),
            "{protocol:?}: {spans}"
        );
        let received = collector.received();
        assert_eq!((received.spans.len(), received.span_ids().len()), (6, 3));
    }
}

#[test]
fn a_collector_that_comes_up_late_still_gets_everything() {
    let nobody = Nobody::new();
    let addr = nobody.addr();
    let telemetry = exporting(config(addr, OtlpProtocol::HttpProtobuf))
        .with_span_batch(quick())
        .build()
        .unwrap();
    end_spans(&telemetry, 3);
    assert!(!telemetry.force_flush(SHORT), "nobody is there");
    let collector = Collector::start_at(addr, Behaviour::Accept);
    assert!(telemetry.force_flush(PLENTY));
    assert_eq!(telemetry.report().spans.exported, 3);
    assert_eq!(collector.received().spans.len(), 3);
}

#[test]
fn a_far_side_that_asks_for_a_pause_is_left_alone_for_as_long() {
    let collector = Collector::start(Behaviour::first(
        1,
        &Behaviour::Busy {
            retry_after: Some(600),
        },
        Behaviour::Accept,
    ));
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .with_span_batch(quick().with_export_timeout(SHORT))
        .build()
        .unwrap();
    end_spans(&telemetry, 3);
    assert!(telemetry.force_flush(PLENTY), "the batch's own time is up");
    end_spans(&telemetry, 2);
    assert!(!telemetry.force_flush(SHORT), "and the next waits");
    let spans = telemetry.shutdown(PLENTY).spans;
    assert_eq!(
        (spans.dropped.rejected, spans.dropped.deadline),
        (3, 2),
        "{spans}"
    );
    assert_eq!(collector.received().requests.len(), 1);
}

#[test]
fn no_answer_by_the_deadline_is_unconfirmed_and_what_waits_behind_it_is_dropped() {
    for protocol in BOTH {
        let collector = Collector::start(Behaviour::Hang);
        let telemetry = exporting_to(&collector, protocol).build().unwrap();
        end_spans(&telemetry, 700);
        // The first batch is full and goes out by itself.
        collector.wait_for_request();
        let spans = telemetry.shutdown(SHORT).spans;
        assert_eq!(
            (spans.ended, spans.unconfirmed),
            (700, 512),
            "{protocol:?}: {spans}"
        );
        assert_eq!(spans.dropped.deadline, 188, "{protocol:?}: {spans}");
        assert_settled(&spans);
    }
}

#[test]
fn a_far_side_that_reads_nothing_does_not_hold_up_the_shutdown() {
    for protocol in BOTH {
        let collector = Collector::start(Behaviour::Mute);
        let telemetry = exporting_to(&collector, protocol).build().unwrap();
        end_spans(&telemetry, 700);
        let spans = telemetry.shutdown(SHORT).spans;
        // How far the first batch came in that time is the machine's matter.
        assert_eq!(
            spans.unconfirmed + spans.dropped.deadline,
            700,
            "{protocol:?}: {spans}"
        );
        assert_settled(&spans);
    }
}

#[tokio::test(start_paused = true)]
async fn no_answer_within_the_exports_own_time_is_unconfirmed() {
    for protocol in BOTH {
        let collector = Collector::start(Behaviour::Hang);
        let to = config(collector.addr(), protocol).destination(Signal::Traces);
        let transport = Transport::new(Signal::Traces, &to.unwrap()).unwrap();
        // The paused time stands still while this runs, and runs on as soon as it is done: it is
        // the answer that is late and never the request, however slow the machine is.
        let come = tokio::task::spawn_blocking(move || {
            collector.wait_for_request();
            collector
        });
        let batch = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans::default()],
        };
        let batch = Request::new(batch.encode_to_vec().into());
        let sent = transport.send_bytes(batch).await;
        assert!(sent.is_err(), "{protocol:?}");
        assert!(
            matches!(transport.take(), Some(Sent::Unconfirmed)),
            "{protocol:?}"
        );
        assert_eq!(come.await.unwrap().received().requests.len(), 1);
    }
}

#[test]
fn a_connection_that_breaks_after_the_request_leaves_it_unconfirmed() {
    for protocol in BOTH {
        let collector = Collector::start(Behaviour::Break);
        let telemetry = exporting_to(&collector, protocol)
            .with_span_batch(quick().with_export_timeout(SHORT))
            .build()
            .unwrap();
        end_spans(&telemetry, 3);
        let spans = telemetry.shutdown(PLENTY).spans;
        assert_eq!(
            (spans.unconfirmed, spans.lost()),
            (3, 0),
            "{protocol:?}: {spans}"
        );
        let received = collector.received();
        assert!(received.requests.len() > 1, "it was tried again");
        assert_eq!(received.span_ids().len(), 3, "it may well be there");
    }
}

#[test]
fn an_answer_that_cannot_be_read_leaves_the_batch_unconfirmed() {
    let collector = Collector::start(Behaviour::Garble);
    let telemetry = exporting_to(&collector, OtlpProtocol::Grpc)
        .build()
        .unwrap();
    for _ in 0..2 {
        end_spans(&telemetry, 3);
        assert!(telemetry.force_flush(PLENTY));
    }
    let spans = telemetry.shutdown(PLENTY).spans;
    assert_eq!((spans.unconfirmed, spans.lost()), (6, 0), "{spans}");
    assert_eq!(collector.received().spans.len(), 6);
}

#[test]
fn a_flush_gives_up_at_its_deadline_and_loses_nothing() {
    let collector = Collector::start(Behaviour::Hang);
    let telemetry = exporting_to(&collector, OtlpProtocol::Grpc)
        .build()
        .unwrap();
    end_spans(&telemetry, 3);
    assert!(!telemetry.force_flush(SHORT));
    assert_eq!(telemetry.report().spans.pending(), 3);
    telemetry.shutdown(Duration::ZERO);
}

#[test]
fn a_full_queue_drops_and_counts() {
    let collector = Collector::start(Behaviour::Hang);
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .with_span_batch(BatchConfig::spans().with_max_queue(10).with_max_batch(10))
        .with_log_batch(BatchConfig::logs().with_max_queue(4))
        .build()
        .unwrap();
    end_spans(&telemetry, 100);
    emit_logs(&telemetry, 100);
    let report = telemetry.shutdown(SHORT);
    // The exporter may have taken a batch out while the spans came in.
    assert!(
        (80..=90).contains(&report.spans.dropped.queue_full),
        "{report}"
    );
    assert!(
        (92..=96).contains(&report.logs.dropped.queue_full),
        "{report}"
    );
    assert_eq!((report.spans.ended, report.logs.ended), (100, 100));
    assert_settled(&report.spans);
    assert_settled(&report.logs);
}

#[test]
fn the_books_add_up_while_many_threads_record() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::Grpc)
        .with_span_batch(BatchConfig::spans().with_max_queue(64).with_max_batch(16))
        .build()
        .unwrap();
    let half = Barrier::new(5);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                end_spans(&telemetry, 1_000);
                half.wait();
                end_spans(&telemetry, 1_000);
            });
        }
        half.wait();
        assert!(telemetry.force_flush(PLENTY));
        let live = telemetry.report().spans;
        assert!(live.exported > 0 && live.pending() <= 64 + 16, "{live}");
        // While the second half is coming in.
        telemetry.shutdown(PLENTY);
    });
    let spans = telemetry.report().spans;
    assert_eq!(spans.ended, 8_000);
    assert!(spans.dropped.queue_full > 0, "{spans}");
    assert_settled(&spans);
    assert_eq!(collector.received().spans.len() as u64, spans.exported);
}

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
