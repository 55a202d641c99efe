//! Layers over OpenTelemetry's globals. One test, because there is one set of globals.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get as on_get;
use bartizan::Sampler;
use bartizan::observe::request::{RequestOptions, SamplingAttributes, TraceLayer};
use http::Request;
use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt, TraceId};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample, Span, SpanData,
    SpanProcessor,
};
use tower::{Layer, ServiceExt, service_fn};
use tracing::span;
use tracing::subscriber::set_default;

use crate::support::{Fixture, fetch, get};

/// Keeps what has ended.
#[derive(Debug, Clone, Default)]
struct Ended(Arc<Mutex<Vec<SpanData>>>);

/// A sampler that is not ours: it records what it can see the path of.
#[derive(Debug, Clone)]
struct ByPath;

/// Counts events.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<usize>>);

impl SpanProcessor for Ended {
    fn on_start(&self, _span: &mut Span, _cx: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.lock().unwrap().push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl ShouldSample for ByPath {
    fn should_sample(
        &self,
        _parent: Option<&Context>,
        _trace_id: TraceId,
        _name: &str,
        _kind: &SpanKind,
        attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let seen = attributes.iter().any(|kv| kv.key.as_str() == "url.path");
        SamplingResult {
            decision: if seen {
                SamplingDecision::RecordAndSample
            } else {
                SamplingDecision::Drop
            },
            attributes: Vec::new(),
            trace_state: opentelemetry::trace::TraceState::NONE,
        }
    }
}

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
            && metadata.target().starts_with("bartizan_observe")
    }

    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, _event: &tracing::Event<'_>) {
        *self.0.lock().unwrap() += 1;
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}

/// Sends a request with a caller's trace; gives the context that the service saw.
async fn through(options: RequestOptions) -> SpanContext {
    let seen = Arc::new(Mutex::new(None));
    let witness = Arc::clone(&seen);
    let service = TraceLayer::from_globals(options).layer(service_fn(move |_: Request<Body>| {
        let active = Context::map_current(|cx| cx.span().span_context().clone());
        *witness.lock().unwrap() = Some(active);
        async { Ok::<_, Infallible>(Response::new(Body::empty())) }
    }));
    let mut request = get("/orders");
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";
    request
        .headers_mut()
        .insert("traceparent", parent.parse().unwrap());
    service.oneshot(request).await.unwrap();
    seen.lock().unwrap().take().unwrap()
}

#[tokio::test]
async fn the_globals_are_used_and_their_absence_is_told_once() {
    let warnings = Warnings::default();
    let warned = set_default(warnings.clone());
    for _ in 0..2 {
        let passed_on = through(RequestOptions::new()).await;
        assert_eq!(passed_on.span_id().to_string(), "b7ad6b7169203331");
        assert_eq!(passed_on.trace_flags().to_u8(), 3);
    }
    assert_eq!(*warnings.0.lock().unwrap(), 1);
    drop(warned);

    let ended = Ended::default();
    let provider = SdkTracerProvider::builder()
        .with_sampler(ByPath)
        .with_span_processor(ended.clone())
        .build();
    global::set_tracer_provider(provider);

    let recorded = through(RequestOptions::new()).await;
    assert!(recorded.is_sampled());
    {
        let ended = ended.0.lock().unwrap();
        let [span] = &ended[..] else {
            panic!("one span: {ended:#?}")
        };
        assert_eq!(span.span_context.span_id(), recorded.span_id());
        assert_eq!(span.parent_span_id.to_string(), "b7ad6b7169203331");
        assert!(span.parent_span_is_remote);
        let has = |key: &str| span.attributes.iter().any(|kv| kv.key.as_str() == key);
        assert!(has("url.path") && has("http.response.status_code"));
    }

    // Its sampler sees no attributes, and so drops; the trace goes on with its random bit.
    let never = RequestOptions::new().with_sampling_attributes(SamplingAttributes::Never);
    let dropped = through(never.clone()).await;
    assert_eq!(
        dropped.trace_id().to_string(),
        "0af7651916cd43dd8448eb211c80319c"
    );
    assert_ne!(dropped.span_id().to_string(), "b7ad6b7169203331");
    assert_eq!(dropped.trace_flags().to_u8(), 2);

    // A rule of ours can take away.
    let ruled = RequestOptions::new().with_route_sampler("/orders", Sampler::ALWAYS_OFF);
    assert!(!through(ruled).await.is_sampled());
    assert_eq!(ended.0.lock().unwrap().len(), 1);

    // A sampler that takes all gets the attributes all the same, after it was asked.
    let provider = SdkTracerProvider::builder()
        .with_span_processor(ended.clone())
        .build();
    global::set_tracer_provider(provider);
    assert!(through(never).await.is_sampled());
    let late = ended.0.lock().unwrap().pop().unwrap();
    let has_path = late
        .attributes
        .iter()
        .any(|kv| kv.key.as_str() == "url.path");
    assert!(has_path, "{late:#?}");

    stack_of_the_globals(&ended).await;
}

/// The stack without a handle: over the globals alone, and then over a handle that is installed.
async fn stack_of_the_globals(ended: &Ended) {
    let app = |stack: bartizan::Stack| {
        Router::new()
            .route("/orders", on_get(|| async { "an order" }))
            .layer(stack.without_access_log().build().unwrap())
    };
    let over_globals = app(bartizan::stack());
    fetch(&over_globals, get("/orders")).await;
    let span = ended.0.lock().unwrap().drain(..).next_back().unwrap();
    assert_eq!(span.name, "GET /orders");

    let fixture = Fixture::new().await;
    fixture.telemetry.install_global();
    fetch(&app(bartizan::stack()), get("/orders")).await;
    assert!(
        ended.0.lock().unwrap().is_empty(),
        "the globals are others now"
    );
    let seen = fixture.finish().await;
    assert_eq!(seen.only_span().name, "GET /orders");
    assert_eq!(seen.durations().len(), 1);
}
