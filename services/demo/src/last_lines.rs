//! What a child said last, for when it dies.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// How many of a child's last lines are kept, to be shown if it crashes.
pub const KEPT_LINES: usize = 20;

/// The last lines of both of a child's outputs.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastLines(Arc<Mutex<VecDeque<String>>>);

// === impl LastLines ===

impl LastLines {
    pub(crate) fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

impl fmt::Display for LastLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() {
            return Ok(());
        }
        f.write_str("; its last lines:")?;
        lines.iter().try_for_each(|line| write!(f, "\n  | {line}"))
    }
}
