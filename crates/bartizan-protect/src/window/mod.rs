//! How many of the latest calls were bad: the latest by number, or by time.
//!
//! Both kinds keep running totals, so that a record and a look cost the same whatever the traffic
//! and however long the window.

mod count;
mod time;

pub(crate) use count::CountWindow;
pub(crate) use time::TimeWindow;

/// What a window holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    pub(crate) total: u64,
    /// Of them, those that were bad.
    pub(crate) bad: u64,
}

/// Milliseconds since an origin that its owner knows.
pub(crate) type Tick = u64;
