//! What every tower layer around HTTP must get right, as functions a layer's tests call.
//!
//! ```
//! use bartizan_testkit::contract;
//! use tower::util::MapRequestLayer;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let layer = MapRequestLayer::new(|request: contract::Request| request);
//! contract::calls_the_readied_instance(&layer).await;
//! contract::passes_errors_unchanged(&layer).await;
//! contract::dropped_while_pending_releases(&layer, || 0).await;
//! # });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The layer is put around [`Inner`], a `tower_test` mock that knows whether an instance was
//! readied and which of its futures are still alive. Everything is driven by hand, poll by poll:
//! nothing waits for time, and a layer that hands requests to a task of its own, as a buffer does,
//! is outside the suite.
//!
//! A *probe* reads one number of the layer's shared state, such as requests in flight or requests
//! counted, usually from a handle; `|| 0` for a layer that keeps none.

mod inner;

use std::task::Poll;

use axum::{BoxError, body::Body};
use tokio_test::task::{self, Spawn};
use tower_layer::Layer;
use tower_service::Service;

use inner::{Handle, Marker};
pub use inner::{Inner, InnerFuture};

/// The requests of the suite.
pub type Request = http::Request<Body>;

/// The responses of [`Inner`].
pub type Response = http::Response<Body>;

/// A service a layer makes of [`Inner`]. Implemented for every such service; not to be implemented.
pub trait HttpService:
    Service<Request, Response = http::Response<Self::Body>, Error: Into<BoxError>> + Clone
{
    /// The body of its responses.
    type Body;
}

impl<S, B> HttpService for S
where
    S: Service<Request, Response = http::Response<B>> + Clone,
    S::Error: Into<BoxError>,
{
    type Body = B;
}

/// What is polled ready is what is called.
///
/// The bug it finds: `let mut inner = self.inner.clone()` in `call`, which calls a clone that was
/// never readied and leaves the readied one holding its permit.
///
/// # Panics
///
/// The layer called an instance that had not been readied, or did not pass the call on.
pub async fn calls_the_readied_instance<L>(layer: &L)
where
    L: Layer<Inner, Service: HttpService>,
{
    let (inner, mut handle) = inner::pair();
    let mut service = layer.layer(inner);
    for _ in 0..2 {
        make_ready(&mut service, &mut handle);
        let mut call = task::spawn(service.call(Request::default()));
        answer(&mut call, &mut handle);
    }
}

/// A clone has to be readied itself, and does not take its original's readiness away.
///
/// # Panics
///
/// The layer did not ask the clone's inner service, or called one that had not been readied.
pub async fn clones_start_unreadied<L>(layer: &L)
where
    L: Layer<Inner, Service: HttpService>,
{
    let (inner, mut handle) = inner::pair();
    let mut original = layer.layer(inner);
    make_ready(&mut original, &mut handle);
    let mut clone = original.clone();
    make_ready(&mut clone, &mut handle);
    let mut call = task::spawn(clone.call(Request::default()));
    answer(&mut call, &mut handle);
    let mut call = task::spawn(original.call(Request::default()));
    answer(&mut call, &mut handle);
}

/// Errors come out as the values they went in as, from `poll_ready` and from the call.
///
/// # Panics
///
/// An error was swallowed, wrapped or replaced.
pub async fn passes_errors_unchanged<L>(layer: &L)
where
    L: Layer<Inner, Service: HttpService>,
{
    let (inner, mut handle) = inner::pair();
    let mut service = layer.layer(inner);
    handle.mock.send_error(Marker("not ready"));
    match poll_ready(&mut service) {
        Poll::Ready(Err(error)) => assert_marker(error, "not ready"),
        Poll::Ready(Ok(())) => panic!("the layer swallowed an error of `poll_ready`"),
        Poll::Pending => panic!("the layer kept an error of `poll_ready` back"),
    }

    let (inner, mut handle) = inner::pair();
    let mut service = layer.layer(inner);
    make_ready(&mut service, &mut handle);
    let mut call = task::spawn(service.call(Request::default()));
    assert!(
        call.poll().is_pending(),
        "the layer answered before the inner service did"
    );
    handle.next().send_error(Marker("failed"));
    match call.poll() {
        Poll::Ready(Err(error)) => assert_marker(error.into(), "failed"),
        Poll::Ready(Ok(_)) => panic!("the layer swallowed an error of the call"),
        Poll::Pending => panic!("the layer kept an error of the call back"),
    }
}

/// Pending is passed on, from `poll_ready` and from the call, and whoever got it is woken.
///
/// # Panics
///
/// The layer claims to be ready while the inner service is not, or loses the waker.
pub async fn passes_pending_and_registers_waker<L>(layer: &L)
where
    L: Layer<Inner, Service: HttpService>,
{
    let (inner, mut handle) = inner::pair();
    let mut service = layer.layer(inner);
    handle.mock.allow(0);
    let mut ready = task::spawn(std::future::poll_fn(|cx| service.poll_ready(cx)));
    assert!(
        ready.poll().is_pending(),
        "the layer is ready while the inner service is not"
    );
    handle.mock.allow(1);
    assert!(
        ready.is_woken(),
        "nobody was woken when the inner service became ready"
    );
    assert!(
        matches!(ready.poll(), Poll::Ready(Ok(()))),
        "the layer is not ready when the inner service is"
    );
    drop(ready);

    let mut call = task::spawn(service.call(Request::default()));
    assert!(
        call.poll().is_pending(),
        "the layer answered before the inner service did"
    );
    handle.next().send_response(Response::default());
    assert!(
        call.is_woken(),
        "nobody was woken when the inner service answered"
    );
    assert!(
        matches!(call.poll(), Poll::Ready(Ok(_))),
        "the layer kept the answer back"
    );
}

/// A call that is dropped before it was ever polled leaves nothing behind.
///
/// # Panics
///
/// The inner service's future is still alive, the probe is not back where it was, or the service
/// does not work any more.
pub async fn dropped_before_first_poll_releases<L>(layer: &L, probe: impl Fn() -> i64)
where
    L: Layer<Inner, Service: HttpService>,
{
    dropped_after_polls_releases(layer, probe, 0);
}

/// A call that is dropped while it is pending, which is what a client that goes away does, leaves
/// nothing behind.
///
/// # Panics
///
/// As [`dropped_before_first_poll_releases`].
pub async fn dropped_while_pending_releases<L>(layer: &L, probe: impl Fn() -> i64)
where
    L: Layer<Inner, Service: HttpService>,
{
    dropped_after_polls_releases(layer, probe, 2);
}

/// Two services of one layer share its state, as axum makes a service per route and hyper clones
/// one per connection.
///
/// The probe is read before, between and after two calls, one through each service, that overlap.
/// It must move by the same amount for both when they begin (a gauge of requests in flight, a
/// count of requests) or when they end (a count of outcomes).
///
/// # Panics
///
/// The probe saw none, or only one, of the two.
pub async fn shares_state_across_layer_calls<L>(layer: &L, probe: impl Fn() -> i64)
where
    L: Layer<Inner, Service: HttpService>,
{
    let (inner, mut handle) = inner::pair();
    let mut first = layer.layer(inner.clone());
    let mut second = layer.layer(inner);
    let mut seen = vec![probe()];

    make_ready(&mut first, &mut handle);
    let mut first_call = task::spawn(first.call(Request::default()));
    assert!(
        first_call.poll().is_pending(),
        "the layer answered before the inner service did"
    );
    seen.push(probe());
    make_ready(&mut second, &mut handle);
    let mut second_call = task::spawn(second.call(Request::default()));
    assert!(
        second_call.poll().is_pending(),
        "the layer answered before the inner service did"
    );
    seen.push(probe());

    // The responses are dropped with their bodies, where a layer that counts bodies ends a call.
    answer(&mut first_call, &mut handle);
    drop(first_call);
    seen.push(probe());
    answer(&mut second_call, &mut handle);
    drop(second_call);
    seen.push(probe());

    let moved: Vec<_> = seen.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let shared = |one: usize, other: usize| moved[one] != 0 && moved[one] == moved[other];
    assert!(
        shared(0, 1) || shared(2, 3),
        "state is not shared by `layer()` calls: the probe went {seen:?} over the beginnings and ends of two"
    );
}

fn dropped_after_polls_releases<L>(layer: &L, probe: impl Fn() -> i64, polls: usize)
where
    L: Layer<Inner, Service: HttpService>,
{
    let (inner, mut handle) = inner::pair();
    let mut service = layer.layer(inner);
    let before = probe();
    make_ready(&mut service, &mut handle);
    let mut call = task::spawn(service.call(Request::default()));
    for _ in 0..polls {
        assert!(
            call.poll().is_pending(),
            "the layer answered before the inner service did"
        );
    }
    drop(call);
    assert_eq!(handle.alive(), 0, "the inner future outlived the call");
    assert_eq!(
        probe(),
        before,
        "the call was dropped, but the probe is not back where it was"
    );

    // A call that never reached the inner service has left no request there.
    while handle.try_next().is_some() {}
    make_ready(&mut service, &mut handle);
    let mut call = task::spawn(service.call(Request::default()));
    answer(&mut call, &mut handle);
}

fn poll_ready<S: HttpService>(service: &mut S) -> Poll<Result<(), BoxError>> {
    task::spawn(std::future::poll_fn(|cx| service.poll_ready(cx)))
        .poll()
        .map_err(Into::into)
}

fn make_ready<S: HttpService>(service: &mut S, handle: &mut Handle) {
    handle.mock.allow(1);
    match poll_ready(service) {
        Poll::Ready(Ok(())) => {}
        Poll::Ready(Err(error)) => panic!("the layer failed in `poll_ready`: {error}"),
        Poll::Pending => panic!("the layer is not ready when the inner service is"),
    }
}

/// Polls a call to the inner service and back.
fn answer<F, B, E>(call: &mut Spawn<F>, handle: &mut Handle)
where
    F: Future<Output = Result<http::Response<B>, E>>,
    E: Into<BoxError>,
{
    assert!(
        call.poll().is_pending(),
        "the layer answered before the inner service did"
    );
    handle.next().send_response(Response::default());
    match call.poll() {
        Poll::Ready(Ok(_)) => {}
        Poll::Ready(Err(error)) => panic!("the layer failed a call: {}", error.into()),
        Poll::Pending => panic!("the layer kept the answer back"),
    }
}

fn assert_marker(error: BoxError, expected: &'static str) {
    match error.downcast::<Marker>() {
        Ok(marker) => assert_eq!(
            *marker,
            Marker(expected),
            "the layer passed on another error"
        ),
        Err(error) => panic!("the layer replaced or wrapped an error: {error:?}"),
    }
}

#[cfg(test)]
mod tests;
