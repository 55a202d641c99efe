//! An observer that keeps what it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_protect::breaker::{
    Breaker, BreakerBuilder, Call, CircuitBreakerLayer, CircuitId, ConfigBuilder, Correlation,
    Observer, Outcome, Reason, Rejected, State, Transition,
};

/// What has been told. Clones keep the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    circuits: Vec<String>,
    ended: Vec<(Outcome, Duration, bool)>,
    rejected: Vec<State>,
    changed: Vec<(State, State)>,
    would_open: Vec<Reason>,
    correlation: Option<Correlation>,
}

// === impl Told ===

impl Told {
    pub(crate) fn breaker(&self, config: ConfigBuilder) -> Breaker<Self> {
        let config = config.build().expect("a valid configuration");
        BreakerBuilder::new("upstream", config)
            .with_observer(self.clone())
            .build()
    }

    pub(crate) fn layer(
        &self,
        config: ConfigBuilder,
    ) -> CircuitBreakerLayer<bartizan_protect::breaker::HttpClassifier, Self> {
        CircuitBreakerLayer::of(self.breaker(config))
    }

    pub(crate) fn circuits(&self) -> Vec<String> {
        self.lock(|kept| kept.circuits.clone())
    }

    /// Outcomes, and whether they were stale.
    pub(crate) fn ended(&self) -> Vec<(Outcome, bool)> {
        self.lock(|kept| {
            kept.ended
                .iter()
                .map(|(outcome, _, stale)| (*outcome, *stale))
                .collect()
        })
    }

    pub(crate) fn elapsed(&self) -> Vec<Duration> {
        self.lock(|kept| kept.ended.iter().map(|(_, elapsed, _)| *elapsed).collect())
    }

    pub(crate) fn rejected(&self) -> Vec<State> {
        self.lock(|kept| kept.rejected.clone())
    }

    pub(crate) fn changed(&self) -> Vec<(State, State)> {
        self.lock(|kept| kept.changed.clone())
    }

    pub(crate) fn would_open(&self) -> Vec<Reason> {
        self.lock(|kept| kept.would_open.clone())
    }

    pub(crate) fn correlate(&self, with: u128) {
        self.lock(|kept| kept.correlation = Some(Correlation(with)));
    }

    fn lock<T>(&self, read: impl FnOnce(&mut Kept) -> T) -> T {
        read(&mut self.0.lock().expect("no test panics in here"))
    }
}

impl Observer for Told {
    type Circuit = String;

    fn circuit(&self, id: &CircuitId) -> String {
        self.lock(|kept| kept.circuits.push(id.to_string()));
        id.to_string()
    }

    fn ended(&self, circuit: &String, call: &Call<'_>) {
        assert_eq!(*circuit, call.circuit.to_string());
        let ended = (call.outcome, call.elapsed, call.stale);
        self.lock(|kept| kept.ended.push(ended));
    }

    fn rejected(&self, circuit: &String, rejected: &Rejected) {
        assert_eq!(*circuit, rejected.circuit().to_string());
        self.lock(|kept| kept.rejected.push(rejected.state()));
    }

    fn changed(&self, circuit: &String, transition: &Transition) {
        assert_eq!(*circuit, transition.circuit.to_string());
        let change = transition.change;
        self.lock(|kept| kept.changed.push((change.from, change.to)));
    }

    fn would_open(&self, circuit: &String, id: &CircuitId, reason: Reason) {
        assert_eq!(*circuit, id.to_string());
        self.lock(|kept| kept.would_open.push(reason));
    }

    fn correlation(&self) -> Option<Correlation> {
        self.lock(|kept| kept.correlation)
    }
}
