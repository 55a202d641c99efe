use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

/// Latencies above this, in microseconds, count as this; requests are given up long before.
const MAX_MICROS: u64 = 60_000_000;

/// What happened, while it happens.
#[derive(Debug)]
pub(super) struct Tally(Mutex<State>);

#[derive(Debug)]
struct State {
    counts: Counts,
    /// Since the last look.
    recent: Histogram<u64>,
}

/// What came of the traffic.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    /// Requests that were sent and have ended.
    pub(crate) requests: u64,
    /// Those of them that were not answered as they should have been.
    pub(crate) errors: u64,
    /// Requests that were due but not sent, because too many were under way.
    pub(crate) skipped: u64,
    /// What the last error was.
    pub(crate) last_error: Option<String>,
    latencies: Histogram<u64>,
}

/// How it goes.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

// === impl Tally ===

impl Tally {
    pub(super) fn answered(&self, took: Duration) {
        self.lock().record(took);
    }

    pub(super) fn failed(&self, took: Duration, why: impl FnOnce() -> String) {
        let mut state = self.lock();
        state.record(took);
        state.counts.errors += 1;
        state.counts.last_error = Some(why());
    }

    pub(super) fn skipped(&self) {
        self.lock().counts.skipped += 1;
    }

    pub(super) fn look(&self) -> Live {
        let mut state = self.lock();
        let live = Live {
            requests: state.counts.requests,
            errors: state.counts.errors,
            p50_ms: millis(&state.recent, 0.5),
            p99_ms: millis(&state.recent, 0.99),
        };
        state.recent.reset();
        live
    }

    pub(super) fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Tally {
    fn default() -> Self {
        let counts = Counts {
            requests: 0,
            errors: 0,
            skipped: 0,
            last_error: None,
            latencies: histogram(),
        };
        Self(Mutex::new(State {
            counts,
            recent: histogram(),
        }))
    }
}

// === impl State ===

impl State {
    fn record(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(MAX_MICROS);
        self.counts.requests += 1;
        self.counts.latencies.saturating_record(micros);
        self.recent.saturating_record(micros);
    }
}

// === impl Counts ===

impl Counts {
    /// The latency in milliseconds that this share of the requests did not exceed.
    pub(crate) fn millis(&self, quantile: f64) -> f64 {
        millis(&self.latencies, quantile)
    }
}

/// Microseconds up to [`MAX_MICROS`], to three digits, in a fixed few hundred kilobytes.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(MAX_MICROS, 3).expect("the bounds are in order, 3 digits of 5")
}

fn millis(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    // At most `MAX_MICROS`, which an f64 holds exactly.
    histogram.value_at_quantile(quantile) as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_requests_too_and_a_look_starts_the_recent_latencies_anew() {
        let tally = Tally::default();
        tally.answered(Duration::from_millis(2));
        tally.failed(Duration::from_millis(8), || "no".to_owned());
        tally.skipped();

        let live = tally.look();
        assert_eq!((live.requests, live.errors), (2, 1));
        assert!((7.9..8.1).contains(&live.p99_ms), "{live:?}");
        assert!(tally.look().p99_ms < 0.001);

        let counts = tally.counts();
        assert_eq!((counts.requests, counts.errors, counts.skipped), (2, 1, 1));
        assert_eq!(counts.last_error.as_deref(), Some("no"));
        assert!((1.9..2.1).contains(&counts.millis(0.5)));
    }
}
