use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Request;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::Rejected;
use super::limiter::Asking;
use crate::{BoxError, Error};

pin_project! {
    /// The response of a [`SharedLimit`](super::SharedLimit).
    ///
    /// Dropped before the service is called, it may have been charged all the same. It must not be
    /// polled again after it was ready.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        // In a box, so that calls that do not wait are none the larger for it.
        Asking { asking: Asking, call: Option<Box<(S, Request<B>)>> },
        Calling { #[pin] call: S::Future },
        // `None` once ready.
        Rejected { rejected: Option<Rejected> },
    }
}

// === impl ResponseFuture ===

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    pub(super) fn asking(asking: Asking, service: S, request: Request<B>) -> Self {
        Self {
            state: State::Asking {
                asking,
                call: Some(Box::new((service, request))),
            },
        }
    }

    pub(super) const fn calling(call: S::Future) -> Self {
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

impl<S, B> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
{
    type Output = Result<S::Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Asking { asking, call } => match ready!(asking.as_mut().poll(cx)) {
                    Ok(()) => {
                        let Some(call) = call.take() else {
                            panic!("polled after it was ready");
                        };
                        let (mut service, request) = *call;
                        let call = service.call(request);
                        State::Calling { call }
                    }
                    Err(rejected) => State::Rejected {
                        rejected: Some(rejected),
                    },
                },
                StateProj::Calling { call } => return call.poll(cx).map_err(Error::inner),
                StateProj::Rejected { rejected } => {
                    let Some(rejected) = rejected.take() else {
                        panic!("polled after it was ready");
                    };
                    return Poll::Ready(Err(Error::SharedLimit(rejected)));
                }
            };
            state.set(next);
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
