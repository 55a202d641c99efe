//! The server span: decided first, built only if it is recorded.

use std::time::SystemTime;

use http::{HeaderValue, Request};
use opentelemetry::trace::{SpanContext, Status, TraceContextExt, TraceFlags, TraceId};
use opentelemetry::{Context, KeyValue};

use super::attributes::{Start, route_attribute};
use super::facts::Facts;
use super::options::{RequestOptions, SamplingAttributes};
use super::route::MatchedRoute;
use super::sampling::RouteRule;
use super::verdict::Failure;
use crate::PeerAddr;
use crate::names::attr;
use crate::propagation::{self, Remote};
use crate::telemetry::ids;
use crate::tracing_source::{RANDOM, Tracer, start_sampled, unsampled};

/// The request's context: its span is the active one.
#[derive(Debug)]
pub(super) struct RequestSpan {
    pub(super) context: Context,
    /// When it started, if it is recorded. Its end is counted from here, so that its length is the
    /// monotonic clock's, whatever is done to the wall clock.
    started: Option<SystemTime>,
    /// The trace's `random` bit, which the SDK does not keep on the spans that it makes.
    random: TraceFlags,
    /// Whether the response is to name the trace.
    tells: bool,
}

/// What is added to a span when it ends.
#[derive(Debug)]
pub(super) struct SpanEnd {
    pub(super) status: Option<http::StatusCode>,
    pub(super) failure: Option<Failure>,
    pub(super) outcome: crate::Outcome,
    pub(super) to_headers: Option<std::time::Duration>,
    /// From arrival to the span's end.
    pub(super) age: std::time::Duration,
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
        arrival: impl FnOnce() -> SystemTime,
    ) -> Self {
        let peer = facts.peer.map(PeerAddr);
        let trust = options.trust.decide(peer, request.headers());
        let mut remote = Remote::extract_as(tracer.formats(), request.headers(), trust);
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
        let trace_id = parent
            .as_ref()
            .map_or_else(ids::new_trace_id, SpanContext::trace_id);
        let ruled = match rule {
            Some(RouteRule::Exclude) => Some(false),
            Some(RouteRule::Sample(sampler)) => Some(sampler.samples(parent.as_ref(), trace_id)),
            None => None,
        };
        let random = match (&parent, tracer) {
            (Some(parent), _) => parent.trace_flags() & RANDOM,
            (None, tracer) => tracer.random_bit(),
        };
        let sampled = match tracer {
            _ if base.is_telemetry_suppressed() => false,
            Tracer::Ours(_, sampler, _) => {
                ruled.unwrap_or_else(|| sampler.samples(parent.as_ref(), trace_id))
            }
            Tracer::Global(_) => ruled.unwrap_or(true),
        };
        let (context, started) = if sampled {
            let parent = with_parent(&base, parent);
            let arrival = arrival();
            let start = Start {
                options,
                request,
                facts,
                route,
                arrival,
                link,
                base: &base,
            };
            match tracer {
                Tracer::Ours(tracer, ..) => {
                    let builder = start.builder(true);
                    let context = start_sampled(tracer, trace_id, builder, &parent);
                    (context, Some(arrival))
                }
                Tracer::Global(_) => {
                    let (context, recording) = start_foreign(tracer, &start, parent);
                    (context, recording.then_some(arrival))
                }
            }
        } else {
            (unsampled(&base, parent.as_ref(), trace_id), None)
        };
        Self {
            context,
            started,
            random,
            tells: options.server_timing,
        }
    }

    /// The response header that names the trace, if it is wanted.
    pub(super) fn server_timing(&self) -> Option<HeaderValue> {
        let span = self.context.span();
        (self.tells && span.span_context().is_valid())
            .then(|| propagation::server_timing_with(span.span_context(), self.random))
    }

    /// The `random` bit of the trace `trace_id`, if that is this span's.
    pub(super) fn random_bit(&self, trace_id: TraceId) -> TraceFlags {
        if self.context.span().span_context().trace_id() == trace_id {
            self.random
        } else {
            TraceFlags::NOT_SAMPLED
        }
    }

    /// Names the span after a route that became known only with the response.
    pub(super) fn set_route(&self, route: &MatchedRoute, facts: &Facts) {
        if self.started.is_some() {
            let span = self.context.span();
            span.update_name(route.span_name(facts.method));
            span.set_attribute(route_attribute(route));
        }
    }

    /// Ends the span. Never sets `Ok`, and no description: the status code or `error.type` says it.
    pub(super) fn end(&self, end: impl FnOnce() -> SpanEnd) {
        let Some(started) = self.started else { return };
        let end = end();
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
        span.end_with_timestamp(started + end.age);
    }
}

/// Asks a provider whose sampler we do not know; says also whether the span is recorded.
fn start_foreign<B>(tracer: &Tracer, start: &Start<'_, B>, parent: Context) -> (Context, bool) {
    let at_start = start.options.sampling_attributes == SamplingAttributes::Auto;
    let context = tracer.start(start.builder(at_start), &parent);
    let span = context.span();
    let sc = span.span_context().clone();
    if !sc.is_valid() {
        // Without a provider the caller's context is passed on as it came.
        return (parent, false);
    }
    if span.is_recording() {
        if !at_start {
            span.set_attributes(start.attributes());
        }
        return (context, true);
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
    (parent.with_remote_span_context(sc), false)
}

fn with_parent(base: &Context, parent: Option<SpanContext>) -> Context {
    match parent {
        Some(parent) if parent.is_remote() => base.with_remote_span_context(parent),
        _ => base.clone(),
    }
}
