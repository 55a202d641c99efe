//! One request: what is known of it, and which signals are to be given when it ends.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bartizan_task::{Scope, Task, TaskRef};
use http::uri::PathAndQuery;
use http::{Method, Request, StatusCode};
use http_body::Body;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry::{Context, Key, StringValue};

use super::facts::Facts;
use super::machine::Machine;
use super::metrics::{Measured, SeriesKey};
use super::request_id;
use super::route::{MatchedRoute, Route};
use super::sampling::RouteRule;
use super::span::{RequestSpan, SpanEnd};
use super::verdict::{self, Failure};
use crate::access_log::{AccessRecord, LineKind};
use crate::propagation::Remote;
use crate::tracing_source::Tracer;
use crate::{Clock, Outcome, PeerAddr};

/// Set on a request by the outermost of our layers. The layers inside find it and add their signal
/// to the request that is under way instead of starting one of their own.
#[derive(Debug, Clone, Copy)]
struct Observed;

/// The data beside a request's root task.
///
/// Each signal's part is set once, by the layer that gives the signal; whichever layer is
/// outermost ends them all together, so they agree on ids, times and outcome.
#[derive(Debug)]
pub(crate) struct Record {
    facts: Facts,
    arrival: Instant,
    clock: Clock,
    route: OnceLock<MatchedRoute>,
    span: OnceLock<RequestSpan>,
    metrics: OnceLock<Arc<Machine>>,
    log: OnceLock<LogPart>,
}

/// What the access line needs and the rest does not.
#[derive(Debug)]
struct LogPart {
    machine: Arc<Machine>,
    /// Only for a method that has no name of its own.
    method: Option<Method>,
    path: Option<PathAndQuery>,
    /// For a line without a span of ours: whose trace this is, and its baggage.
    outer: Option<Outer>,
}

#[derive(Debug)]
struct Outer {
    context: Option<SpanContext>,
    baggage: Vec<(Key, StringValue)>,
}

/// A request that has begun, as one layer sees it.
#[derive(Debug)]
pub(crate) struct Begun {
    /// What the inner service is called and polled in.
    pub(crate) scope: Scope,
    /// Set for the outermost layer, which ends the request.
    pub(crate) owned: Option<TaskRef<Record>>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    pub(crate) status: Option<StatusCode>,
    pub(crate) to_headers: Option<Duration>,
    /// From arrival to the end.
    pub(crate) duration: Duration,
    pub(crate) response_bytes: u64,
}

// === impl Begun ===

impl Begun {
    /// Begins a request, or joins the one that a layer further out has begun.
    pub(crate) fn new<B: Body>(machine: &Arc<Machine>, request: &mut Request<B>) -> Self {
        if request.extensions().get::<Observed>().is_some()
            && let Some(task) = Task::current()
            && let Some(record) = task.downcast_data::<Record>()
        {
            record.join(machine, request);
            let scope = Scope::new(Some(task.clone()), record.context());
            return Self { scope, owned: None };
        }
        let options = &machine.options;
        let arrival = options.clock.now();
        let facts = Facts::of(request, options);
        let route = (options.route)(request.extensions()).map(MatchedRoute::resolve);
        let id = request_id::take_or_make(request.headers(), options.clock.wall(arrival));
        let name = match &route {
            Some(route) => route.span_name(facts.method),
            None => facts.method.in_span_name().into(),
        };
        let record = TaskRef::root(
            name,
            Some(id),
            Record {
                facts,
                arrival,
                clock: options.clock.clone(),
                route: route.map_or_else(OnceLock::new, OnceLock::from),
                span: OnceLock::new(),
                metrics: OnceLock::new(),
                log: OnceLock::new(),
            },
        );
        record.join(machine, request);
        request.extensions_mut().insert(Observed);
        Self {
            scope: record.scope(),
            owned: Some(record),
        }
    }
}

// === impl Record ===

impl Record {
    /// Adds the signals of `machine` that no layer further out gives.
    fn join<B>(&self, machine: &Arc<Machine>, request: &Request<B>) {
        if self.route.get().is_none()
            && let Some(template) = (machine.options.route)(request.extensions())
        {
            self.learn_route(MatchedRoute::resolve(template));
        }
        if let Some(tracer) = &machine.tracer {
            self.span
                .get_or_init(|| self.start_span(tracer, machine, request));
        }
        if let Some(metrics) = &machine.metrics
            && self.metrics.set(Arc::clone(machine)).is_ok()
        {
            metrics.begin(self.facts.method, self.facts.scheme);
        }
        if machine.log.is_some() && !self.is_excluded(machine, request) {
            self.log.get_or_init(|| self.log_part(machine, request));
        }
    }

    fn start_span<B>(
        &self,
        tracer: &Tracer,
        machine: &Machine,
        request: &Request<B>,
    ) -> RequestSpan {
        let arrival = self.clock.wall(self.arrival);
        RequestSpan::start(
            tracer,
            &machine.options,
            request,
            &self.facts,
            self.route.get(),
            arrival,
        )
    }

    fn is_excluded<B>(&self, machine: &Machine, request: &Request<B>) -> bool {
        let route = self.route.get().map(MatchedRoute::template);
        machine.options.rules.find(route, request.uri().path()) == Some(RouteRule::Exclude)
    }

    fn log_part<B>(&self, machine: &Arc<Machine>, request: &Request<B>) -> LogPart {
        LogPart {
            machine: Arc::clone(machine),
            method: self
                .facts
                .method
                .is_other()
                .then(|| request.method().clone()),
            path: request.uri().path_and_query().cloned(),
            outer: self
                .span
                .get()
                .is_none()
                .then(|| self.outer(machine, request)),
        }
    }

    /// The trace that a line without a span of ours belongs to: the active one, else the caller's.
    fn outer<B>(&self, machine: &Machine, request: &Request<B>) -> Outer {
        let options = &machine.options;
        let peer = self.facts.peer.map(PeerAddr);
        let trust = options.trust.decide(peer, request.headers());
        let remote = Remote::extract(request.headers(), trust);
        let active = Context::map_current(|cx| cx.span().span_context().clone());
        let baggage = remote
            .baggage
            .iter()
            .flat_map(|all| options.chosen_baggage(all))
            .collect();
        Outer {
            context: active.is_valid().then_some(active).or(remote.parent),
            baggage,
        }
    }

    /// A route that was not known from the start.
    fn learn_route(&self, route: MatchedRoute) {
        if let Some(span) = self.span.get() {
            span.set_route(&route, &self.facts);
        }
        // Only the first one counts; this is called only where none was known.
        drop(self.route.set(route));
    }

    pub(super) fn learn_route_from(&self, extensions: &http::Extensions) {
        if self.route.get().is_none()
            && let Some(route) = extensions.get::<Route>()
        {
            self.learn_route(MatchedRoute::resolve(&route.0));
        }
    }

    /// The context with the request's span, if there is one by now.
    fn context(&self) -> Context {
        self.span
            .get()
            .map_or_else(Context::current, |span| span.context.clone())
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// How long ago the request arrived.
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.arrival)
    }

    pub(super) fn server_timing(&self) -> Option<http::HeaderValue> {
        let span = self.span.get()?.context.span();
        let wanted = [self.log.get().map(|log| &log.machine), self.metrics.get()]
            .into_iter()
            .flatten()
            .any(|machine| machine.options.server_timing);
        (wanted && span.span_context().is_valid())
            .then(|| crate::propagation::server_timing(span.span_context()))
    }
}

/// What ends a request, and needs its ids.
pub(super) trait Ends {
    fn scope(&self) -> Scope;
    fn end(&self, end: &End);
    fn stream_ended(&self, end: &End, lived: Duration);
}

impl Ends for TaskRef<Record> {
    fn scope(&self) -> Scope {
        Scope::new(Some(self.task()), self.context())
    }

    /// Gives every signal. Called once per request, by its outermost layer.
    fn end(&self, end: &End) {
        let failure = Failure::of(end.outcome, end.status);
        if let Some(span) = self.span.get() {
            span.end(&SpanEnd {
                status: end.status,
                failure,
                outcome: end.outcome,
                to_headers: end.to_headers,
                at: self.clock.wall(self.arrival + end.duration),
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
            metrics.end(&series_key(self, end.status, failure), &measured);
        }
        write_line(self, LineKind::Request, end, failure);
    }

    /// The stream that a request opened is over; the request itself ended at its headers.
    fn stream_ended(&self, end: &End, lived: Duration) {
        let failure = Failure::of(end.outcome, end.status);
        if let Some(metrics) = self
            .metrics
            .get()
            .and_then(|machine| machine.metrics.as_ref())
        {
            metrics.stream_ended(&series_key(self, end.status, failure), lived);
        }
        let end = End {
            duration: lived,
            to_headers: None,
            ..*end
        };
        write_line(self, LineKind::Stream, &end, failure);
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
        timestamp: record.clock.wall(record.now()),
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
