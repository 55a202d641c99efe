use std::fmt;

use serde::{Deserialize, Serialize};

/// What became of what earlier runs left in the spool's directory.
///
/// All of these are outside of the sums of [`SignalReport`](super::super::SignalReport), because
/// an earlier run has counted the items as ended. They add up among themselves: what was found was
/// exported, rejected, is unconfirmed, was dropped, is torn, or is [waiting](Self::waiting).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpoolReport {
    /// Spans and log records in the files that were there at the start.
    pub found: u64,
    /// Those of them that the far side has acknowledged.
    pub exported: u64,
    /// Those that it does not take.
    pub rejected: u64,
    /// Those that were sent and answered in a way that cannot be read.
    pub unconfirmed: u64,
    /// Those that had to go because newer ones needed the room.
    pub dropped: u64,
    /// Those that were not what had been written when they were read again.
    pub torn: u64,
    /// Files under the spool's own names that were not whole, this run's included. What was in
    /// them nobody can say unless it is among the torn items.
    pub torn_files: u64,
    /// What else is in the directory; it is left alone.
    pub foreign_files: u64,
    /// Files under the spool's own names that could not be read at the start, and what is in them
    /// nobody can say; they are left alone.
    pub unreadable_files: u64,
    /// How often a batch of this run could not be written, for example because the disk was full.
    pub write_errors: u64,
}

// === impl SpoolReport ===

impl SpoolReport {
    /// Items of earlier runs that are still on disk.
    #[must_use]
    pub const fn waiting(&self) -> u64 {
        let gone = self.exported + self.rejected + self.unconfirmed + self.dropped + self.torn;
        self.found.saturating_sub(gone)
    }

    /// Of both signals, which share a directory.
    pub(in crate::telemetry) fn and(self, other: Self) -> Self {
        Self {
            found: self.found + other.found,
            exported: self.exported + other.exported,
            rejected: self.rejected + other.rejected,
            unconfirmed: self.unconfirmed + other.unconfirmed,
            dropped: self.dropped + other.dropped,
            torn: self.torn + other.torn,
            torn_files: self.torn_files + other.torn_files,
            // Both have seen the same ones.
            foreign_files: self.foreign_files.max(other.foreign_files),
            unreadable_files: self.unreadable_files + other.unreadable_files,
            write_errors: self.write_errors + other.write_errors,
        }
    }
}

impl fmt::Display for SpoolReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} found, {} exported", self.found, self.exported)?;
        for (what, count) in [
            ("rejected", self.rejected),
            ("unconfirmed", self.unconfirmed),
            ("dropped", self.dropped),
            ("torn", self.torn),
            ("waiting", self.waiting()),
            ("torn files", self.torn_files),
            ("foreign files", self.foreign_files),
            ("unreadable files", self.unreadable_files),
            ("not written", self.write_errors),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_spool_names_only_what_there_is() {
        let report = SpoolReport {
            found: 9,
            exported: 3,
            torn: 2,
            torn_files: 1,
            ..SpoolReport::default()
        };
        assert_eq!(report.waiting(), 4);
        assert_eq!(
            report.and(SpoolReport::default()).to_string(),
            "9 found, 3 exported, 2 torn, 4 waiting, 1 torn files"
        );
    }
}
