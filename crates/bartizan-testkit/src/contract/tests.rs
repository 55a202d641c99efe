//! A good layer passes; for each rule, a layer with the bug it is there for does not.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Poll},
};

use tokio_test::task;
use tower_layer::Layer;

use super::{drive::poll_ready, *};

/// What a layer of [`Faulty`] does wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    Nothing,
    CallsAClone,
    StatePerLayerCall,
    SwallowsReadyErrors,
    SwallowsCallErrors,
    WrapsErrors,
    AlwaysReady,
    LosesReadyWaker,
    LosesCallWaker,
    ReleasesOnlyWhenDone,
    KeepsInnerFuture,
    ClonesReadiness,
}

/// Counts requests in flight, with a fault of choice.
#[derive(Clone)]
struct Faulty {
    fault: Fault,
    in_flight: Arc<AtomicI64>,
    /// Where `KeepsInnerFuture` puts what it should drop.
    kept: Arc<Mutex<Vec<InnerFuture>>>,
}

struct FaultyService {
    layer: Faulty,
    inner: Inner,
    ready: bool,
}

/// Counts itself while it lives.
struct InFlight(Arc<AtomicI64>);

type BoxFuture = Pin<Box<dyn Future<Output = Result<Response, BoxError>>>>;

fn faulty(fault: Fault) -> Faulty {
    Faulty {
        fault,
        in_flight: Arc::default(),
        kept: Arc::default(),
    }
}

// === impl Faulty ===

impl Faulty {
    fn probe(&self) -> impl Fn() -> i64 + use<> {
        let in_flight = Arc::clone(&self.in_flight);
        move || in_flight.load(Ordering::Relaxed)
    }
}

impl Layer<Inner> for Faulty {
    type Service = FaultyService;

    fn layer(&self, inner: Inner) -> FaultyService {
        let mut layer = self.clone();
        if self.fault == Fault::StatePerLayerCall {
            layer.in_flight = Arc::default();
        }
        FaultyService {
            layer,
            inner,
            ready: false,
        }
    }
}

// === impl FaultyService ===

impl Clone for FaultyService {
    fn clone(&self) -> Self {
        let ready = self.ready && self.layer.fault == Fault::ClonesReadiness;
        Self {
            layer: self.layer.clone(),
            inner: self.inner.clone(),
            ready,
        }
    }
}

impl Service<Request> for FaultyService {
    type Response = Response;
    type Error = BoxError;
    type Future = BoxFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.ready {
            return Poll::Ready(Ok(()));
        }
        let ready = match self.layer.fault {
            Fault::LosesReadyWaker => poll_ready(&mut self.inner),
            _ => self.inner.poll_ready(cx),
        };
        let ready = match (self.layer.fault, ready) {
            (Fault::SwallowsReadyErrors, Poll::Ready(Err(_))) => Poll::Ready(Ok(())),
            (Fault::AlwaysReady, Poll::Pending) => Poll::Ready(Ok(())),
            (_, ready) => ready,
        };
        self.ready = matches!(ready, Poll::Ready(Ok(())));
        ready
    }

    fn call(&mut self, request: Request) -> BoxFuture {
        self.ready = false;
        let Faulty {
            fault,
            in_flight,
            kept,
        } = self.layer.clone();
        let inner = match fault {
            Fault::CallsAClone => self.inner.clone().call(request),
            _ => self.inner.call(request),
        };
        if fault == Fault::KeepsInnerFuture {
            return Box::pin(async move {
                kept.lock().unwrap().push(inner);
                let next = |cx: &mut Context<'_>| Pin::new(&mut kept.lock().unwrap()[0]).poll(cx);
                let answer = std::future::poll_fn(next).await;
                kept.lock().unwrap().clear();
                answer
            });
        }
        in_flight.fetch_add(1, Ordering::Relaxed);
        let guard = InFlight(in_flight);
        if fault == Fault::ReleasesOnlyWhenDone {
            let guard = std::mem::ManuallyDrop::new(guard);
            return Box::pin(async move {
                let answer = inner.await;
                drop(std::mem::ManuallyDrop::into_inner(guard));
                answer
            });
        }
        Box::pin(async move {
            let _guard = guard;
            let answer = match fault {
                Fault::LosesCallWaker => {
                    let mut inner = task::spawn(inner);
                    std::future::poll_fn(|_| inner.poll()).await
                }
                _ => inner.await,
            };
            match (fault, answer) {
                (Fault::SwallowsCallErrors, Err(_)) => Ok(Response::default()),
                (Fault::WrapsErrors, Err(error)) => Err(format!("wrapped: {error}").into()),
                (_, answer) => answer,
            }
        })
    }
}

// === impl InFlight ===

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_good_layer_passes() {
    let layer = faulty(Fault::Nothing);
    calls_the_readied_instance(&layer).await;
    clones_start_unreadied(&layer).await;
    passes_errors_unchanged(&layer).await;
    passes_pending_and_registers_waker(&layer).await;
    dropped_before_first_poll_releases(&layer, layer.probe()).await;
    dropped_while_pending_releases(&layer, layer.probe()).await;
    shares_state_across_layer_calls(&layer, layer.probe()).await;
}

#[tokio::test]
async fn a_layer_that_counts_at_the_end_shares_its_state_too() {
    let layer = faulty(Fault::Nothing);
    let ended = AtomicI64::new(0);
    let was = AtomicI64::new(0);
    // Counts the falls of the gauge.
    let probe = || {
        let now = layer.in_flight.load(Ordering::Relaxed);
        if now < was.swap(now, Ordering::Relaxed) {
            ended.fetch_add(1, Ordering::Relaxed);
        }
        ended.load(Ordering::Relaxed)
    };
    shares_state_across_layer_calls(&layer, probe).await;
}

#[tokio::test]
#[should_panic(expected = "not been polled ready")]
async fn a_call_of_a_clone_is_found() {
    calls_the_readied_instance(&faulty(Fault::CallsAClone)).await;
}

#[tokio::test]
#[should_panic(expected = "not been polled ready")]
async fn readiness_copied_to_a_clone_is_found() {
    clones_start_unreadied(&faulty(Fault::ClonesReadiness)).await;
}

#[tokio::test]
#[should_panic(expected = "state is not shared")]
async fn state_per_layer_call_is_found() {
    let layer = faulty(Fault::StatePerLayerCall);
    shares_state_across_layer_calls(&layer, layer.probe()).await;
}

#[tokio::test]
#[should_panic(expected = "swallowed an error of `poll_ready`")]
async fn a_swallowed_error_of_poll_ready_is_found() {
    passes_errors_unchanged(&faulty(Fault::SwallowsReadyErrors)).await;
}

#[tokio::test]
#[should_panic(expected = "swallowed an error of the call")]
async fn a_swallowed_error_of_the_call_is_found() {
    passes_errors_unchanged(&faulty(Fault::SwallowsCallErrors)).await;
}

#[tokio::test]
#[should_panic(expected = "replaced or wrapped an error")]
async fn a_wrapped_error_is_found() {
    passes_errors_unchanged(&faulty(Fault::WrapsErrors)).await;
}

#[tokio::test]
#[should_panic(expected = "ready while the inner service is not")]
async fn invented_readiness_is_found() {
    passes_pending_and_registers_waker(&faulty(Fault::AlwaysReady)).await;
}

#[tokio::test]
#[should_panic(expected = "when the inner service became ready")]
async fn a_lost_waker_of_poll_ready_is_found() {
    passes_pending_and_registers_waker(&faulty(Fault::LosesReadyWaker)).await;
}

#[tokio::test]
#[should_panic(expected = "when the inner service answered")]
async fn a_lost_waker_of_the_call_is_found() {
    passes_pending_and_registers_waker(&faulty(Fault::LosesCallWaker)).await;
}

#[tokio::test]
#[should_panic(expected = "the probe is not back where it was")]
async fn a_release_that_needs_a_first_poll_is_found() {
    let layer = faulty(Fault::ReleasesOnlyWhenDone);
    dropped_before_first_poll_releases(&layer, layer.probe()).await;
}

#[tokio::test]
#[should_panic(expected = "the probe is not back where it was")]
async fn a_release_that_needs_an_answer_is_found() {
    let layer = faulty(Fault::ReleasesOnlyWhenDone);
    dropped_while_pending_releases(&layer, layer.probe()).await;
}

#[tokio::test]
#[should_panic(expected = "the inner future outlived the call")]
async fn an_inner_future_that_lives_on_is_found() {
    dropped_while_pending_releases(&faulty(Fault::KeepsInnerFuture), || 0).await;
}
