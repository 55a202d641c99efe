//! Who gets a place when.

use bartizan_protect::Timer;
use bartizan_protect::bulkhead::Reason;
use tokio::time;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};

use super::*;

#[tokio::test(start_paused = true)]
async fn those_that_wait_are_served_in_the_order_in_which_they_came() {
    let bulkhead = bulkhead(2, 10);
    let mut permits = vec![
        bulkhead.acquire().await.unwrap(),
        bulkhead.acquire().await.unwrap(),
    ];
    let mut waiting: Vec<_> = (0..4).map(|_| task::spawn(bulkhead.acquire())).collect();
    // Whoever is polled first is not the first.
    for call in waiting.iter_mut().rev() {
        assert_pending!(call.poll());
    }
    for next in 0..4 {
        drop(permits.remove(0));
        let woken: Vec<_> = waiting.iter().map(task::Spawn::is_woken).collect();
        assert!(woken[0] && !woken[1..].contains(&true), "{woken:?}");
        permits.push(assert_ready_ok!(waiting.remove(0).poll()));
        assert_eq!(counted(&bulkhead), (2, 3 - next));
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_in_before_those_that_wait() {
    let bulkhead = bulkhead(1, 10);
    let permit = bulkhead.acquire().await.unwrap();
    let mut first = task::spawn(bulkhead.acquire());
    assert_pending!(first.poll());
    drop(permit);
    // The place is the first one's, who has not been there yet to take it.
    assert_eq!(bulkhead.try_acquire().unwrap_err().reason(), Reason::Full);
    let mut second = task::spawn(bulkhead.acquire());
    assert_pending!(second.poll());
    let _permit = assert_ready_ok!(first.poll());
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_as_long_as_it_may_and_is_told_so() {
    let bulkhead = bulkhead(1, 1);
    let _permit = bulkhead.acquire().await.unwrap();
    let mut late = task::spawn(bulkhead.acquire());
    assert_pending!(late.poll());
    let full = bulkhead.acquire().await.unwrap_err();
    assert_eq!((full.reason(), full.limit()), (Reason::Full, 1));
    assert_eq!(full.waited(), Duration::ZERO);
    assert_eq!(
        full.to_string(),
        "the bulkhead stock is saturated: no place is left"
    );

    time::advance(99 * MS).await;
    assert_pending!(late.poll());
    assert_eq!(bulkhead.snapshot().queue_wait, 99 * MS);
    time::advance(2 * MS).await;
    assert!(late.is_woken());
    let late = assert_ready!(late.poll()).unwrap_err();
    assert_eq!(late.reason(), Reason::QueueTimeout);
    assert_eq!(late.waited(), 101 * MS);
    assert_eq!(
        late.to_string(),
        "the bulkhead stock is saturated: no place became free in time"
    );
    let snapshot = bulkhead.snapshot();
    assert_eq!((snapshot.rejected_full, snapshot.rejected_late), (1, 1));
    assert_eq!(counted(&bulkhead), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_goes_off_early_leaves_nobody_waiting() {
    let bulkhead = BulkheadBuilder::new("stock", config(1, 1))
        .with_timer(Timer::new(Odd::AtOnce))
        .build();
    let _permit = bulkhead.acquire().await.unwrap();
    let mut early = task::spawn(bulkhead.acquire());
    let early = assert_ready!(early.poll()).unwrap_err();
    assert_eq!(early.reason(), Reason::QueueTimeout);
}

#[tokio::test(start_paused = true)]
async fn a_place_does_not_go_to_one_whose_time_is_over() {
    let bulkhead = bulkhead(1, 2);
    let permit = bulkhead.acquire().await.unwrap();
    let mut late = task::spawn(bulkhead.acquire());
    assert_pending!(late.poll());
    time::advance(60 * MS).await;
    let mut next = task::spawn(bulkhead.acquire());
    assert_pending!(next.poll());
    time::advance(60 * MS).await;
    drop(permit);
    assert!(next.is_woken());
    let permit = assert_ready_ok!(next.poll());
    assert_eq!(permit.waited(), 60 * MS);
    assert!(assert_ready!(late.poll()).is_err());
}

#[tokio::test(start_paused = true)]
async fn one_whose_time_is_over_takes_nobodys_place_in_the_queue() {
    let bulkhead = bulkhead(1, 1);
    let _permit = bulkhead.acquire().await.unwrap();
    let late = bulkhead.acquire();
    time::advance(100 * MS).await;
    let mut next = task::spawn(bulkhead.acquire());
    assert_pending!(next.poll());
    assert_eq!(late.await.unwrap_err().reason(), Reason::QueueTimeout);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_was_given_in_time_counts_however_late_it_is_taken() {
    let bulkhead = bulkhead(1, 1);
    let permit = bulkhead.acquire().await.unwrap();
    let mut waiting = task::spawn(bulkhead.acquire());
    assert_pending!(waiting.poll());
    time::advance(50 * MS).await;
    drop(permit);
    time::advance(100 * MS).await;
    let permit = assert_ready_ok!(waiting.poll());
    assert_eq!(permit.waited(), 50 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_higher_limit_lets_those_in_that_wait() {
    let bulkhead = bulkhead(1, 50);
    let _permit = bulkhead.acquire().await.unwrap();
    let mut waiting: Vec<_> = (0..50).map(|_| task::spawn(bulkhead.acquire())).collect();
    for call in &mut waiting {
        assert_pending!(call.poll());
    }
    bulkhead.update(&config(41, 50));
    let woken = waiting.iter().filter(|call| call.is_woken()).count();
    assert_eq!(woken, 40);
    assert_eq!(counted(&bulkhead), (41, 10));
    let permits: Vec<_> = waiting[..40]
        .iter_mut()
        .map(|call| assert_ready_ok!(call.poll()))
        .collect();
    drop(permits);
    assert_eq!(counted(&bulkhead), (11, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lower_limit_lets_nobody_in_until_enough_have_left() {
    let bulkhead = bulkhead(3, 1);
    let mut permits = Vec::new();
    for _ in 0..3 {
        permits.push(bulkhead.acquire().await.unwrap());
    }
    bulkhead.update(&config(1, 1));
    assert_eq!(bulkhead.snapshot().limit, 1);
    let mut waiting = task::spawn(bulkhead.acquire());
    assert_pending!(waiting.poll());
    for left in [2, 1] {
        permits.pop();
        assert_eq!(counted(&bulkhead), (left, 1));
        assert_pending!(waiting.poll());
    }
    permits.pop();
    let _permit = assert_ready_ok!(waiting.poll());
    assert_eq!(counted(&bulkhead), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn whoever_wants_to_know_is_told() {
    let notes = Notes::default();
    let bulkhead = BulkheadBuilder::new("stock", config(1, 2))
        .with_observer(notes.clone())
        .build();
    let permit = bulkhead.acquire().await.unwrap();
    let mut served = task::spawn(bulkhead.acquire());
    let mut dropped = task::spawn(bulkhead.acquire());
    assert_pending!(served.poll());
    assert_pending!(dropped.poll());
    assert!(bulkhead.acquire().await.is_err());
    time::advance(10 * MS).await;
    drop(dropped);
    permit.complete();
    let _permit = assert_ready_ok!(served.poll());
    assert!(bulkhead.acquire().await.is_err());
    bulkhead.update(&config(5, 2));
    assert_eq!(
        notes.take(),
        [
            "stock admitted after 0ns",
            "the bulkhead stock is saturated: no place is left",
            "stock abandoned after 10ms",
            "stock admitted after 10ms",
            "the bulkhead stock is saturated: no place became free in time",
            "1 to 5: operator",
        ]
    );
}
