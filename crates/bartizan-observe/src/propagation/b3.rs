//! Zipkin's B3 headers, single and multiple (the `b3-propagation` repository of openzipkin).

use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// How B3 is written; read are both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum B3 {
    /// The header `b3`.
    Single,
    /// The headers `x-b3-traceid`, `x-b3-spanid` and `x-b3-sampled`.
    Multi,
}

const SINGLE: &str = "b3";
const TRACE_ID: &str = "x-b3-traceid";
const SPAN_ID: &str = "x-b3-spanid";
const SAMPLED: &str = "x-b3-sampled";
const FLAGS: &str = "x-b3-flags";

// === impl B3 ===

impl B3 {
    /// The headers that are written.
    pub(super) const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Single => &[SINGLE],
            Self::Multi => &[TRACE_ID, SPAN_ID, SAMPLED],
        }
    }

    /// Writes a valid span.
    pub(super) fn write(self, span: &SpanContext, injector: &mut dyn Injector) {
        let (trace, id) = (span.trace_id(), span.span_id());
        let sampled = if span.is_sampled() { "1" } else { "0" };
        match self {
            Self::Single => injector.set(SINGLE, format!("{trace}-{id}-{sampled}")),
            Self::Multi => {
                injector.set(TRACE_ID, trace.to_string());
                injector.set(SPAN_ID, id.to_string());
                injector.set(SAMPLED, sampled.to_owned());
            }
        }
    }
}

/// The span that the headers name: that of `b3`, or else that of the others. `None` where they name
/// none, or something malformed.
///
/// `d` (debug) is sampled. A decision that is left to us counts as not sampled, as in the
/// OpenTelemetry SDKs of other languages.
pub(super) fn read(extractor: &dyn Extractor) -> Option<SpanContext> {
    if let Some(line) = extractor.get(SINGLE) {
        let mut parts = line.trim().split('-');
        let (trace, span, state) = (parts.next()?, parts.next()?, parts.next());
        return parse(trace, span, state);
    }
    let (trace, span) = (extractor.get(TRACE_ID)?, extractor.get(SPAN_ID)?);
    let state = match extractor.get(FLAGS) {
        Some("1") => Some("d"),
        _ => extractor.get(SAMPLED),
    };
    parse(trace, span, state)
}

fn parse(trace: &str, span: &str, state: Option<&str>) -> Option<SpanContext> {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !matches!(trace.len(), 16 | 32) || span.len() != 16 || !is_hex(trace) || !is_hex(span) {
        return None;
    }
    let sampled = match state {
        Some("1" | "d" | "true") => true,
        Some("0" | "false") | None => false,
        Some(_) => return None,
    };
    // An id of 64 bits is padded with zeros on the left.
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::NOT_SAMPLED.with_sampled(sampled),
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SHORT: &str = "8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    fn read_of(lines: &[(&str, &str)]) -> Option<(String, bool)> {
        let headers: HashMap<String, String> = lines
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        read(&headers).map(|span| (span.trace_id().to_string(), span.is_sampled()))
    }

    #[test]
    fn the_single_header_is_read_in_all_its_lengths() {
        let padded = format!("{}{SHORT}", "0".repeat(16));
        for (line, expected) in [
            (
                format!("{TRACE}-{SPAN}-1-05e3ac9a4f6e3b90"),
                Some((TRACE, true)),
            ),
            (format!("{TRACE}-{SPAN}-d"), Some((TRACE, true))),
            (format!("{TRACE}-{SPAN}-0"), Some((TRACE, false))),
            (format!("{TRACE}-{SPAN}"), Some((TRACE, false))),
            (format!("{SHORT}-{SPAN}-1"), Some((&*padded, true))),
            ("0".to_owned(), None),
            (format!("{TRACE}-{SPAN}-x"), None),
            (format!("{TRACE}-xyz"), None),
            (format!("{}-{SPAN}-1", "0".repeat(32)), None),
            (format!("+{}-{SPAN}-1", &TRACE[1..]), None),
            (String::new(), None),
        ] {
            let expected = expected.map(|(trace, sampled)| (trace.to_owned(), sampled));
            assert_eq!(read_of(&[("b3", &line)]), expected, "{line:?}");
        }
    }

    #[test]
    fn the_headers_are_read_together() {
        let ids = [(TRACE_ID, TRACE), (SPAN_ID, SPAN)];
        for (more, sampled) in [
            (None, false),
            (Some((SAMPLED, "1")), true),
            (Some((SAMPLED, "true")), true),
            (Some((SAMPLED, "0")), false),
            (Some((FLAGS, "1")), true),
        ] {
            let lines: Vec<_> = ids.into_iter().chain(more).collect();
            assert_eq!(
                read_of(&lines),
                Some((TRACE.to_owned(), sampled)),
                "{more:?}"
            );
        }
        assert_eq!(read_of(&ids[..1]), None);
        assert_eq!(read_of(&[]), None);
    }
}
