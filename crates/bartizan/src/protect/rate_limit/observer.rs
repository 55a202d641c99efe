use std::fmt;
use std::sync::OnceLock;

use bartizan_observe::names::{attr, event, metric};
use bartizan_protect::rate_limit::{Decision, Observer, Outcome};
use opentelemetry::metrics::{BoundCounter, Counter, Meter};
use opentelemetry::{KeyValue, StringValue};

use crate::protect::on_current_span;

/// Tells a limiter's decisions as metrics, and its rejections as events of the current span.
#[derive(Debug)]
pub struct RateLimitObserver {
    requests: Counter<u64>,
}

/// A policy's series.
pub struct PolicySeries {
    policy: StringValue,
    requests: Counter<u64>,
    /// By outcome, each bound at its first request: a bound series is exported from then on.
    counts: [OnceLock<BoundCounter<u64>>; Outcome::ALL.len()],
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
        PolicySeries {
            policy: name.to_owned().into(),
            requests: self.requests.clone(),
            counts: Default::default(),
        }
    }

    fn decided(&self, policy: &PolicySeries, decision: &Decision) {
        policy.count(decision.outcome());
        let Some(refusal) = decision.refusal() else {
            return;
        };
        on_current_span(event::RATE_LIMIT_REJECTED, || {
            let mut attributes = vec![
                KeyValue::new(attr::RATE_LIMIT_POLICY, policy.policy.clone()),
                KeyValue::new(attr::RATE_LIMIT_RESULT, decision.outcome().name()),
                KeyValue::new(attr::RATE_LIMIT_REASON, refusal.name()),
            ];
            if let Some(wait) = decision.retry_after() {
                attributes.push(KeyValue::new(attr::RETRY_AFTER, wait.as_secs_f64()));
            }
            attributes
        });
    }

    fn key_missing(&self, policy: &PolicySeries, first: bool) {
        if first {
            let policy = policy.policy.as_str();
            tracing::warn!(policy, "a request has no key for a rate limit; told once");
        }
    }
}

// === impl PolicySeries ===

impl PolicySeries {
    fn count(&self, outcome: Outcome) {
        let bind = || {
            self.requests.bind(&[
                KeyValue::new(attr::RATE_LIMIT_POLICY, self.policy.clone()),
                KeyValue::new(attr::RATE_LIMIT_RESULT, outcome.name()),
            ])
        };
        self.counts[outcome as usize].get_or_init(bind).add(1);
    }
}

impl fmt::Debug for PolicySeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicySeries")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
