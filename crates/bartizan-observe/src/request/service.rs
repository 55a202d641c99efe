use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response, Version, header};
use http_body::Body;
use tower_service::Service;

use super::body::ResponseBody;
use super::ending::CallEnding;
use super::future::ResponseFuture;
use super::machine::Machine;
use super::record::Begun;

/// The service that the request layers make.
///
/// # Clone
///
/// Clones share the layer's state; a clone is as ready as the inner service's clone is.
#[derive(Debug, Clone)]
pub struct Observe<S> {
    inner: S,
    machine: Arc<Machine>,
}

impl<S> Observe<S> {
    pub(super) const fn new(inner: S, machine: Arc<Machine>) -> Self {
        Self { inner, machine }
    }

    /// The inner service.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Gives the inner service back.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Observe<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ReqBody: Body,
    ResBody: Body,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let begun = Begun::new(&self.machine, &mut request);
        let mut ending = begun.owned.map(CallEnding::new);
        let on_close = may_upgrade(&request)
            .then(|| request.extensions().get().cloned())
            .flatten();
        // Services do work in `call`, too, and may panic in it.
        let mut scope = begun.scope;
        let call = || {
            let _entered = scope.lend();
            self.inner.call(request)
        };
        let future = match &mut ending {
            Some(ending) => ending.during(call),
            None => call(),
        };
        ResponseFuture::new(scope.wrap(future), ending, on_close)
    }
}

/// Whether the connection may become the request's own. Over HTTP/2 it never does: a tunnel is one
/// stream of many, and the connection's end is not its end.
fn may_upgrade<B>(request: &Request<B>) -> bool {
    request.version() <= Version::HTTP_11
        && (request.headers().contains_key(header::UPGRADE)
            || request.method() == http::Method::CONNECT)
}
