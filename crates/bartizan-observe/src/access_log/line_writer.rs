use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

use super::AccessLog;

/// Puts ready lines into the access log's queue: a `MakeWriter` for `tracing_subscriber::fmt`, and
/// what [`LineLayer`](crate::log_format::LineLayer) writes to.
///
/// Never blocks and never fails: what does not fit is dropped and counted in
/// [`AccessLogStats::dropped`](super::AccessLogStats::dropped).
#[derive(Debug, Clone)]
pub struct LineWriter(AccessLog);

/// One line in the making, however many writes it takes; queued when it is dropped.
#[derive(Debug)]
pub struct Line<'a> {
    log: &'a AccessLog,
    /// What was written so far, if that was not a whole line in one write.
    pending: Vec<u8>,
}

// === impl LineWriter ===

impl LineWriter {
    pub(super) const fn new(log: AccessLog) -> Self {
        Self(log)
    }

    /// Queues one line. A line feed is added where there is none.
    pub fn push(&self, line: &[u8]) {
        self.0.push_line(line);
    }
}

impl<'a> MakeWriter<'a> for LineWriter {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line {
            log: &self.0,
            pending: Vec::new(),
        }
    }
}

// === impl Line ===

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The usual case: an event comes whole, and needs no buffer of its own.
        if self.pending.is_empty() && bytes.ends_with(b"\n") {
            self.log.push_line(bytes);
        } else {
            self.pending.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    /// Does nothing: an unfinished line is not queued. See [`AccessLog::flush`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if !self.pending.is_empty() {
            self.log.push_line(&self.pending);
        }
    }
}
