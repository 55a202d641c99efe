//! One request: what is known of it, and which signals are to be given when it ends.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bartizan_task::{Scope, Task, TaskRef};
use http::uri::PathAndQuery;
use http::{Method, Request};
use http_body::Body;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceId};
use opentelemetry::{Context, Key, StringValue};

use super::end::Ends;
use super::facts::Facts;
use super::machine::Machine;
use super::request_id;
use super::route::{MatchedRoute, Route};
use super::sampling::RouteRule;
use super::span::RequestSpan;
use crate::propagation::{Formats, Remote};
use crate::tracing_source::Tracer;
use crate::{Clock, PeerAddr};

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
    pub(super) facts: Facts,
    pub(super) arrival: Instant,
    pub(super) clock: Clock,
    pub(super) route: OnceLock<MatchedRoute>,
    pub(super) span: OnceLock<RequestSpan>,
    pub(super) metrics: OnceLock<Arc<Machine>>,
    pub(super) log: OnceLock<LogPart>,
}

/// What the access line needs and the rest does not.
#[derive(Debug)]
pub(super) struct LogPart {
    pub(super) machine: Arc<Machine>,
    /// Only for a method that has no name of its own.
    pub(super) method: Option<Method>,
    pub(super) path: Option<PathAndQuery>,
    /// For a line without a span of ours: whose trace this is, and its baggage.
    pub(super) outer: Option<Box<Outer>>,
}

#[derive(Debug)]
pub(super) struct Outer {
    pub(super) context: Option<SpanContext>,
    pub(super) baggage: Vec<(Key, StringValue)>,
}

/// Whether it was this layer that started the server span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joined {
    WithSpan,
    WithoutSpan,
}

/// A request that has begun, as one layer sees it.
#[derive(Debug)]
pub(crate) struct Begun {
    /// What the inner service is called and polled in.
    pub(crate) scope: Scope,
    /// Set for the outermost layer, which ends the request.
    pub(crate) owned: Option<TaskRef<Record>>,
}

/// The `random` bit of the trace `trace_id`, if the running task belongs to a request in that trace.
pub(crate) fn random_bit(trace_id: TraceId) -> TraceFlags {
    Task::with_current(|task| {
        let record = task?.root_task().downcast_data::<Record>()?;
        Some(record.span.get()?.random_bit(trace_id))
    })
    .unwrap_or(TraceFlags::NOT_SAMPLED)
}

// === impl Begun ===

impl Begun {
    /// Begins a request, or joins the one that a layer further out has begun.
    pub(crate) fn new<B: Body>(machine: &Arc<Machine>, request: &mut Request<B>) -> Self {
        if request.extensions().get::<Observed>().is_some()
            && let Some(task) = Task::current()
            && let Some(record) = task.downcast_data::<Record>()
        {
            // What a layer in between has attached (a span of its own, baggage) stays, unless the
            // server span is only made here.
            let context = match record.join(machine, request) {
                Joined::WithSpan => record.context(),
                Joined::WithoutSpan => Context::current(),
            };
            let scope = Scope::new(Some(task.clone()), context);
            return Self { scope, owned: None };
        }
        let options = &machine.options;
        let arrival = options.clock.now();
        let facts = Facts::of(request, options);
        let route = (options.route)(request.extensions()).map(MatchedRoute::resolve);
        let id = request_id::take_or_make(request.headers(), || options.clock.wall(arrival));
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
    fn join<B>(&self, machine: &Arc<Machine>, request: &Request<B>) -> Joined {
        if self.route.get().is_none()
            && let Some(template) = (machine.options.route)(request.extensions())
        {
            self.learn_route(MatchedRoute::resolve(template));
        }
        let mut joined = Joined::WithoutSpan;
        if let Some(tracer) = &machine.tracer {
            self.span.get_or_init(|| {
                joined = Joined::WithSpan;
                self.start_span(tracer, machine, request)
            });
        }
        if let Some(metrics) = &machine.metrics
            && self.metrics.set(Arc::clone(machine)).is_ok()
        {
            metrics.begin(self.facts.method, self.facts.scheme);
        }
        if machine.log.is_some() && !self.is_excluded(machine, request) {
            self.log.get_or_init(|| self.log_part(machine, request));
        }
        joined
    }

    fn start_span<B>(
        &self,
        tracer: &Tracer,
        machine: &Machine,
        request: &Request<B>,
    ) -> RequestSpan {
        let arrival = || self.clock.wall(self.arrival);
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
                .then(|| Box::new(self.outer(machine, request))),
        }
    }

    /// The trace that a line without a span of ours belongs to: the active one, else the caller's.
    fn outer<B>(&self, machine: &Machine, request: &Request<B>) -> Outer {
        let options = &machine.options;
        let peer = self.facts.peer.map(PeerAddr);
        let trust = options.trust.decide(peer, request.headers());
        let formats = machine
            .tracer
            .as_ref()
            .map_or_else(Formats::default, Tracer::formats);
        let remote = Remote::extract_as(formats, request.headers(), trust);
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
    pub(super) fn context(&self) -> Context {
        self.span
            .get()
            .map_or_else(Context::current, |span| span.context.clone())
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// How long ago the request arrived.
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.arrival)
    }
}
