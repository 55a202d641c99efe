//! The same core behind OpenTelemetry's interface.

use std::str;
use std::sync::LazyLock;

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;

use super::{baggage, extract, inject};
use crate::names::header::{BAGGAGE, TRACEPARENT, TRACESTATE};

/// W3C Trace Context and Baggage as an OpenTelemetry propagator, for
/// `opentelemetry::global::set_text_map_propagator` and for carriers other than headers.
///
/// It knows no trust policy: that belongs to the layer that knows the peer. Two limits come with
/// the interface, and [`extract`](super::extract()) and [`inject`](super::inject()) don't have
/// them: an extractor that answers with one value per key, or leaves out values that are not
/// ASCII, hides the lines that would have made a header invalid; and an injector can't remove a
/// stale line, so inject into fresh carriers.
///
/// ```
/// use std::collections::HashMap;
///
/// use bartizan_observe::propagation::W3cPropagator;
/// use opentelemetry::propagation::TextMapPropagator;
/// use opentelemetry::trace::TraceContextExt;
///
/// let line = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";
/// let carrier = HashMap::from([("traceparent".to_owned(), line.to_owned())]);
///
/// let propagator = W3cPropagator::new();
/// let cx = propagator.extract(&carrier);
/// assert!(cx.span().span_context().is_remote());
///
/// let mut out = HashMap::new();
/// propagator.inject_context(&cx, &mut out);
/// assert_eq!(out, carrier);
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct W3cPropagator;

static FIELDS: LazyLock<[String; 3]> =
    LazyLock::new(|| [TRACEPARENT, TRACESTATE, BAGGAGE].map(|name| name.as_str().to_owned()));

// === impl W3cPropagator ===

impl W3cPropagator {
    /// The propagator. It has no state and no options.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl TextMapPropagator for W3cPropagator {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        let span = span.span_context();
        if let Some(parent) = inject::traceparent(span) {
            // The line is hex digits and dashes.
            let line = str::from_utf8(&parent.format())
                .unwrap_or_default()
                .to_owned();
            injector.set(TRACEPARENT.as_str(), line);
            if let Some(line) = inject::tracestate(cx, span) {
                injector.set(TRACESTATE.as_str(), line);
            }
        }
        if let Some(line) = inject::baggage(cx) {
            injector.set(BAGGAGE.as_str(), line);
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let lines = |name: &str| {
            let lines = extractor.get_all(name).unwrap_or_default();
            lines.into_iter().map(str::as_bytes)
        };
        let mut cx = cx.clone();
        let parents = lines(TRACEPARENT.as_str());
        if let Some((span, remainder)) = extract::from_lines(parents, || lines(TRACESTATE.as_str()))
        {
            cx = cx.with_remote_span_context(span);
            if let Some(remainder) = remainder {
                cx = cx.with_value(remainder);
            }
        }
        match baggage::parse(lines(BAGGAGE.as_str())) {
            Some(baggage) => cx.with_baggage(baggage),
            None => cx,
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&*FIELDS)
    }
}
