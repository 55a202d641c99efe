//! When what was kept goes out, and in which books it is.

use super::*;

#[test]
fn what_nobody_took_is_sent_by_the_next_run() {
    for protocol in BOTH {
        let place = Place::new("next");
        let nobody = Nobody::new();
        let telemetry = spooling_to(nobody.addr(), protocol, &place)
            .build()
            .unwrap();
        end_spans(&telemetry, 600);
        emit_logs(&telemetry, 3);
        let report = telemetry.shutdown(PLENTY);
        assert_eq!(
            (report.spans.spooled, report.logs.spooled),
            (600, 3),
            "{protocol:?}: {report}"
        );
        assert_settled(&report.spans);
        assert_settled(&report.logs);
        assert_eq!(place.files().len(), 3);

        let collector = Collector::start(Behaviour::Accept);
        let telemetry = spooling_to(collector.addr(), protocol, &place)
            .build()
            .unwrap();
        assert_eq!(telemetry.report().spool.found, 603);
        wait_replayed(&telemetry);
        let report = telemetry.shutdown(PLENTY);
        assert_eq!(
            (report.spool.exported, report.spool.waiting()),
            (603, 0),
            "{protocol:?}: {report}"
        );
        assert_eq!(report.spans, SignalReport::default(), "not this run's");
        let received = collector.received();
        assert_eq!((received.spans.len(), received.logs.len()), (600, 3));
        assert_eq!(received.span_ids().len(), 600);
        assert!(place.files().is_empty());
    }
}

#[test]
fn a_collector_that_comes_back_gets_what_was_spooled_and_then_the_rest_directly() {
    let place = Place::new("back");
    let nobody = Nobody::new();
    let addr = nobody.addr();
    let telemetry = spooling(addr, &place);
    end_spans(&telemetry, 3);
    assert!(telemetry.force_flush(PLENTY));
    assert_eq!(telemetry.report().spans.spooled, 3);
    let collector = Collector::start_at(addr, Behaviour::Accept);
    wait_replayed(&telemetry);
    end_spans(&telemetry, 2);
    let spans = telemetry.shutdown(PLENTY).spans;
    assert_eq!((spans.exported, spans.spooled), (5, 0), "{spans}");
    assert_settled(&spans);
    let requests = collector.received().requests.len();
    assert_eq!((requests, collector.received().spans.len()), (2, 5));
    assert!(place.files().is_empty());
}

#[test]
fn a_far_side_that_asks_for_a_pause_is_left_alone_while_files_pile_up() {
    let place = Place::new("pause");
    let retry_after = Some(600);
    let collector = Collector::start(Behaviour::Busy { retry_after });
    let telemetry = spooling(collector.addr(), &place);
    for _ in 0..3 {
        end_spans(&telemetry, 2);
        assert!(telemetry.force_flush(PLENTY));
    }
    let spans = telemetry.shutdown(PLENTY).spans;
    assert_eq!((spans.spooled, spans.lost()), (6, 0), "{spans}");
    assert_settled(&spans);
    assert_eq!(collector.received().requests.len(), 1);
    assert_eq!(place.files().len(), 3);
}

#[test]
fn what_is_refused_again_stays_and_what_is_not_taken_goes() {
    let place = Place::new("again");
    leave(&place, &[3, 2]);
    let busy = Collector::start(Behaviour::Busy { retry_after: None });
    let telemetry = spooling(busy.addr(), &place);
    busy.wait_for_requests(3);
    let spool = telemetry.shutdown(PLENTY).spool;
    assert_eq!((spool.found, spool.waiting()), (5, 5), "{spool}");
    assert_eq!(place.files().len(), 2);

    let strict = Collector::start(Behaviour::Refuse { http: 400, grpc: 3 });
    let telemetry = spooling(strict.addr(), &place);
    wait_replayed(&telemetry);
    let spool = telemetry.shutdown(PLENTY).spool;
    assert_eq!((spool.found, spool.rejected), (5, 5), "{spool}");
    assert!(place.files().is_empty());
}

#[test]
fn a_shutdown_leaves_time_for_the_files_and_what_may_have_arrived_is_unconfirmed() {
    for protocol in BOTH {
        let place = Place::new("deadline");
        let silent = Collector::start(Behaviour::Hang);
        let telemetry = spooling_to(silent.addr(), protocol, &place)
            .build()
            .unwrap();
        end_spans(&telemetry, 700);
        silent.wait_for_request();
        let spans = telemetry.shutdown(Duration::from_secs(1)).spans;
        assert_eq!(
            (spans.unconfirmed, spans.spooled),
            (512, 188),
            "{protocol:?}: {spans}"
        );
        assert_settled(&spans);

        let collector = Collector::start(Behaviour::Accept);
        let telemetry = spooling_to(collector.addr(), protocol, &place)
            .build()
            .unwrap();
        wait_replayed(&telemetry);
        assert_eq!(telemetry.shutdown(PLENTY).spool.exported, 700);
        assert_eq!(collector.received().span_ids().len(), 700);
    }
}

#[test]
fn a_batch_that_was_never_answered_is_sent_again_and_then_counted_as_exported() {
    let place = Place::new("doubt");
    let collector = Collector::start(Behaviour::first(1, &Behaviour::Break, Behaviour::Accept));
    let telemetry = spooling(collector.addr(), &place);
    end_spans(&telemetry, 3);
    assert!(telemetry.force_flush(PLENTY));
    wait_replayed(&telemetry);
    let spans = telemetry.shutdown(PLENTY).spans;
    assert_eq!((spans.exported, spans.unconfirmed), (3, 0), "{spans}");
    assert_settled(&spans);
    let received = collector.received();
    assert_eq!((received.spans.len(), received.span_ids().len()), (6, 3));
}

#[test]
fn a_replay_without_an_answer_does_not_hold_up_the_shutdown() {
    let place = Place::new("silent");
    leave(&place, &[3]);
    let silent = Collector::start(Behaviour::Hang);
    let telemetry = spooling(silent.addr(), &place);
    silent.wait_for_request();
    let spool = telemetry.shutdown(SHORT).spool;
    assert_eq!((spool.found, spool.waiting()), (3, 3), "{spool}");
    assert_eq!(place.files().len(), 1);
}

#[test]
fn metrics_are_not_spooled() {
    let place = Place::new("metrics");
    let nobody = Nobody::new();
    let telemetry = spooling(nobody.addr(), &place);
    let requests = telemetry.meter().u64_counter("requests").build();
    requests.add(1, &[]);
    let metrics = telemetry.shutdown(PLENTY).metrics.collections;
    assert_eq!((metrics.spooled, metrics.dropped.unreachable), (0, 1));
    assert!(place.files().is_empty());
}

#[test]
fn the_books_add_up_over_two_runs_whatever_the_collector_does() {
    let busy = Behaviour::Busy { retry_after: None };
    let faults = [busy, Behaviour::Break, Behaviour::Accept, Behaviour::Reset];
    let steps = faults.iter().cycle().take(40).cloned();
    let place = Place::new("flapping");
    let flapping = Collector::start(Behaviour::Script(steps.collect()));
    let telemetry = spooling_to(flapping.addr(), OtlpProtocol::HttpProtobuf, &place)
        .with_span_batch(quick().with_max_batch(64).with_max_queue(10_000))
        .build()
        .unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| end_spans(&telemetry, 1_000));
        }
    });
    let spans = telemetry.shutdown(PLENTY).spans;
    assert_settled(&spans);
    assert_eq!((spans.ended, spans.lost()), (4_000, 0), "{spans}");
    let mut ids = flapping.received().span_ids();
    let came = ids.len() as u64;
    assert!(
        (spans.exported..=spans.exported + spans.unconfirmed).contains(&came),
        "{came} came: {spans}"
    );

    let collector = Collector::start(Behaviour::Accept);
    let telemetry = spooling(collector.addr(), &place);
    wait_replayed(&telemetry);
    let spool = telemetry.shutdown(PLENTY).spool;
    assert_eq!(spool.exported, spans.spooled + spans.unconfirmed, "{spool}");
    ids.extend(collector.received().span_ids());
    assert_eq!(ids.len(), 4_000, "every one came");
}
