//! The server span: decided first, built only if it is recorded.

use std::borrow::Cow;
use std::time::SystemTime;

use http::{Request, header};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{Link, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};

use super::facts::{Facts, authority, protocol_version, split_authority};
use super::options::{RequestOptions, SamplingAttributes};
use super::route::MatchedRoute;
use super::sampling::RouteRule;
use super::verdict::Failure;
use crate::names::attr;
use crate::propagation::Remote;
use crate::telemetry::ids;
use crate::tracing_source::{RANDOM, Tracer, start_sampled, unsampled};
use crate::{PeerAddr, intern};

/// Room for all attributes of a usual request and its end, so that the list grows once.
const ATTRIBUTES: usize = 20;

/// The request's context: its span is the active one.
#[derive(Debug)]
pub(super) struct RequestSpan {
    pub(super) context: Context,
    recording: bool,
}

/// What is added to a span when it ends.
#[derive(Debug)]
pub(super) struct SpanEnd {
    pub(super) status: Option<http::StatusCode>,
    pub(super) failure: Option<Failure>,
    pub(super) outcome: crate::Outcome,
    pub(super) to_headers: Option<std::time::Duration>,
    pub(super) at: SystemTime,
}

// === impl RequestSpan ===

impl RequestSpan {
    /// Decides by trust, rule and sampler, in this order, and starts the span if it is recorded.
    pub(super) fn start<B>(
        tracer: &Tracer,
        options: &RequestOptions,
        request: &Request<B>,
        facts: &Facts,
        route: Option<&MatchedRoute>,
        arrival: SystemTime,
    ) -> Self {
        let peer = facts.peer.map(PeerAddr);
        let trust = options.trust.decide(peer, request.headers());
        let mut remote = Remote::extract(request.headers(), trust);
        let (link, parent) = (remote.link.take(), remote.parent.take());
        // Without the parent's span, which needs a place of its own only if ours is recorded.
        let base = remote.into_context(&Context::current());
        // A caller in this process that did not go through headers is a parent all the same.
        let parent = parent.or_else(|| {
            let local = base.span().span_context().clone();
            local.is_valid().then_some(local)
        });

        let rule = options
            .rules
            .find(route.map(MatchedRoute::template), request.uri().path());
        let start = Start {
            options,
            request,
            facts,
            route,
            arrival,
            link,
            base: &base,
        };
        let trace_id = parent
            .as_ref()
            .map_or_else(ids::new_trace_id, SpanContext::trace_id);
        let ruled = match rule {
            Some(RouteRule::Exclude) => Some(false),
            Some(RouteRule::Sample(sampler)) => Some(sampler.samples(parent.as_ref(), trace_id)),
            None => None,
        };
        let sampled = match tracer {
            _ if base.is_telemetry_suppressed() => false,
            Tracer::Ours(_, sampler) => {
                ruled.unwrap_or_else(|| sampler.samples(parent.as_ref(), trace_id))
            }
            Tracer::Global(_) => ruled.unwrap_or(true),
        };
        if !sampled {
            let context = unsampled(&base, parent.as_ref(), trace_id);
            return Self {
                context,
                recording: false,
            };
        }
        let parent = with_parent(&base, parent);
        match tracer {
            Tracer::Ours(tracer, _) => {
                let builder = start.builder(true);
                let context = start_sampled(tracer, trace_id, builder, &parent);
                Self {
                    context,
                    recording: true,
                }
            }
            Tracer::Global(_) => Self::start_foreign(tracer, &start, parent),
        }
    }

    /// Asks a provider whose sampler we do not know.
    fn start_foreign<B>(tracer: &Tracer, start: &Start<'_, B>, parent: Context) -> Self {
        let at_start = start.options.sampling_attributes == SamplingAttributes::Auto;
        let context = tracer.start(start.builder(at_start), &parent);
        let span = context.span();
        let sc = span.span_context().clone();
        if !sc.is_valid() {
            // Without a provider the caller's context is passed on as it came.
            return Self {
                context: parent,
                recording: false,
            };
        }
        if span.is_recording() {
            if !at_start {
                span.set_attributes(start.attributes());
            }
            return Self {
                context,
                recording: true,
            };
        }
        // The SDK drops the random bit of unsampled spans; it is the trace's, so it goes on.
        let flags = sc.trace_flags() | (parent.span().span_context().trace_flags() & RANDOM);
        let sc = SpanContext::new(
            sc.trace_id(),
            sc.span_id(),
            flags,
            false,
            sc.trace_state().clone(),
        );
        Self {
            context: parent.with_remote_span_context(sc),
            recording: false,
        }
    }

    /// Names the span after a route that became known only with the response.
    pub(super) fn set_route(&self, route: &MatchedRoute, facts: &Facts) {
        if self.recording {
            let span = self.context.span();
            span.update_name(route.span_name(facts.method));
            span.set_attribute(route_attribute(route));
        }
    }

    /// Ends the span. Never sets `Ok`, and no description: the status code or `error.type` says it.
    pub(super) fn end(&self, end: &SpanEnd) {
        if !self.recording {
            return;
        }
        let span = self.context.span();
        let status = end.status.map(|status| {
            KeyValue::new(attr::HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16()))
        });
        let error = end
            .failure
            .map(|failure| KeyValue::new(attr::ERROR_TYPE, failure.error_type()));
        let to_headers = end
            .to_headers
            .map(|took| KeyValue::new(attr::TIME_TO_HEADERS, took.as_secs_f64()));
        let outcome = KeyValue::new(attr::OUTCOME, end.outcome.as_str());
        span.set_attributes(
            [status, error, to_headers, Some(outcome)]
                .into_iter()
                .flatten(),
        );
        if end.failure.is_some() {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(end.at);
    }
}

fn with_parent(base: &Context, parent: Option<SpanContext>) -> Context {
    match parent {
        Some(parent) if parent.is_remote() => base.with_remote_span_context(parent),
        _ => base.clone(),
    }
}

// === the attributes ===

struct Start<'a, B> {
    options: &'a RequestOptions,
    request: &'a Request<B>,
    facts: &'a Facts,
    route: Option<&'a MatchedRoute>,
    arrival: SystemTime,
    link: Option<SpanContext>,
    /// Without the span; its baggage is only what the trust policy let in.
    base: &'a Context,
}

impl<B> Start<'_, B> {
    fn builder(&self, with_attributes: bool) -> SpanBuilder {
        let name = match self.route {
            Some(route) => route.span_name(self.facts.method),
            None => Cow::Borrowed(self.facts.method.in_span_name()),
        };
        let mut builder = SpanBuilder::from_name(name)
            .with_kind(SpanKind::Server)
            .with_start_time(self.arrival);
        builder.attributes = with_attributes.then(|| self.attributes());
        builder.links = self
            .link
            .clone()
            .map(|sc| vec![Link::new(sc, Vec::new(), 0)]);
        builder
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let (request, facts) = (self.request, self.facts);
        let mut list = Vec::with_capacity(ATTRIBUTES);
        list.push(KeyValue::new(
            attr::HTTP_REQUEST_METHOD,
            facts.method.as_str(),
        ));
        if facts.method.is_other() {
            let original = request.method().as_str().to_owned();
            list.push(KeyValue::new(attr::HTTP_REQUEST_METHOD_ORIGINAL, original));
        }
        list.push(KeyValue::new(attr::URL_SCHEME, facts.scheme.as_str()));
        list.push(KeyValue::new(
            attr::URL_PATH,
            request.uri().path().to_owned(),
        ));
        if let Some(query) = request.uri().query().filter(|query| !query.is_empty()) {
            list.push(KeyValue::new(
                attr::URL_QUERY,
                self.options.redaction.query(query).into_owned(),
            ));
        }
        if let Some(route) = self.route {
            list.push(route_attribute(route));
        }
        if let Some(version) = protocol_version(facts.version) {
            list.push(KeyValue::new(attr::NETWORK_PROTOCOL_VERSION, version));
        }
        self.push_addresses(&mut list);
        if let Some(agent) = request.headers().get(header::USER_AGENT)
            && let Ok(agent) = agent.to_str()
        {
            list.push(KeyValue::new(
                attr::USER_AGENT_ORIGINAL,
                intern::recent(agent),
            ));
        }
        self.push_opted_in(&mut list);
        list
    }

    fn push_addresses(&self, list: &mut Vec<KeyValue>) {
        let facts = self.facts;
        let forwarded_host = facts
            .forwarded
            .as_ref()
            .and_then(|forwarded| forwarded.host.as_deref());
        if let Some((host, port)) = forwarded_host
            .or_else(|| authority(self.request))
            .and_then(split_authority)
        {
            let port = port.unwrap_or_else(|| facts.scheme.default_port());
            list.push(KeyValue::new(attr::SERVER_ADDRESS, intern::recent(host)));
            list.push(KeyValue::new(attr::SERVER_PORT, i64::from(port)));
        }
        let peer = facts.peer.map(PeerAddr);
        let peer_text = peer.map(|peer| intern::recent(&peer.ip().to_string()));
        let client = facts
            .forwarded
            .as_ref()
            .and_then(|forwarded| forwarded.client);
        if let Some(client) = client
            .map(|ip| intern::recent(&ip.to_string()))
            .or_else(|| peer_text.clone())
        {
            list.push(KeyValue::new(attr::CLIENT_ADDRESS, client));
        }
        if let (Some(peer), Some(text)) = (peer, peer_text) {
            list.push(KeyValue::new(attr::NETWORK_PEER_ADDRESS, text));
            list.push(KeyValue::new(
                attr::NETWORK_PEER_PORT,
                i64::from(peer.port()),
            ));
        }
    }

    fn push_opted_in(&self, list: &mut Vec<KeyValue>) {
        for name in &self.options.request_headers {
            let values: Vec<StringValue> = self
                .request
                .headers()
                .get_all(name)
                .iter()
                .filter(|value| !value.is_sensitive())
                .filter_map(|value| value.to_str().ok())
                .map(|value| StringValue::from(value.to_owned()))
                .collect();
            if !values.is_empty() {
                let key = format!("http.request.header.{name}");
                list.push(KeyValue::new(key, Value::Array(Array::String(values))));
            }
        }
        let chosen = self.options.chosen_baggage(self.base.baggage());
        list.extend(chosen.map(|(key, value)| KeyValue::new(key, value)));
    }
}

fn route_attribute(route: &MatchedRoute) -> KeyValue {
    match route {
        MatchedRoute::Known(known) => KeyValue::new(attr::HTTP_ROUTE, known.template),
        MatchedRoute::Overflow(template) => {
            KeyValue::new(attr::HTTP_ROUTE, template.clone().into_string())
        }
    }
}
