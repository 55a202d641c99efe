use axum::http::StatusCode;
use orders::{Db, Order, Status, router};
use serde_json::json;

use crate::stage::{Stage, get, one, post, tempfile};

#[tokio::test]
async fn a_placed_order_is_read_back_and_has_its_stock_and_its_payment() {
    let stage = Stage::set().await;
    let app = stage.app();
    let (status, placed) = post(&app, json!({"product_id": 2, "quantity": 3})).await;
    assert_eq!(status, StatusCode::CREATED);
    let placed: Order = serde_json::from_value(placed).unwrap();
    assert_eq!(
        (placed.product_id, placed.quantity, placed.total_cents),
        (2, 3, Some(37_500))
    );
    assert_eq!(placed.status, Status::Placed);

    let (status, read) = get(&app, &format!("/orders/{}", placed.id)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(serde_json::from_value::<Order>(read).unwrap(), placed);
    let row = stage.shelves.ledger()[1];
    assert_eq!((row.available, row.reserved, row.sold), (997, 0, 3));
    let totals = stage.ledger.totals();
    assert_eq!((totals.payments, totals.authorised_cents), (1, 37_500));
}

#[tokio::test]
async fn what_cannot_be_ordered_is_a_problem_that_says_why() {
    let stage = Stage::set().await;
    let app = stage.app();
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
        (
            r#"{"product_id": 1, "quantity": 21}"#,
            402,
            "102900 cents are over the limit of 98000",
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
    stage.assert_balanced(0, "nothing was placed");
}

#[tokio::test]
async fn what_is_sold_out_says_how_many_are_left() {
    let stage = Stage::set().await;
    let app = stage.app();
    // The cheapest, so that the payments do not refuse first.
    for _ in 0..20 {
        let fifty = json!({"product_id": 6, "quantity": 50});
        assert_eq!(post(&app, fifty).await.0, StatusCode::CREATED);
    }
    let (status, problem) = post(&app, json!({"product_id": 6, "quantity": 1})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["type"], "/problems/out-of-stock");
    assert_eq!(problem["title"], "Out of stock");
    assert_eq!(problem["detail"], "product 6 has only 0 left");
    assert_eq!(problem["left"], 0);
}

#[tokio::test]
async fn what_is_not_there_is_a_404_and_a_wrong_method_a_405() {
    let app = Stage::set().await.app();
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
    let stage = Stage::set_in(&db.path).await;
    let (_, placed) = post(&stage.app(), one()).await;

    let second = router(stage.orders_of(&db.path));
    let (status, read) = get(&second, &format!("/orders/{}", placed["id"])).await;
    assert_eq!((status, read), (StatusCode::OK, placed));
}

#[tokio::test]
async fn a_problem_names_its_request_and_trace() {
    let app = Stage::set().await.app();
    let (_, problem) = get(&app, "/orders/1").await;
    assert_eq!(problem.get("trace_id"), None);

    let telemetry = bartizan::Telemetry::builder().build().unwrap();
    let stack = bartizan::stack()
        .with_telemetry(&telemetry)
        .without_access_log();
    let (_, problem) = get(&app.layer(stack.build().unwrap()), "/orders/1").await;
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

#[test]
fn a_file_with_other_tables_is_refused_and_left_alone() {
    let db = tempfile();
    let other = rusqlite::Connection::open(&db.path).unwrap();
    other.execute_batch("CREATE TABLE orders (id)").unwrap();
    let error = Db::open(&db.path).unwrap_err().to_string();
    assert!(
        error.ends_with("its tables are of version 0, expected 1"),
        "{error}"
    );
    other.execute_batch("SELECT id FROM orders").unwrap();
}
