use bartizan_observe::names::metric;
use bartizan_protect::rate_limit::{Decision, Observer};
use opentelemetry::metrics::{Counter, Meter};

use super::{PolicySeries, Refused};

/// Tells a limiter's decisions as metrics, and its rejections as events of the current span.
#[derive(Debug)]
pub struct RateLimitObserver {
    requests: Counter<u64>,
}

// === impl RateLimitObserver ===

impl RateLimitObserver {
    pub(crate) fn new(meter: &Meter) -> Self {
        Self {
            requests: metric::RATE_LIMIT_REQUESTS.counter(meter),
        }
    }
}

impl Observer for RateLimitObserver {
    type Policy = PolicySeries;

    fn policy(&self, name: &str) -> PolicySeries {
        PolicySeries::new(name, &self.requests)
    }

    fn decided(&self, policy: &PolicySeries, decision: &Decision) {
        let refused = decision.refusal().map(|refusal| Refused {
            reason: refusal.name(),
            retry_after: decision.retry_after(),
        });
        policy.decided(decision.outcome(), None, refused);
    }

    fn key_missing(&self, policy: &PolicySeries, first: bool) {
        policy.key_missing(first);
    }
}
