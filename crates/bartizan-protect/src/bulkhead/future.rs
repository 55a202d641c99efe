use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::layer::Until;
use super::served;
use super::state::End;
use super::{Acquire, Observer, Permit, Rejected, ResponseBody};
use crate::{BoxError, Error};

pin_project! {
    /// The response of a [`BulkheadService`](super::BulkheadService).
    ///
    /// Dropping it drops the call, and gives its place to the next. It must not be polled again
    /// after it was ready.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B, O>
    where
        S: Service<Request<B>>,
        O: Observer,
    {
        #[pin]
        state: State<S, B, O>,
        until: Until,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, B, O>
    where
        S: Service<Request<B>>,
        O: Observer,
    {
        // In a box, so that calls that do not wait are none the larger for it.
        Queued { queued: Box<Queued<S, B, O>> },
        Calling { #[pin] call: S::Future, permit: Option<Permit<O>> },
        Rejected { rejected: Option<Rejected> },
        Done,
    }
}

/// A call that waits.
struct Queued<S, B, O: Observer> {
    place: Place<O>,
    service: S,
    /// `None` once it is called.
    request: Option<Request<B>>,
}

enum Place<O: Observer> {
    Waiting(Acquire<O>),
    /// Its turn has come, and that of the service inside not yet. `None` once it has.
    Admitted(Option<Permit<O>>),
}

// === impl ResponseFuture ===

impl<S: Service<Request<B>>, B, O: Observer> ResponseFuture<S, B, O> {
    pub(super) const fn calling(call: S::Future, permit: Permit<O>, until: Until) -> Self {
        Self {
            state: State::Calling {
                call,
                permit: Some(permit),
            },
            until,
        }
    }

    pub(super) fn queued(
        acquire: Acquire<O>,
        service: S,
        request: Request<B>,
        until: Until,
    ) -> Self {
        let queued = Box::new(Queued {
            place: Place::Waiting(acquire),
            service,
            request: Some(request),
        });
        Self {
            state: State::Queued { queued },
            until,
        }
    }

    pub(super) const fn rejected(rejected: Rejected) -> Self {
        Self {
            state: State::Rejected {
                rejected: Some(rejected),
            },
            until: Until::Head,
        }
    }
}

impl<S, B, R, O> Future for ResponseFuture<S, B, O>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError> + 'static,
    R: Body,
    O: Observer,
{
    type Output = Result<Response<ResponseBody<R, O>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let result = match this.state.as_mut().project() {
                StateProj::Queued { queued } => match ready!(queued.poll(cx)) {
                    Ok(calling) => {
                        this.state.set(calling);
                        continue;
                    }
                    Err(error) => Err(error),
                },
                StateProj::Calling { call, permit } => {
                    let result = ready!(call.poll(cx));
                    let permit = permit.take();
                    finish(result, permit, *this.until)
                }
                StateProj::Rejected { rejected } => match rejected.take() {
                    Some(rejected) => Err(Error::Saturated(rejected)),
                    None => panic!("polled after it was ready"),
                },
                StateProj::Done => panic!("polled after it was ready"),
            };
            // The call ends here, and not whenever somebody drops this.
            this.state.set(State::Done);
            return Poll::Ready(result);
        }
    }
}

/// Gives the permit back, or to the body.
fn finish<R: Body, E: Into<BoxError> + 'static, O: Observer>(
    result: Result<Response<R>, E>,
    permit: Option<Permit<O>>,
    until: Until,
) -> Result<Response<ResponseBody<R, O>>, Error> {
    let end = match &result {
        Ok(response) => served::response(response),
        Err(error) => served::error(error),
    };
    if until == Until::End
        && let Ok(response) = result
    {
        return Ok(response.map(|body| ResponseBody::new(body, permit, end)));
    }
    match permit {
        Some(permit) if end == End::Served => permit.complete(),
        permit => drop(permit),
    }
    result
        .map(|response| response.map(ResponseBody::plain))
        .map_err(Error::inner)
}

impl<S: Service<Request<B>>, B, O: Observer> fmt::Debug for ResponseFuture<S, B, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

// === impl Queued ===

impl<S: Service<Request<B>>, B, O: Observer> Queued<S, B, O>
where
    S::Error: Into<BoxError>,
{
    /// Waits for its turn, and then for the service inside, which it calls.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<State<S, B, O>, Error>> {
        if let Place::Waiting(acquire) = &mut self.place {
            let permit = ready!(Pin::new(acquire).poll(cx)).map_err(Error::Saturated)?;
            self.place = Place::Admitted(Some(permit));
        }
        ready!(self.service.poll_ready(cx)).map_err(Error::inner)?;
        let Place::Admitted(permit) = &mut self.place else {
            panic!("polled after it was ready");
        };
        let Some(request) = self.request.take() else {
            panic!("polled after it was ready");
        };
        let permit = permit.take();
        let call = self.service.call(request);
        Poll::Ready(Ok(State::Calling { call, permit }))
    }
}
