//! A trace as text.
//!
//! Offsets count from the start of the first span. Names, values and messages come from the
//! network: control and invisible characters are escaped, long ones are cut, so that no trace can
//! move the cursor or fill the screen.

mod bar;
mod canvas;
mod drawing;
mod label;
mod rows;
mod text;

use crate::store::Trace;
use drawing::Drawing;

/// Columns of a line: a terminal window that is a little wider than the oldest ones.
pub const DEFAULT_WIDTH: usize = 100;

/// The least columns a drawing gets along with; fewer are taken for this many.
pub const MIN_WIDTH: usize = 72;

/// The most lines of a drawing: further ones of an enormous trace are counted in a last line.
pub const MAX_LINES: usize = 2000;

/// Draws a trace for a terminal of [`DEFAULT_WIDTH`] columns: a line per span with its offset from
/// the start, its length and a bar; key attributes, events and log lines under it; `✗` marks errors.
///
/// Control and invisible characters are escaped and long lines are cut, so that no trace can move
/// the cursor or fill the screen; at most [`MAX_LINES`] lines.
///
#[doc = "```text"]
#[doc = include_str!("golden/two_services.txt")]
#[doc = "```"]
#[must_use]
pub fn waterfall(trace: &Trace) -> String {
    waterfall_with_width(trace, DEFAULT_WIDTH)
}

/// Draws a trace for a terminal of `width` columns, at least [`MIN_WIDTH`].
#[must_use]
pub fn waterfall_with_width(trace: &Trace, width: usize) -> String {
    let mut drawing = Drawing::new(trace, width.max(MIN_WIDTH));
    drawing.header();
    drawing.spans();
    drawing.loose_logs();
    drawing.finish()
}

#[cfg(test)]
mod tests;
