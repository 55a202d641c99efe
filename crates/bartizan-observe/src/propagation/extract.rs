//! From header lines to a span context and baggage.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::baggage::Baggage;
use opentelemetry::trace::SpanContext;

use super::baggage;
use super::remainder::Remainder;
use super::traceparent::Traceparent;
use super::tracestate::Members;
use crate::names::header::{BAGGAGE, TRACEPARENT, TRACESTATE};

/// The remote span that `traceparent` and `tracestate` name, by the specification's processing
/// model; `None` means that the trace is to be (re)started.
///
/// Several `traceparent` lines are as bad as a malformed one. A malformed `tracestate` is
/// discarded alone. Of the flags, `sampled` and `random` are kept.
///
/// Ask a [`TrustPolicy`](super::TrustPolicy) first where clients are not your own, or call
/// [`Remote::extract`](super::Remote::extract), which also keeps the few `tracestate` members
/// that the API's type refuses.
#[must_use]
pub fn extract(headers: &HeaderMap) -> Option<SpanContext> {
    span_and_remainder(headers).map(|(span, _)| span)
}

/// The baggage of a request, from all of its `baggage` lines; `None` if there is none.
///
/// At most [`MAX_BAGGAGE_MEMBERS`](super::MAX_BAGGAGE_MEMBERS) members and
/// [`MAX_BAGGAGE_BYTES`](super::MAX_BAGGAGE_BYTES) bytes are taken, and members that are not
/// valid are dropped.
#[must_use]
pub fn extract_baggage(headers: &HeaderMap) -> Option<Baggage> {
    let mut lines = lines(headers, BAGGAGE).peekable();
    lines.peek()?;
    baggage::parse(lines)
}

pub(super) fn span_and_remainder(headers: &HeaderMap) -> Option<(SpanContext, Option<Remainder>)> {
    from_lines(lines(headers, TRACEPARENT), || lines(headers, TRACESTATE))
}

/// The one core of every way in. `states` is not asked unless there is a valid parent.
pub(super) fn from_lines<'a, S>(
    mut parents: impl Iterator<Item = &'a [u8]>,
    states: impl FnOnce() -> S,
) -> Option<(SpanContext, Option<Remainder>)>
where
    S: Iterator<Item = &'a [u8]>,
{
    let parent = Traceparent::parse(parents.next()?)?;
    if parents.next().is_some() {
        return None;
    }
    let Traceparent {
        trace_id,
        span_id,
        flags,
    } = parent;
    let mut states = states().peekable();
    let members = match states.peek() {
        Some(_) => Members::parse(states).filter(|members| !members.as_slice().is_empty()),
        None => None,
    };
    let (state, remainder) = members.map_or_else(Default::default, |members| {
        let (state, complete) = members.to_trace_state();
        let remainder = (!complete).then(|| Remainder::new(trace_id, &members, state.clone()));
        (state, remainder)
    });
    Some((
        SpanContext::new(trace_id, span_id, flags, true, state),
        remainder,
    ))
}

fn lines(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    headers.get_all(name).into_iter().map(HeaderValue::as_bytes)
}
