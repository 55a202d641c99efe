use std::cmp::Reverse;
use std::fmt;

use bartizan::telemetry::Report;
use bartizan_panel::view::{PointValue, PointView};
use bartizan_panel::{Store, Trace};
use loadgen::{Counts, Scenario};
use serde::Serialize;

/// What a run came to. Every number was counted: by the traffic, by the services' own reports, or
/// by the store.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The scenario's name.
    pub scenario: &'static str,
    /// Requests that were sent and have ended.
    pub requests: u64,
    /// Requests that were not answered as they should have been.
    pub errors: u64,
    /// What went wrong with the last of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Requests that were refused, and rightly: sold out, too expensive, a mistake.
    pub refused: u64,
    /// Requests that were answered 429.
    pub limited: u64,
    /// Those of them that did not come from a spike's own client.
    pub limited_steady: u64,
    /// How often a request was sent again.
    pub retries: u64,
    /// Why faults could not be set, if they could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults_not_set: Option<String>,
    /// Requests that were due but not sent, because too many were under way.
    pub skipped: u64,
    /// The latency half of the requests stayed within, in milliseconds.
    pub p50_ms: f64,
    /// The latency 99 of 100 requests stayed within, in milliseconds.
    pub p99_ms: f64,
    /// Distinct traces that arrived.
    pub traces: u64,
    /// Those of them that arrived whole.
    pub complete_traces: u64,
    /// Spans that ended in the services.
    pub spans_ended: u64,
    /// Distinct spans that arrived.
    pub spans_received: u64,
    /// Spans the services dropped, for whatever reason.
    pub spans_lost: u64,
    /// Spans that were sent but never acknowledged.
    pub spans_unconfirmed: u64,
    /// Log records that arrived.
    pub log_records: u64,
    /// Log records the services dropped.
    pub log_records_lost: u64,
    /// Changes of state of circuit breakers.
    pub breaker_transitions: u64,
    /// Rejections by rate limits, as the services have counted them.
    pub rate_limited: u64,
    /// The services that spans arrived from, sorted.
    pub services: Vec<String>,
}

// === impl Summary ===

impl Summary {
    /// Adds up what the three sources say.
    pub(crate) fn of(
        scenario: Scenario,
        traffic: &Counts,
        reports: &[Report],
        store: &Store,
    ) -> Self {
        let stats = store.stats();
        let kept = store
            .traces()
            .iter()
            .filter(|trace| trace.is_complete())
            .count();
        let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum();
        Self {
            scenario: scenario.name(),
            requests: traffic.requests,
            errors: traffic.errors,
            last_error: traffic.last_error.clone(),
            refused: traffic.refused,
            limited: traffic.limited,
            limited_steady: traffic.limited_steady,
            retries: traffic.retries,
            faults_not_set: traffic.faults_not_set.clone(),
            skipped: traffic.skipped,
            p50_ms: traffic.millis(0.5),
            p99_ms: traffic.millis(0.99),
            traces: stats.traces,
            complete_traces: stats.evicted_complete_traces + kept as u64,
            spans_ended: sum(|report| report.spans.ended),
            spans_received: stats.spans,
            spans_lost: sum(|report| report.spans.lost()),
            spans_unconfirmed: sum(|report| report.spans.unconfirmed),
            log_records: stats.log_records,
            log_records_lost: sum(|report| report.logs.lost()),
            breaker_transitions: counted(store, "bartizan.breaker.transitions", None),
            rate_limited: counted(store, "bartizan.rate_limit.requests", Some(REJECTED)),
            services: stats.services.into_keys().collect(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            requests,
            errors,
            refused,
            p50_ms,
            p99_ms,
            ..
        } = self;
        write!(
            f,
            "requests     {requests} sent, {errors} errors, {refused} refused"
        )?;
        if self.retries > 0 {
            write!(f, ", {} retries", self.retries)?;
        }
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        writeln!(f, ", p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms")?;
        if let Some(error) = &self.last_error {
            writeln!(f, "last error   {error}")?;
        }
        if let Some(why) = &self.faults_not_set {
            writeln!(f, "faults       could not be set: {why}")?;
        }
        writeln!(
            f,
            "traces       {} received, {} complete",
            self.traces, self.complete_traces
        )?;
        writeln!(
            f,
            "spans        {} ended, {} received, {} lost, {} unconfirmed",
            self.spans_ended, self.spans_received, self.spans_lost, self.spans_unconfirmed
        )?;
        writeln!(
            f,
            "log records  {} received, {} lost",
            self.log_records, self.log_records_lost
        )?;
        if self.breaker_transitions > 0 {
            writeln!(f, "breakers     {} transitions", self.breaker_transitions)?;
        }
        if self.rate_limited > 0 {
            writeln!(
                f,
                "rate limits  {} rejections, {} of them of the steady client",
                self.rate_limited, self.limited_steady
            )?;
        }
        write!(f, "services     {}", self.services.join(", "))
    }
}

/// An attribute and its value.
type Label = (&'static str, &'static str);

const REJECTED: Label = ("bartizan.rate_limit.result", "rejected");

/// A counter, over all services and all of its series, or those that have `label`.
fn counted(store: &Store, name: &str, label: Option<Label>) -> u64 {
    let points = store.metrics();
    let counts = points
        .iter()
        .filter(|point| point.name == name)
        .filter(|point| label.is_none_or(|(key, value)| is_labelled(point, key, value)))
        .filter_map(|point| match point.value {
            PointValue::Int(count) => u64::try_from(count).ok(),
            _ => None,
        });
    counts.sum()
}

fn is_labelled(point: &PointView, key: &str, value: &str) -> bool {
    let found = point.attributes.get(key);
    found.and_then(|found| found.as_str()) == Some(value)
}

/// The trace to show: of the complete ones a placed order if there is one, else any order, with as
/// much in it as possible, and the newest of those.
pub(crate) fn showpiece(store: &Store) -> Option<Trace> {
    let complete = store.traces().into_iter().filter(Trace::is_complete);
    // The first of equals, and the store gives the newest first.
    complete.min_by_key(|trace| {
        let is_order = trace.root().is_some_and(|root| root.name == "POST /orders");
        let is_placed = is_order && !trace.has_error();
        Reverse((is_placed, is_order, trace.spans.len(), trace.logs.len()))
    })
}
