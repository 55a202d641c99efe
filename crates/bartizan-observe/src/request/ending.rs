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
    body: WatchedBody,
    to_headers: Duration,
    /// The length that the body or its header promised, if one did: a server that has sent that
    /// much drops the body without asking for its end.
    expected: Option<u64>,
    /// A panic was caught on the way and made this response.
    caught_panic: bool,
}

/// Tells of the end of a stream, whose request ended at its headers.
#[derive(Debug)]
pub(crate) struct StreamEnding {
    body: WatchedBody,
    since: Instant,
    /// What the request ended as.
    request: Outcome,
}

/// A response body under way.
#[derive(Debug)]
pub(super) struct WatchedBody {
    /// Emptied by whichever end comes first.
    record: Option<TaskRef<Record>>,
    running: Running,
    scope: Scope,
    status: StatusCode,
    bytes: u64,
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
            let at = record.now();
            record.end(&End {
                outcome,
                status: None,
                to_headers: None,
                duration: record.age(at),
                at,
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
        Self {
            body: WatchedBody::new(record, status),
            to_headers,
            expected,
            caught_panic,
        }
    }

    pub(super) const fn body(&mut self) -> &mut WatchedBody {
        &mut self.body
    }

    pub(crate) fn end(&mut self, outcome: Outcome) {
        if let Some(record) = self.body.record.take() {
            let at = record.now();
            record.end(&End {
                outcome: if self.caught_panic {
                    Outcome::Panicked
                } else {
                    outcome
                },
                status: Some(self.body.status),
                to_headers: Some(self.to_headers),
                duration: record.age(at),
                at,
                response_bytes: self.body.bytes,
            });
        }
    }
}

impl Drop for BodyEnding {
    fn drop(&mut self) {
        let outcome = if self.body.running.unwound() {
            Outcome::Panicked
        } else if self
            .expected
            .is_some_and(|expected| self.body.bytes >= expected)
        {
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
        request: Outcome,
    ) -> Self {
        Self {
            body: WatchedBody::new(record, status),
            since,
            request,
        }
    }

    pub(super) const fn body(&mut self) -> &mut WatchedBody {
        &mut self.body
    }

    pub(crate) fn end(&mut self, outcome: Outcome) {
        if let Some(record) = self.body.record.take() {
            let at = record.now();
            record.stream_ended(&End {
                outcome,
                status: Some(self.body.status),
                to_headers: None,
                duration: at.saturating_duration_since(self.since),
                at,
                response_bytes: self.body.bytes,
            });
        }
    }
}

impl Drop for StreamEnding {
    fn drop(&mut self) {
        let outcome = match self.request {
            _ if self.body.running.unwound() => Outcome::Panicked,
            // The only end that an upgraded connection has is that it is dropped.
            Outcome::Upgraded => Outcome::Upgraded,
            _ => Outcome::BodyDropped,
        };
        self.end(outcome);
    }
}

// === impl WatchedBody ===

impl WatchedBody {
    fn new(record: TaskRef<Record>, status: StatusCode) -> Self {
        let scope = record.scope();
        Self {
            record: Some(record),
            running: Running::default(),
            scope,
            status,
            bytes: 0,
        }
    }

    /// Polls inside the request's scope.
    pub(super) fn during<R>(&mut self, poll: impl FnOnce() -> R) -> R {
        if self.record.is_none() {
            // Asked once more after the end; what there is to say has been said.
            return poll();
        }
        let _entered = self.scope.lend();
        self.running.during(poll)
    }

    pub(super) const fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
    }
}
