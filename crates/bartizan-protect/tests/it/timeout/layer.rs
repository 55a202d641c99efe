//! What is cut off when, and what is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use std::{io, pin::Pin};

use bartizan_protect::timeout::Limit;
use bartizan_protect::{BoxError, Error, Timer};
use bartizan_testkit::contract;
use hyper::rt::Sleep;
use hyper_util::rt::TokioTimer;
use tokio::time;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt};

use super::*;
use crate::support::Unwrapped;

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract() {
    for layer in [timeout(1), timeout(1_000).with_body().without_propagation()] {
        let layer = Unwrapped(layer);
        contract::calls_the_readied_instance(&layer).await;
        contract::clones_start_unreadied(&layer).await;
        contract::passes_errors_unchanged(&layer).await;
        contract::passes_pending_and_registers_waker(&layer).await;
        contract::dropped_before_first_poll_releases(&layer, || 0).await;
        contract::dropped_while_pending_releases(&layer, || 0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_cut_off_when_its_time_is_over() {
    let (mut service, mut handle) = around_mock(timeout(100));
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(Request::new(())));
    assert_pending!(call.poll());
    let (_, _unanswered) = handle.next_request().await.unwrap();

    time::advance(99 * MS).await;
    assert_pending!(call.poll());
    time::advance(2 * MS).await;
    assert!(call.is_woken());
    let Err(Error::TimedOut(elapsed)) = assert_ready!(call.poll()) else {
        panic!("it was not cut off");
    };
    assert_eq!(elapsed.after(), 100 * MS);
    assert_eq!(elapsed.limit(), Limit::Timeout);
    assert_eq!(elapsed.to_string(), "not answered within 100ms");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_there_counts_however_late_it_is_asked_for() {
    let (mut service, mut handle) = around_mock(timeout(100));
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(Request::new(())));
    assert_pending!(call.poll());
    let (_, send) = handle.next_request().await.unwrap();
    send.send_response(answer());
    // The executor is busy with something else.
    time::advance(1_000 * MS).await;
    assert_ready_ok!(call.poll());
}

#[tokio::test(start_paused = true)]
async fn the_time_goes_from_call_to_call() {
    let (mut service, mut handle) = around_mock(timeout(100));
    for _ in 0..3 {
        assert_ready_ok!(service.poll_ready());
        let mut call = task::spawn(service.call(Request::new(())));
        assert_pending!(call.poll());
        time::advance(90 * MS).await;
        assert_pending!(call.poll());
        let (_, send) = handle.next_request().await.unwrap();
        send.send_response(answer());
        assert_ready_ok!(call.poll());
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_readiness_takes_none_of_the_time() {
    let (mut service, mut handle) = around_mock(timeout(100));
    handle.allow(0);
    assert_pending!(service.poll_ready());
    time::advance(1_000 * MS).await;
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(Request::new(())));
    assert_pending!(call.poll());
}

/// A service that never answers, and the calls of it that are alive.
fn hanging() -> (
    impl Service<In, Response = Out, Error = io::Error, Future: Send> + Clone,
    Arc<()>,
) {
    let alive = Arc::new(());
    let of_service = Arc::downgrade(&alive);
    let service = tower::service_fn(move |_: In| {
        let call = of_service.upgrade();
        async move {
            std::future::pending::<()>().await;
            drop(call);
            Ok(answer())
        }
    });
    (service, alive)
}

#[tokio::test(start_paused = true)]
async fn what_is_cut_off_is_dropped_before_it_is_told() {
    let (service, alive) = hanging();
    let mut service = timeout(100).layer(service);
    let mut call = task::spawn(service.ready().await.unwrap().call(Request::new(())));
    assert_pending!(call.poll());
    assert_eq!(Arc::strong_count(&alive), 2);
    time::advance(101 * MS).await;
    assert!(matches!(
        assert_ready!(call.poll()),
        Err(Error::TimedOut(_))
    ));
    // The future of the layer is still there.
    assert_eq!(Arc::strong_count(&alive), 1);
    drop(call);
}

#[tokio::test(start_paused = true)]
async fn dropped_after_any_number_of_polls_it_leaves_nothing() {
    for polls in 0..5 {
        let (service, alive) = hanging();
        let mut service = timeout(100).layer(service);
        let mut call = task::spawn(service.ready().await.unwrap().call(Request::new(())));
        for _ in 0..polls {
            assert_pending!(call.poll());
            time::advance(10 * MS).await;
        }
        drop(call);
        assert_eq!(Arc::strong_count(&alive), 1, "after {polls} polls");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_goes_through() {
    let mut service = timeout(100).layer(tower::service_fn(async |request: In| {
        assert!(request.uri() != "/bad", "bad request");
        Ok::<_, io::Error>(answer())
    }));
    let bad = Request::builder().uri("/bad").body(()).unwrap();
    let call = service.ready().await.unwrap().call(bad);
    assert!(tokio::spawn(call).await.unwrap_err().is_panic());
    let good = service.ready().await.unwrap().call(Request::new(()));
    assert!(good.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_a_layer_further_in_has_said_stays_as_it_is() {
    let (service, _alive) = hanging();
    let service = timeout(1_000).layer(timeout(100).layer(service));
    let error = service.oneshot(Request::new(())).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut(inner) if inner.after() == 100 * MS));
}

/// Tokio's, and how often it was asked to wait.
#[derive(Default)]
struct Counting(Arc<AtomicUsize>);

impl hyper::rt::Timer for Counting {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        TokioTimer::new().sleep_until(deadline)
    }

    fn now(&self) -> Instant {
        TokioTimer::new().now()
    }
}

#[tokio::test(start_paused = true)]
async fn no_timer_is_set_for_an_answer_that_is_there_at_once() {
    let counting = Counting::default();
    let sleeps = Arc::clone(&counting.0);
    let layer = timeout(100).with_timer(Timer::new(counting));
    let at_once = tower::service_fn(async |_: In| Ok::<_, BoxError>(answer()));
    let service = layer.layer(at_once);
    service.oneshot(Request::new(())).await.unwrap();
    assert_eq!(sleeps.load(Ordering::Relaxed), 0);

    let (hanging, _alive) = hanging();
    let error = layer.layer(hanging).oneshot(Request::new(())).await;
    assert!(matches!(error, Err(Error::TimedOut(_))));
    assert_eq!(sleeps.load(Ordering::Relaxed), 1);
}
