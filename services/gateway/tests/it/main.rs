//! The gateway through its router, in front of an order service played by the test.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers below are part of the tests"
)]

use std::future::pending;
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use gateway::{MAX_BODY, Upstream, router};
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
    let client = bartizan::client::reqwest(client, &telemetry).unwrap();
    router(Upstream::new(
        client,
        format!("http://127.0.0.1:{port}").parse().unwrap(),
    ))
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
async fn failures_of_the_order_service_are_a_502() {
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
    assert_eq!(
        detail,
        "the order service answered 500 Internal Server Error"
    );

    let (status, response) = call(app, get_of("/orders/1")).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    let detail = problem(response).await["detail"].clone();
    assert_eq!(
        detail,
        "the order service's answer is longer than 1048576 bytes"
    );
}

#[tokio::test]
async fn an_order_service_that_is_not_there_is_a_502() {
    // Bound, so that nobody else gets the port, and not listening.
    let silent = TcpSocket::new_v4().unwrap();
    silent.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let port = silent.local_addr().unwrap().port();

    let app = at(port, reqwest::Client::builder());
    let (status, response) = call(app, get_of("/products")).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert_eq!(
        problem(response).await["detail"],
        "the order service cannot be reached"
    );
}

#[tokio::test]
async fn an_order_service_that_hangs_is_a_504() {
    let orders = Router::new().route("/products", get(pending::<()>));
    let impatient = reqwest::Client::builder().timeout(Duration::from_millis(200));
    let app = at(serve(orders).await, impatient);
    let (status, response) = call(app, get_of("/products")).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(
        problem(response).await["detail"],
        "the order service did not answer in time"
    );
}

#[tokio::test]
async fn health_does_not_depend_on_the_order_service() {
    let app = at(1, reqwest::Client::builder());
    assert_eq!(call(app, get_of("/healthz")).await.0, StatusCode::OK);
}
