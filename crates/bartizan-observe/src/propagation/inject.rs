//! From a context to header lines.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, TraceContextExt};

use super::baggage;
use super::remainder::Remainder;
use super::traceparent::{LEN, Traceparent};
use super::tracestate::Members;
use crate::names::header::{BAGGAGE, TRACEPARENT, TRACESTATE};

/// Writes the context's span as `traceparent` and `tracestate`, and its baggage as `baggage`.
///
/// The context alone decides: lines of these names that were there, from an earlier attempt or
/// copied from an inbound request, are replaced, or removed if the context has nothing to put in
/// their place. Nothing is allocated but the header values.
pub fn inject(cx: &Context, headers: &mut HeaderMap) {
    let span = cx.span();
    let span = span.span_context();
    let parent = Traceparent::of(span);
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
    const PREFIX: &[u8; 11] = b"trace;desc=";
    let Some(parent) = Traceparent::of(span) else {
        return HeaderValue::from_static("trace");
    };
    let mut line = [0; PREFIX.len() + LEN];
    let (start, rest) = line.split_at_mut(PREFIX.len());
    start.copy_from_slice(PREFIX);
    rest.copy_from_slice(&parent.format());
    ascii(&line)
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
