use std::num::NonZeroU32;
use std::time::Duration;

/// Events a second from one call site. More than anybody reads, and as much as a service logs that
/// has a hundred requests a second and a word about each.
pub const DEFAULT_LOG_RATE: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// Events from one call site at once. Enough for a start-up that names all it loads, and a quarter
/// of what the queue of OTLP log records holds
/// ([`DEFAULT_MAX_QUEUE`](crate::telemetry::DEFAULT_MAX_QUEUE)).
pub const DEFAULT_LOG_BURST: NonZeroU32 = NonZeroU32::new(500).unwrap();

/// How many times as much warnings and errors may say, both at once and a second: each is likelier
/// to be the one that explains something. With the default burst one call site still fits into the
/// queue of OTLP log records.
pub const SEVERE_FACTOR: u32 = 4;

/// How many events one call site may log.
///
/// Default: [`DEFAULT_LOG_RATE`] a second and [`DEFAULT_LOG_BURST`] at once. `WARN` and `ERROR` may
/// log [`SEVERE_FACTOR`] times as much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLimit(Option<Bounds>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bounds {
    rate: NonZeroU32,
    burst: NonZeroU32,
}

/// A limit in the terms of the algorithm; see [`Site`](super::site::Site).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    /// What one event costs.
    pub(super) interval: Duration,
    /// How far ahead of its rate a call site may be.
    pub(super) tolerance: Duration,
}

// === impl LogLimit ===

impl LogLimit {
    /// At most this many events a second from each call site, in the long run.
    #[must_use]
    pub const fn per_second(rate: NonZeroU32) -> Self {
        Self(Some(Bounds {
            rate,
            burst: DEFAULT_LOG_BURST,
        }))
    }

    /// This many at once from each call site. Default: [`DEFAULT_LOG_BURST`].
    #[must_use]
    pub const fn with_burst(self, burst: NonZeroU32) -> Self {
        match self.0 {
            Some(bounds) => Self(Some(Bounds { burst, ..bounds })),
            None => self,
        }
    }

    /// No limit, and no work for one.
    #[must_use]
    pub const fn off() -> Self {
        Self(None)
    }

    /// For ordinary events, and for warnings and errors.
    pub(super) fn quotas(self) -> Option<(Quota, Quota)> {
        let Bounds { rate, burst } = self.0?;
        let times = |n: NonZeroU32| n.saturating_mul(SEVERE_FACTOR_NON_ZERO);
        Some((
            Quota::new(rate, burst),
            Quota::new(times(rate), times(burst)),
        ))
    }
}

impl Default for LogLimit {
    fn default() -> Self {
        Self::per_second(DEFAULT_LOG_RATE)
    }
}

const SEVERE_FACTOR_NON_ZERO: NonZeroU32 = NonZeroU32::new(SEVERE_FACTOR).unwrap();

// === impl Quota ===

impl Quota {
    pub(super) fn new(rate: NonZeroU32, burst: NonZeroU32) -> Self {
        const SECOND: u64 = 1_000_000_000;
        // Rounded up, so that no more than `rate` pass.
        let interval = Duration::from_nanos(SECOND.div_ceil(rate.get().into()));
        Self {
            interval,
            tolerance: interval * (burst.get() - 1),
        }
    }
}
