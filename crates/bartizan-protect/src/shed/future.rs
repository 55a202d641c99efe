use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::Rejected;
use crate::{BoxError, Error};

pin_project! {
    /// The response of a [`LoadShed`](super::LoadShed). It must not be polled again after it was
    /// ready.
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
        Calling { #[pin] call: F },
        // `None` once ready.
        Rejected { rejected: Option<Rejected> },
    }
}

// === impl ResponseFuture ===

impl<F> ResponseFuture<F> {
    pub(super) const fn calling(call: F) -> Self {
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

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<R, E>>,
    E: Into<BoxError>,
{
    type Output = Result<R, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Calling { call } => call.poll(cx).map_err(Error::inner),
            StateProj::Rejected { rejected } => match rejected.take() {
                Some(rejected) => Poll::Ready(Err(Error::Shed(rejected))),
                None => panic!("polled after it was ready"),
            },
        }
    }
}
