use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::Rejected;
use super::shared::Asking;
use crate::rate_limit::{Charges, Fields};
use crate::{BoxError, Error};

pin_project! {
    /// The response of a [`SharedLimit`](super::SharedLimit): adds to its head what is left.
    ///
    /// Dropped while it waits for the store, it gives back what it has taken; later, it was charged
    /// all the same. It must not be polled again after it was ready.
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
        Asking { asking: Asking, call: Option<Box<(S, Request<B>)>>, charges: Charges },
        Calling { #[pin] call: S::Future, fields: Option<Fields> },
        // `None` once ready.
        Rejected { rejected: Option<Rejected> },
    }
}

// === impl ResponseFuture ===

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    pub(super) fn asking(
        asking: Asking,
        service: S,
        request: Request<B>,
        charges: Charges,
    ) -> Self {
        Self {
            state: State::Asking {
                asking,
                call: Some(Box::new((service, request))),
                charges,
            },
        }
    }

    pub(super) const fn calling(call: S::Future, fields: Option<Fields>) -> Self {
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

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
{
    type Output = Result<Response<R>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Asking {
                    asking,
                    call,
                    charges,
                } => match ready!(asking.as_mut().poll(cx)) {
                    Ok(passed) => {
                        let Some(call) = call.take() else {
                            panic!("polled after it was ready");
                        };
                        let (mut service, mut request) = *call;
                        let fields = passed.tell(&mut request, *charges);
                        let call = service.call(request);
                        State::Calling { call, fields }
                    }
                    Err(rejected) => State::Rejected {
                        rejected: Some(rejected),
                    },
                },
                StateProj::Calling { call, fields } => {
                    let mut response = ready!(call.poll(cx)).map_err(Error::inner)?;
                    if let Some(fields) = fields.take() {
                        fields.add_to(response.headers_mut());
                    }
                    return Poll::Ready(Ok(response));
                }
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
