use std::sync::mpsc::{Sender, channel};

use opentelemetry::propagation::TextMapPropagator;

use super::*;
use crate::propagation::W3cPropagator;

fn work() {
    let _span = tracing::debug_span!("detail").entered();
    tracing::debug!(target: "shop", "closely");
}

#[test]
fn a_change_reaches_lines_records_and_spans_of_call_sites_that_were_off_and_reverts() {
    let service = Service::new(LogLimit::off());
    let levels = service.telemetry.log_levels().by("ann");
    service.run(work);
    levels.set("debug", Some(Duration::from_secs(60))).unwrap();
    service.run(work);
    assert_eq!(levels.get().reverts_in, Some(Duration::from_secs(60)));
    service.wait(59);
    assert_eq!(levels.get().directives, "debug");
    service.run(work);
    service.wait(1);
    assert_eq!(
        (&*levels.get().directives, levels.get().reverts_in),
        ("info", None)
    );
    service.run(work);
    let expected = [
        "log levels changed",
        "closely",
        "closely",
        "log levels reverted",
    ];
    assert_eq!(service.messages(), expected);
    // Grouped by target.
    let mut records: Vec<_> = service
        .records()
        .into_iter()
        .map(|(body, _)| body)
        .collect();
    records.sort();
    assert_eq!(
        records,
        [
            "closely",
            "closely",
            "log levels changed",
            "log levels reverted"
        ]
    );
    let spans = service.collector.received().spans;
    assert_eq!(spans.len(), 2);
    assert!(spans.iter().all(|span| span.name == "detail"));
    let text = String::from_utf8(service.lines.0.lock().unwrap().clone()).unwrap();
    assert!(
        text.contains(r#"{"by":"ann","from":"info","to":"debug","seconds":60.0}"#),
        "{text}"
    );
}

#[test]
fn changes_are_told_at_any_level_and_a_reset_only_when_there_is_something_to_reset() {
    let service = Service::new(LogLimit::off());
    let levels = service.telemetry.log_levels();
    levels.reset();
    levels.set("off", None).unwrap();
    service.run(|| tracing::error!(target: "shop", "not shown"));
    levels.reset();
    levels.reset();
    assert_eq!(
        service.messages(),
        ["log levels changed", "log levels reset"]
    );
}

#[test]
fn the_trace_goes_on_after_a_change_to_warn() {
    let service = Service::new(LogLimit::off());
    service.telemetry.log_levels().set("warn", None).unwrap();
    let carrier = service.run(|| {
        let server = Context::new().with_span(service.telemetry.tracer().start("server"));
        let _current = server.attach();
        let _hidden = tracing::info_span!("hidden").entered();
        tracing::warn!(target: "shop", "hello");
        let mut carrier = std::collections::HashMap::new();
        W3cPropagator::new().inject_context(&Context::current(), &mut carrier);
        Context::current().span().end();
        carrier
    });
    service.telemetry.shutdown(PLENTY);
    let received = service.collector.received();
    let [span] = &received.spans[..] else {
        panic!("{:?}", received.spans)
    };
    let mut logs = received.logs.iter();
    let hello = logs.find(|log| log.severity_text == "WARN").unwrap();
    assert_eq!(
        (&hello.trace_id, &hello.span_id),
        (&span.trace_id, &span.span_id)
    );
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let parent = &carrier["traceparent"];
    assert!(parent.contains(&hex(&span.trace_id)), "{parent}");
    assert!(
        parent.contains(&hex(&span.span_id)) && parent.ends_with(['1', '3']),
        "{parent}"
    );
}

#[test]
fn spans_that_are_open_when_levels_change_are_still_exported() {
    let service = Service::new(LogLimit::off());
    service.run(|| {
        let open = tracing::info_span!("open").entered();
        service.telemetry.log_levels().set("warn", None).unwrap();
        tracing::warn!(target: "shop", "inside");
        drop(open);
    });
    service.telemetry.shutdown(PLENTY);
    let received = service.collector.received();
    assert_eq!(received.spans[0].name, "open");
    let mut logs = received.logs.iter();
    let inside = logs.find(|log| log.severity_text == "WARN").unwrap();
    assert_eq!(inside.span_id, received.spans[0].span_id);
}

#[test]
fn what_cannot_be_set_is_named_and_changes_nothing() {
    let service = Service::new(LogLimit::off());
    let levels = service.telemetry.log_levels();
    for (directives, lasting, expected) in [
        (
            "a=b=c",
            None,
            "log levels: `a=b=c` is not a list of directives like",
        ),
        (" ", None, "log levels: `` is not a list of directives like"),
        (
            "debug",
            Some(Duration::ZERO),
            "log levels' time: `0ns` is not",
        ),
        (
            "debug",
            Some(Duration::MAX),
            "log levels' time: `18446744073709551615.999999999s`",
        ),
    ] {
        let error = levels.set(directives, lasting).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    assert_eq!(levels.get().directives, "info");
    assert_eq!(service.messages(), [""; 0]);
}

#[test]
fn a_change_that_is_older_than_the_subscriber_holds_in_it() {
    let _alone = alone();
    let telemetry = Telemetry::builder().build().unwrap();
    telemetry.log_levels().set("off", None).unwrap();
    let (messages, received) = channel();
    let layers = telemetry.layers("debug", Messages(messages)).unwrap();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layers));
    with_default(&dispatch, || tracing::error!(target: "shop", "not shown"));
    telemetry.log_levels().reset();
    with_default(&dispatch, || tracing::debug!(target: "shop", "shown"));
    let received: Vec<_> = received.try_iter().collect();
    assert_eq!(received, ["log levels reset", "shown"]);
}

/// Sends each event's message.
struct Messages(Sender<String>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Messages {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        event.record(
            &mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
                if field.name() == "message" {
                    let _ = self.0.send(format!("{value:?}"));
                }
            },
        );
    }
}

#[test]
fn reverts_and_summaries_come_by_themselves_and_without_a_runtime() {
    let _alone = alone();
    let (messages, received) = channel();
    let telemetry = Telemetry::builder()
        .with_log_limit(limit(1, 1))
        .build()
        .unwrap();
    let layers = telemetry.layers("info", Messages(messages)).unwrap();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layers));
    telemetry
        .log_levels()
        .set("warn,shop=info", Some(Duration::from_millis(1)))
        .unwrap();
    assert_eq!(received.recv_timeout(PLENTY).unwrap(), "log levels changed");
    assert_eq!(
        received.recv_timeout(PLENTY).unwrap(),
        "log levels reverted"
    );
    with_default(&dispatch, || (0..3).for_each(|_| again()));
    assert_eq!(received.recv_timeout(PLENTY).unwrap(), "again");
    assert_eq!(received.recv_timeout(PLENTY).unwrap(), LEFT_OUT);
}
