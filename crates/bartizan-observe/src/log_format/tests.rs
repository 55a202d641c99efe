use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_task::{RequestId, Task};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracerProvider;
use proptest::prelude::*;
use serde_json::{Value, json};
use tracing::subscriber::with_default;
use tracing::{error, info, info_span, warn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

use super::*;
use crate::access_log::AccessLog;

const LONG: Duration = Duration::from_secs(60);

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn capture() -> (AccessLog, Captured) {
    let sink = Captured::default();
    (
        AccessLog::builder()
            .with_sink(sink.clone())
            .build()
            .unwrap(),
        sink,
    )
}

fn text(log: &AccessLog, sink: &Captured) -> String {
    assert!(log.flush(LONG));
    String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn baggage_that_is_asked_for_is_on_the_line_and_the_rest_is_not() {
    for (format, expected) in [
        (LogFormat::Json, r#""baggage":{"tenant":"acme"}"#),
        (LogFormat::Human, " baggage.tenant=acme"),
    ] {
        let (log, sink) = capture();
        let layer =
            LineLayer::new(format, log.line_writer()).with_baggage_keys(["tenant", "absent"]);
        let baggage = [("tenant", "acme"), ("secret", "s3")].map(|(k, v)| KeyValue::new(k, v));
        with_default(registry().with(layer), || {
            let _current = Context::current_with_baggage(baggage).attach();
            info!("hello");
        });
        let line = text(&log, &sink);
        assert!(line.contains(expected), "{line}");
        assert!(!line.contains("s3") && !line.contains("absent"), "{line}");
    }
}

/// What `emit` writes.
fn lines(format: LogFormat, emit: impl FnOnce()) -> String {
    let (log, sink) = capture();
    with_default(
        registry().with(LineLayer::new(format, log.line_writer())),
        emit,
    );
    text(&log, &sink)
}

/// One JSON line, its timestamp checked and taken out.
fn json_line(emit: impl FnOnce()) -> Value {
    let written = lines(LogFormat::Json, emit);
    assert_eq!(written.lines().count(), 1, "{written}");
    let mut line: Value = serde_json::from_str(&written).unwrap();
    let timestamp = line.as_object_mut().unwrap().remove("timestamp").unwrap();
    assert_eq!(
        timestamp.as_str().unwrap().len(),
        "2026-01-02T03:04:05.678901Z".len()
    );
    line
}

/// One line for people without its timestamp.
fn human_line(emit: impl FnOnce()) -> String {
    let written = lines(LogFormat::Human, emit);
    assert_eq!(written.lines().count(), 1, "{written}");
    let (timestamp, rest) = written.trim_end().split_once(' ').unwrap();
    assert_eq!(timestamp.len(), "2026-01-02T03:04:05.678Z".len());
    rest.to_owned()
}

/// Runs `work` with a current span and a current task, as inside a request.
fn in_request(work: impl FnOnce(&Task)) {
    let span = SpanContext::new(
        TraceId::from(0xabc),
        SpanId::from(0xdef),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    );
    let _context = opentelemetry::Context::new()
        .with_remote_span_context(span)
        .attach();
    let task = Task::root(
        "request",
        Some(RequestId::try_from_bytes(b"req-1").unwrap()),
    );
    let _task = task.attach();
    work(&task);
}

fn with_causes() -> io::Error {
    #[derive(Debug, thiserror::Error)]
    #[error("no\nroute")]
    struct Outer(#[source] io::Error);
    io::Error::other(Outer(io::Error::other("cable \"cut\"")))
}

#[test]
fn an_event_carries_the_ids_its_fields_and_its_spans() {
    let mut id = 0;
    let line = json_line(|| {
        in_request(|task| {
            id = task.id().get();
            let outer = info_span!("outer", user = "ann", later = tracing::field::Empty).entered();
            outer.record("later", 1);
            outer.record("later", 2);
            let _inner = info_span!("inner").entered();
            warn!(target: "shop", count = 3, big = u64::MAX, ratio = 0.5, ok = true, "sold {}", "out");
        });
    });
    assert_eq!(
        line,
        json!({
            "level": "WARN",
            "target": "shop",
            "message": "sold out",
            "trace_id": "00000000000000000000000000000abc",
            "span_id": "0000000000000def",
            "sampled": true,
            "request_id": "req-1",
            "task_id": id,
            "fields": {"count": 3, "big": u64::MAX, "ratio": 0.5, "ok": true},
            "spans": [{"name": "outer", "fields": {"user": "ann", "later": 2}}, {"name": "inner"}],
        })
    );
}

#[test]
fn an_event_for_people_carries_the_same() {
    let mut id = 0;
    let line = human_line(|| {
        in_request(|task| {
            id = task.id().get();
            let _outer = info_span!("outer", user = "ann lee", n = 1).entered();
            let _inner = info_span!("inner").entered();
            info!(target: "shop", count = 3, who = ?Some("x"), list = ?["a"], "sold {}", "out");
        });
    });
    assert_eq!(
        line,
        format!(
            " INFO shop: sold out count=3 who=\"Some(\\\"x\\\")\" list=\"[\\\"a\\\"]\" \
             trace=00000000000000000000000000000abc span=0000000000000def req=req-1 task={id} \
             in outer{{user=\"ann lee\" n=1}} > inner"
        )
    );
}

#[test]
fn what_was_left_out_before_an_event_is_on_its_line() {
    let emit = || {
        let _telling = crate::log_control::Telling::begin(7);
        info!(target: "shop", suppressed = 1, "back");
    };
    assert_eq!(
        json_line(emit),
        json!({
            "level": "INFO",
            "target": "shop",
            "message": "back",
            "suppressed": 7,
            "fields": {"suppressed": 1},
        })
    );
    assert_eq!(
        human_line(emit),
        " INFO shop: back suppressed=1 suppressed=7"
    );
}

#[test]
fn outside_of_a_request_there_are_no_ids() {
    assert_eq!(
        json_line(|| info!(target: "shop", "open")),
        json!({"level": "INFO", "target": "shop", "message": "open"})
    );
    assert_eq!(
        human_line(|| error!(target: "shop", "open")),
        "ERROR shop: open"
    );
}

#[test]
fn warnings_about_the_context_do_not_look_at_it() {
    let line = json_line(|| in_request(|_| warn!(target: "opentelemetry", "out of order")));
    assert_eq!(line.get("trace_id"), None);
    assert_eq!(line["request_id"], "req-1");
}

#[test]
fn fields_cannot_pose_as_ours() {
    let line = json_line(|| info!(target: "shop", trace_id = "forged", r#type = 1, level = "x"));
    assert_eq!(
        line,
        json!({
            "level": "INFO",
            "target": "shop",
            "fields": {"trace_id": "forged", "type": 1, "level": "x"},
        })
    );
}

#[test]
fn values_that_json_lacks_are_strings() {
    let error = with_causes();
    let error: &(dyn std::error::Error + 'static) = &error;
    let line = json_line(|| {
        info!(
            nan = f64::NAN,
            inf = f64::NEG_INFINITY,
            wide = u128::MAX,
            error,
            "odd"
        );
    });
    assert_eq!(
        line["fields"],
        json!({
            "nan": "NaN",
            "inf": "-inf",
            "wide": u128::MAX.to_string(),
            "error": "no\nroute: cable \"cut\"",
        })
    );
}

#[test]
fn events_inside_a_bridged_span_carry_that_spans_id() {
    let provider = SdkTracerProvider::builder().build();
    let (log, sink) = capture();
    let subscriber = registry()
        .with(LineLayer::new(LogFormat::Json, log.line_writer()))
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("test")));
    with_default(subscriber, || {
        in_request(|_| {
            let _span = info_span!("bridged").entered();
            info!("inside");
        });
    });
    let line: Value = serde_json::from_str(&text(&log, &sink)).unwrap();
    assert_eq!(line["trace_id"], "00000000000000000000000000000abc");
    assert_ne!(
        line["span_id"], "0000000000000def",
        "the inner span, not the one it is in"
    );
    assert_eq!(line["spans"], json!([{"name": "bridged"}]));
}

#[test]
fn two_formats_can_share_a_subscriber() {
    let (json, json_sink) = capture();
    let (human, human_sink) = capture();
    let subscriber = registry()
        .with(LineLayer::new(LogFormat::Json, json.line_writer()))
        .with(LineLayer::new(LogFormat::Human, human.line_writer()));
    with_default(subscriber, || {
        let _span = info_span!("outer", a = "x y").entered();
        info!("both");
    });
    let line: Value = serde_json::from_str(&text(&json, &json_sink)).unwrap();
    assert_eq!(
        line["spans"],
        json!([{"name": "outer", "fields": {"a": "x y"}}])
    );
    assert!(text(&human, &human_sink).ends_with(": both in outer{a=\"x y\"}\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_logged_is_one_whole_line(message in any::<String>(), value in any::<String>()) {
        let emit = || {
            let _span = info_span!("span", %value, text = &*value).entered();
            info!(text = &*value, shown = %value, printed = ?value, "{message}");
        };
        let line = json_line(emit);
        prop_assert_eq!(&line["message"], &json!(message));
        let printed = format!("{value:?}");
        prop_assert_eq!(&line["fields"], &json!({"text": value, "shown": value, "printed": printed}));
        prop_assert_eq!(&line["spans"][0]["fields"], &json!({"value": value, "text": value}));
        prop_assert!(!lines(LogFormat::Human, emit).trim_end_matches('\n').contains(char::is_control));
    }
}
