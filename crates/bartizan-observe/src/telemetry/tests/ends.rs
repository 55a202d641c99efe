//! What a shutdown waits for and tells.

use super::*;

#[test]
fn spans_that_are_still_open_are_told_and_in_no_other_figure() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .build()
        .unwrap();
    let (mut open, late) = (telemetry.tracer().start("a"), telemetry.tracer().start("b"));
    end_spans(&telemetry, 3);
    assert_eq!(telemetry.report().unfinished, 2);
    open.end();
    let report = telemetry.shutdown(PLENTY);
    assert_eq!((report.spans.ended, report.unfinished), (4, 1), "{report}");
    assert_settled(&report.spans);
    drop(late);
    let report = telemetry.report();
    assert_eq!(
        (report.unfinished, report.spans.dropped.after_shutdown),
        (0, 1)
    );
}

#[test]
fn asynchronous_code_can_wait_without_blocking_its_only_worker() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::Grpc)
        .build()
        .unwrap();
    end_spans(&telemetry, 700);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let report = runtime.block_on(async {
        let (report, ran) = tokio::join!(
            telemetry.shutdown_async(PLENTY),
            tokio::spawn(async { "in the meantime" })
        );
        assert_eq!(ran.unwrap(), "in the meantime");
        report
    });
    assert_eq!(report.spans.exported, 700, "{report}");

    // Nobody has to wait.
    let telemetry = exporting_to(&collector, OtlpProtocol::Grpc)
        .build()
        .unwrap();
    end_spans(&telemetry, 3);
    drop(telemetry.shutdown_async(PLENTY));
    assert_eq!(telemetry.shutdown(PLENTY).spans.exported, 3);
}

#[test]
fn nothing_is_exported_twice_and_later_spans_are_counted() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .build()
        .unwrap();
    let mut open = telemetry.tracer().start("still open");
    end_spans(&telemetry, 2);
    let first = telemetry.shutdown(PLENTY);
    assert_eq!(first, telemetry.shutdown(PLENTY));
    open.end();
    end_spans(&telemetry, 1);
    let later = telemetry.report().spans;
    assert_eq!((later.exported, later.dropped.after_shutdown), (2, 2));
    assert_settled(&later);
    assert_eq!(collector.received().spans.len(), 2);
}

#[test]
fn shutdowns_at_once_agree_and_a_flush_after_them_does_not_wait() {
    for protocol in BOTH {
        let collector = Collector::start(Behaviour::Accept);
        let telemetry = exporting_to(&collector, protocol).build().unwrap();
        end_spans(&telemetry, 1_300);
        let [first, second] = std::thread::scope(|scope| {
            [(); 2]
                .map(|()| scope.spawn(|| telemetry.shutdown(PLENTY)))
                .map(|shutdown| shutdown.join().unwrap())
        });
        assert_eq!(first, second, "{protocol:?}");
        assert_eq!(first.spans.exported, 1_300, "{protocol:?}");
        assert!(telemetry.force_flush(Duration::ZERO));
        assert!(telemetry.tracer_provider().force_flush().is_ok());
        assert_eq!(telemetry.report(), first);
    }
}

#[test]
fn of_two_shutdowns_at_once_the_shorter_deadline_counts() {
    let collector = Collector::start(Behaviour::Hang);
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .build()
        .unwrap();
    end_spans(&telemetry, 600);
    collector.wait_for_request();
    std::thread::scope(|scope| {
        // Would wait for an hour.
        let patient = scope.spawn(|| telemetry.shutdown(PLENTY * 60));
        let spans = telemetry.shutdown(Duration::ZERO).spans;
        assert_eq!((spans.unconfirmed, spans.dropped.deadline), (512, 88));
        assert_eq!(patient.join().unwrap().spans, spans);
    });
}

#[test]
fn without_an_exporter_there_is_nothing_to_wait_for() {
    let telemetry = Telemetry::builder().build().unwrap();
    end_spans(&telemetry, 3);
    emit_logs(&telemetry, 3);
    assert!(telemetry.force_flush(Duration::ZERO));
    assert_eq!(telemetry.shutdown(Duration::ZERO), Report::default());
}
