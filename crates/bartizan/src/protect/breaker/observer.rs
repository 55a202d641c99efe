use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bartizan_observe::names::{self, attr, event, metric};
use bartizan_protect::breaker::{
    Call, CircuitId, Correlation, Observer, Reason, Rejected, State, Transition,
};
use opentelemetry::metrics::{BoundCounter, Counter, Meter, UpDownCounter};
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};

use crate::protect::on_current_span;

/// How many keys of a breaker are labels of their own; the circuits of further keys are counted
/// together as `_OTHER`. Series are for ever, and a hundred upstreams are a lot.
pub const MAX_LABELLED_KEYS: usize = 100;

/// Tells a breaker's doings as metrics, events of the current span, and log lines.
#[derive(Debug)]
pub struct BreakerObserver {
    calls: Counter<u64>,
    transitions: Counter<u64>,
    circuits: UpDownCounter<i64>,
    labelled: Mutex<HashSet<Arc<str>>>,
}

/// A circuit's series.
pub struct CircuitSeries {
    labels: Vec<KeyValue>,
    calls: Counter<u64>,
    /// By [`Counted`], each bound at its first call: a bound series is exported from then on.
    counts: [OnceLock<BoundCounter<u64>>; COUNTED.len()],
    circuits: UpDownCounter<i64>,
    /// By state, what it has added there, so that it can be taken back.
    added: [AtomicI64; State::ALL.len()],
}

/// What calls are counted as, by number.
const COUNTED: [&str; 7] = [
    "success",
    "failure",
    "slow",
    "ignored",
    "backpressure",
    REJECTED,
    STALE,
];
const REJECTED: &str = "rejected";
const STALE: &str = "stale";

// === impl BreakerObserver ===

impl BreakerObserver {
    pub(crate) fn new(meter: &Meter) -> Self {
        Self {
            calls: metric::BREAKER_CALLS.counter(meter),
            transitions: metric::BREAKER_TRANSITIONS.counter(meter),
            circuits: metric::BREAKER_CIRCUITS.up_down_counter(meter),
            labelled: Mutex::default(),
        }
    }

    /// All of a change but its log line.
    pub(crate) fn tell(&self, circuit: &CircuitSeries, transition: &Transition) {
        let change = transition.change;
        circuit.add(change.from, -1);
        circuit.add(change.to, 1);
        let said = [
            KeyValue::new(attr::BREAKER_FROM, change.from.name()),
            KeyValue::new(attr::BREAKER_STATE, change.to.name()),
            KeyValue::new(attr::BREAKER_REASON, change.reason.name()),
        ];
        let labels: Vec<_> = circuit.labels.iter().chain(&said).cloned().collect();
        self.transitions.add(1, &labels);
        on_current_span(event::BREAKER_TRANSITION, || {
            let mut attributes = about(&transition.circuit);
            attributes.extend(said);
            if let Some(open_for) = change.open_for {
                let seconds = open_for.as_secs_f64();
                attributes.push(KeyValue::new(attr::BREAKER_OPEN_FOR, seconds));
            }
            attributes
        });
    }

    /// The label of a key. One that had a label before has it again.
    fn label(&self, key: &str) -> opentelemetry::Value {
        let mut labelled = self.labelled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = labelled.get(key) {
            return Arc::clone(known).into();
        }
        if labelled.len() >= MAX_LABELLED_KEYS {
            return names::error_type::OTHER.into();
        }
        let key: Arc<str> = key.into();
        labelled.insert(Arc::clone(&key));
        key.into()
    }
}

impl Observer for BreakerObserver {
    type Circuit = CircuitSeries;

    fn circuit(&self, id: &CircuitId) -> CircuitSeries {
        let mut labels = vec![KeyValue::new(attr::BREAKER_NAME, id.name().to_owned())];
        if let Some(key) = id.key() {
            labels.push(KeyValue::new(attr::BREAKER_KEY, self.label(key)));
        }
        let series = CircuitSeries {
            labels,
            calls: self.calls.clone(),
            counts: Default::default(),
            circuits: self.circuits.clone(),
            added: Default::default(),
        };
        for state in State::ALL {
            series.add(state, i64::from(state == State::Closed));
        }
        series
    }

    fn ended(&self, circuit: &CircuitSeries, call: &Call<'_>) {
        let counted = match call.outcome {
            _ if call.stale => STALE,
            outcome => outcome.name(),
        };
        circuit.count(counted);
    }

    fn rejected(&self, circuit: &CircuitSeries, rejected: &Rejected) {
        circuit.count(REJECTED);
        on_current_span(event::BREAKER_REJECTED, || {
            let mut attributes = about(rejected.circuit());
            attributes.push(KeyValue::new(attr::BREAKER_STATE, rejected.state().name()));
            if let Some(wait) = rejected.retry_after() {
                attributes.push(KeyValue::new(attr::RETRY_AFTER, wait.as_secs_f64()));
            }
            attributes
        });
    }

    fn changed(&self, circuit: &CircuitSeries, transition: &Transition) {
        self.tell(circuit, transition);
        let change = transition.change;
        // The levels are constants of their call sites.
        let Transition { circuit, .. } = transition;
        let (from, to, reason) = (change.from, change.to, change.reason);
        if to == State::Open || to == State::ForcedOpen {
            let open_for = change.open_for.map(tracing::field::debug);
            tracing::warn!(%circuit, %from, %to, %reason, open_for, "a circuit has opened");
        } else {
            tracing::info!(%circuit, %from, %to, %reason, "a circuit has changed its state");
        }
    }

    fn would_open(&self, _: &CircuitSeries, id: &CircuitId, reason: Reason) {
        on_current_span(event::BREAKER_WOULD_OPEN, || {
            let mut attributes = about(id);
            attributes.push(KeyValue::new(attr::BREAKER_REASON, reason.name()));
            attributes
        });
        tracing::warn!(circuit = %id, %reason, "a circuit that only measures would have opened");
    }

    fn correlation(&self) -> Option<Correlation> {
        Context::map_current(|context| {
            let span = context.span();
            let span = span.span_context();
            span.is_valid()
                .then(|| Correlation(u128::from_be_bytes(span.trace_id().to_bytes())))
        })
    }
}

fn about(circuit: &CircuitId) -> Vec<KeyValue> {
    let name = KeyValue::new(attr::BREAKER_NAME, circuit.name().to_owned());
    let key = circuit
        .key()
        .map(|key| KeyValue::new(attr::BREAKER_KEY, key.to_owned()));
    [name].into_iter().chain(key).collect()
}

// === impl CircuitSeries ===

impl CircuitSeries {
    fn count(&self, counted: &'static str) {
        // The table has every name that is counted.
        let place = COUNTED.iter().position(|name| *name == counted);
        if let Some(count) = place.and_then(|place| self.counts.get(place)) {
            count
                .get_or_init(|| self.calls.bind(&self.with(attr::BREAKER_OUTCOME, counted)))
                .add(1);
        }
    }

    fn add(&self, state: State, circuits: i64) {
        self.circuits
            .add(circuits, &self.with(attr::BREAKER_STATE, state.name()));
        self.added[state as usize].fetch_add(circuits, Ordering::Relaxed);
    }

    fn with(&self, key: &'static str, value: &'static str) -> Vec<KeyValue> {
        let mut labels = self.labels.clone();
        labels.push(KeyValue::new(key, value));
        labels
    }
}

/// A circuit that has made room for another one is in no state any more.
impl Drop for CircuitSeries {
    fn drop(&mut self) {
        for state in State::ALL {
            let added = *self.added[state as usize].get_mut();
            if added != 0 {
                self.add(state, -added);
            }
        }
    }
}

impl fmt::Debug for CircuitSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitSeries")
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}
