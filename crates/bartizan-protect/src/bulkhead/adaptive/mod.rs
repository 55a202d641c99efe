//! A limit that follows what the service is good for.

mod gradient;
#[cfg(test)]
mod tests;
mod window;

use std::time::Duration;

use super::MAX_LIMIT;
use super::builder::CHECKS;
use crate::InvalidConfig;

pub(super) use gradient::Gradient;

/// Enough to start with for a service that answers in milliseconds, and few enough not to hurt one
/// that does not.
pub const DEFAULT_INITIAL: usize = 20;

/// With fewer there is hardly anything to measure, and a slow call or two are all there is.
pub const DEFAULT_MIN_LIMIT: usize = 4;

/// More calls than that at a time are a fan-out that somebody has thought about.
pub const DEFAULT_MAX_LIMIT: usize = 1_000;

/// Short enough to follow within seconds.
pub const DEFAULT_WINDOW: Duration = Duration::from_millis(500);

/// The mean of so many is off by a fifth at most times, even where latencies vary a lot.
pub const DEFAULT_MIN_SAMPLES: u32 = 30;

/// Calls may take so many times as long as they do with little to do: some queueing is what makes
/// use of a service.
pub const DEFAULT_TOLERANCE: f64 = 1.5;

/// The least halving finds out, and it costs little.
pub const DEFAULT_PROBE: f64 = 0.5;

/// Some hundred milliseconds of every so many seconds go into measuring.
pub const DEFAULT_PROBE_EVERY: Duration = Duration::from_secs(30);

/// The most samples that a window may ask for.
pub const MAX_SAMPLES: u32 = 100_000;

/// A limit that follows what the service is good for, between two bounds.
///
/// More calls at a time than a service can work on take longer, and none are done earlier. So the
/// limit grows while calls take about as long as they do with little to do, and shrinks by how much
/// longer they take: the gradient of Netflix's concurrency-limits (`Gradient2Limit`), with what is
/// known to go wrong with it put right.
///
/// - It grows only while nothing queues up, and only where at least half of it is used.
/// - How long calls take with little to do is measured, not averaged over the past: every now and
///   then, and when the limit has fallen by as much, it is [lowered](Self::with_probe) for as long
///   as it takes to see a window full of calls, and lowered again while they get faster by it. A
///   service that was overloaded from the start is found out, and so is one that has become slower.
/// - A call counts for the limit that it was admitted under, and not for the next.
/// - A call that is dropped or refused frees its place, and says nothing. Neither do windows without
///   enough calls.
/// - Windows and probes have lengths that vary by a tenth, so that replicas do not probe at once.
///
/// Nothing is read but how long calls take: keep those that differ by much, such as exports and
/// look-ups, behind bulkheads of their own.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use = "this is a part of a configuration"]
pub struct Adaptive {
    initial: Option<usize>,
    min: usize,
    max: usize,
    window: Duration,
    min_samples: u32,
    tolerance: f64,
    probe: f64,
    probe_every: Duration,
}

// === impl Adaptive ===

impl Adaptive {
    /// The limit to start with, within the bounds. Default: [`DEFAULT_INITIAL`], or the bound that
    /// is next to it.
    pub const fn with_initial(mut self, limit: usize) -> Self {
        self.initial = Some(limit);
        self
    }

    /// The least and the greatest limit. Default: [`DEFAULT_MIN_LIMIT`] and [`DEFAULT_MAX_LIMIT`].
    ///
    /// The least is for what has been found out; to find it out, the limit may be
    /// [lower](Self::with_probe) for a while.
    pub const fn with_bounds(mut self, min: usize, max: usize) -> Self {
        self.min = min;
        self.max = max;
        self
    }

    /// The limit may change each time so long, or as soon after as there are `min_samples` calls to
    /// go by. Default: [`DEFAULT_WINDOW`] and [`DEFAULT_MIN_SAMPLES`].
    pub const fn with_window(mut self, length: Duration, min_samples: u32) -> Self {
        self.window = length;
        self.min_samples = min_samples;
        self
    }

    /// How many times as long calls may take as they do with little to do: 1 to 10. Default:
    /// [`DEFAULT_TOLERANCE`].
    ///
    /// The limit comes to rest at about so many times what the service works on at a time.
    pub const fn with_tolerance(mut self, times: f64) -> Self {
        self.tolerance = times;
        self
    }

    /// The limit is lowered to this part of itself (0.1 to 0.9, and below 1 by the tolerance, else
    /// the calls that queue up could never be seen to be gone) every so often, to see how long calls
    /// take then. Default: [`DEFAULT_PROBE`] and [`DEFAULT_PROBE_EVERY`].
    pub const fn with_probe(mut self, part: f64, every: Duration) -> Self {
        self.probe = part;
        self.probe_every = every;
        self
    }

    pub(super) fn check(&self) -> Result<(), InvalidConfig> {
        let Self { min, max, .. } = *self;
        CHECKS.check(
            (1..=MAX_LIMIT).contains(&min),
            "bounds",
            min,
            format_args!("1 to {MAX_LIMIT} calls"),
        )?;
        CHECKS.check(
            (min..=MAX_LIMIT).contains(&max),
            "bounds.max",
            max,
            format_args!("the {min} of the least to {MAX_LIMIT} calls"),
        )?;
        let initial = self.initial();
        CHECKS.check(
            (min..=max).contains(&initial),
            "initial",
            initial,
            format_args!("within the bounds of {min} to {max} calls"),
        )?;
        CHECKS.duration("window", self.window)?;
        CHECKS.check(
            (1..=MAX_SAMPLES).contains(&self.min_samples),
            "window.min_samples",
            self.min_samples,
            format_args!("1 to {MAX_SAMPLES} samples"),
        )?;
        CHECKS.check(
            (1.0..=10.0).contains(&self.tolerance),
            "tolerance",
            self.tolerance,
            format_args!("1 to 10"),
        )?;
        CHECKS.check(
            (0.1..=0.9).contains(&self.probe),
            "probe",
            self.probe,
            format_args!("a part from 0.1 to 0.9"),
        )?;
        let below = 1.0 / self.tolerance;
        CHECKS.check(
            self.probe < below,
            "probe",
            self.probe,
            format_args!("below {below}, which is 1 by the tolerance"),
        )?;
        CHECKS.duration("probe.every", self.probe_every)
    }

    fn initial(&self) -> usize {
        self.initial
            .unwrap_or_else(|| DEFAULT_INITIAL.max(self.min).min(self.max))
    }
}

impl Default for Adaptive {
    fn default() -> Self {
        Self {
            initial: None,
            min: DEFAULT_MIN_LIMIT,
            max: DEFAULT_MAX_LIMIT,
            window: DEFAULT_WINDOW,
            min_samples: DEFAULT_MIN_SAMPLES,
            tolerance: DEFAULT_TOLERANCE,
            probe: DEFAULT_PROBE,
            probe_every: DEFAULT_PROBE_EVERY,
        }
    }
}
