use std::sync::Mutex;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context as LayerContext, SubscriberExt};
use tracing_subscriber::{Layer, Registry};

use super::*;

/// Notes the target of every event that gets to it.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
        self.0
            .lock()
            .unwrap()
            .push(event.metadata().target().to_owned());
    }
}

#[test]
fn users_spans_nest_under_the_attached_one_and_their_events_carry_its_trace() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::Grpc)
        .build()
        .unwrap();
    let lines = Lines::default();
    let layers = telemetry
        .layers::<Registry, _>("info", lines.clone())
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(layers);
    tracing::subscriber::with_default(subscriber, || {
        let server = Context::new().with_span(telemetry.tracer().start("server"));
        let _current = server.attach();
        let inner = tracing::info_span!("inner").entered();
        tracing::info!(target: "app", "hello");
        tracing::debug!(target: "app", "too fine");
        tracing::info!(target: "hyper::client", "about transport");
        tracing::info!(target: "tower_of_london::gate", "whose name only begins like transport");
        drop(inner);
        Context::current().span().end();
    });
    telemetry.shutdown(PLENTY);
    let received = collector.received();
    let at = |name| {
        let mut spans = received.spans.iter();
        spans.position(|span| span.name == name).unwrap()
    };
    let span = |name| &received.spans[at(name)];
    assert_eq!(span("inner").parent_span_id, span("server").span_id);
    assert_eq!(received.scopes[at("server")], "bartizan");
    assert_eq!(received.scopes[at("inner")], "tracing", "not ours");
    assert_eq!(
        span("inner").attributes,
        [],
        "nothing outside of the semantic conventions"
    );
    assert_eq!(received.logs.len(), 2, "{:?}", received.logs);
    assert_eq!(received.logs[0].span_id, span("inner").span_id);
    assert_eq!(
        *lines.0.lock().unwrap(),
        ["app", "hyper::client", "tower_of_london::gate"]
    );
}

#[test]
fn a_filter_that_hides_lines_does_not_remove_spans_of_others() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::Grpc)
        .build()
        .unwrap();
    let layers = telemetry
        .layers::<Registry, _>("warn", Lines::default())
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(layers);
    tracing::subscriber::with_default(subscriber, || {
        let server = Context::new().with_span(telemetry.tracer().start("server"));
        let _current = server.attach();
        let _inner = tracing::info_span!("inner").entered();
        tracing::warn!(target: "app", "hello");
        Context::current().span().end();
    });
    telemetry.shutdown(PLENTY);
    let received = collector.received();
    assert_eq!(received.logs[0].span_id, received.spans[0].span_id);
    assert_eq!(
        received.spans.len(),
        1,
        "but the user's own, which was hidden"
    );
}

#[test]
fn the_export_speaks_neither_into_the_lines_nor_into_itself() {
    let nobody = Nobody::new();
    let telemetry = exporting(config(nobody.addr(), OtlpProtocol::Grpc))
        .build()
        .unwrap();
    let lines = Lines::default();
    let layers = telemetry
        .layers::<Registry, _>("trace", lines.clone())
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(layers);
    tracing::subscriber::with_default(subscriber, || {
        let _quiet = Context::enter_telemetry_suppressed_scope();
        tracing::info!(target: "hyper::client", "as on the export thread");
        tracing::info!(target: "bartizan_observe::telemetry", "what people must know");
        let _span = tracing::info_span!("poll").entered();
    });
    assert_eq!(*lines.0.lock().unwrap(), ["bartizan_observe::telemetry"]);
    assert_eq!(telemetry.shutdown(PLENTY), Report::default());
}

#[test]
fn directives_that_cannot_be_read_are_named() {
    let telemetry = Telemetry::builder().build().unwrap();
    let error = telemetry
        .layers::<Registry, _>("a=b=c", Lines::default())
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .starts_with("RUST_LOG: `a=b=c` is not a list of"),
        "{error}"
    );
}
