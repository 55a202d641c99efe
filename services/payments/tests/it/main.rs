//! The payments through their router, and over sockets, the admin port included.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers below are part of the tests"
)]

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use bartizan::Server;
use bartizan::admin::Admin;
use http_body_util::BodyExt;
use payments::{Amount, Ledger, router};
use serde_json::{Value, json};
use shop::faults::{self, Switch};
use tokio::net::TcpListener;
use tower::ServiceExt;

fn ledger() -> Ledger {
    Ledger::new(Amount::try_from(1_000).unwrap())
}

async fn call(app: &Router, method: &str, path: &str, body: impl ToString) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()));
    let response = app.clone().oneshot(request.unwrap()).await.unwrap();
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).cloned();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    if status.is_client_error() {
        assert_eq!(kind.unwrap(), "application/problem+json");
    }
    (
        status.as_u16(),
        serde_json::from_slice(&body).unwrap_or_default(),
    )
}

#[tokio::test]
async fn a_payment_is_authorised_and_voided_by_the_orders_id() {
    let app = router(ledger());
    let ten = json!({"amount_cents": 1_000});
    let (status, made) = call(&app, "PUT", "/payments/a", &ten).await;
    assert_eq!(status, 201);
    let expected = json!({"id": 1, "order_id": "a", "amount_cents": 1_000, "state": "authorised"});
    assert_eq!(made, expected);
    assert_eq!(call(&app, "PUT", "/payments/a", &ten).await, (200, made));

    for _ in 0..2 {
        assert_eq!(call(&app, "DELETE", "/payments/a", "").await.0, 204);
    }
    assert_eq!(
        call(&app, "GET", "/ledger", "").await.1,
        json!({"payments": 0, "authorised_cents": 0, "voided": 1, "declined": 0})
    );
}

#[tokio::test]
async fn what_is_not_authorised_is_a_problem_that_says_why() {
    let app = router(ledger());
    call(&app, "PUT", "/payments/taken", json!({"amount_cents": 5})).await;
    call(&app, "DELETE", "/payments/gone", "").await;
    for (name, body, status, said) in [
        (
            "a",
            json!({"amount_cents": 1_001}),
            402,
            "1001 cents are over the limit of 1000",
        ),
        (
            "a",
            json!({"amount_cents": 0}),
            422,
            "amount_cents is 0, expected 1 or more",
        ),
        ("a", json!({}), 422, "missing field `amount_cents`"),
        (
            "taken",
            json!({"amount_cents": 6}),
            422,
            "order taken has a payment of another amount",
        ),
        (
            "gone",
            json!({"amount_cents": 6}),
            409,
            "the payment of order gone is voided",
        ),
        (
            "a.b",
            json!({"amount_cents": 6}),
            400,
            "expected 1 to 64 letters, digits, - and _",
        ),
    ] {
        let (got, problem) = call(&app, "PUT", &format!("/payments/{name}"), &body).await;
        let detail = problem["detail"].as_str().unwrap();
        assert_eq!(got, status, "{name} {body}: {detail}");
        assert!(detail.contains(said), "{name} {body}: {detail}");
    }
    assert_eq!(call(&app, "GET", "/payments/a", "").await.0, 405);
    assert_eq!(call(&app, "GET", "/nope", "").await.0, 404);
}

#[tokio::test]
async fn the_admin_port_breaks_the_service_and_mends_it_over_sockets() {
    let telemetry = bartizan::Telemetry::builder().build().unwrap();
    let stack = bartizan::stack()
        .with_telemetry(&telemetry)
        .without_access_log();
    let switch = Switch::default();
    let app = switch
        .around(router(ledger()))
        .layer(stack.build().unwrap());
    let any: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
    let (listener, admin) = (
        TcpListener::bind(any).await.unwrap(),
        TcpListener::bind(any).await.unwrap(),
    );
    let service = format!("http://{}", listener.local_addr().unwrap());
    let port = format!("http://{}", admin.local_addr().unwrap());
    let server = Server::new(app, telemetry.clone())
        .with_admin(admin, Admin::new().with_routes(faults::router(switch)))
        .with_stop(std::future::pending());
    tokio::spawn(server.serve(listener));

    let client = reqwest::Client::builder().no_proxy();
    let client = bartizan::client::reqwest(client, &telemetry).unwrap();
    let set = |body: &'static str| {
        let put = client.put(format!("{port}/faults"));
        put.body(body).send()
    };
    let totals = || client.get(format!("{service}/ledger")).send();

    assert_eq!(totals().await.unwrap().status(), 200);
    assert_eq!(set(r#"{"outage": true}"#).await.unwrap().status(), 200);
    let answer = totals().await.unwrap();
    assert_eq!(answer.status(), 503);
    let problem: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(problem["type"], "/problems/fault");
    assert_eq!(problem["trace_id"].as_str().unwrap().len(), 32);
    assert_eq!(set(r#"{"outage": 1}"#).await.unwrap().status(), 422);
    assert_eq!(set("{}").await.unwrap().status(), 200);
    assert_eq!(totals().await.unwrap().status(), 200);
}
