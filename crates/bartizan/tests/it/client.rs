//! One trace through two services, by way of our clients and real sockets.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::routing::get as on_get;
use bartizan::client::ClientLayer;
use bartizan::task::Task;
use bartizan::{Listener, into_make_service};
use bartizan_testkit::{LogView, PointValue, SpanKind, SpanView, StatusCode};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;
use tower::{Layer, ServiceExt};
use tracing::Instrument;
use tracing_subscriber::layer::{Identity, SubscriberExt};

use crate::support::{Fixture, Seen, text};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
const TRACE_STATE: &str = "vendor=a:1,other=b";

/// A GET through one of our clients; `None` where there was no answer.
type Call =
    Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = Option<Bytes>> + Send>> + Send + Sync>;

/// The service in front, which asks the one behind.
#[derive(Clone)]
struct Shop {
    call: Call,
    stock: SocketAddr,
}

fn tower_call(fixture: &Fixture) -> Call {
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let client = ClientLayer::new(&fixture.telemetry).layer(client);
    Arc::new(move |url| {
        let client = client.clone();
        Box::pin(async move {
            let request = Request::get(url).body(Empty::new()).unwrap();
            let response = client.oneshot(request).await.ok()?;
            Some(response.into_body().collect().await.ok()?.to_bytes())
        })
    })
}

#[cfg(feature = "reqwest")]
fn reqwest_call(fixture: &Fixture) -> Call {
    let builder = reqwest::Client::builder().no_proxy();
    let client = bartizan::client::reqwest(builder, &fixture.telemetry).unwrap();
    Arc::new(move |url| {
        let client = client.clone();
        Box::pin(async move { client.get(url).send().await.ok()?.bytes().await.ok() })
    })
}

/// Serves on a free port of this machine.
async fn serve(app: Router) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = axum::serve(Listener::new(listener), into_make_service(app)).into_future();
    (addr, tokio::spawn(async move { drop(server.await) }))
}

/// Says what it was asked with.
async fn item(headers: HeaderMap) -> axum::Json<Value> {
    let said = |name: &str| {
        let value = headers.get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    axum::Json(json!({
        "traceparent": said("traceparent"),
        "tracestate": said("tracestate"),
        "baggage": said("baggage"),
        "x-request-id": said("x-request-id"),
    }))
}

async fn order(
    State(shop): State<Shop>,
    Path(id): Path<String>,
) -> Result<Bytes, http::StatusCode> {
    let price = async {
        tracing::info!("pricing");
        (shop.call)(format!("http://{}/items/{id}", shop.stock)).await
    };
    let answer = price.instrument(tracing::info_span!("price")).await;
    let audit = bartizan::task::spawn("audit", async {
        tracing::info!("auditing");
    });
    audit.await.unwrap();
    // A subscriber that is set for one thread is not that of the blocking pool.
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    let store = bartizan::task::spawn_blocking("store", move || {
        tracing::dispatcher::with_default(&dispatch, || tracing::info!("storing"));
    });
    store.await.unwrap();
    answer.ok_or(http::StatusCode::BAD_GATEWAY)
}

/// Sends an order with these flags through both services; gives what was seen and what the one
/// behind was asked with.
async fn ordered(client: impl Fn(&Fixture) -> Call, flags: &str) -> (Seen, Value) {
    let fixture = Fixture::new().await;
    let layers = fixture.telemetry.layers("info", Identity::new()).unwrap();
    let _subscriber = tracing::subscriber::set_default(tracing_subscriber::registry().with(layers));
    let stock = Router::new().route("/items/{id}", on_get(item));
    let (stock, stock_server) = serve(stock.layer(fixture.stack())).await;
    let shop = Shop {
        call: client(&fixture),
        stock,
    };
    let shop = Router::new()
        .route("/orders/{id}", on_get(order))
        .with_state(shop);
    let (shop, shop_server) = serve(shop.layer(fixture.stack())).await;

    let plain: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::get(format!("http://{shop}/orders/7"))
        .header("traceparent", format!("00-{TRACE}-{CALLER}-{flags}"))
        .header("tracestate", TRACE_STATE)
        .header("baggage", "tenant=acme")
        .header("x-request-id", "order-7")
        .body(Body::empty())
        .unwrap();
    let response = plain.request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-request-id"], "order-7");
    let asked = response.into_body().collect().await.unwrap().to_bytes();
    for server in [shop_server, stock_server] {
        server.abort();
        drop(server.await);
    }
    let asked = serde_json::from_slice(&asked).unwrap();
    (fixture.finish().await, asked)
}

fn span<'a>(seen: &'a Seen, kind: SpanKind, name: &str) -> &'a SpanView {
    let mut found = seen
        .spans
        .iter()
        .filter(|span| span.kind == kind && span.name == name);
    let first = found.next();
    assert!(found.next().is_none(), "{kind:?} {name} is there twice");
    first.unwrap_or_else(|| panic!("no {kind:?} {name}: {:#?}", seen.spans))
}

fn record<'a>(seen: &'a Seen, body: &str) -> &'a LogView {
    let mut found = seen
        .logs
        .iter()
        .filter(|log| log.body.as_str() == Some(body));
    found
        .next()
        .unwrap_or_else(|| panic!("no {body:?}: {:#?}", seen.logs))
}

fn assert_one_trace(seen: &Seen, asked: &Value) {
    let front = span(seen, SpanKind::Server, "GET /orders/{id}");
    let price = span(seen, SpanKind::Internal, "price");
    let client = span(seen, SpanKind::Client, "GET");
    let behind = span(seen, SpanKind::Server, "GET /items/{id}");
    assert_eq!(seen.spans.len(), 4, "{:#?}", seen.spans);
    assert_eq!(front.parent_span_id.unwrap().to_string(), CALLER);
    assert_eq!(price.parent_span_id, Some(front.span_id));
    assert_eq!(client.parent_span_id, Some(price.span_id));
    assert_eq!(behind.parent_span_id, Some(client.span_id));
    for span in &seen.spans {
        assert_eq!(span.trace_id.to_string(), TRACE, "{span:#?}");
        assert_eq!(span.trace_state, TRACE_STATE, "{span:#?}");
        assert_eq!(span.status, StatusCode::Unset, "{span:#?}");
    }
    assert_eq!(
        asked["traceparent"],
        format!("00-{TRACE}-{}-03", client.span_id)
    );
    assert_eq!(seen.points("http.client.request.duration").len(), 1);
    for point in seen.points("http.client.active_requests") {
        assert_eq!(point.value, PointValue::Int(0));
    }
    seen.assert_idle();
}

fn assert_carried_on(seen: &Seen, asked: &Value) {
    assert_eq!(asked["tracestate"], TRACE_STATE);
    assert_eq!(asked["baggage"], "tenant=acme");
    assert_eq!(asked["x-request-id"], "order-7");
    assert_eq!(seen.lines.len(), 2);
    for line in &seen.lines {
        assert_eq!(line["request_id"], "order-7");
        assert_eq!(line["trace_id"], TRACE);
        assert_eq!(line["outcome"], "completed");
    }
}

/// Events are records of the span and the task that they happened in.
fn assert_records_have_their_ids(seen: &Seen) {
    let front = span(seen, SpanKind::Server, "GET /orders/{id}");
    let price = span(seen, SpanKind::Internal, "price");
    let line = seen
        .lines
        .iter()
        .find(|line| line["route"] == "/orders/{id}")
        .unwrap();
    let task = |body: &str| {
        let record = record(seen, body);
        assert_eq!(record.trace_id.unwrap().to_string(), TRACE, "{record:#?}");
        let id = record.attributes["bartizan.request.id"].as_str();
        assert_eq!(id, Some("order-7"), "{record:#?}");
        record.attributes["bartizan.task.id"].as_int().unwrap()
    };
    let root = line["task_id"].as_i64().unwrap();
    assert_eq!(task("pricing"), root);
    assert_eq!(record(seen, "pricing").span_id, Some(price.span_id));
    let (audit, store) = (task("auditing"), task("storing"));
    assert!(audit != root && store != root && audit != store);
    for body in ["auditing", "storing"] {
        assert_eq!(record(seen, body).span_id, Some(front.span_id), "{body}");
    }
}

#[tokio::test]
async fn a_call_through_the_tower_client_is_one_trace() {
    let (seen, asked) = ordered(tower_call, "03").await;
    assert_one_trace(&seen, &asked);
    assert_carried_on(&seen, &asked);
    assert_records_have_their_ids(&seen);
}

#[cfg(feature = "reqwest")]
#[tokio::test]
async fn a_call_through_reqwest_is_one_trace() {
    let (seen, asked) = ordered(reqwest_call, "03").await;
    assert_one_trace(&seen, &asked);
    assert_carried_on(&seen, &asked);
    assert_records_have_their_ids(&seen);
}

async fn assert_unsampled_goes_on(client: impl Fn(&Fixture) -> Call) {
    for flags in ["00", "02"] {
        let (seen, asked) = ordered(&client, flags).await;
        assert!(seen.spans.is_empty(), "{:#?}", seen.spans);
        let parent = asked["traceparent"].as_str().unwrap();
        assert!(parent.starts_with(&format!("00-{TRACE}-")), "{parent}");
        // The SDK clears the random bit of an unsampled span, as the handler's own is one.
        assert!(parent.ends_with(&format!("-{flags}")), "{parent}");
        assert!(!parent.contains(CALLER), "each hop has an id: {parent}");
        assert_carried_on(&seen, &asked);
        assert_eq!(seen.durations().len(), 2);
        assert_eq!(seen.points("http.client.request.duration").len(), 1);
        assert_eq!(
            record(&seen, "pricing").trace_id.unwrap().to_string(),
            TRACE
        );
    }
}

#[tokio::test]
async fn an_unsampled_trace_goes_on_through_the_tower_client_without_spans() {
    assert_unsampled_goes_on(tower_call).await;
}

#[cfg(feature = "reqwest")]
#[tokio::test]
async fn an_unsampled_trace_goes_on_through_reqwest_without_spans() {
    assert_unsampled_goes_on(reqwest_call).await;
}

/// Answers of all classes, and none at all.
async fn assert_failures_conform(client: impl Fn(&Fixture) -> Call) {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/", on_get(|| async { "ok" }))
        .route("/fail", on_get(|| async { http::StatusCode::BAD_GATEWAY }));
    let (addr, server) = serve(app).await;
    // Bound, so that nobody else gets the port, and not listening.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = nobody.local_addr().unwrap();
    let call = client(&fixture);
    for path in ["/?sig=s3cret", "/nowhere", "/fail"] {
        assert!(call(format!("http://{addr}{path}")).await.is_some());
    }
    assert!(call(format!("http://{closed}/")).await.is_none());
    server.abort();
    drop(server.await);

    let seen = fixture.finish().await;
    assert!(!format!("{:?}", seen.spans).contains("s3cret"));
    let errors: Vec<_> = seen
        .spans
        .iter()
        .map(|span| text(span, "error.type"))
        .collect();
    assert_eq!(errors, [None, Some("404"), Some("502"), Some("connect")]);
    assert_eq!(seen.points("http.client.request.duration").len(), 4);
}

#[tokio::test]
async fn failures_of_the_tower_client_conform() {
    assert_failures_conform(tower_call).await;
}

#[cfg(feature = "reqwest")]
#[tokio::test]
async fn failures_of_reqwest_conform() {
    assert_failures_conform(reqwest_call).await;
}

#[tokio::test]
async fn what_is_spawned_is_a_child_of_the_requests_task() {
    async fn spawning() -> String {
        let root = Task::current().unwrap();
        let parent = || Task::current().and_then(|task| task.parent_id());
        let spawned = bartizan::task::spawn("spawned", async move { parent() });
        let blocking = bartizan::task::spawn_blocking("blocking", parent);
        assert_eq!(spawned.await.unwrap(), Some(root.id()));
        assert_eq!(blocking.await.unwrap(), Some(root.id()));
        root.name().to_owned()
    }

    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/spawning", on_get(spawning))
        .layer(fixture.stack());
    let response = crate::support::fetch(&app, crate::support::get("/spawning")).await;
    assert_eq!(response.body(), b"GET /spawning");
}
