//! What goes into a circuit, and what comes out.

use std::time::{Duration, Instant};

use crate::breaker::closed::Seen;
use crate::breaker::in_flight::Cell;
use crate::breaker::probation::Probe;
use crate::breaker::word::Word;
use crate::breaker::{Change, Outcome, Reason, State};

/// A call that was admitted.
#[derive(Debug, Clone, Copy)]
pub(in crate::breaker) struct Ticket {
    pub(super) generation: u32,
    pub(super) started: Instant,
    pub(super) role: Role,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    Counted(Option<Cell>),
    Probe(Probe),
    Uncounted,
}

/// A call that was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::breaker) struct Refused {
    pub(in crate::breaker) state: State,
    pub(in crate::breaker) retry_after: Option<Duration>,
}

/// What becomes of a call that wants in, and of the circuit by it.
#[derive(Debug)]
pub(in crate::breaker) struct Admission {
    pub(in crate::breaker) result: Result<Ticket, Refused>,
    pub(in crate::breaker) news: Option<News>,
}

/// What has become of a result.
#[derive(Debug)]
pub(in crate::breaker) struct Settled {
    /// What the call counts as.
    pub(in crate::breaker) outcome: Outcome,
    /// How long it took.
    pub(in crate::breaker) elapsed: Duration,
    /// It came too late to count.
    pub(in crate::breaker) stale: bool,
    pub(in crate::breaker) news: Option<News>,
}

/// What is to be reported, once the lock is free.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::breaker) enum News {
    Changed(Change),
    /// It only measures, and would have opened.
    WouldOpen(Reason),
}

/// How a circuit stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::breaker) struct Standing {
    pub(in crate::breaker) state: State,
    pub(in crate::breaker) generation: u32,
    pub(in crate::breaker) retry_after: Option<Duration>,
    pub(in crate::breaker) seen: Seen,
    pub(in crate::breaker) probes_out: usize,
    pub(in crate::breaker) streak: u32,
    pub(in crate::breaker) rejected: u64,
    pub(in crate::breaker) stale: u64,
}

// === impl Ticket ===

impl Ticket {
    pub(super) const fn new(word: Word, now: Instant, role: Role) -> Self {
        Self {
            generation: word.generation(),
            started: now,
            role,
        }
    }
}
