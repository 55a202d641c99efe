//! What is sent and what is said of it.

use bartizan_task::{RequestId, Task};
use http::Method;
use opentelemetry::global::BoxedTracer;
use opentelemetry::trace::{SpanId, TraceContextExt, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, SdkTracerProvider};
use tower::{Layer, ServiceExt};

use super::*;
use crate::client::ResendCount;
use crate::names::header::{TRACEPARENT, X_REQUEST_ID};
use crate::telemetry::Sampler;
use crate::test_support::attribute;
use crate::tracing_source::Tracer;

#[tokio::test(start_paused = true)]
async fn the_span_is_a_child_of_the_current_one_and_is_what_is_injected() {
    let mut rig = Rig::new();
    let parent = rig.recorded.telemetry.tracer().start("parent");
    let context = opentelemetry::Context::current_with_span(parent);
    let parent = context.span().span_context().clone();
    let (pending, sent, respond) = {
        let _current = context.attach();
        // Sent in here: what counts is the context of the call, not of the polls.
        assert_ready_ok!(rig.client.poll_ready());
        let pending = rig.client.call(get("http://shop/"));
        let (sent, respond) =
            tokio_test::assert_ready!(tokio_test::task::spawn(rig.server.next_request()).poll())
                .unwrap();
        (pending, sent, respond)
    };
    respond.send_response(answer(200, []));
    pending.await.unwrap();

    let spans = rig.recorded.spans.ended();
    let span = spans.iter().find(|span| span.name == "GET").unwrap();
    assert_eq!(span.parent_span_id, parent.span_id());
    let injected = sent.headers()[TRACEPARENT].to_str().unwrap();
    let ids = (span.span_context.trace_id(), span.span_context.span_id());
    assert_eq!(injected, format!("00-{}-{}-01", ids.0, ids.1));
}

#[tokio::test(start_paused = true)]
async fn an_unsampled_attempt_records_nothing_but_is_injected_and_measured() {
    let recorded = Recorded::with_sampler(Sampler::ALWAYS_OFF);
    let mut rig = Rig::over(recorded, |layer| layer);
    let (pending, sent, respond) = rig.send(get("http://shop/")).await;
    assert!(
        sent.headers()[TRACEPARENT]
            .to_str()
            .unwrap()
            .ends_with("-02"),
        "not sampled, and a random trace id"
    );
    respond.send_response(answer(200, []));
    pending.await.unwrap();
    assert!(rig.recorded.spans.ended().is_empty());
    let metric = crate::names::metric::CLIENT_REQUEST_DURATION.name;
    assert_eq!(rig.recorded.points(metric)[0].count, 1);
}

#[tokio::test]
async fn call_future_and_body_run_inside_the_context() {
    let recorded = Recorded::new();
    let service = tower::service_fn(|_: Sent| {
        assert!(has_context(), "in the call");
        async {
            tokio::task::yield_now().await;
            assert!(has_context(), "in a later poll");
            Ok::<_, io::Error>(answer(200, [Step::InContext]))
        }
    });
    let client = ClientLayer::new(&recorded.telemetry).layer(service);
    read(client.oneshot(get("http://shop/")).await.unwrap())
        .await
        .unwrap();
    assert!(!has_context(), "nothing is left behind");
    assert_ne!(recorded.span().span_context.span_id(), SpanId::INVALID);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_method_is_kept_beside_its_stand_in() {
    let mut rig = Rig::new();
    let mut request = get("http://shop/");
    *request.method_mut() = Method::from_bytes(b"PROPFIND").unwrap();
    let span = rig.complete(request, answer(200, [])).await;
    assert_eq!(span.name, "HTTP");
    assert_eq!(
        text(&span, attr::HTTP_REQUEST_METHOD).as_deref(),
        Some("_OTHER")
    );
    assert_eq!(
        text(&span, attr::HTTP_REQUEST_METHOD_ORIGINAL).as_deref(),
        Some("PROPFIND")
    );
}

#[tokio::test(start_paused = true)]
async fn a_resent_request_says_how_often_and_a_first_one_says_nothing() {
    for (count, said) in [(None, None), (Some(0), None), (Some(2), Some("2"))] {
        let mut rig = Rig::new();
        let mut request = get("http://shop/");
        if let Some(count) = count {
            request.extensions_mut().insert(ResendCount(count));
        }
        let span = rig.complete(request, answer(200, [])).await;
        assert_eq!(
            text(&span, attr::HTTP_REQUEST_RESEND_COUNT).as_deref(),
            said
        );
    }
}

#[tokio::test(start_paused = true)]
async fn secrets_leave_the_url_by_default_and_by_the_users_list() {
    let url = "https://me:pw@shop/x?sig=1&token=2";
    let span = Rig::new().complete(get(url), answer(200, [])).await;
    let shown = "https://REDACTED:REDACTED@shop/x?sig=REDACTED&token=2";
    assert_eq!(text(&span, attr::URL_FULL).as_deref(), Some(shown));
    assert_eq!(text(&span, attr::SERVER_PORT).as_deref(), Some("443"));

    let mut rig = Rig::with(|layer| layer.with_redacted_query_keys(["token"]));
    let span = rig.complete(get(url), answer(200, [])).await;
    let shown = "https://REDACTED:REDACTED@shop/x?sig=1&token=REDACTED";
    assert_eq!(text(&span, attr::URL_FULL).as_deref(), Some(shown));
}

#[tokio::test(start_paused = true)]
async fn the_tasks_request_id_goes_out_unless_there_is_one_or_it_is_kept() {
    let id = RequestId::try_from_bytes(b"from-task").unwrap();
    let task = Task::root("request", Some(id));
    let _current = task.attach();

    let mut rig = Rig::new();
    let (_, sent, _respond) = rig.send(get("http://shop/")).await;
    assert_eq!(sent.headers()[X_REQUEST_ID], "from-task");

    let mut request = get("http://shop/");
    request
        .headers_mut()
        .insert(X_REQUEST_ID, "own".parse().unwrap());
    let (_, sent, _respond) = rig.send(request).await;
    assert_eq!(sent.headers()[X_REQUEST_ID], "own");

    let mut rig = Rig::with(ClientLayer::without_request_id);
    let (_, sent, _respond) = rig.send(get("http://shop/")).await;
    assert!(!sent.headers().contains_key(X_REQUEST_ID));
}

#[tokio::test(start_paused = true)]
async fn without_a_task_no_request_id_is_made_up() {
    let mut rig = Rig::new();
    let (_, sent, _respond) = rig.send(get("http://shop/")).await;
    assert!(!sent.headers().contains_key(X_REQUEST_ID));
}

#[tokio::test(start_paused = true)]
async fn a_url_in_origin_form_is_completed_by_the_host_header() {
    let mut rig = Rig::new();
    let mut request = get("/items");
    request
        .headers_mut()
        .insert(http::header::HOST, "shop:81".parse().unwrap());
    let span = rig.complete(request, answer(200, [])).await;
    assert_eq!(text(&span, attr::SERVER_ADDRESS).as_deref(), Some("shop"));
    assert_eq!(text(&span, attr::SERVER_PORT).as_deref(), Some("81"));
    assert_eq!(attribute(&span, attr::URL_FULL), None);
}

/// A sampler of somebody else's, which decides by an attribute.
#[derive(Debug, Clone)]
struct NotHealth;

impl opentelemetry_sdk::trace::ShouldSample for NotHealth {
    fn should_sample(
        &self,
        _parent: Option<&opentelemetry::Context>,
        _trace_id: opentelemetry::trace::TraceId,
        _name: &str,
        _kind: &opentelemetry::trace::SpanKind,
        attributes: &[opentelemetry::KeyValue],
        _links: &[opentelemetry::trace::Link],
    ) -> SamplingResult {
        let url = attributes
            .iter()
            .find(|kv| kv.key.as_str() == attr::URL_FULL);
        let health = url.is_none_or(|url| url.value.as_str().ends_with("/health"));
        SamplingResult {
            decision: if health {
                SamplingDecision::Drop
            } else {
                SamplingDecision::RecordAndSample
            },
            attributes: Vec::new(),
            trace_state: opentelemetry::trace::TraceState::NONE,
        }
    }
}

async fn fixed(_: Sent) -> io::Result<Answer> {
    Ok(answer(200, []))
}

#[tokio::test]
async fn a_sampler_that_is_not_ours_sees_the_attributes() {
    let recorded = Recorded::new();
    let provider = SdkTracerProvider::builder()
        .with_sampler(NotHealth)
        .with_span_processor(recorded.spans.clone())
        .build();
    let tracer = Tracer::Global(BoxedTracer::new(Box::new(provider.tracer("theirs"))));
    let layer = ClientLayer::with_sources(tracer, recorded.telemetry.meter().clone());
    for path in ["health", "items"] {
        let url = format!("http://shop/{path}");
        layer
            .layer(tower::service_fn(fixed))
            .oneshot(get(&url))
            .await
            .unwrap();
    }
    let span = recorded.span();
    assert_eq!(
        text(&span, attr::URL_FULL).as_deref(),
        Some("http://shop/items")
    );
    let methods = span
        .attributes
        .iter()
        .filter(|kv| kv.key.as_str() == attr::HTTP_REQUEST_METHOD);
    assert_eq!(methods.count(), 1, "they are not set again later");
}

#[tokio::test]
async fn without_global_providers_requests_pass_as_they_are() {
    let answer = ClientLayer::from_globals()
        .layer(tower::service_fn(fixed))
        .oneshot(get("http://shop/"))
        .await;
    assert_eq!(answer.unwrap().status(), 200);
}

#[test]
fn what_is_public_can_be_sent_and_shared() {
    fn assert_send_sync<T: Send + Sync>() {}
    assert_send_sync::<ClientLayer>();
    assert_send_sync::<Client<()>>();
    assert_send_sync::<ResponseBody<()>>();
    assert_send_sync::<ResponseFuture<()>>();
}
