//! From a context to header lines.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags};

use super::baggage;
use super::remainder::Remainder;
use super::traceparent::{LEN, Traceparent};
use super::tracestate::Members;
use crate::names::header::{BAGGAGE, TRACEPARENT, TRACESTATE};
use crate::request;

/// Writes the context's span as `traceparent` and `tracestate`, and its baggage as `baggage`.
///
/// The context alone decides: lines of these names that were there, from an earlier attempt or
/// copied from an inbound request, are replaced, or removed if the context has nothing to put in
/// their place. Nothing is allocated but the header values.
///
/// The `random` bit is the trace's and goes on with it, although the SDK's spans lose it: inside of
/// a request that the request layer has seen, it is remembered there.
pub fn inject(cx: &Context, headers: &mut HeaderMap) {
    inject_with(cx, TraceFlags::NOT_SAMPLED, headers);
}

/// [`inject`] for a span whose trace is known to have these flags too.
pub(crate) fn inject_with(cx: &Context, flags: TraceFlags, headers: &mut HeaderMap) {
    let span = cx.span();
    let span = span.span_context();
    let parent = traceparent(span).map(|parent| parent.with_flags(flags));
    let state = parent.and_then(|_| tracestate(cx, span));
    put(
        headers,
        TRACEPARENT,
        parent.map(|parent| ascii(&parent.format())),
    );
    put(
        headers,
        TRACESTATE,
        state.and_then(|line| line.try_into().ok()),
    );
    put(
        headers,
        BAGGAGE,
        baggage(cx).and_then(|line| line.try_into().ok()),
    );
}

/// A `server-timing` line that tells the client which trace its request became:
/// `trace;desc=00-<trace-id>-<span-id>-<flags>`.
///
/// For a span without valid ids the description is left out.
#[must_use]
pub fn server_timing(span: &SpanContext) -> HeaderValue {
    server_timing_with(span, TraceFlags::NOT_SAMPLED)
}

/// [`server_timing`] for a span whose trace is known to have these flags too.
pub(crate) fn server_timing_with(span: &SpanContext, flags: TraceFlags) -> HeaderValue {
    const PREFIX: &[u8; 11] = b"trace;desc=";
    let Some(parent) = Traceparent::of(span).map(|parent| parent.with_flags(flags)) else {
        return HeaderValue::from_static("trace");
    };
    let mut line = [0; PREFIX.len() + LEN];
    let (start, rest) = line.split_at_mut(PREFIX.len());
    start.copy_from_slice(PREFIX);
    rest.copy_from_slice(&parent.format());
    ascii(&line)
}

/// The `traceparent` to send for `span`, if its ids are valid.
pub(super) fn traceparent(span: &SpanContext) -> Option<Traceparent> {
    let parent = Traceparent::of(span)?;
    Some(parent.with_flags(request::random_bit(span.trace_id())))
}

/// The `tracestate` to send for `span`, if there is one.
pub(super) fn tracestate(cx: &Context, span: &SpanContext) -> Option<String> {
    if let Some(remainder) = cx.get::<Remainder>() {
        return remainder.merge(span).to_header();
    }
    let mut state = span.trace_state().into_iter().peekable();
    state.peek()?;
    // A sampler may have put in what the API's type takes and the grammar does not.
    let mut members = Members::new();
    state.for_each(|(key, value)| members.push(key, value));
    members.to_header()
}

/// The `baggage` to send, if there is any.
pub(super) fn baggage(cx: &Context) -> Option<String> {
    let baggage = cx.baggage();
    if baggage.is_empty() {
        None
    } else {
        baggage::format(baggage)
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    match value {
        // Replaces every line of the name.
        Some(value) => drop(headers.insert(name, value)),
        None => drop(headers.remove(name)),
    }
}

/// A header value of text that is visible ASCII, so that the conversion can't fail.
fn ascii(text: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
