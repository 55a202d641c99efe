use std::any::Any;
use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use http::{Request, Response};
use hyper::rt::Sleep;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::budget::Reservation;
use super::classify::is_rejection;
use super::layer::Settings;
use super::policy::Failed;
use super::replay::{self, CloneBody};
use super::{Answer, Attempt, GaveUp, GivenUp, Reason, Retrying};
use crate::{BoxError, Error, retry_after};

pin_project! {
    /// The response of a [`Retry`](super::Retry).
    ///
    /// Dropping it drops the attempt that is under way, and calls off the one that is waited for. It
    /// must not be polled again after it was ready.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S::Future, B>,
        service: S,
        rest: Rest<B>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, B> {
        Calling { #[pin] attempt: F },
        // `None` once it is not waited for any more.
        Pausing { sleep: Option<Pin<Box<dyn Sleep>>>, next: Option<Next<B>> },
    }
}

/// An attempt that is decided on.
struct Next<B> {
    request: Request<B>,
    reservation: Reservation,
    delay: Duration,
}

/// What later attempts need, besides the service.
struct Rest<B> {
    settings: Arc<Settings>,
    deadline: Option<Instant>,
    /// The number of the attempt under way.
    attempt: u32,
    /// `None` if it cannot be sent again.
    request: Option<Request<B>>,
    clone_body: CloneBody<B>,
}

// === impl ResponseFuture ===

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    pub(super) fn new(
        mut ready: S,
        request: Request<B>,
        kept: Option<Request<B>>,
        clone_body: CloneBody<B>,
        settings: Arc<Settings>,
        deadline: Option<Instant>,
    ) -> Self {
        Self {
            state: State::Calling {
                attempt: ready.call(request),
            },
            service: ready,
            rest: Rest {
                settings,
                deadline,
                attempt: 0,
                request: kept,
                clone_body,
            },
        }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError> + 'static,
{
    type Output = Result<Response<R>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let rest = this.rest;
        loop {
            match this.state.as_mut().project() {
                StateProj::Calling { attempt } => {
                    let result = ready!(attempt.poll(cx));
                    let next = match rest.after(result) {
                        ControlFlow::Break(result) => return Poll::Ready(result),
                        ControlFlow::Continue(next) => next,
                    };
                    let timer = &rest.settings.timer;
                    this.state.set(State::Pausing {
                        sleep: Some(timer.sleep_until(timer.now() + next.delay)),
                        next: Some(next),
                    });
                }
                StateProj::Pausing { sleep, next } => {
                    if let Some(pause) = sleep {
                        ready!(pause.as_mut().poll(cx));
                        *sleep = None;
                    }
                    let readied = ready!(this.service.poll_ready(cx));
                    let Some(next) = next.take() else {
                        panic!("polled after it was ready");
                    };
                    readied.map_err(Error::inner)?;
                    next.reservation.spend(rest.settings.timer.now());
                    rest.attempt += 1;
                    let attempt = this.service.call(next.request);
                    this.state.set(State::Calling { attempt });
                }
            }
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("attempt", &self.rest.attempt)
            .finish_non_exhaustive()
    }
}

// === impl Rest ===

impl<B> Rest<B> {
    /// What comes after an attempt: the answer, or the next attempt, and then the answer is dropped.
    fn after<R, E>(
        &mut self,
        result: Result<Response<R>, E>,
    ) -> ControlFlow<Result<Response<R>, Error>, Next<B>>
    where
        E: Into<BoxError> + 'static,
    {
        let result = result.map(Response::into_parts);
        let answer = match &result {
            Ok((head, _)) => Ok(head),
            Err(error) => Err(error as &dyn Any),
        };
        match self.next(answer) {
            Some(next) => ControlFlow::Continue(next),
            None => ControlFlow::Break(match result {
                Ok((head, body)) => Ok(Response::from_parts(head, body)),
                Err(error) => Err(Error::inner(error)),
            }),
        }
    }

    fn next(&mut self, answer: Answer<'_>) -> Option<Next<B>> {
        if is_rejection(answer) {
            return None;
        }
        let now = self.settings.timer.now();
        if self.attempt == 0 {
            self.settings.budget.deposit(now);
        }
        if !(self.settings.classify)(answer) {
            return None;
        }
        let reason = Reason::of(answer);
        match self.decide(now, answer) {
            Ok(next) => {
                self.settings.observer.retrying(&Retrying {
                    attempt: self.attempt,
                    reason,
                    delay: next.delay,
                    budget: self.settings.budget.snapshot(now),
                });
                Some(next)
            }
            Err(because) => {
                self.settings.observer.gave_up(&GivenUp {
                    attempts: self.attempt + 1,
                    reason,
                    because,
                });
                None
            }
        }
    }

    fn decide(&mut self, now: Instant, answer: Answer<'_>) -> Result<Next<B>, GaveUp> {
        let Settings { config, budget, .. } = &*self.settings;
        let failed = Failed {
            attempt: self.attempt,
            at: now,
            replayable: self.request.is_some(),
            deadline: self.deadline,
            retry_after: answer
                .ok()
                .and_then(|head| retry_after::parse(&head.headers)),
        };
        let delay = config.next(&failed, self.settings.chance())?;
        let reservation = budget.reserve(now).ok_or(GaveUp::Budget)?;
        let request = self.take_request().ok_or(GaveUp::NotReplayable)?;
        Ok(Next {
            request,
            reservation,
            delay,
        })
    }

    /// The request for the next attempt. One more is kept if there may be one.
    fn take_request(&mut self) -> Option<Request<B>> {
        let mut request = self.request.take()?;
        let next = self.attempt + 1;
        if next + 1 < self.settings.config.max_attempts {
            self.request = replay::copy(&request, self.clone_body);
        }
        request.extensions_mut().insert(Attempt(next));
        Some(request)
    }
}
