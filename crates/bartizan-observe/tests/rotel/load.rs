//! One of everything that OTLP can say about a span, a record and a series.

use std::ops::Range;
use std::time::Duration;

use bartizan_observe::telemetry::Telemetry;
use bartizan_testkit::{PointValue, PointView};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, Severity};
use opentelemetry::trace::{
    Link, Span, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags,
    TraceId, TraceState, Tracer,
};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};

/// The attribute that numbers spans and records.
pub(super) const NUMBER: &str = "n";

pub(super) const COUNTER: &str = "orders.placed";

pub(super) const HISTOGRAM: &str = "orders.price";

/// Makes a span, a record within it and a measurement for each number.
pub(super) fn record(telemetry: &Telemetry, numbers: Range<usize>) {
    let meter = telemetry.meter();
    let placed = meter.u64_counter(COUNTER).with_unit("{order}").build();
    let price = meter.f64_histogram(HISTOGRAM).with_unit("EUR").build();
    for number in numbers {
        let currency = [KeyValue::new("currency", ["EUR", "CHF"][number % 2])];
        placed.add(1, &currency);
        price.record(number as f64 / 7.0, &currency);
        let span = span(telemetry, number);
        let within = Context::new().with_remote_span_context(span.span_context().clone());
        let entered = within.attach();
        log(telemetry, number);
        drop(entered);
        drop(span);
    }
}

/// What the points of [`COUNTER`] say together.
pub(super) fn counted(points: &[PointView]) -> i64 {
    let count = |point: &PointView| match point.value {
        PointValue::Int(count) => count,
        _ => 0,
    };
    points.iter().map(count).sum()
}

fn attributes(number: usize) -> Vec<KeyValue> {
    vec![
        KeyValue::new(NUMBER, number as i64),
        KeyValue::new("text", format!("Grüße, 世界 {number}\n\"quoted\"")),
        KeyValue::new("empty", ""),
        KeyValue::new("least", i64::MIN),
        KeyValue::new("fraction", number as f64 / 3.0),
        KeyValue::new("truth", number.is_multiple_of(2)),
        KeyValue::new("list", words(&["a", "", "c"])),
        KeyValue::new("numbers", Value::Array(Array::I64(vec![1, -2, i64::MAX]))),
    ]
}

fn words(words: &[&str]) -> Value {
    let words = words
        .iter()
        .map(|word| StringValue::from((*word).to_owned()));
    Value::Array(Array::String(words.collect()))
}

fn span(telemetry: &Telemetry, number: usize) -> impl Span + use<> {
    let (kind, status) = match number % 3 {
        0 => (SpanKind::Server, Status::Unset),
        1 => (SpanKind::Client, Status::Ok),
        _ => (SpanKind::Producer, Status::error("out of stock")),
    };
    let links = vec![Link::new(caller(), vec![KeyValue::new("why", "batch")], 0)];
    let builder = SpanBuilder::from_name(format!("place {}", number % 5))
        .with_kind(kind)
        .with_attributes(attributes(number))
        .with_links(links);
    let parent = Context::new().with_remote_span_context(caller());
    let mut span = telemetry.tracer().build_with_context(builder, &parent);
    span.add_event("reserved", vec![KeyValue::new("shelf", 7)]);
    span.set_status(status);
    span
}

/// Somebody else's span.
fn caller() -> SpanContext {
    let state = TraceState::from_key_value([("vendor", "1")]).unwrap();
    SpanContext::new(
        TraceId::from(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736),
        SpanId::from(0x00f0_67aa_0ba9_02b7),
        TraceFlags::SAMPLED,
        true,
        state,
    )
}

fn log(telemetry: &Telemetry, number: usize) {
    let mut record = telemetry.logger().create_log_record();
    record.set_severity_number(Severity::Warn2);
    record.set_severity_text("WARN");
    record.set_body(AnyValue::from(format!("order {number} waits")));
    record.set_timestamp(std::time::UNIX_EPOCH + Duration::from_nanos(1_700_000_000_123_456_789));
    record.add_attribute(NUMBER, number as i64);
    record.add_attribute("bytes", AnyValue::Bytes(Box::new(vec![0, 255])));
    record.add_attribute("fraction", number as f64 / 3.0);
    telemetry.logger().emit(record);
}
