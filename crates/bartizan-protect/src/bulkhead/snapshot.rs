use std::time::Duration;

/// How a bulkhead stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// How many calls there may be at a time now.
    pub limit: usize,
    /// The same without what is measured at the moment: an adaptive limit is lowered for it.
    pub limit_found: usize,
    /// How many there are: more than the limit after that was lowered, until they have ended.
    pub in_flight: usize,
    /// How many wait.
    pub queued: usize,
    /// How long the one has waited whose turn is next.
    pub queue_wait: Duration,
    /// How long calls take with little to do, of an adaptive limit that has measured it.
    pub unloaded: Option<Duration>,
    /// How many calls were rejected so far because no place was left.
    pub rejected_full: u64,
    /// How many were because none became free in time.
    pub rejected_late: u64,
    /// How many have been dropped while they waited.
    pub abandoned: u64,
}
