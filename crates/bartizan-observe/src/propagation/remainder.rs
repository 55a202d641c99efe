//! Where the members of a `tracestate` travel that the API's type refuses.

use opentelemetry::trace::{SpanContext, TraceId, TraceState};

use super::tracestate::Members;

/// A received `tracestate`, kept in the context because [`TraceState`] could not hold all of it.
///
/// The specification has every valid member passed on. The span context is still what counts:
/// what was changed or removed there is changed or removed on the wire, and a context of another
/// trace sends nothing of this. Never made for the keys that are common today.
#[derive(Debug)]
pub(super) struct Remainder {
    trace_id: TraceId,
    /// The whole list as it was received, in order.
    received: Vec<(String, String)>,
    /// The part of it that went into the span context.
    carried: TraceState,
}

// === impl Remainder ===

impl Remainder {
    pub(super) fn new(trace_id: TraceId, received: &Members<'_>, carried: TraceState) -> Self {
        let received = received.as_slice().iter();
        let received = received
            .map(|&(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        Self {
            trace_id,
            received,
            carried,
        }
    }

    /// The list to send for `span`: what was added or changed since goes first, and the rest
    /// keeps its order (section 3.5, "Mutating the tracestate Field").
    pub(super) fn merge<'a>(&'a self, span: &'a SpanContext) -> Members<'a> {
        let mut merged = Members::new();
        let state = span.trace_state();
        let of_this_trace = span.trace_id() == self.trace_id;
        for (key, value) in state {
            if !of_this_trace || self.carried.get(key) != Some(value) {
                merged.push(key, value);
            }
        }
        if of_this_trace {
            for (key, value) in &self.received {
                if self.carried.get(key).is_none() || state.get(key) == Some(value) {
                    merged.push(key, value);
                }
            }
        }
        merged
    }
}
