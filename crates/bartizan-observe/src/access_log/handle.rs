use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::AccessRecord;
use super::builder::AccessLogBuilder;
use super::line_writer::LineWriter;
use super::writer::Shared;

/// A handle to the queue and the writer; clones are the same.
///
/// When the last handle is dropped, [`LineWriter`]s included, the writer's thread writes what is
/// queued and ends. Nothing waits for it: a process that is about to exit calls [`Self::flush`].
#[derive(Clone)]
pub struct AccessLog(Arc<Handle>);

/// What became of the lines so far. Each that was handed in is in exactly one of these numbers or
/// still queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessLogStats {
    /// Lines that the sink has taken.
    pub written: u64,
    /// Lines that never reached the sink: the queue was full, in number or in bytes.
    pub dropped: u64,
    /// Lines that the sink refused, for example because nobody reads the pipe any more.
    pub write_errors: u64,
}

/// Ends the writer when it is dropped.
struct Handle(Arc<Shared>);

// === impl AccessLog ===

impl AccessLog {
    /// Starts a set-up.
    #[must_use]
    pub fn builder() -> AccessLogBuilder {
        AccessLogBuilder::default()
    }

    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(Arc::new(Handle(shared)))
    }

    /// Queues a line about a request. Neither formats nor waits nor, in the steady state,
    /// allocates; when the queue is full the record is dropped and counted.
    pub fn record(&self, record: AccessRecord) {
        self.0.0.push_record(record);
    }

    /// Queues a line that is formatted already.
    pub(super) fn push_line(&self, line: &[u8]) {
        self.0.0.push_line(line);
    }

    /// A writer for lines from elsewhere, such as a [`LineLayer`](crate::log_format::LineLayer) or
    /// `tracing_subscriber::fmt`.
    #[must_use]
    pub fn line_writer(&self) -> LineWriter {
        LineWriter::new(self.clone())
    }

    /// Blocks until all that was queued before the call has been written and the sink flushed.
    /// `false` when that took longer than `deadline`, or when the writer is gone because its sink
    /// panicked.
    ///
    /// For threads that may block. On the writer's own, in the sink, it does not wait.
    #[must_use = "`false` means that lines may be missing"]
    pub fn flush(&self, deadline: Duration) -> bool {
        self.0.0.flush(deadline)
    }

    /// Whether this is the writer's thread.
    pub(crate) fn is_written_here(&self) -> bool {
        self.0.0.is_written_here()
    }

    /// The numbers so far. Those of a batch that is being written are added when it is done.
    #[must_use]
    pub fn stats(&self) -> AccessLogStats {
        self.0.0.stats()
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessLog")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

// === impl Handle ===

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close();
    }
}
