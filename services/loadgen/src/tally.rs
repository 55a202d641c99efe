use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::Client;

/// Latencies above this, in microseconds, count as this; requests are given up long before.
const MAX_MICROS: u64 = 60_000_000;

/// What happened, while it happens.
#[derive(Debug)]
pub(crate) struct Tally(Mutex<State>);

#[derive(Debug)]
struct State {
    counts: Counts,
    /// Since the last look.
    recent: Histogram<u64>,
}

/// How a request ended.
#[derive(Debug)]
pub(crate) enum End {
    /// As it should.
    Answered,
    /// Refused, and rightly: sold out, say.
    Refused,
    /// Because this client has asked for too much.
    Limited(Client),
    /// Otherwise, and how.
    Failed(String),
}

/// What came of the traffic.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Counts {
    /// Requests that were sent and have ended.
    pub requests: u64,
    /// Those of them that were refused, and rightly: sold out, too expensive, a mistake.
    pub refused: u64,
    /// Those of them that were answered 429. They are neither errors nor sent again.
    pub limited: u64,
    /// Those of these that [`Client::Steady`] has sent.
    pub limited_steady: u64,
    /// Those of them that were not answered as they should have been.
    pub errors: u64,
    /// How often one was sent again.
    pub retries: u64,
    /// Requests that were due but not sent, because too many were under way.
    pub skipped: u64,
    /// What the last error was.
    pub last_error: Option<String>,
    /// Why faults could not be set the last time that happened.
    pub faults_not_set: Option<String>,
    latencies: Histogram<u64>,
}

/// How it goes.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Live {
    /// Requests that were sent and have ended.
    pub requests: u64,
    /// Those of them that were not answered as they should have been.
    pub errors: u64,
    /// Those of them that were answered 429.
    pub limited: u64,
    /// How often one was sent again.
    pub retries: u64,
    /// The latency half of those since the last look stayed within, in milliseconds.
    pub p50_ms: f64,
    /// The latency 99 of 100 of them stayed within, in milliseconds.
    pub p99_ms: f64,
}

// === impl Tally ===

impl Tally {
    pub(crate) fn ended(&self, took: Duration, end: End) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(MAX_MICROS);
        let mut state = self.lock();
        state.recent.saturating_record(micros);
        let counts = &mut state.counts;
        counts.latencies.saturating_record(micros);
        counts.requests += 1;
        match end {
            End::Answered => {}
            End::Refused => counts.refused += 1,
            End::Limited(client) => {
                counts.limited += 1;
                counts.limited_steady += u64::from(client == Client::Steady);
            }
            End::Failed(why) => {
                counts.errors += 1;
                counts.last_error = Some(why);
            }
        }
    }

    pub(crate) fn retried(&self) {
        self.lock().counts.retries += 1;
    }

    pub(crate) fn skipped(&self) {
        self.lock().counts.skipped += 1;
    }

    pub(crate) fn faults_not_set(&self, why: String) {
        self.lock().counts.faults_not_set = Some(why);
    }

    pub(crate) fn look(&self) -> Live {
        let mut state = self.lock();
        let live = Live {
            requests: state.counts.requests,
            errors: state.counts.errors,
            limited: state.counts.limited,
            retries: state.counts.retries,
            p50_ms: millis(&state.recent, 0.5),
            p99_ms: millis(&state.recent, 0.99),
        };
        state.recent.reset();
        live
    }

    pub(crate) fn counts(&self) -> Counts {
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
            refused: 0,
            limited: 0,
            limited_steady: 0,
            errors: 0,
            retries: 0,
            skipped: 0,
            last_error: None,
            faults_not_set: None,
            latencies: histogram(),
        };
        Self(Mutex::new(State {
            counts,
            recent: histogram(),
        }))
    }
}

// === impl Counts ===

impl Counts {
    /// The latency in milliseconds that this share of the requests did not exceed, 0 to 1.
    #[must_use]
    pub fn millis(&self, quantile: f64) -> f64 {
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
        tally.ended(Duration::from_millis(2), End::Answered);
        tally.ended(Duration::from_millis(2), End::Refused);
        tally.ended(Duration::from_millis(8), End::Failed("no".to_owned()));
        tally.ended(Duration::from_millis(2), End::Limited(Client::Steady));
        tally.ended(Duration::from_millis(2), End::Limited(Client::Spike));
        tally.skipped();
        tally.retried();

        let live = tally.look();
        assert_eq!((live.requests, live.errors, live.retries), (5, 1, 1));
        assert_eq!(live.limited, 2);
        assert!((7.9..8.1).contains(&live.p99_ms), "{live:?}");
        assert!(tally.look().p99_ms < 0.001);

        let counts = tally.counts();
        assert_eq!((counts.requests, counts.refused, counts.errors), (5, 1, 1));
        assert_eq!((counts.limited, counts.limited_steady), (2, 1));
        assert_eq!((counts.skipped, counts.retries), (1, 1));
        assert_eq!(counts.last_error.as_deref(), Some("no"));
        assert!((1.9..2.1).contains(&counts.millis(0.5)));
    }
}
