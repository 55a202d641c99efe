mod property;

use std::time::Duration;

use super::*;
use crate::telemetry::spool::Origin;
use crate::telemetry::transport::Sent;

const BOUNDS: Bounds = Bounds {
    items: 4,
    bytes: 100,
    batch: 2,
};

fn queue(feed: Feed) -> Queue<u32> {
    Queue::new(feed, BOUNDS, Handed::assumed(), Clock::default())
}

fn soon() -> Instant {
    Clock::default().now() + Duration::from_secs(60)
}

fn batch(queue: &Queue<u32>) -> Vec<u32> {
    match queue.next() {
        Next::Batch(batch) => batch,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_does_not_fit_is_counted() {
    let queue = queue(Feed::Pushed);
    (0..7).for_each(|n| queue.push(n, 1));
    let report = queue.report();
    assert_eq!(
        (report.ended, report.dropped.queue_full, report.pending()),
        (7, 3, 4)
    );
}

#[test]
fn what_does_not_fit_by_its_bytes_is_counted_until_what_is_under_way_is_settled() {
    let queue = queue(Feed::Pushed);
    queue.push(0, 101);
    queue.push(1, 100);
    queue.push(2, 1);
    let full = |queue: &Queue<u32>| queue.report().dropped.queue_full;
    assert_eq!(full(&queue), 2, "it never fits, and the last not any more");
    assert_eq!(batch(&queue), [1]);
    queue.push(3, 1);
    assert_eq!(full(&queue), 3, "a batch is held for as long as it is sent");
    queue.settle(&Sent::Acknowledged { rejected: 0 });
    queue.push(4, 100);
    let report = queue.report();
    assert_eq!((report.ended, full(&queue), report.pending()), (5, 3, 1));
}

#[test]
fn what_was_spooled_makes_room() {
    let queue = queue(Feed::Pushed);
    queue.push(0, 100);
    assert_eq!(batch(&queue), [0]);
    assert!(queue.stow(Origin::Own));
    queue.push(1, 100);
    assert_eq!(queue.report().dropped.queue_full, 0);
}

#[tokio::test(start_paused = true)]
async fn items_of_many_bytes_fill_a_batch_and_go_out_in_portions() {
    let bounds = Bounds {
        items: 40,
        bytes: 100,
        batch: 20,
    };
    let queue = Queue::new(Feed::Pushed, bounds, Handed::assumed(), Clock::default());
    let mut woken = tokio_test::task::spawn(futures(queue.woken()));
    assert!(woken.poll().is_pending());
    for item in 0..4 {
        queue.push(item, 6);
    }
    assert!(!woken.is_woken() && matches!(queue.next(), Next::Wait));
    queue.push(4, 6);
    assert!(woken.is_woken(), "a quarter of the bytes and more");
    queue.push(5, 40);
    assert_eq!(batch(&queue), [0, 1, 2, 3]);
    queue.settle(&Sent::Acknowledged { rejected: 0 });
    assert_eq!(batch(&queue), [4]);
    queue.settle(&Sent::Acknowledged { rejected: 0 });
    assert_eq!(batch(&queue), [5], "it is larger, and goes alone");
    queue.settle(&Sent::Acknowledged { rejected: 0 });
    assert!(matches!(queue.next(), Next::Wait));
}

#[test]
fn a_part_of_a_batch_waits_until_a_flush_or_the_end() {
    let queue = queue(Feed::Pushed);
    (0..3).for_each(|n| queue.push(n, 1));
    assert_eq!(batch(&queue), [0, 1]);
    queue.settle(&Sent::Acknowledged { rejected: 0 });
    assert!(matches!(queue.next(), Next::Wait));
    queue.request_flush();
    assert_eq!(batch(&queue), [2]);
    queue.settle(&Sent::Acknowledged { rejected: 0 });
    queue.push(3, 1);
    assert!(matches!(queue.next(), Next::Wait));
    queue.close(soon());
    assert_eq!(batch(&queue), [3]);
    queue.settle(&Sent::Acknowledged { rejected: 1 });
    assert!(matches!(queue.next(), Next::Ended));
    let report = queue.report();
    assert_eq!(
        (report.ended, report.exported, report.dropped.rejected),
        (4, 3, 1)
    );
}

#[test]
fn a_flush_waits_for_what_was_there_and_not_for_more() {
    let queue = queue(Feed::Pushed);
    queue.push(0, 1);
    let target = queue.request_flush();
    assert_eq!(batch(&queue), [0]);
    queue.push(1, 1);
    queue.settle(&Sent::Unreachable);
    assert!(queue.wait_flushed(target, soon()));
    assert!(matches!(queue.next(), Next::Wait));
}

#[test]
fn the_deadline_books_what_is_left_and_a_late_result_changes_nothing() {
    let queue = queue(Feed::Pushed);
    (0..4).for_each(|n| queue.push(n, 1));
    assert_eq!(batch(&queue).len(), 2);
    let now = Clock::default().now();
    queue.close(now);
    queue.wait_ended(now);
    queue.settle(&Sent::Acknowledged { rejected: 0 });
    queue.push(9, 1);
    let report = queue.report();
    assert_eq!((report.unconfirmed, report.dropped.deadline), (2, 2));
    assert_eq!(
        (
            report.exported,
            report.dropped.after_shutdown,
            report.pending()
        ),
        (0, 1, 0)
    );
    assert!(matches!(queue.next(), Next::Ended));
}

#[test]
fn a_batch_that_was_never_handed_over_is_not_called_unconfirmed() {
    let handed = Handed::new();
    let queue = Queue::new(
        Feed::Pushed,
        Bounds { batch: 1, ..BOUNDS },
        handed.clone(),
        Clock::default(),
    );
    queue.push(0, 1);
    assert!(handed.begin().read());
    assert!(matches!(queue.next(), Next::Batch(_)), "which begins anew");
    queue.close(soon());
    queue.expire();
    assert_eq!(
        (queue.report().unconfirmed, queue.report().dropped.deadline),
        (0, 1)
    );
}

#[test]
fn metrics_are_collected_on_request_and_once_at_the_end() {
    let queue = queue(Feed::Collected);
    assert!(matches!(queue.next(), Next::Wait));
    let target = queue.request_flush();
    assert!(matches!(queue.next(), Next::Collect));
    queue.supply(Some(7));
    assert_eq!(batch(&queue), [7]);
    queue.settle(&Sent::Acknowledged { rejected: 3 });
    assert!(queue.wait_flushed(target, soon()));
    queue.close(soon());
    assert!(matches!(queue.next(), Next::Collect));
    queue.supply(None);
    assert!(matches!(queue.next(), Next::Ended));
    assert_eq!(
        (
            queue.report().ended,
            queue.report().exported,
            queue.rejected_parts()
        ),
        (1, 1, 3)
    );
}

#[tokio::test(start_paused = true)]
async fn the_earliest_of_two_deadlines_counts() {
    let queue = queue(Feed::Pushed);
    let now = tokio::time::Instant::now().into_std();
    queue.close(now + Duration::from_secs(60));
    let mut expired = tokio_test::task::spawn(queue.expired());
    assert!(expired.poll().is_pending());
    queue.close(now);
    assert!(expired.is_woken());
    assert!(expired.poll().is_ready());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_end_takes_no_wake_up_from_the_work_beside_it() {
    let queue = queue(Feed::Pushed);
    let now = tokio::time::Instant::now().into_std();
    queue.close(now + Duration::from_secs(60));
    // The wake-up that comes with it.
    queue.woken().await;
    let mut ends = [
        tokio_test::task::spawn(futures(queue.cut_off())),
        tokio_test::task::spawn(futures(queue.expired())),
    ];
    let mut work = tokio_test::task::spawn(futures(queue.woken()));
    for end in &mut ends {
        assert!(end.poll().is_pending());
    }
    assert!(work.poll().is_pending());
    queue.end_replay(Fate::Kept);
    assert!(work.is_woken() && work.poll().is_ready());

    queue.close(now);
    for end in &mut ends {
        assert!(end.is_woken() && end.poll().is_ready(), "each of them");
    }
}

/// Futures of different types in one list.
fn futures<'a>(
    future: impl Future<Output = ()> + 'a,
) -> std::pin::Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(future)
}
