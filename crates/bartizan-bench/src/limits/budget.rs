use std::num::NonZeroU32;
use std::time::Duration;

use bartizan_protect::rate_limit::Quota;

use crate::BoxError;

/// The same quota for all limiters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// How long it takes until one request is given back.
    pub(super) unit: Duration,
    /// How many there are at once.
    pub(super) burst: u32,
}

/// So many that no run uses them up, and each of them for so long that no key is idle again before
/// a round is over. Whole again after little less than the year that is the most for ours.
pub(super) const AMPLE: Budget = Budget {
    unit: Duration::from_secs(10),
    burst: 3_000_000,
};

/// Used up by as many requests, for the rest of the run.
pub(super) const fn only(requests: u32) -> Budget {
    Budget {
        unit: Duration::from_secs(24 * 60 * 60),
        burst: requests,
    }
}

// === impl Budget ===

impl Budget {
    pub(super) fn ours(self) -> Result<Quota, BoxError> {
        Ok(Quota::new(1, self.unit, self.burst)?)
    }

    pub(super) fn governors(self) -> Result<governor::Quota, BoxError> {
        let quota = governor::Quota::with_period(self.unit).ok_or("unit: 0 is no time")?;
        let burst = NonZeroU32::new(self.burst).ok_or("burst: 0 is not at least 1")?;
        Ok(quota.allow_burst(burst))
    }
}
