use bartizan_task::{RequestId, Task};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord as Received;

use super::*;
use crate::names::attr;

fn attribute(record: &Received, key: &str) -> Vec<Value> {
    record
        .attributes
        .iter()
        .filter(|attribute| attribute.key == key)
        .filter_map(|attribute| attribute.value.clone()?.value)
        .collect()
}

#[test]
fn records_say_for_whom_they_were_written() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .build()
        .unwrap();
    let task = Task::root("request", Some(RequestId::try_from_bytes(b"abc").unwrap()));
    {
        let _current = task.attach();
        emit_logs(&telemetry, 1);
        let mut record = telemetry.logger().create_log_record();
        record.add_attribute(attr::REQUEST_ID, "its own");
        telemetry.logger().emit(record);
    }
    emit_logs(&telemetry, 1);
    telemetry.shutdown(PLENTY);

    let logs = collector.received().logs;
    let id = i64::try_from(task.id().get()).unwrap();
    let text = |text: &str| Value::StringValue(text.to_owned());
    assert_eq!(attribute(&logs[0], attr::TASK_ID), [Value::IntValue(id)]);
    assert_eq!(attribute(&logs[0], attr::REQUEST_ID), [text("abc")]);
    assert_eq!(attribute(&logs[1], attr::TASK_ID), [Value::IntValue(id)]);
    assert_eq!(attribute(&logs[1], attr::REQUEST_ID), [text("its own")]);
    assert_eq!(attribute(&logs[2], attr::TASK_ID), []);
}

#[test]
fn records_carry_the_baggage_that_is_asked_for_and_no_other() {
    use opentelemetry::baggage::BaggageExt;
    use opentelemetry::{Context, KeyValue};

    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .with_baggage_keys(["tenant"])
        .build()
        .unwrap();
    {
        let baggage = [("tenant", "acme"), ("user", "alice")];
        let baggage = baggage.map(|(key, value)| KeyValue::new(key, value));
        let _current = Context::current_with_baggage(baggage).attach();
        emit_logs(&telemetry, 1);
        let mut record = telemetry.logger().create_log_record();
        record.add_attribute("tenant", "its own");
        telemetry.logger().emit(record);
    }
    telemetry.shutdown(PLENTY);

    let logs = collector.received().logs;
    let text = |text: &str| Value::StringValue(text.to_owned());
    assert_eq!(attribute(&logs[0], "tenant"), [text("acme")]);
    assert_eq!(attribute(&logs[0], "user"), []);
    assert_eq!(attribute(&logs[1], "tenant"), [text("its own")]);
}

#[test]
fn records_from_a_plain_thread_carry_the_span_that_is_attached_there() {
    use opentelemetry::Context;
    use opentelemetry::trace::TraceContextExt;

    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::Grpc)
        .build()
        .unwrap();
    let span = telemetry.tracer().start("work");
    let context = Context::new().with_span(span);
    let trace_id = context.span().span_context().trace_id();
    let handle = telemetry.clone();
    std::thread::spawn(move || {
        let _current = context.attach();
        emit_logs(&handle, 1);
    })
    .join()
    .unwrap();
    telemetry.shutdown(PLENTY);
    assert_eq!(collector.received().logs[0].trace_id, trace_id.to_bytes());
}

#[test]
fn nothing_is_recorded_while_telemetry_is_suppressed() {
    let nobody = Nobody::new();
    let telemetry = exporting(config(nobody.addr(), OtlpProtocol::Grpc))
        .build()
        .unwrap();
    let _quiet = opentelemetry::Context::enter_telemetry_suppressed_scope();
    end_spans(&telemetry, 1);
    emit_logs(&telemetry, 1);
    assert_eq!(telemetry.shutdown(PLENTY), Report::default());
}

/// Says whether telemetry is suppressed where it runs, and in what it spawns there.
#[derive(Debug, Clone, Default)]
struct Quiet(Arc<std::sync::Mutex<Vec<bool>>>);

impl opentelemetry_sdk::trace::SpanExporter for Quiet {
    async fn export(&self, _: Vec<SpanData>) -> opentelemetry_sdk::error::OTelSdkResult {
        let seen = || opentelemetry::Context::is_current_telemetry_suppressed();
        let spawned = tokio::spawn(async move { seen() }).await.unwrap();
        self.0.lock().unwrap().extend([seen(), spawned]);
        Ok(())
    }
}

#[test]
fn nothing_that_runs_on_the_export_thread_is_traced() {
    let quiet = Quiet::default();
    let telemetry = Telemetry::builder()
        .with_span_exporter(quiet.clone())
        .build()
        .unwrap();
    end_spans(&telemetry, 1);
    assert_eq!(telemetry.shutdown(PLENTY).spans.exported, 1);
    assert_eq!(*quiet.0.lock().unwrap(), [true, true]);
}
