use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use super::{Fields, Rejected};
use crate::{BoxError, Error};

pin_project! {
    /// The response of a [`RateLimit`](super::RateLimit): adds to its head what is left.
    ///
    /// Dropped before it is ready, it was charged all the same. It must not be polled again after it
    /// was ready.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = StateProj]
    enum State<F> {
        Calling { #[pin] call: F, fields: Option<Fields> },
        // `None` once ready.
        Rejected { rejected: Option<Rejected> },
    }
}

// === impl ResponseFuture ===

impl<F> ResponseFuture<F> {
    pub(super) const fn calling(call: F, fields: Option<Fields>) -> Self {
        Self {
            state: State::Calling { call, fields },
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

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<R>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Calling { call, fields } => {
                let mut response = ready!(call.poll(cx)).map_err(Error::inner)?;
                if let Some(fields) = fields.take() {
                    fields.add_to(response.headers_mut());
                }
                Poll::Ready(Ok(response))
            }
            StateProj::Rejected { rejected } => {
                let Some(rejected) = rejected.take() else {
                    panic!("polled after it was ready");
                };
                Poll::Ready(Err(Error::RateLimited(rejected)))
            }
        }
    }
}
