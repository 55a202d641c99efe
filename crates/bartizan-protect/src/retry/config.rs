use std::time::Duration;

use super::ConfigBuilder;
use super::backoff::Backoff;

/// With the first: whoever fails three times in a row will most likely fail again.
pub const DEFAULT_MAX_ATTEMPTS: u32 = 3;

/// The bound of the first pause, as Envoy has it: about what an answer within a data centre takes,
/// so that a retry is not noticed, and that a service which has lost one connection has the next.
pub const DEFAULT_BACKOFF: Duration = Duration::from_millis(25);

/// The longest pause: what a person who waits still takes for slow, and not for broken.
pub const DEFAULT_MAX_BACKOFF: Duration = Duration::from_secs(1);

/// Whoever asks to be left alone for longer is better answered for at once.
pub const DEFAULT_MAX_RETRY_AFTER: Duration = Duration::from_secs(5);

/// The most attempts.
pub const MAX_ATTEMPTS: u32 = 16;

/// What is retried when; valid by construction. Made by [`Config::builder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// With the first.
    pub(super) max_attempts: u32,
    pub(super) backoff: Backoff,
    pub(super) max_retry_after: Duration,
}

// === impl Config ===

impl Config {
    /// Starts from the defaults: [3 attempts](DEFAULT_MAX_ATTEMPTS), with pauses of up to
    /// [25 ms](DEFAULT_BACKOFF), then 50 ms, and so on to at most [1 s](DEFAULT_MAX_BACKOFF).
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::new(Self::default())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            backoff: Backoff {
                base: DEFAULT_BACKOFF,
                max: DEFAULT_MAX_BACKOFF,
            },
            max_retry_after: DEFAULT_MAX_RETRY_AFTER,
        }
    }
}
