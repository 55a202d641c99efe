//! How calls go through a bulkhead.

use std::sync::{Arc, MutexGuard};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::ceiling::Moved;
use super::queue::Place;
use super::state::{Arrival, End, Progress, State, Ticket, Woken};
use super::{Acquire, Bulkhead, LimitChange, Observer, Permit, Reason, Rejected, Waited};
use crate::Timer;

/// What becomes of a call that has just come.
#[derive(Debug)]
pub(super) enum Start<O: Observer> {
    Admitted(Permit<O>),
    Queued(Acquire<O>),
    Rejected(Rejected),
}

// === impl Bulkhead ===

impl<O: Observer> Bulkhead<O> {
    pub(super) fn timer(&self) -> &Timer {
        &self.0.timer
    }

    /// A call comes.
    pub(super) fn start(&self) -> Start<O> {
        let now = self.now();
        let ticket = self.state().try_admit(now);
        match ticket {
            Some(ticket) => Start::Admitted(self.admitted(ticket, Duration::ZERO)),
            None => self.queue(now),
        }
    }

    /// A call comes that does not want to wait.
    pub(super) fn try_start(&self) -> Result<Permit<O>, Rejected> {
        let now = self.now();
        let ticket = self.state().try_admit(now);
        match ticket {
            Some(ticket) => Ok(self.admitted(ticket, Duration::ZERO)),
            None => self.ask_again(now),
        }
    }

    /// A call that waits asks again.
    pub(super) fn poll(
        &self,
        place: Place,
        since: Instant,
        now: Instant,
        waker: &Waker,
    ) -> Option<Result<Permit<O>, Rejected>> {
        // Dropped after the lock is released, like every waker: it may be the last that holds a
        // task, and so a call.
        let mut old = None;
        let mut state = self.state();
        let progress = state.poll(place, now, |registered| {
            if !registered.as_ref().is_some_and(|it| it.will_wake(waker)) {
                old = registered.replace(waker.clone());
            }
        });
        let limit = state.ceiling().limit();
        drop(state);
        drop(old);
        match progress {
            Progress::Waiting => None,
            Progress::Admitted(ticket, waited) => Some(Ok(self.admitted(ticket, waited))),
            Progress::TooLate(_) => {
                let waited = now.saturating_duration_since(since);
                Some(Err(self.rejected(Reason::QueueTimeout, limit, waited)))
            }
        }
    }

    /// A call does not wait any more.
    pub(super) fn leave(&self, place: Place, since: Instant) {
        let now = self.now();
        let mut state = self.state();
        let waker = state.leave(place);
        self.hand_over(state, now, &mut Woken::new());
        drop(waker);
        self.0.observer.abandoned(&Waited {
            bulkhead: &self.0.name,
            waited: now.saturating_duration_since(since),
        });
    }

    /// A call has ended.
    pub(super) fn release(&self, ticket: Ticket, end: End) {
        let now = self.now();
        let mut state = self.state();
        let moved = state.release(ticket, end, now);
        if state.queued() > 0 {
            self.hand_over(state, now, &mut Woken::new());
        } else {
            drop(state);
        }
        self.tell(moved);
    }

    /// Once more, after those whose turn it is.
    #[cold]
    fn ask_again(&self, now: Instant) -> Result<Permit<O>, Rejected> {
        let mut state = self.state();
        let moved = state.unblock(now);
        self.hand_over(state, now, &mut Woken::new());
        self.tell(moved);
        let mut state = self.state();
        let ticket = state.try_admit(now);
        state.counts.full += u64::from(ticket.is_none());
        let limit = state.ceiling().limit();
        drop(state);
        match ticket {
            Some(ticket) => Ok(self.admitted(ticket, Duration::ZERO)),
            None => Err(self.rejected(Reason::Full, limit, Duration::ZERO)),
        }
    }

    #[cold]
    fn queue(&self, now: Instant) -> Start<O> {
        let mut woken = Woken::new();
        let mut state = self.state();
        let moved = state.unblock(now);
        let more = state.hand_over(now, &mut woken);
        let arrival = state.arrive(now);
        let limit = state.ceiling().limit();
        drop(state);
        woken.drain().for_each(Waker::wake);
        if more {
            self.hand_over(self.state(), now, &mut woken);
        }
        self.tell(moved);
        match arrival {
            Arrival::Admitted(ticket) => Start::Admitted(self.admitted(ticket, Duration::ZERO)),
            Arrival::Queued(place, deadline) => {
                Start::Queued(Acquire::queued(self.clone(), place, now, deadline))
            }
            Arrival::Full => Start::Rejected(self.rejected(Reason::Full, limit, Duration::ZERO)),
        }
    }

    /// Tells everybody whose turn it is, without the lock.
    pub(super) fn hand_over<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<Waker>>,
        now: Instant,
        woken: &mut Woken<Waker>,
    ) {
        loop {
            let more = state.hand_over(now, woken);
            drop(state);
            woken.drain().for_each(Waker::wake);
            if !more {
                return;
            }
            state = self.state();
        }
    }

    pub(super) fn admitted(&self, ticket: Ticket, waited: Duration) -> Permit<O> {
        // The permit is there first, so that it is given back whatever the observer does.
        let permit = Permit::new(self.clone(), ticket, waited);
        self.0.observer.admitted(&Waited {
            bulkhead: &self.0.name,
            waited,
        });
        permit
    }

    pub(super) fn rejected(&self, reason: Reason, limit: usize, waited: Duration) -> Rejected {
        let rejected = Rejected {
            bulkhead: Arc::clone(&self.0.name),
            reason,
            limit,
            waited,
        };
        self.0.observer.rejected(&rejected);
        rejected
    }

    pub(super) fn tell(&self, moved: Option<Moved>) {
        if let Some(Moved { from, to, cause }) = moved {
            self.0.observer.limit_changed(&LimitChange {
                bulkhead: &self.0.name,
                from,
                to,
                cause,
            });
        }
    }
}
