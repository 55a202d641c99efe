//! Whether a request has left, decided once between the connection and whoever gives it up.

use super::sync::{Arc, AtomicU64, Ordering};

/// Whether a connection has begun to read the request that is being sent.
///
/// This is what tells *certainly lost* from *unconfirmed*: before the body is asked for, the far
/// side has none of it; afterwards nobody can say. Giving a request up and reading it race, on two
/// threads at a shutdown's deadline, so it is one word that both change by compare-and-swap: a
/// request that was [revoked](Self::revoke) as not sent can't be read any more.
#[derive(Debug, Clone)]
pub(in crate::telemetry) struct Handed {
    /// The number of the request, then a bit of doubt, then its state. The number keeps the body of
    /// an earlier request, which its connection may still hold, from speaking for a later one.
    word: Arc<AtomicU64>,
    /// For exporters that do not tell: whatever they were given may have been sent.
    assumed: bool,
}

/// One request's right to be read.
#[derive(Debug, Clone)]
pub(in crate::telemetry) struct Ticket {
    word: Arc<AtomicU64>,
    /// The word that it was given with.
    waiting: u64,
}

const WAITING: u64 = 0;
const READ: u64 = 1;
const REVOKED: u64 = 2;
const STATE: u64 = 3;
/// An earlier request with the same batch was read and never answered.
const DOUBT: u64 = 4;
const NUMBER: u32 = 3;

// === impl Handed ===

impl Handed {
    pub(in crate::telemetry) fn new() -> Self {
        Self {
            word: Arc::new(AtomicU64::new(0)),
            assumed: false,
        }
    }

    pub(in crate::telemetry) fn assumed() -> Self {
        Self {
            assumed: true,
            ..Self::new()
        }
    }

    /// Begins with another batch; whatever became of the last one is forgotten.
    pub(in crate::telemetry) fn begin_batch(&self) {
        self.renew(0);
    }

    /// Begins the next request with the same batch.
    pub(in crate::telemetry) fn begin(&self) -> Ticket {
        let waiting = self.renew(DOUBT);
        Ticket {
            word: Arc::clone(&self.word),
            waiting,
        }
    }

    /// The request was answered, and the far side does not have it.
    pub(in crate::telemetry) fn answered(&self) {
        self.renew(DOUBT);
    }

    /// The request was read and not answered, so the batch may be there even if a later one fails.
    pub(in crate::telemetry) fn doubt(&self) {
        self.word.fetch_or(DOUBT, Ordering::AcqRel);
    }

    /// The next number, waiting, with what is kept of the old word.
    fn renew(&self, kept: u64) -> u64 {
        // Only the export thread begins, so the number does not change in between.
        let word = self.word.load(Ordering::Acquire);
        let waiting = ((word >> NUMBER) + 1) << NUMBER | word & kept | WAITING;
        self.word.swap(waiting, Ordering::AcqRel);
        waiting
    }

    /// Gives the current batch up. `false` when none of it has been read, and then none will be;
    /// `true` when it is too late for that.
    pub(in crate::telemetry) fn revoke(&self) -> bool {
        let word = self.end();
        self.assumed || word & STATE == READ || word & DOUBT != 0
    }

    /// [`Self::revoke`] for the current request alone, whatever became of earlier ones with the
    /// same batch: a far side that has gone in the meantime is told from one that does not answer.
    pub(in crate::telemetry) fn revoke_request(&self) -> bool {
        self.assumed || self.end() & STATE == READ
    }

    /// Revokes the request unless it was read; gives the word that it is then.
    fn end(&self) -> u64 {
        let mut word = self.word.load(Ordering::Acquire);
        while word & STATE == WAITING {
            let revoked = (word & !STATE) | REVOKED;
            match self.word.compare_exchange_weak(
                word,
                revoked,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return revoked,
                Err(now) => word = now,
            }
        }
        word
    }
}

// === impl Ticket ===

impl Ticket {
    /// Asks to read the request. `false` when it was revoked, or another one has begun.
    pub(in crate::telemetry) fn read(&self) -> bool {
        let read = self.waiting | READ;
        match self
            .word
            .compare_exchange(self.waiting, read, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => true,
            // Asked again for the rest of it.
            Err(now) => now == read,
        }
    }
}
