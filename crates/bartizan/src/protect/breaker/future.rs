use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::Response;
use bartizan_protect::breaker::{Classify, Guarded, Rejected, ResponseBody};
use bartizan_protect::{Error, Rejection};
use http_body::Body as HttpBody;
use pin_project_lite::pin_project;

use super::BreakerObserver;
use super::layer::Answer;
use crate::protect::rescue::{self, RescueBody};

pin_project! {
    /// The future of a [`CircuitBreaker`](super::CircuitBreaker).
    ///
    /// Dropped before it is ready, it is a cancelled call. It must not be polled again after it was
    /// ready.
    #[must_use = "futures do nothing unless polled"]
    pub struct BreakerFuture<F, C> {
        #[pin]
        state: State<F, C>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, C> {
        Calling { #[pin] call: Guarded<F, C, BreakerObserver> },
        FallingBack { answer: Answer },
        // `None` once ready.
        Answered { answer: Option<Response<Body>> },
    }
}

// === impl BreakerFuture ===

impl<F, C> BreakerFuture<F, C> {
    pub(super) const fn calling(call: Guarded<F, C, BreakerObserver>) -> Self {
        Self {
            state: State::Calling { call },
        }
    }

    pub(super) const fn falling_back(answer: Answer) -> Self {
        Self {
            state: State::FallingBack { answer },
        }
    }

    /// Made at once, as the problem names the request that is being answered.
    pub(super) fn rejected(rejected: Rejected) -> Self {
        Self {
            state: State::Answered {
                answer: rescue::answer(&Error::CircuitOpen(rejected)),
            },
        }
    }
}

impl<F, R, E, C> Future for BreakerFuture<F, C>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: HttpBody,
    E: 'static,
    C: Classify,
{
    type Output = Result<Response<RescueBody<ResponseBody<R, C, BreakerObserver>>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut answer = match self.project().state.project() {
            StateProj::Calling { call } => {
                let result = ready!(call.poll(cx));
                return Poll::Ready(result.map(|response| response.map(RescueBody::of_service)));
            }
            StateProj::FallingBack { answer } => ready!(answer.as_mut().poll(cx)),
            StateProj::Answered { answer } => {
                let Some(answer) = answer.take() else {
                    panic!("polled after it was ready");
                };
                answer
            }
        };
        answer.extensions_mut().insert(Rejection::default());
        Poll::Ready(Ok(answer.map(RescueBody::ours)))
    }
}

impl<F, C> std::fmt::Debug for BreakerFuture<F, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BreakerFuture").finish_non_exhaustive()
    }
}
