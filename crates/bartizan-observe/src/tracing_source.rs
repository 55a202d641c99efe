//! Where spans are started: our own telemetry handle, or the process's globals.

use std::sync::Once;

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::trace::{
    SpanBuilder, SpanContext, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer as _,
};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::trace::SdkTracer;

use crate::names;
use crate::propagation::Formats;
use crate::telemetry::{Sampler, Telemetry, ids};

/// The bit of Trace Context level 2 that says the trace id is random.
pub(crate) const RANDOM: TraceFlags = TraceFlags::new(0x02);

/// A source of spans.
///
/// With our own telemetry the sampler is asked before anything is built, which is what makes an
/// unsampled request nearly free. A foreign provider keeps its sampler to itself.
#[derive(Debug)]
pub(crate) enum Tracer {
    /// Ours: the decision is taken before the SDK builds anything.
    Ours(SdkTracer, Sampler, Formats),
    /// Whatever the application has installed.
    Global(BoxedTracer),
}

// === impl Tracer ===

impl Tracer {
    pub(crate) fn ours(telemetry: &Telemetry) -> Self {
        Self::Ours(
            telemetry.tracer().clone(),
            telemetry.sampler(),
            telemetry.formats(),
        )
    }

    /// The provider that is the process's global one now.
    pub(crate) fn global() -> Self {
        Self::Global(global::tracer_with_scope(scope()))
    }

    /// Starts a span and gives `parent` with the span in its place.
    pub(crate) fn start(&self, builder: SpanBuilder, parent: &Context) -> Context {
        let (tracer, sampler) = match self {
            Self::Ours(tracer, sampler, _) => (tracer, sampler),
            Self::Global(tracer) => {
                let context = parent.with_span(tracer.build_with_context(builder, parent));
                // A tracer without a provider hands the parent's span on, if there is one.
                let is_new = context.span().span_context().is_valid()
                    && context.span().span_context().span_id()
                        != parent.span().span_context().span_id();
                if !is_new && !parent.is_telemetry_suppressed() {
                    warn_of_missing_provider();
                }
                return context;
            }
        };
        if parent.is_telemetry_suppressed() {
            // Not the parent itself: whoever ends the new span must not end the parent's.
            return parent.with_remote_span_context(SpanContext::NONE);
        }
        let span = parent.span();
        let parent_span = Some(span.span_context()).filter(|context| context.is_valid());
        let trace_id = parent_span.map_or_else(ids::new_trace_id, SpanContext::trace_id);
        if sampler.samples(parent_span, trace_id) {
            return start_sampled(tracer, trace_id, builder, parent);
        }
        unsampled(parent, parent_span, trace_id)
    }

    /// The headers that contexts travel in. With the globals it is W3C's, as everywhere.
    pub(crate) fn formats(&self) -> Formats {
        match self {
            Self::Ours(_, _, formats) => *formats,
            Self::Global(_) => Formats::default(),
        }
    }

    /// What a trace that starts here says of its id: ours are random, and of others we don't know.
    pub(crate) const fn random_bit(&self) -> TraceFlags {
        match self {
            Self::Ours(..) => RANDOM,
            Self::Global(_) => TraceFlags::NOT_SAMPLED,
        }
    }

    /// Whether attributes must be there when the span starts, because the sampler may read them.
    ///
    /// [`Sampler`] reads none; what stands behind the globals is unknown.
    pub(crate) const fn sampler_reads_attributes(&self) -> bool {
        matches!(self, Self::Global(_))
    }
}

/// Starts a span that is already known to be recorded.
pub(crate) fn start_sampled(
    tracer: &SdkTracer,
    trace_id: TraceId,
    builder: SpanBuilder,
    parent: &Context,
) -> Context {
    let span = ids::with_chosen(trace_id, || tracer.build_with_context(builder, parent));
    parent.with_span(span)
}

/// A context that passes a trace on without recording it: a new span id, the parent's trace state,
/// and of its flags all but `sampled`, which are more than the SDK keeps.
pub(crate) fn unsampled(
    base: &Context,
    parent: Option<&SpanContext>,
    trace_id: TraceId,
) -> Context {
    // Our own ids are random, so a new trace may say so.
    let flags = parent
        .map_or(RANDOM, SpanContext::trace_flags)
        .with_sampled(false);
    let state = parent.map_or(TraceState::NONE, |parent| parent.trace_state().clone());
    let span = SpanContext::new(trace_id, ids::new_span_id(), flags, false, state);
    base.with_remote_span_context(span)
}

/// The instrumentation scope of everything we record.
pub(crate) fn scope() -> InstrumentationScope {
    InstrumentationScope::builder(names::SCOPE)
        .with_version(env!("CARGO_PKG_VERSION"))
        .with_schema_url(names::SCHEMA_URL)
        .build()
}

fn warn_of_missing_provider() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            "no tracer provider is set: spans are not recorded; give the layer a telemetry \
             handle, or set the OpenTelemetry globals before the layer is built"
        );
    });
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::SpanId;

    use super::*;
    use crate::telemetry::Telemetry;

    fn tracer(sampler: Sampler) -> Tracer {
        let telemetry = Telemetry::builder().with_sampler(sampler).build().unwrap();
        Tracer::ours(&telemetry)
    }

    fn parent(flags: u8) -> Context {
        let state = TraceState::from_key_value([("a", "b")]).unwrap();
        let ids = (TraceId::from(7), SpanId::from(7));
        let context = SpanContext::new(ids.0, ids.1, TraceFlags::new(flags), true, state);
        Context::new().with_remote_span_context(context)
    }

    #[test]
    fn an_unsampled_span_carries_the_random_bit_and_the_trace_state_on() {
        let started = tracer(Sampler::ALWAYS_OFF).start(SpanBuilder::from_name("x"), &parent(3));
        let span = started.span();
        assert!(!span.is_recording());
        assert_eq!(span.span_context().trace_id(), TraceId::from(7));
        assert_ne!(span.span_context().span_id(), SpanId::from(7));
        assert_eq!(span.span_context().trace_flags(), TraceFlags::new(2));
        assert_eq!(span.span_context().trace_state().get("a"), Some("b"));
    }

    #[test]
    fn a_sampled_span_is_a_child_of_its_parent() {
        let started = tracer(Sampler::ALWAYS_ON).start(SpanBuilder::from_name("x"), &parent(0));
        let span = started.span();
        assert!(span.is_recording());
        assert_eq!(span.span_context().trace_id(), TraceId::from(7));
        assert!(span.span_context().is_sampled());
    }

    #[test]
    fn a_root_gets_a_valid_trace_id_sampled_or_not() {
        for sampler in [Sampler::ALWAYS_ON, Sampler::ALWAYS_OFF] {
            let started = tracer(sampler).start(SpanBuilder::from_name("x"), &Context::new());
            assert!(started.span().span_context().is_valid());
        }
    }

    #[test]
    fn nothing_is_recorded_where_telemetry_is_suppressed() {
        let tracer = tracer(Sampler::ALWAYS_ON);
        let outer = tracer.start(SpanBuilder::from_name("outer"), &Context::new());
        let inner = tracer.start(
            SpanBuilder::from_name("x"),
            &outer.with_telemetry_suppressed(),
        );
        assert!(!inner.span().span_context().is_valid());
        assert!(outer.span().is_recording());
    }
}
