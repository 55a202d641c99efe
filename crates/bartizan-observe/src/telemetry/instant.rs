//! Instants that are always there, whatever a caller or a far side asks for.

use std::time::{Duration, Instant};

/// As good as for ever.
pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// That much after `now`. What the clock cannot say is as good as a [day](DAY).
pub(super) fn after(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or(now + DAY)
}
