//! Collects the lines of a drawing, up to the most there may be.

use super::{MAX_LINES, text};

#[derive(Default)]
pub(super) struct Canvas {
    out: String,
    lines: usize,
}

// === impl Canvas ===

impl Canvas {
    /// Adds a line, or counts it where there are too many already.
    pub(super) fn line(&mut self, line: &str) {
        self.lines += 1;
        if self.lines <= MAX_LINES {
            self.out.push_str(line);
            self.out.push('\n');
        }
    }

    /// The lines, and how many more there would be.
    pub(super) fn finish(mut self) -> String {
        let over = self.lines.saturating_sub(MAX_LINES);
        if over > 0 {
            self.out
                .push_str(&format!("… and {}\n", text::count(over, "more line")));
        }
        self.out
    }
}
