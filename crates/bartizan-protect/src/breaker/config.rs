use std::time::Duration;

use super::{CancelPolicy, ConfigBuilder};

/// Half of the calls: what is worse helps nobody, and what is better still serves somebody.
pub const DEFAULT_FAILURE_RATE: f64 = 0.5;

/// A rate of fewer calls is mostly chance.
pub const DEFAULT_MIN_CALLS: u32 = 10;

/// Long enough for a rate to mean something, short enough to be about now.
pub const DEFAULT_WINDOW: Duration = Duration::from_secs(10);

/// In so many steps a time window moves.
pub const DEFAULT_BUCKETS: u16 = 10;

/// Longer than nearly every call between services takes, shorter than callers wait.
pub const DEFAULT_SLOW_THRESHOLD: Duration = Duration::from_secs(1);

/// One may be lucky; three seldom are.
pub const DEFAULT_PROBES: u32 = 3;

/// As long as a slow client waits for an answer; whoever needs longer is not well yet.
pub const DEFAULT_PROBE_LEASE: Duration = Duration::from_secs(10);

/// What a restarted process needs to come back.
pub const DEFAULT_OPEN_TIME: Duration = Duration::from_secs(5);

/// A service that has been away for long is found back within a minute.
pub const DEFAULT_MAX_OPEN_TIME: Duration = Duration::from_secs(60);

/// Each opening in a row is so many times longer than the one before.
pub const DEFAULT_OPEN_FACTOR: f64 = 2.0;

/// By up to so much an open time is shorter, so that replicas do not all probe at once.
pub const DEFAULT_JITTER: f64 = 0.2;

/// Closed for so long, a circuit opens for the shortest time again.
pub const DEFAULT_STABLE_AFTER: Duration = Duration::from_secs(60);

/// The most calls that a count window remembers: 8 KiB.
pub const MAX_COUNT_WINDOW: u32 = 1 << 16;

/// The most steps that a time window has.
pub const MAX_BUCKETS: u16 = 128;

/// The most probes.
pub const MAX_PROBES: u32 = 128;

/// What a circuit breaker does when; valid by construction. Made by [`Config::builder`].
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub(super) window: Window,
    pub(super) failure_rate: Option<Rate>,
    pub(super) slow_rate: Option<Rate>,
    pub(super) consecutive: Option<u32>,
    pub(super) slow_threshold: Duration,
    pub(super) cancelled: CancelPolicy,
    pub(super) probes: u32,
    /// How many probes may fail of a circuit that closes all the same.
    pub(super) tolerated: u32,
    pub(super) probe_lease: Duration,
    pub(super) open_time: Duration,
    pub(super) max_open_time: Duration,
    pub(super) open_factor: f64,
    pub(super) jitter: f64,
    pub(super) stable_after: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    Count(u32),
    Time { length: Duration, buckets: u16 },
}

/// Too many of at least so many calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    /// In millionths, so that it is compared exactly.
    pub(super) threshold: u64,
    pub(super) min_calls: u64,
}

// === impl Config ===

impl Config {
    /// Starts from the defaults: opens when [half](DEFAULT_FAILURE_RATE) of
    /// [at least 10](DEFAULT_MIN_CALLS) calls within [10 s](DEFAULT_WINDOW) fail, for
    /// [5 s](DEFAULT_OPEN_TIME) and longer each time, then closes after
    /// [3 good probes](DEFAULT_PROBES).
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::new(Self {
            window: Window::Time {
                length: DEFAULT_WINDOW,
                buckets: DEFAULT_BUCKETS,
            },
            failure_rate: None,
            slow_rate: None,
            consecutive: None,
            slow_threshold: DEFAULT_SLOW_THRESHOLD,
            cancelled: CancelPolicy::SlowIsFailure,
            probes: DEFAULT_PROBES,
            tolerated: 0,
            probe_lease: DEFAULT_PROBE_LEASE,
            open_time: DEFAULT_OPEN_TIME,
            max_open_time: DEFAULT_MAX_OPEN_TIME,
            open_factor: DEFAULT_OPEN_FACTOR,
            jitter: DEFAULT_JITTER,
            stable_after: DEFAULT_STABLE_AFTER,
        })
    }

    /// Whether what was counted under the one means the same under the other.
    pub(super) fn counts_like(&self, other: &Self) -> bool {
        self.window == other.window
            && self.slow_threshold == other.slow_threshold
            && self.slow_rate.is_some() == other.slow_rate.is_some()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::builder().unchecked()
    }
}

// === impl Rate ===

impl Rate {
    /// Of a threshold between 0 and 1.
    pub(super) fn new(threshold: f64, min_calls: u32) -> Self {
        Self {
            // Rounded, so that 0.1 is 100 000 and nothing beneath it.
            threshold: (threshold * 1e6).round() as u64,
            min_calls: min_calls.into(),
        }
    }

    pub(super) const fn is_reached(self, bad: u64, total: u64) -> bool {
        // Windows of 2^43 calls are not to be had.
        total >= self.min_calls && bad * 1_000_000 >= self.threshold * total
    }
}
