//! The service that all breakers are around, and the one request that goes to it.

use std::cell::Cell;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use http::{Method, Request, Response, Uri};
use http_body_util::Empty;
use tower_service::Service;

use crate::BoxError;

/// Always ready, and answers at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upstream;

pub(crate) type Body = Empty<&'static [u8]>;

thread_local! {
    // Per thread, so that counting costs no row more than another, whoever else calls.
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// How often the calling thread has called it.
pub(crate) fn calls() -> u64 {
    CALLS.get()
}

/// What a request asks for; parsed once, as a client does.
#[derive(Debug)]
pub(crate) struct Ask {
    method: Method,
    uri: Uri,
}

// === impl Ask ===

impl Ask {
    /// What it answers.
    pub(crate) fn good() -> Self {
        Self::by(Method::GET)
    }

    /// What it fails.
    pub(crate) fn bad() -> Self {
        Self::by(Method::PUT)
    }

    fn by(method: Method) -> Self {
        let uri = Uri::from_static("http://stock.example.com:8080/items/42");
        Self { method, uri }
    }

    /// Where it is sent and not before, or the loops would measure how requests are moved.
    pub(crate) fn request(&self) -> Request<Body> {
        let mut request = Request::new(Empty::new());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        request
    }
}

// === impl Upstream ===

impl Service<Request<Body>> for Upstream {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Ready<Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        CALLS.set(CALLS.get() + 1);
        ready(if request.method() == Method::PUT {
            Err("out of stock".into())
        } else {
            Ok(Response::new(Empty::new()))
        })
    }
}
