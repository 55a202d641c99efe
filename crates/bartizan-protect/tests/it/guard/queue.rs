//! In what order calls get their turn.

use std::future::pending;
use std::sync::{Arc, Mutex};

use bartizan_protect::breaker::Outcome;
use bartizan_protect::bulkhead::Adaptive;
use bartizan_protect::guard::Error;
use tokio::sync::oneshot;
use tokio::time;
use tokio_test::task;

use super::*;

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_served_in_the_order_of_the_first_polls() {
    let bulkhead = bulkhead(1, 8);
    let guard = Guard::builder()
        .with_bulkhead(bulkhead.clone())
        .build()
        .unwrap();
    let permit = bulkhead.try_acquire().unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut calls: Vec<_> = (0..5)
        .map(|number| {
            let order = Arc::clone(&order);
            task::spawn(guard.run(async move {
                order.lock().unwrap().push(number);
                done().await
            }))
        })
        .collect();
    assert_eq!(bulkhead.snapshot().queued, 0);
    for number in [3, 0, 4, 1, 2] {
        assert!(calls[number].poll().is_pending());
    }
    assert_eq!(bulkhead.snapshot().queued, 5);
    drop(permit);
    while let Some(at) = calls.iter().position(|call| call.is_woken()) {
        assert!(calls[at].poll().is_ready());
        drop(calls.remove(at));
    }
    assert_eq!(*order.lock().unwrap(), [3, 0, 4, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn the_time_in_the_queue_is_none_of_the_timeout() {
    let bulkhead = bulkhead(1, 1);
    let guard = Guard::builder()
        .with_bulkhead(bulkhead.clone())
        .with_timeout(SECOND)
        .build()
        .unwrap();
    let permit = bulkhead.try_acquire().unwrap();
    let (answers, answer) = oneshot::channel();
    let mut call = task::spawn(guard.run(answer));
    assert!(call.poll().is_pending());
    time::advance(5 * SECOND).await;
    drop(permit);
    assert!(call.poll().is_pending());
    time::advance(SECOND / 2).await;
    assert!(call.poll().is_pending());
    answers.send("charged").unwrap();
    assert!(matches!(call.poll(), Poll::Ready(Ok("charged"))));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_holds_no_probe() {
    let bulkhead = bulkhead(1, 1);
    let breaker = breaker(1);
    let guard = Guard::builder()
        .with_bulkhead(bulkhead.clone())
        .with_breaker(breaker.clone())
        .build()
        .unwrap();
    let permit = bulkhead.try_acquire().unwrap();
    let mut call = task::spawn(guard.run(done()));
    assert!(call.poll().is_pending());
    breaker.try_acquire().unwrap().record(Outcome::Failure);
    drop(permit);
    // What counts is the circuit as it is when the turn has come.
    let Poll::Ready(Err(error)) = call.poll() else {
        panic!("it was woken");
    };
    assert!(matches!(error, Error::CircuitOpen(_)), "{error}");
    assert_eq!(bulkhead.snapshot().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn never_more_work_at_a_time_than_there_may_be() {
    let guard = Guard::builder()
        .with_bulkhead(bulkhead(3, 100))
        .build()
        .unwrap();
    let counted = Arc::new(Mutex::new((0, 0)));
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let counted = Arc::clone(&counted);
            tokio::spawn(guard.run(async move {
                {
                    let mut counted = counted.lock().unwrap();
                    counted.0 += 1;
                    counted.1 = counted.0.max(counted.1);
                }
                tokio::task::yield_now().await;
                counted.lock().unwrap().0 -= 1;
                done().await
            }))
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(*counted.lock().unwrap(), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_limit_goes_by_what_was_done_or_took_too_long() {
    let guard = || {
        // One that goes by each call, and starts with a probe at 8.
        let adaptive = Adaptive::default().with_initial(16);
        let adaptive = adaptive.with_window(SECOND / 1000, 1);
        let config = bulkhead::Config::builder(adaptive).build().unwrap();
        Guard::builder()
            .with_bulkhead(Bulkhead::new("cards", config))
            .with_timeout(SECOND)
            .build()
            .unwrap()
    };
    let limit = |guard: &Guard| guard.bulkhead().unwrap().snapshot().limit;
    let (succeeds, fails, hangs, dropped) = (guard(), guard(), guard(), guard());
    succeeds.run(done()).await.unwrap();
    fails.run(failed()).await.unwrap_err();
    hangs.run(pending::<io::Result<()>>()).await.unwrap_err();
    let mut call = task::spawn(dropped.run(pending::<io::Result<()>>()));
    assert!(call.poll().is_pending());
    drop(call);
    let limits = [&succeeds, &fails, &hangs, &dropped].map(limit);
    assert_eq!(limits, [4, 8, 4, 8]);
}
