use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use pin_project_lite::pin_project;

use super::alarm::Alarm;
use super::allowance::Allowance;
use super::layer::Until;
use super::{NoTimeLeft, ResponseBody};
use crate::{BoxError, Error, Timer};

pin_project! {
    /// The response of a [`Timeout`](super::Timeout).
    ///
    /// Dropping it drops the call. It must not be polled again after it was ready.
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
        Calling { #[pin] inner: F, alarm: Option<Alarm>, until: Until },
        Refused { nothing: NoTimeLeft },
        Done,
    }
}

// === impl ResponseFuture ===

impl<F> ResponseFuture<F> {
    pub(super) const fn calling(
        inner: F,
        timer: Timer,
        allowance: Allowance,
        until: Until,
    ) -> Self {
        let alarm = Some(Alarm::new(timer, allowance));
        Self {
            state: State::Calling {
                inner,
                alarm,
                until,
            },
        }
    }

    pub(super) const fn refused(nothing: NoTimeLeft) -> Self {
        Self {
            state: State::Refused { nothing },
        }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody<R>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        let result = match state.as_mut().project() {
            StateProj::Done => panic!("polled after it was ready"),
            StateProj::Refused { nothing } => Err(Error::NoTimeLeft(*nothing)),
            StateProj::Calling {
                inner,
                alarm,
                until,
            } => match inner.poll(cx) {
                // What is there in time is an answer, however late it is asked for.
                Poll::Ready(Ok(response)) => {
                    let alarm = alarm.take().filter(|_| *until == Until::End);
                    Ok(response.map(|body| ResponseBody::new(body, alarm)))
                }
                Poll::Ready(Err(error)) => Err(Error::inner(error)),
                Poll::Pending => match alarm.as_mut().map(|alarm| alarm.poll(cx)) {
                    Some(Poll::Ready(elapsed)) => Err(Error::TimedOut(elapsed)),
                    _ => return Poll::Pending,
                },
            },
        };
        // The call ends here, and not whenever somebody drops this.
        state.set(State::Done);
        Poll::Ready(result)
    }
}
