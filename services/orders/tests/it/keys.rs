use std::collections::BTreeSet;

use serde_json::json;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::gate::{How, Step};
use crate::stage::{Stage, one, order, post, post_with_key};

#[tokio::test]
async fn a_key_places_one_order_and_finds_it_again() {
    let stage = Stage::set().await;
    let app = stage.app();
    let (status, placed) = post_with_key(&app, one(), "\"k\"").await;
    assert_eq!(status, 201);
    let (status, again) = post_with_key(&app, one(), "k").await;
    assert_eq!((status, again), (axum::http::StatusCode::OK, placed));

    let two = json!({"product_id": 1, "quantity": 2});
    let (status, problem) = post_with_key(&app, two, "k").await;
    assert_eq!(status, 422);
    assert_eq!(problem["type"], "/problems/idempotency-key-reused");
    let (status, _) = post_with_key(&app, one(), "").await;
    assert_eq!(status, 400);
    stage.assert_balanced(1, "one key");

    // Without a key, or with another, it is another order.
    assert_eq!(post(&app, one()).await.0, 201);
    assert_eq!(post_with_key(&app, one(), "other").await.0, 201);
    stage.assert_balanced(3, "three orders");
}

#[tokio::test]
async fn a_key_whose_order_is_worked_on_is_told_to_wait_and_then_finds_it() {
    let stage = Stage::set().await;
    let app = stage.app();
    stage.gate.set(&[(Step::Authorise, How::Late)]);
    let first = tokio::spawn(app.clone().oneshot(order(one(), Some("k"))));
    stage.gate.reached().await;
    let waiting = app.clone().oneshot(order(one(), Some("k"))).await.unwrap();
    assert_eq!(waiting.status(), 409);
    assert_eq!(waiting.headers()["retry-after"], "1");
    stage.gate.let_late_through().await;
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    assert_eq!(post_with_key(&app, one(), "k").await.0, 200);
    stage.assert_balanced(1, "one order");
}

#[tokio::test]
async fn a_key_whose_order_came_to_nothing_can_be_tried_again() {
    let stage = Stage::set().await;
    let app = stage.app();
    stage.gate.set(&[(Step::Confirm, How::LoseAnswer)]);
    assert_eq!(post_with_key(&app, one(), "k").await.0, 503);
    stage.gate.set(&[]);
    assert_eq!(post_with_key(&app, one(), "k").await.0, 201);
    stage.assert_balanced(1, "the second time");
}

#[tokio::test]
async fn a_key_whose_order_is_still_being_undone_can_be_tried_again() {
    let stage = Stage::set().await;
    let app = stage.app();
    stage
        .gate
        .set(&[(Step::Authorise, How::LoseAnswer), (Step::Void, How::Fail)]);
    assert_eq!(post_with_key(&app, one(), "k").await.0, 503);
    stage.gate.set(&[]);
    assert_eq!(post_with_key(&app, one(), "k").await.0, 201);
    assert_eq!(stage.orders.sweep().await.unwrap(), 1);
    stage.assert_balanced(1, "the second time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_requests_at_once_with_one_key_place_one_order() {
    let stage = Stage::set().await;
    let mut asking = JoinSet::new();
    for _ in 0..20 {
        let app = stage.app();
        asking.spawn(async move { post_with_key(&app, one(), "k").await });
    }
    let answers = asking.join_all().await;
    let with = |status: u16| answers.iter().filter(move |(got, _)| *got == status);
    assert_eq!(with(201).count(), 1, "{answers:?}");
    assert_eq!(
        with(201).count() + with(200).count() + with(409).count(),
        20
    );
    let ids: BTreeSet<_> = with(201)
        .chain(with(200))
        .map(|(_, order)| order["id"].as_i64().unwrap())
        .collect();
    assert_eq!(ids.len(), 1);
    stage.assert_balanced(1, "one order");
}
