use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::layer::Settings;
use super::replay::{self, CloneBody};
use super::{Attempt, ResponseFuture};
use crate::{BoxError, Error};

/// A service whose failed requests are sent again; made by [`RetryLayer`](super::RetryLayer).
///
/// Clones share the budget.
pub struct Retry<S, B> {
    inner: S,
    settings: Arc<Settings>,
    clone_body: CloneBody<B>,
}

// === impl Retry ===

impl<S, B> Retry<S, B> {
    pub(super) const fn new(inner: S, settings: Arc<Settings>, clone_body: CloneBody<B>) -> Self {
        Self {
            inner,
            settings,
            clone_body,
        }
    }
}

impl<S, B, R> Service<Request<B>> for Retry<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError> + 'static,
{
    type Response = Response<R>;
    type Error = Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::inner)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let deadline = self.settings.deadlines.earliest(request.extensions());
        let kept = (self.settings.config.max_attempts > 1 && replay::may_be_repeated(&request))
            .then(|| replay::copy(&request, self.clone_body))
            .flatten();
        request.extensions_mut().insert(Attempt(0));
        // The one that was readied is the one that is called.
        let not_ready = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, not_ready);
        let settings = Arc::clone(&self.settings);
        ResponseFuture::new(ready, request, kept, self.clone_body, settings, deadline)
    }
}

impl<S: Clone, B> Clone for Retry<S, B> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            settings: Arc::clone(&self.settings),
            clone_body: self.clone_body,
        }
    }
}

impl<S: fmt::Debug, B> fmt::Debug for Retry<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("inner", &self.inner)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
