use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::options::Options;
use crate::{Counts, Live};

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The scenario's name.
    pub scenario: &'static str,
    /// Who was asked.
    pub target: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Requests that were sent and have ended.
    pub requests: u64,
    /// Those of them that were refused, and rightly.
    pub refused: u64,
    /// Those of them that were answered 429.
    pub limited: u64,
    /// Those of these that did not come from a spike's own client.
    pub limited_steady: u64,
    /// Those of them that were not answered as they should have been.
    pub errors: u64,
    /// What went wrong with the last of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// How often one was sent again.
    pub retries: u64,
    /// Requests that were due but not sent, because too many were under way.
    pub skipped: u64,
    /// Why faults could not be set, if they could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults_not_set: Option<String>,
    /// The latency half of the requests stayed within, in milliseconds.
    pub p50_ms: f64,
    /// The latency 9 of 10 requests stayed within.
    pub p90_ms: f64,
    /// The latency 99 of 100 requests stayed within.
    pub p99_ms: f64,
    /// The latency 999 of 1000 requests stayed within.
    pub p999_ms: f64,
    /// The longest latency.
    pub max_ms: f64,
}

// === impl Summary ===

impl Summary {
    pub(crate) fn of(options: &Options, counts: &Counts, took: Duration) -> Self {
        Self {
            scenario: options.scenario.name(),
            target: options.target.clone(),
            seconds: took.as_secs_f64(),
            requests: counts.requests,
            refused: counts.refused,
            limited: counts.limited,
            limited_steady: counts.limited_steady,
            errors: counts.errors,
            last_error: counts.last_error.clone(),
            retries: counts.retries,
            skipped: counts.skipped,
            faults_not_set: counts.faults_not_set.clone(),
            p50_ms: counts.millis(0.5),
            p90_ms: counts.millis(0.9),
            p99_ms: counts.millis(0.99),
            p999_ms: counts.millis(0.999),
            max_ms: counts.millis(1.0),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            requests,
            refused,
            limited,
            errors,
            retries,
            skipped,
            ..
        } = self;
        writeln!(
            f,
            "{} against {} for {:.1} s",
            self.scenario, self.target, self.seconds
        )?;
        writeln!(
            f,
            "requests  {requests} ended, {errors} errors, {refused} refused, {limited} limited, \
             {retries} retries, {skipped} skipped"
        )?;
        if let Some(error) = &self.last_error {
            writeln!(f, "          the last error: {error}")?;
        }
        if let Some(why) = &self.faults_not_set {
            writeln!(f, "faults    could not be set: {why}")?;
        }
        write!(
            f,
            "latency   p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, max {:.1} ms",
            self.p50_ms, self.p90_ms, self.p99_ms, self.p999_ms, self.max_ms
        )
    }
}

// === impl Live ===

impl fmt::Display for Live {
    /// The progress line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            requests,
            errors,
            limited,
            retries,
            p50_ms,
            p99_ms,
        } = self;
        write!(
            f,
            "{requests:>7} requests {errors:>4} errors {limited:>4} limited {retries:>4} retries  \
             p50 {p50_ms:>6.1} ms  p99 {p99_ms:>7.1} ms"
        )
    }
}
