use std::time::Duration;

use super::ConfigBuilder;

/// So long a queue that stays is one too many: WeChat's figure (Zhou et al., "Overload Control for
/// Scaling WeChat Microservices", SoCC 2018), and a fifth of the time that a
/// [bulkhead](crate::bulkhead) has calls wait.
pub const DEFAULT_TARGET: Duration = Duration::from_millis(20);

/// A tenth is left for those who matter more.
pub const DEFAULT_SATURATION: f64 = 0.9;

/// As long as a burst lasts: what is too much for longer is too much.
pub const DEFAULT_INTERVAL: Duration = Duration::from_millis(100);

/// Where there is far too much to do, a priority is gone after so many intervals, in less than half a
/// second.
pub const DEFAULT_RISE: f64 = 0.25;

/// It is back after so many: slower, so that what comes back does not bring back what was too much.
pub const DEFAULT_FALL: f64 = 0.05;

/// Well under a bound, and not only just, is this part of it.
pub const DEFAULT_CALM: f64 = 0.8;

/// What is shed when; valid by construction. Made by [`Config::builder`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    pub(super) target: Duration,
    pub(super) saturation: f64,
    pub(super) interval: Duration,
    pub(super) rise: f64,
    pub(super) fall: f64,
    pub(super) calm: f64,
}

// === impl Config ===

impl Config {
    /// Starts from the defaults: sheds when calls wait for [20 ms](DEFAULT_TARGET) or nine places
    /// [of ten](DEFAULT_SATURATION) are taken for [100 ms](DEFAULT_INTERVAL).
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::new(Self::default())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            target: DEFAULT_TARGET,
            saturation: DEFAULT_SATURATION,
            interval: DEFAULT_INTERVAL,
            rise: DEFAULT_RISE,
            fall: DEFAULT_FALL,
            calm: DEFAULT_CALM,
        }
    }
}
