//! How much the log says: a limit for each call site, and levels that can be changed for a time.
//!
//! [`LogLimit`] keeps one place in the code from drowning all others: past its burst and rate an
//! event is written neither as a line nor as an OTLP log record, by one decision for both, and
//! the next event that is let through from there carries how many were left out. A limit over the
//! whole log was rejected: it lets the loudest place silence the others. So was sampling by
//! chance, which cannot say what is missing.
//!
//! [`LogLevels`] changes the directives of a running process, and changes them back by itself, so
//! that nobody has to remember that a service was left at `trace`.
//!
//! Both belong to a [`Telemetry`](crate::telemetry::Telemetry) handle:
//!
//! ```
//! use std::num::NonZeroU32;
//! use std::time::Duration;
//!
//! use bartizan_observe::log_control::LogLimit;
//! use bartizan_observe::telemetry::Telemetry;
//! use tracing_subscriber::layer::{Identity, SubscriberExt};
//!
//! # fn main() -> Result<(), bartizan_observe::telemetry::TelemetryError> {
//! const TEN: NonZeroU32 = NonZeroU32::new(10).unwrap();
//! let telemetry = Telemetry::builder()
//!     .with_log_limit(LogLimit::per_second(TEN).with_burst(TEN))
//!     .build()?;
//! let layers = telemetry.layers("info", Identity::new())?;
//! let subscriber = tracing_subscriber::registry().with(layers);
//! tracing::subscriber::with_default(subscriber, || {
//!     (0..50).for_each(|n| tracing::info!(n, "again"));
//! });
//! assert!(telemetry.log_limits().stats().suppressed > 0);
//!
//! let levels = telemetry.log_levels().by("on-call");
//! levels.set("info,orders=debug", Some(Duration::from_secs(600)))?;
//! assert_eq!(levels.get().directives, "info,orders=debug");
//! # Ok(())
//! # }
//! ```
//!
//! Neither limits spans or the access log's lines, and both reach only the layers that
//! [`Telemetry::layers`](crate::telemetry::Telemetry::layers) makes. The records of the `log`
//! crate, where a `LogTracer` brings them, come from one call site per level and share its limit.

mod alarm;
mod directives;
mod dispatches;
mod events;
mod levels;
mod limit;
mod limits;
mod over;
mod site;
#[cfg(test)]
pub(crate) mod tests;
mod told;

pub use levels::{ActiveLevels, LogLevels};
pub use limit::{DEFAULT_LOG_BURST, DEFAULT_LOG_RATE, LogLimit, SEVERE_FACTOR};
pub use limits::{LogLimitStats, LogLimits};

pub(crate) use events::Events;
pub(crate) use levels::TARGET;
#[cfg(test)]
pub(crate) use told::Telling;
pub(crate) use told::suppressed;

/// What one telemetry handle holds of this; clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct LogControl {
    pub(crate) limits: LogLimits,
    pub(crate) levels: LogLevels,
}

impl LogControl {
    pub(crate) fn new(limit: LogLimit) -> Self {
        Self {
            limits: LogLimits::new(limit),
            levels: LogLevels::new(),
        }
    }
}

#[cfg(test)]
impl LogControl {
    /// With no threads: what is due is done when a test asks.
    pub(crate) fn by_hand(limit: LogLimit, clock: &crate::Clock) -> Self {
        use alarm::Alarm;
        Self {
            limits: LogLimits::with(limit, clock.clone(), Alarm::by_hand()),
            levels: LogLevels::with(clock.clone(), Alarm::by_hand()),
        }
    }

    pub(crate) fn due(&self) -> [Option<std::time::Duration>; 2] {
        [self.limits.due(), self.levels.due()]
    }
}

impl Default for LogControl {
    fn default() -> Self {
        Self::new(LogLimit::default())
    }
}
