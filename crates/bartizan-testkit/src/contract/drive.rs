//! Drives services and calls by hand, and panics where a layer is in the way.

use std::task::Poll;

use axum::BoxError;
use tokio_test::task::{self, Spawn};

use super::{
    HttpService, Response,
    inner::{Handle, Marker},
};

pub(super) fn poll_ready<S: HttpService>(service: &mut S) -> Poll<Result<(), BoxError>> {
    task::spawn(std::future::poll_fn(|cx| service.poll_ready(cx)))
        .poll()
        .map_err(Into::into)
}

pub(super) fn make_ready<S: HttpService>(service: &mut S, handle: &mut Handle) {
    handle.mock.allow(1);
    match poll_ready(service) {
        Poll::Ready(Ok(())) => {}
        Poll::Ready(Err(error)) => panic!("the layer failed in `poll_ready`: {error}"),
        Poll::Pending => panic!("the layer is not ready when the inner service is"),
    }
}

/// Polls a call that the inner service has not answered yet.
pub(super) fn assert_unanswered<F: Future>(call: &mut Spawn<F>) {
    assert!(
        call.poll().is_pending(),
        "the layer answered before the inner service did"
    );
}

/// Polls a call to the inner service and back.
pub(super) fn answer<F, B, E>(call: &mut Spawn<F>, handle: &mut Handle)
where
    F: Future<Output = Result<http::Response<B>, E>>,
    E: Into<BoxError>,
{
    assert_unanswered(call);
    handle.next().send_response(Response::default());
    match call.poll() {
        Poll::Ready(Ok(_)) => {}
        Poll::Ready(Err(error)) => panic!("the layer failed a call: {}", error.into()),
        Poll::Pending => panic!("the layer kept the answer back"),
    }
}

pub(super) fn assert_marker(error: BoxError, expected: &'static str) {
    match error.downcast::<Marker>() {
        Ok(marker) => assert_eq!(
            *marker,
            Marker(expected),
            "the layer passed on another error"
        ),
        Err(error) => panic!("the layer replaced or wrapped an error: {error:?}"),
    }
}
