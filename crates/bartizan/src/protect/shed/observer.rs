use bartizan_observe::names::{attr, event, metric};
use bartizan_protect::shed::{Observer, PressureChange, Rejected};
use opentelemetry::metrics::{Counter, Meter};
use opentelemetry::{KeyValue, StringValue};

use crate::protect::on_current_span;

/// Tells what is shed as metrics and events of the current span, and when it begins and ends as log
/// lines.
#[derive(Debug)]
pub struct ShedObserver {
    name: StringValue,
    requests: Counter<u64>,
}

// === impl ShedObserver ===

impl ShedObserver {
    pub(super) fn new(name: &str, meter: &Meter) -> Self {
        Self {
            name: name.to_owned().into(),
            requests: metric::SHED_REQUESTS.counter(meter),
        }
    }
}

impl Observer for ShedObserver {
    fn rejected(&self, rejected: &Rejected) {
        let labels = [
            KeyValue::new(attr::SHED_NAME, self.name.clone()),
            KeyValue::new(attr::SHED_PRIORITY, rejected.priority().name()),
        ];
        self.requests.add(1, &labels);
        on_current_span(event::SHED_REJECTED, || {
            let wait = rejected.retry_after().as_secs_f64();
            let wait = KeyValue::new(attr::RETRY_AFTER, wait);
            labels.into_iter().chain([wait]).collect()
        });
    }

    fn changed(&self, change: &PressureChange<'_>) {
        let PressureChange {
            shedder, from, to, ..
        } = *change;
        if from == 0.0 {
            tracing::warn!(shedder, "there is too much to do, and load is shed");
        } else if to == 0.0 {
            tracing::info!(shedder, "no load is shed any more");
        }
    }
}
