use bartizan_observe::names::{attr, event, metric};
use bartizan_protect::retry::{GivenUp, Observer, Retrying};
use opentelemetry::metrics::{Counter, Meter};
use opentelemetry::{KeyValue, StringValue};

use crate::protect::on_current_span;

/// Tells retries as metrics and events of the current span, in which the attempts are.
#[derive(Debug)]
pub(super) struct RetryObserver {
    upstream: StringValue,
    retries: Counter<u64>,
    given_up: Counter<u64>,
}

// === impl RetryObserver ===

impl RetryObserver {
    pub(super) fn new(upstream: &str, meter: &Meter) -> Self {
        Self {
            upstream: upstream.to_owned().into(),
            retries: metric::RETRIES.counter(meter),
            given_up: metric::RETRIES_GIVEN_UP.counter(meter),
        }
    }

    fn upstream(&self) -> KeyValue {
        KeyValue::new(attr::UPSTREAM_NAME, self.upstream.clone())
    }
}

impl Observer for RetryObserver {
    fn retrying(&self, retrying: &Retrying) {
        let reason = KeyValue::new(attr::RETRY_REASON, retrying.reason.name().to_owned());
        self.retries.add(1, &[self.upstream(), reason.clone()]);
        on_current_span(event::RETRY, || {
            vec![
                self.upstream(),
                reason,
                KeyValue::new(attr::RETRY_ATTEMPT, i64::from(retrying.attempt)),
                KeyValue::new(attr::RETRY_DELAY, retrying.delay.as_secs_f64()),
            ]
        });
    }

    fn gave_up(&self, given_up: &GivenUp) {
        let reason = KeyValue::new(attr::RETRY_REASON, given_up.reason.name().to_owned());
        let because = KeyValue::new(attr::RETRY_GIVEN_UP, given_up.because.name());
        let labels = [self.upstream(), reason.clone(), because.clone()];
        self.given_up.add(1, &labels);
        on_current_span(event::RETRY_GIVEN_UP, || {
            vec![
                self.upstream(),
                reason,
                because,
                KeyValue::new(attr::RETRY_ATTEMPT, i64::from(given_up.attempts) - 1),
            ]
        });
    }
}
