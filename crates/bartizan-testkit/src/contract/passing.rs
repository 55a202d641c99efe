//! What goes through a layer unchanged: errors, and pending with its waker.

use std::task::Poll;

use tokio_test::task;
use tower_layer::Layer;
use tower_service::Service;

use super::{
    HttpService, Inner, Request, Response,
    drive::{assert_marker, assert_unanswered, make_ready, poll_ready},
    inner::{self, Marker},
};

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
    assert_unanswered(&mut call);
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
    assert_unanswered(&mut call);
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
