//! The service under the layer.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::BoxError;
use tower_service::Service;
use tower_test::mock::{self, Mock, SendResponse};

use super::{Request, Response};

/// A mocked HTTP service that panics when an instance is called that was not polled ready.
#[derive(Debug)]
pub struct Inner {
    mock: Mock<Request, Response>,
    /// Set by `poll_ready`, cleared by `call`, never cloned.
    ready: bool,
    alive: Arc<AtomicUsize>,
}

/// The future of [`Inner`].
pub struct InnerFuture {
    response: Pin<Box<dyn Future<Output = Result<Response, BoxError>> + Send>>,
    alive: Arc<AtomicUsize>,
}

/// The suite's end of an [`Inner`].
pub(super) struct Handle {
    pub(super) mock: mock::Handle<Request, Response>,
    alive: Arc<AtomicUsize>,
}

/// An error nobody else makes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("marker: {0}")]
pub(super) struct Marker(pub(super) &'static str);

pub(super) fn pair() -> (Inner, Handle) {
    let (mock, handle) = mock::pair();
    let alive = Arc::new(AtomicUsize::new(0));
    let inner = Inner {
        mock,
        ready: false,
        alive: Arc::clone(&alive),
    };
    (
        inner,
        Handle {
            mock: handle,
            alive,
        },
    )
}

// === impl Inner ===

impl Service<Request> for Inner {
    type Response = Response;
    type Error = BoxError;
    type Future = InnerFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let ready = self.mock.poll_ready(cx);
        self.ready = matches!(ready, Poll::Ready(Ok(())));
        ready
    }

    fn call(&mut self, request: Request) -> InnerFuture {
        assert!(
            self.ready,
            "the layer called an instance that had not been polled ready"
        );
        self.ready = false;
        self.alive.fetch_add(1, Ordering::Relaxed);
        InnerFuture {
            response: Box::pin(self.mock.call(request)),
            alive: Arc::clone(&self.alive),
        }
    }
}

impl Clone for Inner {
    fn clone(&self) -> Self {
        Self {
            mock: self.mock.clone(),
            ready: false,
            alive: Arc::clone(&self.alive),
        }
    }
}

// === impl InnerFuture ===

impl Future for InnerFuture {
    type Output = Result<Response, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.response.as_mut().poll(cx)
    }
}

impl Drop for InnerFuture {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for InnerFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InnerFuture").finish_non_exhaustive()
    }
}

// === impl Handle ===

impl Handle {
    /// The request that was passed on last.
    #[track_caller]
    pub(super) fn next(&mut self) -> SendResponse<Response> {
        match self.try_next() {
            Some(responder) => responder,
            None => panic!("the layer did not pass the request on"),
        }
    }

    pub(super) fn try_next(&mut self) -> Option<SendResponse<Response>> {
        match self.mock.poll_request() {
            Poll::Ready(Some((_, responder))) => Some(responder),
            Poll::Ready(None) | Poll::Pending => None,
        }
    }

    /// How many futures of the service have not been dropped.
    pub(super) fn alive(&self) -> usize {
        self.alive.load(Ordering::Relaxed)
    }
}
