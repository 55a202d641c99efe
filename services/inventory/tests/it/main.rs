//! The inventory through its router, and over a socket.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers below are part of the tests"
)]

use std::net::Ipv4Addr;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use inventory::{Catalogue, Limits, Row, Shelves, Stock, router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::ServiceExt;

fn shelves(stock: u32) -> Shelves {
    Shelves::new(Stock::new(Catalogue::with_stock(stock), Limits::default()))
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
async fn stock_is_reserved_confirmed_and_released_by_the_orders_id() {
    let app = router(shelves(10));
    let two = json!({"product_id": 3, "quantity": 2});
    let (status, made) = call(&app, "PUT", "/reservations/a", &two).await;
    assert_eq!(status, 201);
    assert_eq!(
        made,
        json!({
            "id": 1, "order_id": "a", "product_id": 3, "quantity": 2,
            "price_cents": 9_900, "state": "held",
        })
    );
    assert_eq!(
        call(&app, "PUT", "/reservations/a", &two).await,
        (200, made)
    );

    let (status, confirmed) = call(&app, "POST", "/reservations/a/confirm", "").await;
    assert_eq!((status, &confirmed["state"]), (200, &json!("confirmed")));
    let (_, ledger) = call(&app, "GET", "/ledger", "").await;
    assert_eq!(
        ledger[2],
        json!({"product_id": 3, "available": 8, "reserved": 0, "sold": 2})
    );

    for _ in 0..2 {
        assert_eq!(call(&app, "DELETE", "/reservations/a", "").await.0, 204);
    }
    let (_, products) = call(&app, "GET", "/products", "").await;
    assert_eq!(
        products[2],
        json!({"id": 3, "name": "merlon", "price_cents": 9_900, "stock": 10})
    );
}

#[tokio::test]
async fn what_cannot_be_reserved_is_a_problem_that_says_why() {
    let app = router(shelves(5));
    call(&app, "DELETE", "/reservations/gone", "").await;
    let taken = json!({"product_id": 1, "quantity": 1});
    call(&app, "PUT", "/reservations/taken", &taken).await;
    for (path, body, status, said) in [
        (
            "a",
            json!({"product_id": 1, "quantity": 5}),
            409,
            "product 1 has only 4 left",
        ),
        (
            "a",
            json!({"product_id": 9, "quantity": 1}),
            422,
            "there is no product 9",
        ),
        (
            "a",
            json!({"product_id": 1, "quantity": 0}),
            422,
            "quantity is 0, expected 1 to 100",
        ),
        (
            "a",
            json!({"product_id": 1}),
            422,
            "missing field `quantity`",
        ),
        (
            "a",
            json!({"product_id": 1, "quantity": 1, "x": 1}),
            422,
            "unknown field `x`",
        ),
        (
            "a%20b",
            taken.clone(),
            400,
            "expected 1 to 64 letters, digits, - and _",
        ),
        (
            "gone",
            taken.clone(),
            409,
            "the reservation of order gone is released",
        ),
        (
            "taken",
            json!({"product_id": 2, "quantity": 1}),
            422,
            "order taken has reserved something else",
        ),
    ] {
        let (got, problem) = call(&app, "PUT", &format!("/reservations/{path}"), &body).await;
        let detail = problem["detail"].as_str().unwrap();
        assert_eq!(got, status, "{path} {body}: {detail}");
        assert!(detail.contains(said), "{path} {body}: {detail}");
    }
    let (status, problem) = call(
        &app,
        "PUT",
        "/reservations/a",
        &json!({"product_id": 1, "quantity": 9}),
    )
    .await;
    assert_eq!(
        (status, &problem["type"], &problem["left"]),
        (409, &json!("/problems/out-of-stock"), &json!(4))
    );
    assert_eq!(
        call(&app, "POST", "/reservations/a/confirm", "").await.0,
        404
    );
    assert_eq!(
        call(&app, "POST", "/reservations/gone/confirm", "").await.0,
        404
    );
    assert_eq!(call(&app, "GET", "/reservations/a", "").await.0, 405);
    assert_eq!(call(&app, "GET", "/nope", "").await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_reservation_that_nobody_confirms_expires_by_itself() {
    let app = router(shelves(5));
    let all = json!({"product_id": 1, "quantity": 5});
    assert_eq!(call(&app, "PUT", "/reservations/a", &all).await.0, 201);
    assert_eq!(call(&app, "PUT", "/reservations/b", &all).await.0, 409);
    tokio::time::advance(inventory::DEFAULT_TTL).await;
    assert_eq!(call(&app, "PUT", "/reservations/b", &all).await.0, 201);
    assert_eq!(
        call(&app, "POST", "/reservations/a/confirm", "").await.0,
        409
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_more_is_sold_than_there_is_however_many_ask_at_once() {
    let shelves = shelves(100);
    let app = router(shelves.clone());
    let mut asking = JoinSet::new();
    for name in 0..200 {
        let app = app.clone();
        asking.spawn(async move {
            let path = format!("/reservations/order-{name}");
            let three = json!({"product_id": 1, "quantity": 3});
            let (status, _) = call(&app, "PUT", &path, &three).await;
            if status == 201 && name % 2 == 0 {
                assert_eq!(
                    call(&app, "POST", &format!("{path}/confirm"), "").await.0,
                    200
                );
            }
            status
        });
    }
    let made = asking.join_all().await;
    assert_eq!(made.iter().filter(|&&status| status == 201).count(), 33);
    assert_eq!(made.iter().filter(|&&status| status == 409).count(), 167);
    let Row {
        available,
        reserved,
        sold,
        ..
    } = shelves.ledger()[0];
    assert_eq!((available, reserved + sold), (1, 99));
}

#[tokio::test]
async fn it_serves_over_a_socket_under_the_stack() {
    let telemetry = bartizan::Telemetry::builder().build().unwrap();
    let stack = bartizan::stack()
        .with_telemetry(&telemetry)
        .without_access_log();
    let app = router(shelves(1)).layer(stack.build().unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let client = reqwest::Client::builder().no_proxy();
    let client = bartizan::client::reqwest(client, &telemetry).unwrap();
    let reserve = client
        .put(format!("{base}/reservations/a"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(r#"{"product_id": 1, "quantity": 2}"#);
    let answer = reserve.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["trace_id"].as_str().unwrap().len(), 32);
}
