//! Many at once.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use tokio::task::JoinSet;
use tokio_test::task;
use tower::{Layer, Service, ServiceExt, service_fn};

use super::*;
use crate::coop::{Polite, in_a_used_up_task};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_at_once_keep_to_the_bounds() {
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let config = Config::builder(10).with_max_queue(100);
    let config = config.with_queue_timeout(Duration::from_secs(600)).build();
    let bulkhead = Bulkhead::new("crowd", config.unwrap());
    let mut calls = JoinSet::new();
    for call in 0..10_000 {
        let bulkhead = bulkhead.clone();
        calls.spawn(async move {
            // Some of them do not wait to the end.
            let mut permit = std::pin::pin!(bulkhead.acquire());
            if call % 7 == 0 {
                let once = std::future::poll_fn(|cx| Poll::Ready(permit.as_mut().poll(cx)));
                return matches!(once.await, Poll::Ready(Ok(_)));
            }
            let Ok(permit) = permit.await else {
                return false;
            };
            MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            assert!(bulkhead.snapshot().queued <= 100);
            tokio::task::yield_now().await;
            NOW.fetch_sub(1, Ordering::SeqCst);
            permit.complete();
            true
        });
    }
    let served = calls.join_all().await.into_iter().filter(|it| *it).count();
    let most = MOST.load(Ordering::SeqCst);
    assert!((1..=10).contains(&most), "{most}");
    let snapshot = bulkhead.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.queued), (0, 0));
    let refused = snapshot.rejected_full + snapshot.rejected_late + snapshot.abandoned;
    assert_eq!(served as u64 + refused, 10_000);
}

#[tokio::test(start_paused = true)]
async fn a_readied_idle_clone_starves_nobody() {
    // tower's `ConcurrencyLimit` reserves in `poll_ready`: a clone that is readied and then not
    // called has the place all the same.
    let layer = BulkheadLayer::of(bulkhead(1, 0));
    let answer = service_fn(async |_: In| Ok::<_, Infallible>(Out::default()));
    let mut idle = layer.layer(answer);
    idle.ready().await.unwrap();
    let mut other = idle.clone();
    let call = other.ready().await.unwrap().call(In::default());
    assert!(call.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_parked_are_bounded() {
    // hyper-util #297: hyper clones a service for each request and readies it then, so that what is
    // pending in `poll_ready` is a queue without an end.
    let layer = BulkheadLayer::of(bulkhead(2, 3));
    let hung = layer.layer(service_fn(|_: In| {
        std::future::pending::<Result<Out, Infallible>>()
    }));
    let mut requests: Vec<_> = (0..1_000)
        .map(|_| task::spawn(hung.clone().oneshot(In::default())))
        .collect();
    let parked = requests.iter_mut().filter_map(|request| {
        let poll = request.poll();
        poll.is_pending().then_some(())
    });
    assert_eq!(parked.count(), 5);
    assert_eq!(counted(layer.handle()), (2, 3));
    drop(requests);
    assert_eq!(counted(layer.handle()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_lets_others_run_first_is_not_saturated() {
    // apollo router #9034: tokio has a task that has run for long enough find nothing ready, which
    // was taken for overload.
    let layer = BulkheadLayer::of(bulkhead(1, 1));
    let polite = Polite::default();
    let service = layer.layer(polite.clone());
    let answer = in_a_used_up_task(service.clone().oneshot(In::default())).await;
    assert!(answer.is_ok());
    assert_eq!(polite.yielded(), 1);

    // One that waits does not take the clock, which it may not look at, for the end of its time.
    let permit = layer.handle().try_acquire().unwrap();
    let waiting = tokio::spawn(in_a_used_up_task(service.oneshot(In::default())));
    tokio::time::advance(50 * MS).await;
    drop(permit);
    assert!(waiting.await.unwrap().is_ok());
}
