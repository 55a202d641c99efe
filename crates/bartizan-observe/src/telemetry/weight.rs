//! How much memory what waits for its export takes.
//!
//! An estimate, made once for each item when it is queued: the item, its lists, and its texts as
//! far as a caller can make them long. What an allocator adds is not in it, and a text that is
//! shared counts for each that shares it.

use std::mem::size_of;

use opentelemetry::logs::AnyValue;
use opentelemetry::trace::{Event, Link, SpanContext, Status};
use opentelemetry::{Array, Key, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::sink::LogItem;

/// The bytes of a span.
pub(super) fn of_span(span: &SpanData) -> usize {
    let (events, links) = (&span.events.events, &span.links.links);
    let reason = match &span.status {
        Status::Error { description } => description.len(),
        Status::Unset | Status::Ok => 0,
    };
    let in_events: usize = events
        .iter()
        .map(|event| event.name.len() + attributes(&event.attributes))
        .sum();
    let in_links: usize = links
        .iter()
        .map(|link| context(&link.span_context) + attributes(&link.attributes))
        .sum();
    size_of::<SpanData>()
        + span.name.len()
        + reason
        + context(&span.span_context)
        + attributes(&span.attributes)
        + events.capacity() * size_of::<Event>()
        + in_events
        + links.capacity() * size_of::<Link>()
        + in_links
}

/// The bytes of a log record.
pub(super) fn of_log(record: &LogItem) -> usize {
    let (log, _scope) = record;
    let attributes: usize = log
        .attributes_iter()
        .map(|(key, value)| size_of::<Key>() + key.as_str().len() + any(value))
        .sum();
    size_of::<LogItem>() + log.body().map_or(0, any) + attributes
}

fn context(context: &SpanContext) -> usize {
    let members = context.trace_state().into_iter();
    members
        .map(|(key, value)| size_of::<(String, String)>() + key.len() + value.len())
        .sum()
}

/// With the keys, which may be static and cost nothing then: nothing tells.
fn attributes(attributes: &Vec<KeyValue>) -> usize {
    let texts: usize = attributes
        .iter()
        .map(|KeyValue { key, value, .. }| key.as_str().len() + value_of(value))
        .sum();
    attributes.capacity() * size_of::<KeyValue>() + texts
}

/// Beyond the value itself.
fn value_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_str().len(),
        Value::Array(Array::String(texts)) => {
            let lengths: usize = texts.iter().map(|text| text.as_str().len()).sum();
            texts.capacity() * size_of::<StringValue>() + lengths
        }
        Value::Array(Array::Bool(list)) => list.capacity(),
        Value::Array(Array::I64(list)) => list.capacity() * size_of::<i64>(),
        Value::Array(Array::F64(list)) => list.capacity() * size_of::<f64>(),
        _ => 0,
    }
}

/// With the value itself.
fn any(value: &AnyValue) -> usize {
    let beyond = match value {
        AnyValue::String(text) => text.as_str().len(),
        AnyValue::Bytes(bytes) => bytes.len(),
        AnyValue::ListAny(list) => list.iter().map(any).sum(),
        AnyValue::Map(map) => map
            .iter()
            .map(|(key, value)| size_of::<Key>() + key.as_str().len() + any(value))
            .sum(),
        _ => 0,
    };
    size_of::<AnyValue>() + beyond
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::str::FromStr;

    use opentelemetry::logs::{LogRecord, Logger, LoggerProvider};
    use opentelemetry::trace::{Span, SpanBuilder, SpanId, TraceFlags, TraceId, TraceState};
    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::logs::SdkLoggerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;
    use crate::test_support::Recorded;

    const LONG: usize = 10_000;

    fn long() -> String {
        "x".repeat(LONG)
    }

    fn span(make: impl FnOnce(&SdkTracerProvider)) -> SpanData {
        let recorded = Recorded::new();
        make(recorded.telemetry.tracer_provider());
        recorded.span()
    }

    fn with_attribute(value: Value) -> SpanData {
        span(|provider| {
            let attributes = [KeyValue::new("k", value)];
            let builder = SpanBuilder::from_name("work").with_attributes(attributes);
            drop(provider.tracer("test").build(builder));
        })
    }

    fn linked_to(state: &str) -> SpanData {
        span(|provider| {
            let state = TraceState::from_str(state).unwrap();
            let (trace, id) = (TraceId::from(1), SpanId::from(1));
            let to = SpanContext::new(trace, id, TraceFlags::default(), true, state);
            let link = Link::new(to, vec![KeyValue::new("k", long())], 0);
            let builder = SpanBuilder::from_name("work").with_links(vec![link]);
            drop(provider.tracer("test").build(builder));
        })
    }

    /// Whatever is long makes it as much heavier, and hardly more.
    fn assert_heavier(weight: usize, light: usize, by: usize, what: &str) {
        let more = weight - light;
        assert!((by..by + by / 2).contains(&more), "{what}: {more}");
    }

    #[test]
    fn a_span_weighs_what_can_be_long_in_it() {
        let light = of_span(&span(|provider| {
            drop(provider.tracer("test").start("work"));
        }));
        assert!((size_of::<SpanData>()..1_024).contains(&light), "{light}");
        let texts = Array::String(vec![long().into(), long().into()]);
        for (value, by) in [
            (Value::from(long()), LONG),
            (Value::Array(texts), 2 * LONG),
            (Value::Array(Array::I64(vec![0; LONG])), 8 * LONG),
            (Value::Array(Array::F64(vec![0.0; LONG])), 8 * LONG),
            (Value::Array(Array::Bool(vec![true; LONG])), LONG),
        ] {
            let span = with_attribute(value);
            assert_heavier(of_span(&span), light, by, "an attribute");
        }
        let heavier = span(|provider| {
            let mut span = provider.tracer("test").start("work");
            span.add_event(long(), vec![KeyValue::new(long(), long())]);
            span.set_status(Status::error(long()));
        });
        assert_heavier(of_span(&heavier), light, 4 * LONG, "event and status");
        let members: Vec<_> = (0..30)
            .map(|n| format!("k{n}={}", "v".repeat(200)))
            .collect();
        let (plain, stated) = (linked_to(""), linked_to(&members.join(",")));
        assert_heavier(of_span(&plain), light, LONG, "a link");
        assert_heavier(of_span(&stated), of_span(&plain), 6_000, "its trace state");
    }

    #[test]
    fn a_log_record_weighs_what_can_be_long_in_it() {
        let provider = SdkLoggerProvider::builder().build();
        let logger = provider.logger("test");
        let weight = |change: &dyn Fn(&mut opentelemetry_sdk::logs::SdkLogRecord)| {
            let mut record = logger.create_log_record();
            change(&mut record);
            of_log(&(record, opentelemetry::InstrumentationScope::default()))
        };
        let light = weight(&|_| {});
        assert!((size_of::<LogItem>()..1_024).contains(&light), "{light}");
        let map = || HashMap::from([(Key::from(long()), AnyValue::from(long()))]);
        for (value, by) in [
            (AnyValue::from(long()), LONG),
            (AnyValue::Bytes(Box::new(vec![0; LONG])), LONG),
            (AnyValue::ListAny(Box::new(vec![long().into()])), LONG),
            (AnyValue::Map(Box::new(map())), 2 * LONG),
        ] {
            let body = weight(&|record| record.set_body(value.clone()));
            assert_heavier(body, light, by, "a body");
            let attribute = weight(&|record| record.add_attribute("k", value.clone()));
            assert_heavier(attribute, light, by, "an attribute");
        }
    }
}
