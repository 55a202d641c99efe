use std::fmt;
use std::time::Duration;

use super::state::{End, Ticket};
use super::{Bulkhead, Observer};

/// The right to one call. Dropped, it goes to the next.
#[must_use = "a permit that is dropped at once is a call that has ended"]
pub struct Permit<O: Observer = ()> {
    bulkhead: Bulkhead<O>,
    /// `None` once it is given back.
    ticket: Option<Ticket>,
    waited: Duration,
}

// === impl Permit ===

impl<O: Observer> Permit<O> {
    pub(super) const fn new(bulkhead: Bulkhead<O>, ticket: Ticket, waited: Duration) -> Self {
        Self {
            bulkhead,
            ticket: Some(ticket),
            waited,
        }
    }

    /// For how long it was waited for.
    #[must_use]
    pub const fn waited(&self) -> Duration {
        self.waited
    }

    /// The call has been served, in a time that an adaptive limit may go by.
    ///
    /// One that was cancelled, refused further in, or failed before it did what it should, says
    /// nothing of how long calls take: drop its permit.
    pub fn complete(mut self) {
        self.release(End::Served);
    }

    fn release(&mut self, end: End) {
        if let Some(ticket) = self.ticket.take() {
            self.bulkhead.release(ticket, end);
        }
    }
}

impl<O: Observer> fmt::Debug for Permit<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("bulkhead", &self.bulkhead)
            .field("waited", &self.waited)
            .finish_non_exhaustive()
    }
}

impl<O: Observer> Drop for Permit<O> {
    fn drop(&mut self) {
        self.release(End::Unknown);
    }
}
