use std::time::Duration;

use super::{Adaptive, ConfigBuilder};

/// A burst of so many is taken in; more than that do not come to their turn in time anyway.
pub const DEFAULT_MAX_QUEUE: usize = 100;

/// A burst is over by then. What waits for longer waits because there is too much to do, and is
/// better told so.
pub const DEFAULT_QUEUE_TIMEOUT: Duration = Duration::from_millis(100);

/// The most calls at a time.
pub const MAX_LIMIT: usize = 1_000_000;

/// The most calls that wait: a queue that was ever so long keeps some 100 MB.
pub const MAX_QUEUE: usize = 1_000_000;

/// How many calls a bulkhead lets through at a time; valid by construction. Made by
/// [`Config::builder`].
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub(super) limit: Limit,
    pub(super) max_queue: usize,
    pub(super) queue_timeout: Duration,
}

/// How many calls there may be at a time.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Limit {
    /// So many.
    Fixed(usize),
    /// As many as the service is good for.
    Adaptive(Adaptive),
}

// === impl Config ===

impl Config {
    /// So many calls at a time, `64` or an [`Adaptive`] limit, and
    /// [100 that wait](DEFAULT_MAX_QUEUE) for at most [100 ms](DEFAULT_QUEUE_TIMEOUT).
    pub fn builder(limit: impl Into<Limit>) -> ConfigBuilder {
        ConfigBuilder::new(Self {
            limit: limit.into(),
            max_queue: DEFAULT_MAX_QUEUE,
            queue_timeout: DEFAULT_QUEUE_TIMEOUT,
        })
    }
}

// === impl Limit ===

impl From<usize> for Limit {
    fn from(limit: usize) -> Self {
        Self::Fixed(limit)
    }
}

impl From<Adaptive> for Limit {
    fn from(adaptive: Adaptive) -> Self {
        Self::Adaptive(adaptive)
    }
}
