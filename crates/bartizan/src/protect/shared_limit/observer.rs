use std::time::Duration;

use bartizan_observe::names::{attr, metric};
use bartizan_protect::breaker::{self, Call, CircuitId, Correlation, Transition};
use bartizan_protect::shared_limit::{Decision, Observer, StoreFailure};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};

use crate::breaker::{BreakerObserver, CircuitSeries};
use crate::rate_limit::{PolicySeries, Refused};

/// Tells a shared limiter's decisions and questions as metrics, its rejections as events of the
/// current span, and of a store that is lost or back as a log line.
#[derive(Debug)]
pub struct SharedLimitObserver {
    requests: Counter<u64>,
    questions: Histogram<f64>,
    meter: Meter,
}

/// Tells what the breaker around a store does as metrics and events of the current span. There is a
/// log line for each outage already, and it takes many probes.
#[derive(Debug)]
pub struct StoreBreakerObserver(BreakerObserver);

// === impl SharedLimitObserver ===

impl SharedLimitObserver {
    pub(crate) fn new(meter: &Meter) -> Self {
        Self {
            requests: metric::RATE_LIMIT_REQUESTS.counter(meter),
            questions: metric::RATE_LIMIT_STORE_DURATION
                .seconds_in(meter, &metric::RATE_LIMIT_STORE_BUCKETS),
            meter: meter.clone(),
        }
    }

    fn asked(&self, took: Duration, result: &'static str) {
        let labels = [KeyValue::new(attr::RATE_LIMIT_STORE_RESULT, result)];
        self.questions.record(took.as_secs_f64(), &labels);
    }
}

impl Observer for SharedLimitObserver {
    type Policy = PolicySeries;
    type Breaker = StoreBreakerObserver;

    fn policy(&self, name: &str) -> PolicySeries {
        PolicySeries::new(name, &self.requests)
    }

    fn breaker(&self) -> StoreBreakerObserver {
        StoreBreakerObserver(BreakerObserver::new(&self.meter))
    }

    fn decided(&self, policy: &PolicySeries, decision: &Decision) {
        let refused = decision.refusal().map(|refusal| Refused {
            reason: refusal.name(),
            retry_after: decision.retry_after(),
        });
        policy.decided(decision.outcome(), Some(decision.by()), refused);
    }

    fn key_missing(&self, policy: &PolicySeries, first: bool) {
        policy.key_missing(first);
    }

    fn store_answered(&self, took: Duration) {
        self.asked(took, "answered");
    }

    fn store_failed(&self, failure: &StoreFailure, took: Duration, first: bool) {
        self.asked(took, failure.name());
        if first {
            let error = tracing::field::display(failure);
            tracing::warn!(error, "the store of a shared rate limit is lost");
        }
    }

    fn store_recovered(&self) {
        tracing::info!("the store of a shared rate limit is back");
    }
}

// === impl StoreBreakerObserver ===

impl breaker::Observer for StoreBreakerObserver {
    type Circuit = CircuitSeries;

    fn circuit(&self, id: &CircuitId) -> CircuitSeries {
        self.0.circuit(id)
    }

    fn ended(&self, circuit: &CircuitSeries, call: &Call<'_>) {
        self.0.ended(circuit, call);
    }

    fn rejected(&self, circuit: &CircuitSeries, rejected: &breaker::Rejected) {
        self.0.rejected(circuit, rejected);
    }

    fn changed(&self, circuit: &CircuitSeries, transition: &Transition) {
        self.0.tell(circuit, transition);
    }

    fn correlation(&self) -> Option<Correlation> {
        self.0.correlation()
    }
}
