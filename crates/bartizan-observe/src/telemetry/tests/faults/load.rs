//! More than goes out.

use std::sync::Barrier;

use super::*;

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
fn a_queue_is_also_full_by_its_bytes() {
    const ITEM: usize = 100_000;
    let collector = Collector::start(Behaviour::Hang);
    let batch = BatchConfig::spans().with_max_queue_bytes(10 * ITEM);
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .with_span_batch(batch)
        .with_log_batch(batch)
        .build()
        .unwrap();
    for _ in 0..50 {
        end_span(&telemetry, ITEM);
        emit_log(&telemetry, ITEM);
    }
    // What is under way is held, too, so that it does not matter how far the exporter has come.
    let report = telemetry.report();
    for signal in [report.spans, report.logs] {
        assert_eq!((signal.pending(), signal.dropped.queue_full), (9, 41));
    }
    let report = telemetry.shutdown(SHORT);
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
