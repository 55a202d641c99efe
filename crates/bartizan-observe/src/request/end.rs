//! The end of a request: every signal, once.

use std::time::{Duration, Instant};

use bartizan_task::{Scope, TaskRef};
use http::StatusCode;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, TraceContextExt};

use super::metrics::{Measured, SeriesKey};
use super::record::Record;
use super::route::MatchedRoute;
use super::span::SpanEnd;
use super::verdict::{self, Failure};
use crate::Outcome;
use crate::access_log::{AccessRecord, LineKind};
use crate::exposition::Exemplar;

/// How a request ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    pub(crate) status: Option<StatusCode>,
    pub(crate) to_headers: Option<Duration>,
    /// From arrival to the end; for a stream, from its headers to its end.
    pub(crate) duration: Duration,
    /// The end itself: the one reading of the clock that all signals share.
    pub(crate) at: Instant,
    pub(crate) response_bytes: u64,
}

/// What ends a request, and needs its ids.
pub(super) trait Ends {
    fn scope(&self) -> Scope;
    fn end(&self, end: &End);
    fn stream_ended(&self, end: &End);
}

impl Ends for TaskRef<Record> {
    fn scope(&self) -> Scope {
        Scope::new(Some(self.task()), self.context())
    }

    /// Gives every signal. Called once per request, by its outermost layer.
    fn end(&self, end: &End) {
        let failure = Failure::of(end.outcome, end.status);
        if let Some(span) = self.span.get() {
            span.end(|| SpanEnd {
                status: end.status,
                failure,
                outcome: end.outcome,
                to_headers: end.to_headers,
                age: self.age(end.at),
            });
        }
        if let Some(metrics) = self
            .metrics
            .get()
            .and_then(|machine| machine.metrics.as_ref())
        {
            let is_stream = matches!(end.outcome, Outcome::Upgraded | Outcome::Streaming);
            let measured = Measured {
                duration: end.duration,
                to_headers: end.to_headers,
                request_bytes: self.facts.request_bytes,
                response_bytes: (!is_stream && end.status.is_some()).then_some(end.response_bytes),
            };
            let key = series_key(self, end.status, failure);
            metrics.end(&key, &measured, || exemplar(self, end));
        }
        write_line(self, LineKind::Request, end, failure);
    }

    /// The stream that a request opened is over; the request itself ended at its headers.
    fn stream_ended(&self, end: &End) {
        let failure = Failure::of_stream(end.outcome, end.status);
        if let Some(metrics) = self
            .metrics
            .get()
            .and_then(|machine| machine.metrics.as_ref())
        {
            metrics.stream_ended(&series_key(self, end.status, failure), end.duration);
        }
        write_line(self, LineKind::Stream, end, failure);
    }
}

fn series_key(
    record: &Record,
    status: Option<StatusCode>,
    failure: Option<Failure>,
) -> SeriesKey<'_> {
    SeriesKey {
        method: record.facts.method,
        scheme: record.facts.scheme,
        version: record.facts.version,
        route: record.route.get(),
        status,
        failure,
    }
}

/// `None` unless a sampled span leads on from the measurement.
fn exemplar(record: &Record, end: &End) -> Option<Exemplar> {
    let span = record.span.get()?.context.span();
    let ids = span.span_context();
    ids.is_sampled().then(|| Exemplar {
        trace_id: ids.trace_id(),
        span_id: ids.span_id(),
        value: end.duration.as_secs_f64(),
        at: record.clock.wall(end.at),
    })
}

fn write_line(record: &TaskRef<Record>, kind: LineKind, end: &End, failure: Option<Failure>) {
    let Some(part) = record.log.get() else { return };
    let Some(log) = &part.machine.log else { return };
    let options = &part.machine.options;
    let span = record.span.get();
    let ids = match span {
        Some(span) => span.context.span().span_context().clone(),
        None => part
            .outer
            .as_ref()
            .and_then(|outer| outer.context.clone())
            .unwrap_or(SpanContext::NONE),
    };
    let baggage = match (span, &part.outer) {
        (Some(span), _) => options.chosen_baggage(span.context.baggage()).collect(),
        (None, Some(outer)) => outer.baggage.clone(),
        (None, None) => Vec::new(),
    };
    // A stream is long by nature, which is nothing to warn of.
    let slow = kind == LineKind::Request && end.duration >= options.slow;
    log.record(AccessRecord {
        kind,
        timestamp: record.clock.wall(end.at),
        level: verdict::level(failure, end.status, slow),
        method: match &part.method {
            Some(method) => method.as_str().to_owned().into(),
            None => record.facts.method.as_str().into(),
        },
        route: record.route.get().map(MatchedRoute::text),
        path: part.path.clone(),
        status: end.status,
        to_headers: end.to_headers,
        duration: end.duration,
        request_bytes: record.facts.request_bytes,
        response_bytes: end.response_bytes,
        trace_id: ids.trace_id(),
        span_id: ids.span_id(),
        sampled: ids.is_sampled(),
        request_id: record.request_id().cloned(),
        task_id: record.id(),
        peer: record.facts.peer,
        outcome: end.outcome,
        slow,
        baggage,
    });
}
