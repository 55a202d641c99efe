use std::fmt;

use serde::{Deserialize, Serialize};

use super::spool::SpoolReport;
use super::transport::Sent;
use crate::access_log::AccessLogStats;

/// What became of everything that was recorded so far.
///
/// Each signal's figures are read at one moment and add up: what has ended was exported, is
/// unconfirmed, was dropped for a reason, is spooled, or is still
/// [pending](SignalReport::pending). After a shutdown nothing is pending, unless that was on the thread
/// that exports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// Spans.
    pub spans: SignalReport,
    /// Spans that are to be exported and have not ended yet; in none of the other figures.
    pub unfinished: u64,
    /// Log records.
    pub logs: SignalReport,
    /// Metrics.
    pub metrics: MetricsReport,
    /// Lines of the access log, if there is one.
    pub access_log: AccessLogStats,
    /// What earlier runs left in the spool, if there is one; outside of the sums.
    pub spool: SpoolReport,
}

/// What became of the items of one signal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SignalReport {
    /// Items that came to their end and were meant to be exported.
    pub ended: u64,
    /// Items that the far side acknowledged.
    pub exported: u64,
    /// Items that were sent and never answered: the far side may have them or not.
    pub unconfirmed: u64,
    /// Items that are on disk for a later run, and that the far side certainly does not have. While
    /// it goes on also those that it may have; the end calls them unconfirmed, although they are on
    /// disk, too.
    pub spooled: u64,
    /// Items that the far side certainly does not have.
    pub dropped: Dropped,
}

/// What became of the collections of metrics; each is one export request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MetricsReport {
    /// The collections themselves; what a lost one held is in the next cumulative one.
    pub collections: SignalReport,
    /// Data points that the far side rejected out of collections that it took.
    pub rejected_points: u64,
}

/// Why items were dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Dropped {
    /// The queue was full, by their number or by their bytes.
    pub queue_full: u64,
    /// The far side answered that it does not take them.
    pub rejected: u64,
    /// There was no connection to send them over.
    pub unreachable: u64,
    /// They could not be encoded.
    pub encoding: u64,
    /// They were still waiting when the shutdown's deadline came.
    pub deadline: u64,
    /// They were on disk, and had to go because newer ones needed the room, or were not what had
    /// been written when they were read again.
    pub spool: u64,
    /// They ended after the shutdown had begun.
    pub after_shutdown: u64,
}

// === impl SignalReport ===

impl SignalReport {
    /// Items that are certainly lost.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.dropped.total()
    }

    /// Items that wait in the queue or are being sent.
    #[must_use]
    pub const fn pending(&self) -> u64 {
        self.ended
            .saturating_sub(self.exported + self.unconfirmed + self.spooled + self.dropped.total())
    }

    /// Books the result of sending `items`.
    pub(super) fn settle(&mut self, items: u64, sent: &Sent) {
        match sent {
            Sent::Acknowledged { rejected } => {
                let rejected = (*rejected).min(items);
                self.exported += items - rejected;
                self.dropped.rejected += rejected;
            }
            Sent::Doubted { rejected } => {
                let rejected = (*rejected).min(items);
                self.exported += items - rejected;
                self.unconfirmed += rejected;
            }
            Sent::Refused(_) | Sent::Failed => self.dropped.rejected += items,
            Sent::Unreachable => self.dropped.unreachable += items,
            Sent::Unconfirmed | Sent::Unreadable => self.unconfirmed += items,
            Sent::Encoding => self.dropped.encoding += items,
        }
    }
}

// === impl Dropped ===

impl Dropped {
    /// All of them together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.queue_full
            + self.rejected
            + self.unreachable
            + self.encoding
            + self.deadline
            + self.spool
            + self.after_shutdown
    }

    pub(super) const fn by_reason(&self) -> [(&'static str, u64); 7] {
        [
            ("queue full", self.queue_full),
            ("rejected", self.rejected),
            ("unreachable", self.unreachable),
            ("encoding", self.encoding),
            ("deadline", self.deadline),
            ("spool", self.spool),
            ("after shutdown", self.after_shutdown),
        ]
    }
}

// === text ===

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "spans: {}, {} unfinished; logs: {}; metrics: {}; \
             access log: {} written, {} dropped, {} not written",
            self.spans,
            self.unfinished,
            self.logs,
            self.metrics,
            self.access_log.written,
            self.access_log.dropped,
            self.access_log.write_errors,
        )?;
        if self.spool == SpoolReport::default() {
            return Ok(());
        }
        write!(f, "; spool: {}", self.spool)
    }
}

impl fmt::Display for SignalReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ended, {} exported, {} unconfirmed, ",
            self.ended, self.exported, self.unconfirmed,
        )?;
        if self.spooled > 0 {
            write!(f, "{} spooled, ", self.spooled)?;
        }
        write!(f, "{}", self.dropped)
    }
}

impl fmt::Display for MetricsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} points rejected",
            self.collections, self.rejected_points
        )
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} dropped", self.total())?;
        let mut before = " (";
        for (reason, count) in self.by_reason() {
            if count > 0 {
                write!(f, "{before}{count} {reason}")?;
                before = ", ";
            }
        }
        if before == ", " {
            f.write_str(")")
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_only_the_reasons_there_are() {
        let mut report = SignalReport {
            ended: 9,
            exported: 9,
            ..SignalReport::default()
        };
        assert_eq!(
            report.to_string(),
            "9 ended, 9 exported, 0 unconfirmed, 0 dropped"
        );
        report.exported = 4;
        report.dropped = Dropped {
            queue_full: 3,
            rejected: 2,
            ..Dropped::default()
        };
        assert_eq!(
            report.to_string(),
            "9 ended, 4 exported, 0 unconfirmed, 5 dropped (3 queue full, 2 rejected)"
        );
        assert_eq!((report.lost(), report.pending()), (5, 0));
        (report.spooled, report.dropped) = (5, Dropped::default());
        assert_eq!(
            report.to_string(),
            "9 ended, 4 exported, 0 unconfirmed, 5 spooled, 0 dropped"
        );
        assert_eq!((report.lost(), report.pending()), (0, 0));
    }

    #[test]
    fn a_report_survives_json() {
        let mut report = Report::default();
        report.spans.settle(0, &Sent::Unconfirmed);
        report.logs.dropped.deadline = 7;
        report.metrics.rejected_points = 2;
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    }

    #[test]
    fn a_far_side_that_rejects_more_than_it_was_sent_does_not_break_the_sum() {
        let mut report = SignalReport {
            ended: 3,
            ..SignalReport::default()
        };
        report.settle(3, &Sent::Acknowledged { rejected: 5 });
        assert_eq!(
            (report.exported, report.dropped.rejected, report.pending()),
            (0, 3, 0)
        );
    }
}
