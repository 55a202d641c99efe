use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use bartizan_observe::names::{attr, event};
use bartizan_protect::rate_limit::Outcome;
use bartizan_protect::shared_limit::By;
use opentelemetry::metrics::{BoundCounter, Counter};
use opentelemetry::{KeyValue, StringValue};

use crate::protect::on_current_span;

/// A policy's series.
pub struct PolicySeries {
    policy: StringValue,
    requests: Counter<u64>,
    /// By outcome and by what has decided, which is first where that is said; each bound at its first
    /// request: a bound series is exported from then on.
    counts: [[OnceLock<BoundCounter<u64>>; 1 + By::ALL.len()]; Outcome::ALL.len()],
}

/// Why a policy has rejected a request, or would have.
pub(crate) struct Refused {
    pub(crate) reason: &'static str,
    pub(crate) retry_after: Option<Duration>,
}

// === impl PolicySeries ===

impl PolicySeries {
    pub(crate) fn new(policy: &str, requests: &Counter<u64>) -> Self {
        Self {
            policy: policy.to_owned().into(),
            requests: requests.clone(),
            counts: Default::default(),
        }
    }

    /// `by` is said of policies that are shared.
    pub(crate) fn decided(&self, outcome: Outcome, by: Option<By>, refused: Option<Refused>) {
        self.count(outcome, by);
        let Some(refused) = refused else {
            return;
        };
        on_current_span(event::RATE_LIMIT_REJECTED, || {
            let mut attributes = self.labels(outcome, by);
            attributes.push(KeyValue::new(attr::RATE_LIMIT_REASON, refused.reason));
            if let Some(wait) = refused.retry_after {
                attributes.push(KeyValue::new(attr::RETRY_AFTER, wait.as_secs_f64()));
            }
            attributes
        });
    }

    pub(crate) fn key_missing(&self, first: bool) {
        if first {
            let policy = self.policy.as_str();
            tracing::warn!(policy, "a request has no key for a rate limit; told once");
        }
    }

    fn count(&self, outcome: Outcome, by: Option<By>) {
        let place = by.map_or(0, |by| 1 + by as usize);
        let bind = || self.requests.bind(&self.labels(outcome, by));
        self.counts[outcome as usize][place]
            .get_or_init(bind)
            .add(1);
    }

    fn labels(&self, outcome: Outcome, by: Option<By>) -> Vec<KeyValue> {
        let by = by.map(|by| KeyValue::new(attr::RATE_LIMIT_BY, by.name()));
        let labels = [
            KeyValue::new(attr::RATE_LIMIT_POLICY, self.policy.clone()),
            KeyValue::new(attr::RATE_LIMIT_RESULT, outcome.name()),
        ];
        labels.into_iter().chain(by).collect()
    }
}

impl fmt::Debug for PolicySeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicySeries")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
