//! The specification's limits on what one span or log record may hold.

use opentelemetry::logs::{AnyValue, LogRecord};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::logs::SdkLogRecord;
use opentelemetry_sdk::trace::{SpanData, TracerProviderBuilder};

/// The most attributes, events and links, each: the specification's.
pub const DEFAULT_COUNT_LIMIT: u32 = 128;

/// Limits on what one span or log record may hold; what is over them is cut or dropped, which the
/// span says of itself.
///
/// ```
/// use bartizan_observe::telemetry::{Limits, Telemetry};
///
/// let limits = Limits::default().with_value_length(4_096);
/// let telemetry = Telemetry::builder().with_limits(limits).build()?;
/// # Ok::<(), bartizan_observe::telemetry::TelemetryError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub(super) span_attributes: u32,
    pub(super) span_events: u32,
    pub(super) span_links: u32,
    pub(super) event_attributes: u32,
    pub(super) link_attributes: u32,
    pub(super) span_value_length: Option<u32>,
    pub(super) log_attributes: u32,
    pub(super) log_value_length: Option<u32>,
}

// === impl Limits ===

impl Limits {
    /// Attributes of one span. Default: [`DEFAULT_COUNT_LIMIT`].
    #[must_use]
    pub const fn with_span_attributes(mut self, max: u32) -> Self {
        self.span_attributes = max;
        self
    }

    /// Events of one span. Default: [`DEFAULT_COUNT_LIMIT`].
    #[must_use]
    pub const fn with_span_events(mut self, max: u32) -> Self {
        self.span_events = max;
        self
    }

    /// Links of one span. Default: [`DEFAULT_COUNT_LIMIT`].
    #[must_use]
    pub const fn with_span_links(mut self, max: u32) -> Self {
        self.span_links = max;
        self
    }

    /// Attributes of one event of a span. Default: [`DEFAULT_COUNT_LIMIT`].
    #[must_use]
    pub const fn with_event_attributes(mut self, max: u32) -> Self {
        self.event_attributes = max;
        self
    }

    /// Attributes of one link of a span. Default: [`DEFAULT_COUNT_LIMIT`].
    #[must_use]
    pub const fn with_link_attributes(mut self, max: u32) -> Self {
        self.link_attributes = max;
        self
    }

    /// Attributes of one log record. Default: [`DEFAULT_COUNT_LIMIT`].
    #[must_use]
    pub const fn with_log_attributes(mut self, max: u32) -> Self {
        self.log_attributes = max;
        self
    }

    /// Characters of a text attribute, on spans and log records alike; the rest is cut off.
    /// Default: no limit.
    #[must_use]
    pub const fn with_value_length(mut self, max: u32) -> Self {
        self.span_value_length = Some(max);
        self.log_value_length = Some(max);
        self
    }

    /// What the SDK enforces while the span is open.
    pub(super) fn apply(self, builder: TracerProviderBuilder) -> TracerProviderBuilder {
        builder
            .with_max_attributes_per_span(self.span_attributes)
            .with_max_events_per_span(self.span_events)
            .with_max_links_per_span(self.span_links)
            .with_max_attributes_per_event(self.event_attributes)
            .with_max_attributes_per_link(self.link_attributes)
    }

    /// Cuts long texts, which the SDK does not.
    pub(super) fn clip_span(&self, span: &mut SpanData) {
        let Some(max) = self.span_value_length else {
            return;
        };
        clip_all(&mut span.attributes, max);
        for event in &mut span.events.events {
            clip_all(&mut event.attributes, max);
        }
        for link in &mut span.links.links {
            clip_all(&mut link.attributes, max);
        }
    }

    /// The same record within the limits; `None` when it is within them already. Its body is left
    /// alone, as the specification has it.
    ///
    /// `blank` makes empty records: the SDK's can't be changed, but to add to them.
    pub(super) fn clip_log(
        &self,
        record: &SdkLogRecord,
        blank: impl FnOnce() -> SdkLogRecord,
    ) -> Option<SdkLogRecord> {
        let most = self.log_attributes as usize;
        let max = self.log_value_length;
        let is_long = |value: &AnyValue| match (value, max) {
            (AnyValue::String(text), Some(max)) => clipped(text.as_str(), max).is_some(),
            _ => false,
        };
        let over = record.attributes_iter().count() > most;
        if !over && !record.attributes_iter().any(|(_, value)| is_long(value)) {
            return None;
        }
        let mut within = blank();
        copy_head(record, &mut within);
        for (key, value) in record.attributes_iter().take(most) {
            let value = match (value, max) {
                (AnyValue::String(text), Some(max)) => match clipped(text.as_str(), max) {
                    Some(text) => AnyValue::String(text.to_owned().into()),
                    None => value.clone(),
                },
                _ => value.clone(),
            };
            within.add_attribute(key.clone(), value);
        }
        Some(within)
    }
}

fn copy_head(from: &SdkLogRecord, to: &mut SdkLogRecord) {
    if let Some(name) = from.event_name() {
        to.set_event_name(name);
    }
    if let Some(target) = from.target() {
        to.set_target(target.clone());
    }
    if let Some(at) = from.timestamp() {
        to.set_timestamp(at);
    }
    if let Some(at) = from.observed_timestamp() {
        to.set_observed_timestamp(at);
    }
    if let Some(text) = from.severity_text() {
        to.set_severity_text(text);
    }
    if let Some(number) = from.severity_number() {
        to.set_severity_number(number);
    }
    if let Some(body) = from.body() {
        to.set_body(body.clone());
    }
    if let Some(context) = from.trace_context() {
        to.set_trace_context(context.trace_id, context.span_id, context.trace_flags);
    }
}

fn clip_all(attributes: &mut [KeyValue], max: u32) {
    for KeyValue { value, .. } in attributes {
        match value {
            Value::String(text) => clip(text, max),
            Value::Array(Array::String(texts)) => {
                texts.iter_mut().for_each(|text| clip(text, max));
            }
            _ => {}
        }
    }
}

fn clip(text: &mut StringValue, max: u32) {
    if let Some(short) = clipped(text.as_str(), max) {
        *text = short.to_owned().into();
    }
}

/// The first `max` characters; `None` when there are no more.
fn clipped(text: &str, max: u32) -> Option<&str> {
    // Few bytes are few characters.
    if text.len() <= max as usize {
        return None;
    }
    let (end, _) = text.char_indices().nth(max as usize)?;
    Some(&text[..end])
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            span_attributes: DEFAULT_COUNT_LIMIT,
            span_events: DEFAULT_COUNT_LIMIT,
            span_links: DEFAULT_COUNT_LIMIT,
            event_attributes: DEFAULT_COUNT_LIMIT,
            link_attributes: DEFAULT_COUNT_LIMIT,
            span_value_length: None,
            log_attributes: DEFAULT_COUNT_LIMIT,
            log_value_length: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::logs::{Logger, LoggerProvider};
    use opentelemetry::trace::{Span, SpanBuilder, Tracer, TracerProvider};
    use opentelemetry_sdk::logs::SdkLoggerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;
    use crate::test_support::Recorded;

    #[test]
    fn texts_are_counted_in_characters() {
        for (text, max, expected) in [
            ("", 0, None),
            ("abc", 3, None),
            ("abc", 2, Some("ab")),
            ("ééé", 3, None),
            ("ééé", 2, Some("éé")),
            ("a", 0, Some("")),
        ] {
            assert_eq!(clipped(text, max), expected, "{text:?} {max}");
        }
    }

    #[test]
    fn long_texts_of_spans_are_cut_wherever_they_are() {
        let recorded = Recorded::new();
        let provider: &SdkTracerProvider = recorded.telemetry.tracer_provider();
        let long = KeyValue::new("k", "abcdef");
        let list = Value::Array(Array::String(vec!["abcdef".into(), "a".into()]));
        let builder = SpanBuilder::from_name("work").with_attributes([
            long.clone(),
            KeyValue::new("list", list),
            KeyValue::new("n", 7),
        ]);
        let mut span = provider.tracer("test").build(builder);
        span.add_event("event", vec![long]);
        span.end();
        let mut span = recorded.span();
        Limits::default().with_value_length(3).clip_span(&mut span);
        let text = |value: &Value| value.as_str().into_owned();
        assert_eq!(text(&span.attributes[0].value), "abc");
        assert_eq!(text(&span.attributes[1].value), r#"["abc","a"]"#);
        assert_eq!(text(&span.attributes[2].value), "7");
        assert_eq!(text(&span.events.events[0].attributes[0].value), "abc");
    }

    #[test]
    fn log_records_lose_attributes_beyond_the_most_and_the_ends_of_long_ones() {
        let logger = SdkLoggerProvider::builder().build().logger("test");
        let blank = || logger.create_log_record();
        let mut record = blank();
        record.set_body("a body of any length".into());
        record.add_attributes([("a", "1"), ("b", "long"), ("c", "3")]);

        let plain = Limits::default();
        assert!(plain.clip_log(&record, blank).is_none());
        let limits = plain.with_log_attributes(2).with_value_length(2);
        let within = limits.clip_log(&record, blank).unwrap();
        let attributes: Vec<_> = within
            .attributes_iter()
            .map(|(key, value)| (key.as_str().to_owned(), value.clone()))
            .collect();
        let expected =
            [("a", "1"), ("b", "lo")].map(|(key, value)| (key.to_owned(), AnyValue::from(value)));
        assert_eq!(attributes, expected);
        assert_eq!(within.body(), record.body());
    }
}
