//! Far sides that are not there, refuse, break off, or talk nonsense.

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
    // The second is beyond what a clock can say.
    for seconds in [600, u64::MAX] {
        let retry_after = Some(seconds);
        let busy = Behaviour::Busy { retry_after };
        let collector = Collector::start(Behaviour::first(1, &busy, Behaviour::Accept));
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
            "{seconds} s: {spans}"
        );
        assert_eq!(collector.received().requests.len(), 1);
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
