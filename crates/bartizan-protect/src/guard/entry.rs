//! How a call gets through the limits, from the outside in.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::{Error, Guard, Observers};
use crate::breaker::{self, Breaker, Outcome};
use crate::bulkhead::{self, Acquire};
use crate::rate_limit::Reservation;
use crate::timeout::{Alarm, Allowance, NoTimeLeft};

/// What a call wants.
pub(super) struct Terms {
    pub(super) key: Option<Cow<'static, str>>,
    pub(super) cost: u32,
    pub(super) deadline: Option<Instant>,
}

/// A call that waits for its place. In a box, so that calls that do not wait are none the larger.
pub(super) struct Queued<O: Observers> {
    acquire: Acquire<O::Bulkhead>,
    charge: Charge,
    /// Goes off at the caller's deadline, if there is one.
    alarm: Option<Alarm>,
}

/// A call that has got through.
pub(super) struct Calling<O: Observers> {
    pub(super) alarm: Option<Alarm>,
    pub(super) breaker: Option<breaker::Permit<O::Breaker>>,
    bulkhead: Option<bulkhead::Permit<O::Bulkhead>>,
}

/// Where a call has got to at once.
pub(super) enum Entry<O: Observers> {
    Queued(Box<Queued<O>>),
    Calling(Calling<O>),
}

/// What a call was charged: given back when it is dropped, unless the call is made.
struct Charge(Option<Reservation>);

// === impl Guard ===

impl<O: Observers> Guard<O> {
    pub(super) fn enter<E>(
        &self,
        terms: &Terms,
        cx: &mut Context<'_>,
    ) -> Result<Entry<O>, Error<E>> {
        // What cannot be done in time any more should be charged to nobody.
        let deadline = self.until(terms.deadline).map_err(Error::NoTimeLeft)?;
        let charge = match &self.limiter {
            Some(limiter) => {
                let reserved = limiter.try_acquire(terms.key.as_deref(), terms.cost);
                Charge(Some(reserved.map_err(Error::RateLimited)?))
            }
            None => Charge(None),
        };
        let Some(bulkhead) = &self.bulkhead else {
            return self.call(charge, None, terms).map(Entry::Calling);
        };
        let mut acquire = bulkhead.acquire();
        match Pin::new(&mut acquire).poll(cx) {
            Poll::Ready(permit) => {
                let permit = permit.map_err(Error::Saturated)?;
                self.call(charge, Some(permit), terms).map(Entry::Calling)
            }
            Poll::Pending => Ok(Entry::Queued(Box::new(Queued {
                acquire,
                charge,
                alarm: deadline,
            }))),
        }
    }

    /// Waits for a place, until the caller's deadline.
    pub(super) fn poll_queued<E>(
        &self,
        queued: &mut Queued<O>,
        terms: &Terms,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Calling<O>, Error<E>>> {
        let alarm = &mut queued.alarm;
        let permit = match Pin::new(&mut queued.acquire).poll(cx) {
            Poll::Ready(permit) => permit.map_err(Error::Saturated)?,
            Poll::Pending => match alarm.as_mut().map(|alarm| alarm.poll(cx)) {
                Some(Poll::Ready(_)) => {
                    return Poll::Ready(Err(Error::NoTimeLeft(NoTimeLeft(()))));
                }
                _ => return Poll::Pending,
            },
        };
        let charge = Charge(queued.charge.0.take());
        Poll::Ready(self.call(charge, Some(permit), terms))
    }

    /// The call has its place.
    fn call<E>(
        &self,
        mut charge: Charge,
        bulkhead: Option<bulkhead::Permit<O::Bulkhead>>,
        terms: &Terms,
    ) -> Result<Calling<O>, Error<E>> {
        let alarm = match self.timeout {
            Some(timeout) => Some(self.alarm(timeout, terms.deadline)),
            None => self.until(terms.deadline).transpose(),
        };
        let alarm = alarm.transpose().map_err(Error::NoTimeLeft)?;
        let breaker = self.breaker.as_ref().map(Breaker::try_acquire);
        let breaker = breaker.transpose().map_err(Error::CircuitOpen)?;
        charge.keep();
        Ok(Calling {
            alarm,
            breaker,
            bulkhead,
        })
    }

    /// Goes off at the deadline, if there is one.
    fn until(&self, deadline: Option<Instant>) -> Result<Option<Alarm>, NoTimeLeft> {
        let alarm = |_| self.alarm(Duration::MAX, deadline);
        deadline.map(alarm).transpose()
    }

    fn alarm(&self, timeout: Duration, deadline: Option<Instant>) -> Result<Alarm, NoTimeLeft> {
        let allowance = Allowance::new(timeout, self.timer.now(), deadline)?;
        Ok(Alarm::new(self.timer.clone(), allowance))
    }
}

// === impl Calling ===

impl<O: Observers> Calling<O> {
    /// The work is done, or was given up; `took` says whether the time that it took says anything.
    pub(super) fn end(&mut self, outcome: Outcome, took: Took) {
        if let Some(permit) = &mut self.breaker {
            permit.settle(outcome);
        }
        match self.bulkhead.take() {
            Some(permit) if took == Took::Meaningful => permit.complete(),
            permit => drop(permit),
        }
    }
}

/// Whether an adaptive limit may go by how long a call took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Took {
    Meaningful,
    Unknown,
}

// === impl Charge ===

impl Charge {
    /// The call is made.
    fn keep(&mut self) {
        self.0 = None;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if let Some(reservation) = self.0.take() {
            reservation.refund();
        }
    }
}
