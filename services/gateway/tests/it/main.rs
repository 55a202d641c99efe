//! The gateway through its router, in front of services played by the tests.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers below are part of the tests"
)]

mod gateways;
mod keys;
mod replicas;

use std::future::pending;
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use gateway::{Keys, MAX_BODY, MAX_ORDER, Shop, Upstream, router};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket};
use tower::ServiceExt;

/// A gateway before `upstream`, for which it waits as long as that takes.
async fn before(upstream: Router) -> Router {
    at(serve(upstream).await, reqwest::Client::builder())
}

/// Serves on a free port, and gives it.
async fn serve(upstream: Router) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, upstream).await });
    port
}

fn at(port: u16, client: reqwest::ClientBuilder) -> Router {
    let telemetry = bartizan::Telemetry::builder().build().unwrap();
    let client = bartizan::client::reqwest(client.no_proxy(), &telemetry).unwrap();
    let url = format!("http://127.0.0.1:{port}");
    let upstream = |name| Upstream::new(name, client.clone(), url.parse().unwrap());
    router(Shop {
        inventory: upstream("inventory"),
        orders: upstream("order service"),
        keys: Keys::default(),
    })
}

async fn call(app: Router, request: Request<Body>) -> (StatusCode, Response) {
    let response = app.oneshot(request).await.unwrap();
    (response.status(), response)
}

fn get_of(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

async fn problem(response: Response) -> Value {
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

#[tokio::test]
async fn an_order_is_passed_on_and_its_answer_passed_back() {
    let orders = Router::new().route(
        "/orders",
        post(async |request: axum::extract::Request| {
            assert_eq!(request.headers()[header::CONTENT_TYPE], "application/json");
            assert!(request.headers().contains_key("traceparent"));
            // The client's address goes in front: its keys are its own.
            assert_eq!(request.headers()["idempotency-key"], "\"0.0.0.0 k\"");
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let headers = [
                (header::CONTENT_TYPE, "application/json"),
                (header::LOCATION, "/orders/7"),
            ];
            (StatusCode::CREATED, headers, body)
        }),
    );
    let request = Request::post("/orders")
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", "\"k\"")
        .body(Body::from(r#"{"product_id":1}"#));
    let (status, response) = call(before(orders).await, request.unwrap()).await;

    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(response.headers()[header::LOCATION], "/orders/7");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, r#"{"product_id":1}"#);
}

#[tokio::test]
async fn a_problem_of_the_clients_own_is_passed_through() {
    let orders = Router::new().route(
        "/orders/{id}",
        get(async |request: axum::extract::Request| {
            // An id cannot climb out of its place in the path.
            assert_eq!(request.uri().path(), "/orders/..%2Fproducts");
            let headers = [
                (header::CONTENT_TYPE, "application/problem+json"),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (StatusCode::NOT_FOUND, headers, r#"{"detail":"theirs"}"#)
        }),
    );
    let (status, response) = call(before(orders).await, get_of("/orders/..%2Fproducts")).await;

    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(problem(response).await["detail"], "theirs");
}

#[tokio::test]
async fn failures_of_a_service_are_a_502() {
    let orders = Router::new()
        .route("/products", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route(
            "/orders/1",
            get(async || vec![b'x'; MAX_BODY + 1].into_response()),
        );
    let app = before(orders).await;

    let (status, response) = call(app.clone(), get_of("/products")).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    let detail = problem(response).await["detail"].clone();
    assert_eq!(detail, "the inventory answered 500 Internal Server Error");

    let (status, response) = call(app, get_of("/orders/1")).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    let detail = problem(response).await["detail"].clone();
    assert_eq!(
        detail,
        "the order service has an answer that is longer than 1048576 bytes"
    );
}

#[tokio::test]
async fn a_service_that_is_not_there_is_a_502() {
    // Bound, so that nobody else gets the port, and not listening.
    let silent = TcpSocket::new_v4().unwrap();
    silent.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let port = silent.local_addr().unwrap().port();

    let app = at(port, reqwest::Client::builder());
    let (status, response) = call(app, get_of("/products")).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert_eq!(
        problem(response).await["detail"],
        "the inventory cannot be reached"
    );
}

#[tokio::test]
async fn a_service_that_hangs_is_a_504() {
    let orders = Router::new().route("/products", get(pending::<()>));
    let impatient = reqwest::Client::builder().timeout(Duration::from_millis(200));
    let app = at(serve(orders).await, impatient);
    let (status, response) = call(app, get_of("/products")).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(
        problem(response).await["detail"],
        "the inventory did not answer in time"
    );
}

#[tokio::test]
async fn health_does_not_depend_on_the_services() {
    let app = at(1, reqwest::Client::builder());
    assert_eq!(call(app, get_of("/healthz")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_service_that_says_when_to_come_again_is_heard() {
    let services = Router::new().route(
        "/products",
        get(async || {
            (
                StatusCode::SERVICE_UNAVAILABLE,
                [(header::RETRY_AFTER, "7")],
                "{}",
            )
        }),
    );
    let (status, response) = call(before(services).await, get_of("/products")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[header::RETRY_AFTER], "7");
}

#[tokio::test]
async fn an_order_that_is_too_long_is_not_read() {
    let app = at(1, reqwest::Client::builder());
    let request = Request::post("/orders")
        .header("idempotency-key", "k")
        .body(Body::from(vec![b' '; MAX_ORDER + 1]));
    let (status, response) = call(app, request.unwrap()).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(problem(response).await["status"], 413);
}

#[tokio::test]
async fn it_serves_over_a_socket_under_the_stack() {
    let telemetry = bartizan::Telemetry::builder().build().unwrap();
    let stack = bartizan::stack()
        .with_telemetry(&telemetry)
        .without_access_log();
    let app = at(1, reqwest::Client::builder()).layer(stack.build().unwrap());
    let port = serve(app).await;
    let client = reqwest::Client::builder().no_proxy();
    let client = bartizan::client::reqwest(client, &telemetry).unwrap();
    let order = client.post(format!("http://127.0.0.1:{port}/orders"));
    let answer = order.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let problem: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(problem["type"], "/problems/idempotency-key-missing");
    assert_eq!(problem["trace_id"].as_str().unwrap().len(), 32);
}
