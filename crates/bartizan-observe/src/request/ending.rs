//! The finish-once guards: whatever happens to a call, one of these ends it exactly once.

use std::time::{Duration, Instant};

use bartizan_task::{Scope, TaskRef};
use http::StatusCode;

use super::end::{End, Ends};
use super::record::Record;
use crate::Outcome;

/// Notices that a poll did not come back.
///
/// `std::thread::panicking` in a destructor does not do: it is true while something else unwinds,
/// and false once a `catch_unwind` further out has caught the panic.
#[derive(Debug, Default)]
struct Running(bool);

/// Ends the request of a call that has no response yet.
#[derive(Debug)]
pub(crate) struct CallEnding {
    /// Emptied by whichever end comes first.
    record: Option<TaskRef<Record>>,
    running: Running,
}

/// Ends the request at the end of its response's body.
#[derive(Debug)]
pub(crate) struct BodyEnding {
    record: Option<TaskRef<Record>>,
    running: Running,
    scope: Scope,
    status: StatusCode,
    to_headers: Duration,
    bytes: u64,
    /// The length the body promised, if it did: a server that has sent that much drops the body
    /// without asking for its end.
    expected: Option<u64>,
    /// A panic was caught on the way and made this response.
    caught_panic: bool,
}

/// Tells of the end of a stream, whose request ended at its headers.
#[derive(Debug)]
pub(crate) struct StreamEnding {
    record: Option<TaskRef<Record>>,
    running: Running,
    scope: Scope,
    status: StatusCode,
    since: Instant,
    bytes: u64,
    outcome: Outcome,
}

// === impl Running ===

impl Running {
    /// Runs a poll; if it unwinds, the flag stays up.
    fn during<R>(&mut self, poll: impl FnOnce() -> R) -> R {
        self.0 = true;
        let done = poll();
        self.0 = false;
        done
    }

    const fn unwound(&self) -> bool {
        self.0
    }
}

// === impl CallEnding ===

impl CallEnding {
    pub(crate) fn new(record: TaskRef<Record>) -> Self {
        Self {
            record: Some(record),
            running: Running::default(),
        }
    }

    pub(crate) fn during<R>(&mut self, poll: impl FnOnce() -> R) -> R {
        self.running.during(poll)
    }

    /// There is a response, whose head or body will end the request.
    pub(crate) fn disarm(&mut self) -> Option<TaskRef<Record>> {
        self.record.take()
    }

    pub(crate) fn end(&mut self, outcome: Outcome) {
        if let Some(record) = self.record.take() {
            let duration = record.age(record.now());
            record.end(&End {
                outcome,
                status: None,
                to_headers: None,
                duration,
                response_bytes: 0,
            });
        }
    }
}

impl Drop for CallEnding {
    fn drop(&mut self) {
        let unwound = self.running.unwound();
        self.end(if unwound {
            Outcome::Panicked
        } else {
            Outcome::Cancelled
        });
    }
}

// === impl BodyEnding ===

impl BodyEnding {
    pub(crate) fn new(
        record: TaskRef<Record>,
        status: StatusCode,
        to_headers: Duration,
        expected: Option<u64>,
        caught_panic: bool,
    ) -> Self {
        let scope = record.scope();
        Self {
            record: Some(record),
            running: Running::default(),
            scope,
            status,
            to_headers,
            bytes: 0,
            expected,
            caught_panic,
        }
    }

    pub(crate) fn during<R>(&mut self, poll: impl FnOnce() -> R) -> R {
        if self.record.is_none() {
            // Asked once more after the end; what there is to say has been said.
            return poll();
        }
        let _entered = self.scope.enter();
        self.running.during(poll)
    }

    pub(crate) fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    pub(crate) fn end(&mut self, outcome: Outcome) {
        if let Some(record) = self.record.take() {
            let duration = record.age(record.now());
            record.end(&End {
                outcome: if self.caught_panic {
                    Outcome::Panicked
                } else {
                    outcome
                },
                status: Some(self.status),
                to_headers: Some(self.to_headers),
                duration,
                response_bytes: self.bytes,
            });
        }
    }
}

impl Drop for BodyEnding {
    fn drop(&mut self) {
        let outcome = if self.running.unwound() {
            Outcome::Panicked
        } else if self.expected == Some(self.bytes) {
            Outcome::Completed
        } else {
            Outcome::BodyDropped
        };
        self.end(outcome);
    }
}

// === impl StreamEnding ===

impl StreamEnding {
    pub(crate) fn new(
        record: TaskRef<Record>,
        status: StatusCode,
        since: Instant,
        outcome: Outcome,
    ) -> Self {
        let scope = record.scope();
        Self {
            record: Some(record),
            running: Running::default(),
            scope,
            status,
            since,
            bytes: 0,
            outcome,
        }
    }

    pub(crate) fn during<R>(&mut self, poll: impl FnOnce() -> R) -> R {
        if self.record.is_none() {
            // Asked once more after the end; what there is to say has been said.
            return poll();
        }
        let _entered = self.scope.enter();
        self.running.during(poll)
    }

    pub(crate) fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    pub(crate) fn end(&mut self, outcome: Outcome) {
        if let Some(record) = self.record.take() {
            let lived = record.now().saturating_duration_since(self.since);
            let end = End {
                outcome,
                status: Some(self.status),
                to_headers: None,
                duration: lived,
                response_bytes: self.bytes,
            };
            record.stream_ended(&end, lived);
        }
    }
}

impl Drop for StreamEnding {
    fn drop(&mut self) {
        let outcome = match self.outcome {
            _ if self.running.unwound() => Outcome::Panicked,
            // The only end that an upgraded connection has is that it is dropped.
            Outcome::Upgraded => Outcome::Upgraded,
            _ => Outcome::BodyDropped,
        };
        self.end(outcome);
    }
}
