use bartizan_observe::names::{attr, event, metric};
use bartizan_protect::bulkhead::{Cause, LimitChange, Observer, Rejected, Waited};
use opentelemetry::metrics::{BoundCounter, Counter, Meter};
use opentelemetry::{KeyValue, StringValue};

use crate::protect::on_current_span;

/// Tells what becomes of a bulkhead's calls as metrics, and its rejections as events of the current
/// span.
#[derive(Debug)]
pub struct BulkheadObserver {
    name: StringValue,
    calls: Counter<u64>,
    admitted: BoundCounter<u64>,
}

const ADMITTED: &str = "admitted";
const ABANDONED: &str = "abandoned";

// === impl BulkheadObserver ===

impl BulkheadObserver {
    pub(crate) fn new(name: &str, meter: &Meter) -> Self {
        let calls = metric::BULKHEAD_CALLS.counter(meter);
        let name: StringValue = name.to_owned().into();
        Self {
            admitted: calls.bind(&labels(&name, ADMITTED)),
            calls,
            name,
        }
    }
}

impl Observer for BulkheadObserver {
    fn admitted(&self, _: &Waited<'_>) {
        self.admitted.add(1);
    }

    fn rejected(&self, rejected: &Rejected) {
        let labels = labels(&self.name, rejected.reason().name());
        self.calls.add(1, &labels);
        on_current_span(event::BULKHEAD_REJECTED, || labels.to_vec());
    }

    fn abandoned(&self, _: &Waited<'_>) {
        self.calls.add(1, &labels(&self.name, ABANDONED));
    }

    fn limit_changed(&self, change: &LimitChange<'_>) {
        // The others come by themselves, several times a second.
        if change.cause == Cause::Operator {
            let LimitChange {
                bulkhead, from, to, ..
            } = change;
            tracing::info!(bulkhead, from, to, "a bulkhead has another limit");
        }
    }
}

fn labels(name: &StringValue, result: &'static str) -> [KeyValue; 2] {
    [
        KeyValue::new(attr::BULKHEAD_NAME, name.clone()),
        KeyValue::new(attr::BULKHEAD_RESULT, result),
    ]
}
