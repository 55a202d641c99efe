//! Which headers carry a context, where it is not W3C's alone.

use std::fmt;

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::baggage::{BaggageExt, KeyValueMetadata};
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};

use super::b3::{self, B3};
use super::{W3cPropagator, inject};

/// The headers by which a context comes in and goes out. Default: W3C Trace Context and Baggage.
///
/// B3 is read where there is no W3C context, and written beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formats {
    pub(super) trace_context: bool,
    pub(super) baggage: bool,
    b3: Option<B3>,
}

/// [`Formats`] as an OpenTelemetry propagator.
#[derive(Debug)]
pub struct FormatsPropagator {
    formats: Formats,
    fields: Vec<String>,
}

// === impl Formats ===

impl Formats {
    /// No headers at all: every request starts a trace, and nobody behind learns of it.
    pub const NONE: Self = Self {
        trace_context: false,
        baggage: false,
        b3: None,
    };

    /// W3C `traceparent` and `tracestate`.
    #[must_use]
    pub const fn with_trace_context(mut self) -> Self {
        self.trace_context = true;
        self
    }

    /// W3C `baggage`.
    #[must_use]
    pub const fn with_baggage(mut self) -> Self {
        self.baggage = true;
        self
    }

    /// Zipkin's B3.
    #[must_use]
    pub const fn with_b3(mut self, b3: B3) -> Self {
        self.b3 = Some(b3);
        self
    }

    /// The parent that B3 headers name, if they are read and name one.
    pub(super) fn b3_parent(self, extractor: &dyn Extractor) -> Option<SpanContext> {
        self.b3.and_then(|_| b3::read(extractor))
    }

    /// Writes the context's span and baggage, `flags` being more of what is known of its trace.
    pub(crate) fn inject(self, cx: &Context, flags: TraceFlags, headers: &mut HeaderMap) {
        if self == Self::default() {
            inject::inject_with(cx, flags, headers);
            return;
        }
        let mut shown = Context::new();
        if self.trace_context {
            shown = cx.clone();
        }
        if !self.baggage {
            shown = shown.with_cleared_baggage();
        } else if !self.trace_context {
            shown = with_baggage_of(&shown, cx);
        }
        inject::inject_with(&shown, flags, headers);
        self.inject_b3(cx, &mut HeaderInjector(headers));
    }

    fn inject_b3(self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        if let Some(b3) = self.b3
            && span.span_context().is_valid()
        {
            b3.write(span.span_context(), injector);
        }
    }
}

impl fmt::Display for Formats {
    /// As `OTEL_PROPAGATORS` names them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let b3 = self.b3.map(|b3| match b3 {
            B3::Single => "b3",
            B3::Multi => "b3multi",
        });
        let all = [
            self.trace_context.then_some("tracecontext"),
            self.baggage.then_some("baggage"),
            b3,
        ];
        let mut names = all.into_iter().flatten().peekable();
        if names.peek().is_none() {
            return f.write_str("none");
        }
        names.enumerate().try_for_each(|(at, name)| {
            let before = if at == 0 { "" } else { ", " };
            write!(f, "{before}{name}")
        })
    }
}

impl Default for Formats {
    fn default() -> Self {
        Self::NONE.with_trace_context().with_baggage()
    }
}

/// `to` with the baggage of `from`, if that has any.
fn with_baggage_of(to: &Context, from: &Context) -> Context {
    let entries = from.baggage().iter().map(|(key, (value, metadata))| {
        KeyValueMetadata::new(key.clone(), value.clone(), metadata.clone())
    });
    let entries: Vec<_> = entries.collect();
    if entries.is_empty() {
        return to.clone();
    }
    to.with_baggage(entries)
}

/// The headers' B3 parent.
pub(super) fn b3_of(formats: Formats, headers: &HeaderMap) -> Option<SpanContext> {
    formats.b3_parent(&HeaderExtractor(headers))
}

// === impl FormatsPropagator ===

impl FormatsPropagator {
    /// A propagator of these formats.
    #[must_use]
    pub fn new(formats: Formats) -> Self {
        let w3c = W3cPropagator::new();
        let mut fields: Vec<_> = w3c
            .fields()
            .filter(|field| match *field {
                "baggage" => formats.baggage,
                _ => formats.trace_context,
            })
            .map(str::to_owned)
            .collect();
        let b3 = formats.b3.map_or(&[][..], B3::fields);
        fields.extend(b3.iter().map(|field| (*field).to_owned()));
        Self { formats, fields }
    }
}

impl TextMapPropagator for FormatsPropagator {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let mut kept = Kept {
            fields: &self.fields,
            injector,
        };
        W3cPropagator::new().inject_context(cx, &mut kept);
        self.formats.inject_b3(cx, injector);
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let mut found = W3cPropagator::new().extract_with_context(&Context::new(), extractor);
        let mut cx = cx.clone();
        if self.formats.baggage {
            cx = with_baggage_of(&cx, &found);
        }
        if !self.formats.trace_context || !found.span().span_context().is_valid() {
            let Some(parent) = self.formats.b3_parent(extractor) else {
                return cx;
            };
            found = Context::new().with_remote_span_context(parent);
        }
        cx.with_remote_span_context(found.span().span_context().clone())
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.fields)
    }
}

/// Lets through only the headers that are asked for.
struct Kept<'a> {
    fields: &'a [String],
    injector: &'a mut dyn Injector,
}

impl Injector for Kept<'_> {
    fn set(&mut self, key: &str, value: String) {
        if self.fields.iter().any(|field| field == key) {
            self.injector.set(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::KeyValue;
    use opentelemetry::trace::{SpanId, TraceId, TraceState};

    use super::super::{Remote, Trust};
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    fn context(flags: u8) -> Context {
        let span = SpanContext::new(
            TraceId::from_hex(TRACE).unwrap(),
            SpanId::from_hex(SPAN).unwrap(),
            TraceFlags::new(flags),
            false,
            TraceState::NONE,
        );
        Context::new()
            .with_remote_span_context(span)
            .with_baggage([KeyValue::new("tenant", "acme")])
    }

    fn sent(formats: Formats, flags: u8) -> HeaderMap {
        let mut headers = HeaderMap::new();
        formats.inject(&context(flags), TraceFlags::NOT_SAMPLED, &mut headers);
        headers
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_is_asked_for_is_written_and_nothing_else() {
        let none = Formats::NONE;
        for (formats, expected) in [
            (none, &[][..]),
            (Formats::default(), &["baggage", "traceparent"]),
            (none.with_baggage(), &["baggage"]),
            (none.with_trace_context(), &["traceparent"]),
            (none.with_b3(B3::Single), &["b3"]),
            (
                none.with_trace_context().with_b3(B3::Multi),
                &["traceparent", "x-b3-sampled", "x-b3-spanid", "x-b3-traceid"],
            ),
        ] {
            assert_eq!(names(&sent(formats, 3)), expected, "{formats:?}");
        }
    }

    #[test]
    fn b3_says_whether_a_trace_is_sampled_whatever_its_other_flags() {
        let formats = Formats::NONE.with_b3(B3::Single);
        for (flags, state) in [(0, "0"), (1, "1"), (2, "0"), (3, "1")] {
            assert_eq!(
                sent(formats, flags)["b3"],
                format!("{TRACE}-{SPAN}-{state}")
            );
        }
    }

    #[test]
    fn b3_is_read_in_both_forms_and_only_without_a_w3c_context() {
        let formats = Formats::default().with_b3(B3::Multi);
        for (lines, sampled) in [
            (vec![("b3", format!("{TRACE}-{SPAN}-1"))], true),
            (
                vec![
                    ("x-b3-traceid", TRACE.to_owned()),
                    ("x-b3-spanid", SPAN.to_owned()),
                    ("x-b3-sampled", "0".to_owned()),
                ],
                false,
            ),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.insert(name, value.parse().unwrap());
            }
            let read = |formats, headers: &HeaderMap| {
                Remote::extract_as(formats, headers, Trust::Trust).parent
            };
            assert!(read(Formats::default(), &headers).is_none());
            let parent = read(formats, &headers).unwrap();
            assert_eq!(parent.trace_id().to_string(), TRACE);
            assert_eq!(parent.trace_flags(), TraceFlags::new(u8::from(sampled)));
            assert!(parent.is_remote());
            headers.insert(
                "traceparent",
                format!("00-{}-{SPAN}-01", "1".repeat(32)).parse().unwrap(),
            );
            let parent = read(formats, &headers).unwrap();
            assert_eq!(parent.trace_id().to_string(), "1".repeat(32));
        }
    }

    #[test]
    fn as_a_propagator_it_reads_and_writes_the_same() {
        for formats in [
            Formats::NONE.with_b3(B3::Single).with_baggage(),
            Formats::default(),
        ] {
            let propagator = FormatsPropagator::new(formats);
            let mut headers = HeaderMap::new();
            propagator.inject_context(&context(1), &mut HeaderInjector(&mut headers));
            assert_eq!(headers, sent(formats, 1));
            let read = propagator.extract(&HeaderExtractor(&headers));
            assert_eq!(read.span().span_context().trace_id().to_string(), TRACE);
            assert_eq!(read.baggage().get("tenant").unwrap().as_str(), "acme");
        }
        let fields = FormatsPropagator::new(Formats::NONE.with_b3(B3::Single));
        assert_eq!(fields.fields().collect::<Vec<_>>(), ["b3"]);
    }
}
