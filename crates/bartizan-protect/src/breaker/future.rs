use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::{Classify, Observer, Permit, Rejected, ResponseBody, Verdict};
use crate::{BoxError, Error};

pin_project! {
    /// A call under a permit: classifies what comes of it, and passes it on unchanged.
    ///
    /// Dropped before it is ready, it is a cancelled call. It must not be polled again after it was
    /// ready.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Guarded<F, C, O: Observer> {
        #[pin]
        inner: F,
        // `None` once ready.
        call: Option<(Permit<O>, C)>,
    }
}

pin_project! {
    /// The response of a [`CircuitBreaker`](super::CircuitBreaker).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, C, O: Observer> {
        #[pin]
        state: State<F, C, O>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = StateProj]
    enum State<F, C, O: Observer> {
        Calling { #[pin] call: Guarded<F, C, O> },
        // `None` once ready.
        Rejected { rejected: Option<Rejected> },
    }
}

// === impl Guarded ===

impl<F, C, O: Observer> Guarded<F, C, O> {
    /// Starts the call that `permit` allows, by `start`.
    pub fn new(mut permit: Permit<O>, classifier: C, start: impl FnOnce() -> F) -> Self {
        let inner = permit.run(start);
        Self {
            inner,
            call: Some((permit, classifier)),
        }
    }
}

impl<F, R, E, C, O> Future for Guarded<F, C, O>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
    E: 'static,
    C: Classify,
    O: Observer,
{
    type Output = Result<Response<ResponseBody<R, C, O>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some((permit, classifier)) = this.call.as_mut() else {
            panic!("polled after it was ready");
        };
        let Poll::Ready(result) = permit.run(|| this.inner.poll(cx)) else {
            permit.wait();
            return Poll::Pending;
        };
        let verdict = match &result {
            Err(error) => Verdict::Now(classifier.error(error)),
            Ok(response) => classifier.head(response),
        };
        // Where it lies: moving a permit costs about as much as settling it.
        if let Verdict::Now(outcome) = verdict {
            permit.settle(outcome);
            *this.call = None;
        }
        let call = this.call.take();
        Poll::Ready(result.map(|response| {
            response.map(|body| match call {
                None => ResponseBody::plain(body),
                Some((permit, classifier)) => ResponseBody::watched(body, permit, classifier),
            })
        }))
    }
}

// === impl ResponseFuture ===

impl<F, C, O: Observer> ResponseFuture<F, C, O> {
    pub(super) const fn calling(call: Guarded<F, C, O>) -> Self {
        Self {
            state: State::Calling { call },
        }
    }

    pub(super) const fn rejected(rejected: Rejected) -> Self {
        Self {
            state: State::Rejected {
                rejected: Some(rejected),
            },
        }
    }
}

impl<F, R, E, C, O> Future for ResponseFuture<F, C, O>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
    E: Into<BoxError> + 'static,
    C: Classify,
    O: Observer,
{
    type Output = Result<Response<ResponseBody<R, C, O>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Calling { call } => {
                let result = ready!(call.poll(cx));
                Poll::Ready(result.map_err(Error::inner))
            }
            StateProj::Rejected { rejected } => {
                let Some(rejected) = rejected.take() else {
                    panic!("polled after it was ready");
                };
                Poll::Ready(Err(Error::CircuitOpen(rejected)))
            }
        }
    }
}
