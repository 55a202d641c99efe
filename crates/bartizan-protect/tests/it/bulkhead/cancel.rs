//! What a call leaves behind that is dropped: nothing, wherever it was.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Wake, Waker};

use bartizan_protect::Timer;
use bartizan_protect::bulkhead::Acquire;
use http_body_util::BodyExt;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt};

use super::*;

/// A service that is pending for a poll each time it could be: before it is ready, twice in a call.
#[derive(Debug, Clone, Default)]
struct Slow {
    asked: bool,
}

struct SlowFuture(u32);

impl Service<In> for Slow {
    type Response = Out;
    type Error = Infallible;
    type Future = SlowFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if std::mem::replace(&mut self.asked, true) {
            return Poll::Ready(Ok(()));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, _: In) -> SlowFuture {
        SlowFuture(2)
    }
}

impl Future for SlowFuture {
    type Output = Result<Out, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.0 == 0 {
            return Poll::Ready(Ok(Response::new(Full::from("answer"))));
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_can_be_dropped_after_any_poll() {
    // The place becomes free before the `free_at`th poll.
    for free_at in 0..4 {
        for polls in 0..10 {
            let layer = BulkheadLayer::of(bulkhead(1, 1)).until_end();
            let bulkhead = layer.handle();
            let service = layer.layer(Slow::default());
            let mut holder = Some(bulkhead.try_acquire().unwrap());
            // The instance is not ready, and need not be: it waits, and is cloned.
            let mut call = task::spawn(service.clone().call(In::default()));
            let mut answer = None;
            for poll in 0..polls {
                if poll == free_at {
                    holder.take();
                }
                if let Poll::Ready(response) = call.poll() {
                    answer = Some(response.unwrap());
                    break;
                }
            }
            // Once free: waiting for readiness once, for the answer twice, and then it is there.
            let expected = polls > free_at + 3;
            assert_eq!(answer.is_some(), expected, "{free_at}, {polls}");
            drop(call);
            drop(answer);
            drop(holder);
            assert_eq!(counted(bulkhead), (0, 0), "{free_at}, {polls}");
            let answer = service.oneshot(In::default()).await.unwrap();
            answer.into_body().collect().await.unwrap();
            assert_eq!(counted(bulkhead), (0, 0), "{free_at}, {polls}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_given_to_one_that_is_dropped_goes_to_the_next() {
    for dropped in 1..5 {
        let bulkhead = bulkhead(1, 10);
        let permit = bulkhead.acquire().await.unwrap();
        let mut waiting: Vec<_> = (0..5).map(|_| task::spawn(bulkhead.acquire())).collect();
        for call in &mut waiting {
            assert_pending!(call.poll());
        }
        permit.complete();
        for next in 0..dropped {
            assert!(waiting[0].is_woken(), "{next} of {dropped}");
            // Woken, and gone before it has looked.
            drop(waiting.remove(0));
        }
        assert!(waiting[0].is_woken());
        let _permit = assert_ready_ok!(waiting[0].poll());
        assert_eq!(counted(&bulkhead), (1, 4 - dropped));
        assert_eq!(bulkhead.snapshot().abandoned, dropped as u64);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_polls_last_is_woken() {
    let bulkhead = bulkhead(1, 1);
    let permit = bulkhead.acquire().await.unwrap();
    let mut waiting = bulkhead.acquire();
    let mut first = task::spawn(());
    let mut second = task::spawn(());
    first.enter(|cx, _| assert_pending!(Pin::new(&mut waiting).poll(cx)));
    second.enter(|cx, _| assert_pending!(Pin::new(&mut waiting).poll(cx)));
    drop(permit);
    assert!(!first.is_woken());
    assert!(second.is_woken());
}

/// The waker of a task that nobody else holds: with it goes the task, and what that waits for.
struct Last(Mutex<Option<Acquire>>);

impl Wake for Last {
    fn wake(self: Arc<Self>) {
        let _waits = self.0.lock().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_waker_that_drops_a_call_when_it_is_dropped_locks_nothing_up() {
    // tokio's timer would keep the waker, too.
    let bulkhead = BulkheadBuilder::new("stock", config(1, 3))
        .with_timer(Timer::new(Odd::Never))
        .build();
    let permit = bulkhead.acquire().await.unwrap();
    let mut waiting = bulkhead.acquire();
    for waker in [
        Waker::from(Arc::new(Last(Mutex::new(Some(bulkhead.acquire()))))),
        Waker::noop().clone(),
        Waker::from(Arc::new(Last(Mutex::new(Some(bulkhead.acquire()))))),
    ] {
        assert_pending!(Pin::new(&mut waiting).poll(&mut Context::from_waker(&waker)));
    }
    // One has made place for another waker, and is gone.
    assert_eq!(counted(&bulkhead), (1, 2));
    tokio::time::advance(100 * MS).await;
    let mut cx = Context::from_waker(Waker::noop());
    assert!(assert_ready!(Pin::new(&mut waiting).poll(&mut cx)).is_err());
    assert_eq!(counted(&bulkhead), (1, 0));
    drop(permit);
}

#[tokio::test(start_paused = true)]
async fn a_panic_gives_the_place_back() {
    let layer = BulkheadLayer::of(bulkhead(1, 1));
    let service = layer.layer(tower::service_fn(async |request: In| {
        assert!(request.uri().path() != "/panic", "as asked for");
        Ok::<_, Infallible>(Out::default())
    }));
    let mut request = In::default();
    *request.uri_mut() = "/panic".parse().unwrap();
    let call = tokio::spawn(service.clone().oneshot(request));
    assert!(call.await.unwrap_err().is_panic());
    assert_eq!(counted(layer.handle()), (0, 0));
    assert!(service.oneshot(In::default()).await.is_ok());
}
