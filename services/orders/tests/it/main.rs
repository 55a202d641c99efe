//! The order service through its router, on a database in memory.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers below are part of the tests"
)]

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use orders::{Db, Order, Product, router};
use serde_json::{Value, json};
use tower::ServiceExt;

fn app() -> Router {
    router(Db::open(orders::DEFAULT_DATABASE).expect("memory can be opened"))
}

async fn get(app: &Router, path: &str) -> (StatusCode, Value) {
    answer(app, Request::get(path).body(Body::empty()).unwrap()).await
}

async fn post(app: &Router, body: impl ToString) -> (StatusCode, Value) {
    let request = Request::post("/orders")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()));
    answer(app, request.unwrap()).await
}

async fn answer(app: &Router, request: Request<Body>) -> (StatusCode, Value) {
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let kind = response.headers()[header::CONTENT_TYPE].clone();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    if status.is_success() {
        assert_eq!(kind, "application/json");
    } else {
        assert_eq!(kind, "application/problem+json");
        assert_eq!(body["status"], status.as_u16());
    }
    (status, body)
}

async fn stock(app: &Router, id: i64) -> i64 {
    let (_, products) = get(app, "/products").await;
    let products: Vec<Product> = serde_json::from_value(products).unwrap();
    products
        .iter()
        .find(|product| product.id == id)
        .expect("seeded")
        .stock
}

#[tokio::test]
async fn a_placed_order_is_read_back_and_its_quantity_leaves_the_stock() {
    let app = app();
    let before = stock(&app, 2).await;

    let (status, placed) = post(&app, json!({"product_id": 2, "quantity": 3})).await;
    assert_eq!(status, StatusCode::CREATED);
    let placed: Order = serde_json::from_value(placed).unwrap();
    assert_eq!(
        (placed.product_id, placed.quantity, placed.total_cents),
        (2, 3, 37_500)
    );

    let (status, read) = get(&app, &format!("/orders/{}", placed.id)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(serde_json::from_value::<Order>(read).unwrap(), placed);
    assert_eq!(stock(&app, 2).await, before - 3);
}

#[tokio::test]
async fn what_cannot_be_ordered_is_a_problem_that_says_why() {
    let app = app();
    for (body, status, detail) in [
        (
            r#"{"product_id": 1, "quantity": 0}"#,
            422,
            "quantity is 0, expected 1 to 100",
        ),
        (
            r#"{"product_id": 1, "quantity": 101}"#,
            422,
            "quantity is 101, expected 1 to 100",
        ),
        (
            r#"{"product_id": 99, "quantity": 1}"#,
            422,
            "there is no product 99",
        ),
        (r#"{"product_id": 1}"#, 422, "missing field `quantity`"),
        (
            r#"{"product_id": 1, "quantity": 1, "gift": true}"#,
            422,
            "unknown field `gift`",
        ),
        (r#"{"product_id":"#, 400, "Failed to parse"),
    ] {
        let (got, problem) = post(&app, body).await;
        assert_eq!(got.as_u16(), status, "{body}");
        let said = problem["detail"].as_str().unwrap();
        assert!(said.contains(detail), "{body}: {said}");
    }
}

#[tokio::test]
async fn a_refused_order_takes_nothing_from_the_stock() {
    let db = tempfile();
    let path = db.path.to_str().unwrap();
    let app = router(Db::open(path).unwrap());
    rusqlite::Connection::open(path)
        .unwrap()
        .execute("UPDATE products SET stock = 5 WHERE id = 1", [])
        .unwrap();

    let (status, problem) = post(&app, json!({"product_id": 1, "quantity": 6})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["type"], "/problems/out-of-stock");
    assert_eq!(problem["detail"], "product 1 has only 5 left");
    assert_eq!(problem["left"], 5);
    assert_eq!(stock(&app, 1).await, 5);
}

#[tokio::test]
async fn what_is_not_there_is_a_404_and_a_wrong_method_a_405() {
    let app = app();
    for (path, status) in [
        ("/orders/1", 404),
        ("/orders/x", 400),
        ("/nope", 404),
        ("/orders", 405),
    ] {
        assert_eq!(get(&app, path).await.0.as_u16(), status, "{path}");
    }
}

#[tokio::test]
async fn orders_survive_a_restart_in_a_file() {
    let db = tempfile();
    let first = router(Db::open(&db.path).unwrap());
    let (_, placed) = post(&first, json!({"product_id": 1, "quantity": 1})).await;
    drop(first);

    let second = router(Db::open(&db.path).unwrap());
    let (status, read) = get(&second, &format!("/orders/{}", placed["id"])).await;
    assert_eq!((status, read), (StatusCode::OK, placed));
}

#[tokio::test]
async fn a_problem_names_its_request_and_trace() {
    let (_, problem) = get(&app(), "/orders/1").await;
    assert_eq!(problem.get("trace_id"), None);

    let telemetry = bartizan::Telemetry::builder().build().unwrap();
    let stack = bartizan::stack()
        .with_telemetry(&telemetry)
        .without_access_log();
    let (_, problem) = get(&app().layer(stack.build().unwrap()), "/orders/1").await;
    let trace_id = problem["trace_id"].as_str().unwrap();
    assert!(
        trace_id.len() == 32 && trace_id.contains(|digit| digit != '0'),
        "{trace_id}"
    );
    assert!(problem["request_id"].is_string(), "{problem}");
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let error = Db::open("/nowhere/at/all/orders.db")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("cannot open the database \"/nowhere/at/all/orders.db\""),
        "{error}"
    );
}

/// A database path of this test's own, removed with its side files afterwards.
struct TempDb {
    path: std::path::PathBuf,
}

fn tempfile() -> TempDb {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "orders-{}-{}.db",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    TempDb {
        path: std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name),
    }
}

impl Drop for TempDb {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            let _ = std::fs::remove_file(path);
        }
    }
}
