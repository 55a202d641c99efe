//! Far sides that take too long.

use http::Request;
use opentelemetry_http::HttpClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use prost::Message;

use super::*;
use crate::telemetry::transport::{Sent, Signal, Transport};

#[test]
fn times_beyond_what_the_clock_can_say_are_as_good_as_for_ever() {
    let ever = Duration::MAX;
    let nobody = Nobody::new();
    let batch = BatchConfig::spans()
        .with_retry_delays(ever, ever)
        .with_delay(ever)
        .with_export_timeout(ever);
    let config = config(nobody.addr(), OtlpProtocol::HttpProtobuf).with_timeout(ever);
    let telemetry = exporting(config)
        .with_span_batch(batch)
        .with_metric_interval(ever)
        .build()
        .unwrap();
    end_spans(&telemetry, 3);
    assert!(!telemetry.force_flush(SHORT));
    let spans = telemetry.shutdown(PLENTY).spans;
    assert_eq!(spans.dropped.unreachable, 3, "{spans}");
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
