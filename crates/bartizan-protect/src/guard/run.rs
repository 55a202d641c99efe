use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use pin_project_lite::pin_project;

use super::entry::{Calling, Entry, Queued, Terms, Took};
use super::{Error, Guard, Observers};
use crate::breaker::{Classify, HttpClassifier, Outcome};
use crate::timeout::Limit;

pin_project! {
    /// A guarded call; made by [`Guard::run`].
    ///
    /// Dropping it drops the work, and gives back all that it holds; see the [module](super). It
    /// must not be polled again after it was ready.
    #[must_use = "futures do nothing unless polled"]
    pub struct Run<F, C, O: Observers> {
        // `None` once ready. Before the stage, so that the work is gone before its place is free.
        #[pin]
        future: Option<F>,
        // `None` once asked.
        classify: Option<C>,
        stage: Stage<O>,
        terms: Terms,
        guard: Guard<O>,
    }
}

/// Tells failures by the result, as [`Guard::run`] does.
pub type ByResult<T, E> = fn(&Result<T, E>) -> Outcome;

enum Stage<O: Observers> {
    New,
    Queued(Box<Queued<O>>),
    Calling(Calling<O>),
    Done,
}

// === impl Run ===

impl<F, T, E: 'static, O: Observers> Run<F, ByResult<T, E>, O> {
    pub(super) fn new(guard: Guard<O>, key: Option<Cow<'static, str>>, future: F) -> Self {
        Self {
            future: Some(future),
            classify: Some(by_result),
            stage: Stage::New,
            terms: Terms {
                key,
                cost: 1,
                deadline: None,
            },
            guard,
        }
    }
}

impl<F, C, O: Observers> Run<F, C, O> {
    /// What the result says of how the work went, for the breaker; an adaptive bulkhead goes by the
    /// time of successes only. Default: `Ok` is a success, `Err` a failure unless it is a rejection
    /// by a layer of this crate.
    pub fn with_classify<T, E, D>(self, classify: D) -> Run<F, D, O>
    where
        F: Future<Output = Result<T, E>>,
        D: FnOnce(&Result<T, E>) -> Outcome,
    {
        Run {
            future: self.future,
            classify: Some(classify),
            stage: self.stage,
            terms: self.terms,
            guard: self.guard,
        }
    }

    /// How many units of the rate limiter's quota it costs. Default: 1.
    pub const fn with_cost(mut self, cost: u32) -> Self {
        self.terms.cost = cost;
        self
    }

    /// By when the caller wants it, the time in a queue included. Default: at any time.
    pub const fn with_deadline(mut self, deadline: Instant) -> Self {
        self.terms.deadline = Some(deadline);
        self
    }
}

impl<F, C, T, E, O> Future for Run<F, C, O>
where
    F: Future<Output = Result<T, E>>,
    C: FnOnce(&Result<T, E>) -> Outcome,
    O: Observers,
{
    type Output = Result<T, Error<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let result = loop {
            let refused = match this.stage {
                Stage::New => match this.guard.enter(this.terms, cx) {
                    Ok(Entry::Calling(calling)) => {
                        *this.stage = Stage::Calling(calling);
                        continue;
                    }
                    Ok(Entry::Queued(queued)) => {
                        // And once more, for the deadline.
                        *this.stage = Stage::Queued(queued);
                        continue;
                    }
                    Err(refused) => refused,
                },
                Stage::Queued(queued) => {
                    match ready!(this.guard.poll_queued(queued, this.terms, cx)) {
                        Ok(calling) => {
                            *this.stage = Stage::Calling(calling);
                            continue;
                        }
                        Err(refused) => refused,
                    }
                }
                Stage::Calling(calling) => {
                    break ready!(work(calling, this.future.as_mut(), this.classify, cx));
                }
                Stage::Done => panic!("polled after it was ready"),
            };
            this.future.set(None);
            break Err(refused);
        };
        // All is given back here, and not whenever somebody drops this.
        *this.stage = Stage::Done;
        Poll::Ready(result)
    }
}

/// Polls the work, and ends the call when it is done or its time is over.
fn work<F, C, T, E, O>(
    calling: &mut Calling<O>,
    mut future: Pin<&mut Option<F>>,
    classify: &mut Option<C>,
    cx: &mut Context<'_>,
) -> Poll<Result<T, Error<E>>>
where
    F: Future<Output = Result<T, E>>,
    C: FnOnce(&Result<T, E>) -> Outcome,
    O: Observers,
{
    let Calling { alarm, breaker, .. } = calling;
    // Everything of others' in one part, so that a panic in any of it is the call's.
    let mut part = || {
        let ended = match future.as_mut().as_pin_mut()?.poll(cx) {
            // What is there is a result, however late it is asked for.
            Poll::Ready(result) => {
                let outcome = classify.take()?(&result);
                let took = match outcome {
                    Outcome::Success | Outcome::Slow => Took::Meaningful,
                    _ => Took::Unknown,
                };
                (outcome, took, result.map_err(Error::Failed))
            }
            Poll::Pending => match alarm.as_mut().map(|alarm| alarm.poll(cx)) {
                Some(Poll::Ready(elapsed)) => {
                    let outcome = match elapsed.limit() {
                        Limit::Timeout => Outcome::Failure,
                        Limit::Deadline => Outcome::Cancelled,
                    };
                    let timed_out = Err(Error::TimedOut(elapsed));
                    (outcome, Took::Meaningful, timed_out)
                }
                _ => return Some(Poll::Pending),
            },
        };
        future.set(None);
        Some(Poll::Ready(ended))
    };
    let polled = match breaker {
        Some(permit) => permit.run(part),
        None => part(),
    };
    match polled {
        Some(Poll::Ready((outcome, took, result))) => {
            calling.end(outcome, took);
            Poll::Ready(result)
        }
        Some(Poll::Pending) => {
            if let Some(permit) = breaker {
                permit.wait();
            }
            Poll::Pending
        }
        None => panic!("polled after it has panicked"),
    }
}

fn by_result<T, E: 'static>(result: &Result<T, E>) -> Outcome {
    match result {
        Ok(_) => Outcome::Success,
        // What the layers say of it, which asks for nothing of HTTP.
        Err(error) => HttpClassifier::new().error(error),
    }
}

impl<F, C, O: Observers> fmt::Debug for Run<F, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            Stage::New => "new",
            Stage::Queued(_) => "queued",
            Stage::Calling(_) => "calling",
            Stage::Done => "done",
        };
        f.debug_struct("Run")
            .field("guard", &self.guard)
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}
