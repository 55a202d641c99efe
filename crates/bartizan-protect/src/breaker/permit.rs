use std::fmt;
use std::sync::Arc;
use std::thread;

use super::breaker::Shared;
use super::circuit::Ticket;
use super::entry::Entry;
use super::{Observer, Outcome};

/// The right to one call, which its outcome is due for.
///
/// Dropped without one, it is an outcome all the same: a failure where a panic has dropped it, else
/// whatever the [`CancelPolicy`](super::CancelPolicy) says. A permit that is leaked costs nothing
/// for ever but memory: a probe's slot comes back when its lease is over.
#[must_use = "a permit that is dropped at once is a cancelled call"]
pub struct Permit<O: Observer = ()> {
    shared: Arc<Shared<O>>,
    /// `None` for the circuit that the breaker itself holds.
    entry: Option<Arc<Entry<O::Circuit>>>,
    /// `None` once it is settled, or where there is nothing to settle.
    ticket: Option<Ticket>,
    watch: Watch,
}

/// How a panic is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watch {
    /// By the thread's unwinding, where the permit is in the hands of a user.
    Unwinding,
    /// By a poll that does not come back: the thread may unwind for another reason, and need not
    /// unwind any more when the call is dropped.
    Poll { inside: bool },
}

// === impl Permit ===

impl<O: Observer> Permit<O> {
    pub(super) fn new(
        shared: Arc<Shared<O>>,
        entry: Option<Arc<Entry<O::Circuit>>>,
        ticket: Option<Ticket>,
    ) -> Self {
        // What already unwinds is no panic of the call.
        let watch = if thread::panicking() {
            Watch::Poll { inside: false }
        } else {
            Watch::Unwinding
        };
        Self {
            shared,
            entry,
            ticket,
            watch,
        }
    }

    /// The call has ended.
    pub fn record(mut self, outcome: Outcome) {
        self.settle(outcome);
    }

    /// The call goes on, and may become slow while it does: counts as slow from then on, not only
    /// when it ends. Free where the breaker does not open for being slow.
    pub fn wait(&mut self) {
        if let Some(ticket) = &mut self.ticket {
            self.shared.wait(self.entry.as_deref(), ticket);
        }
    }

    /// Runs a part of the call. From the first one on, a panic is one inside of such a part.
    pub(crate) fn run<T>(&mut self, part: impl FnOnce() -> T) -> T {
        self.watch = Watch::Poll { inside: true };
        let done = part();
        self.watch = Watch::Poll { inside: false };
        done
    }

    /// The same where it lies; there is nothing to settle then any more.
    pub(crate) fn settle(&mut self, outcome: Outcome) {
        self.end(outcome);
    }

    fn end(&mut self, end: Outcome) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.settle(self.entry.as_deref(), ticket, end);
        }
    }
}

impl<O: Observer> fmt::Debug for Permit<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("ticket", &self.ticket)
            .field("watch", &self.watch)
            .finish_non_exhaustive()
    }
}

impl<O: Observer> Drop for Permit<O> {
    fn drop(&mut self) {
        let panicked = match self.watch {
            Watch::Unwinding => thread::panicking(),
            Watch::Poll { inside } => inside,
        };
        self.end(if panicked {
            Outcome::Failure
        } else {
            Outcome::Cancelled
        });
    }
}
