//! Whatever fails on the way: what is not placed has neither stock nor payment.

use orders::Status;
use serde_json::Value;
use tower::ServiceExt;

use crate::gate::{How, Step};
use crate::stage::{Stage, get, one, order, post};

const PATH: [Step; 3] = [Step::Reserve, Step::Authorise, Step::Confirm];
const WAYS: [How; 4] = [How::Fail, How::LoseAnswer, How::Hang, How::HangAfter];

/// The status and the reason of the order that was made first.
async fn first(stage: &Stage) -> (Status, String) {
    let order = stage.orders.order(1).await.unwrap().unwrap();
    (order.status, order.reason.unwrap_or_default())
}

#[tokio::test]
async fn each_step_that_fails_leaves_nothing_behind() {
    for step in PATH {
        for how in WAYS {
            let said = format!("{step:?} {how:?}");
            let stage = Stage::set_for(how).await;
            stage.gate.set(&[(step, how)]);
            let (status, problem) = post(&stage.app(), one()).await;
            assert_eq!(status, 503, "{said}");
            assert_eq!(problem["type"], "/problems/service-failed", "{said}");
            let service = if step == Step::Authorise {
                "payments"
            } else {
                "inventory"
            };
            assert_eq!(problem["service"], service, "{said}");
            let what = match how {
                How::Hang | How::HangAfter => "did not answer in time",
                _ => "answered 500 Internal Server Error",
            };
            let expected = format!("{service} {what}; the order was not placed");
            assert_eq!(problem["detail"], expected, "{said}");
            let expected = (Status::Rejected, format!("{service} {what}"));
            assert_eq!(first(&stage).await, expected, "{said}");
            stage.assert_balanced(0, &said);
        }
    }
}

#[tokio::test]
async fn what_is_refused_is_rejected_and_leaves_nothing_behind() {
    for (product, quantity, status, reason) in [
        (9, 1, 422, "there is no product 9"),
        (1, 21, 402, "102900 cents are over the limit of 98000"),
    ] {
        let stage = Stage::set().await;
        let body = format!(r#"{{"product_id": {product}, "quantity": {quantity}}}"#);
        assert_eq!(post(&stage.app(), body).await.0, status);
        assert_eq!(first(&stage).await, (Status::Rejected, reason.to_owned()));
        stage.assert_balanced(0, reason);
    }
}

#[tokio::test]
async fn what_cannot_be_undone_at_once_is_undone_by_a_later_sweep() {
    for step in PATH {
        for undoing in [Step::Release, Step::Void] {
            for how in [How::Fail, How::LoseAnswer, How::HangAfter] {
                let said = format!("{step:?}, then {undoing:?} {how:?}");
                let stage = Stage::set_for(how).await;
                stage.gate.set(&[(step, How::LoseAnswer), (undoing, how)]);
                assert_eq!(post(&stage.app(), one()).await.0, 503, "{said}");
                if step == Step::Reserve && undoing == Step::Void {
                    // There was no payment to void.
                    assert_eq!(first(&stage).await.0, Status::Rejected, "{said}");
                } else {
                    assert_eq!(first(&stage).await.0, Status::Undoing, "{said}");
                    assert_eq!(stage.orders.sweep().await.unwrap(), 0, "{said}");
                    stage.gate.set(&[]);
                    assert_eq!(stage.orders.sweep().await.unwrap(), 1, "{said}");
                }
                stage.assert_balanced(0, &said);
                assert_eq!(stage.orders.sweep().await.unwrap(), 0, "{said}");
            }
        }
    }
}

#[tokio::test]
async fn what_arrives_after_it_was_undone_is_refused() {
    for step in PATH {
        let said = format!("{step:?}");
        let stage = Stage::set_impatient().await;
        stage.gate.set(&[(step, How::Late)]);
        assert_eq!(post(&stage.app(), one()).await.0, 503, "{said}");
        assert_eq!(first(&stage).await.0, Status::Rejected, "{said}");
        stage.gate.let_late_through().await;
        stage.assert_balanced(0, &said);
    }
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_stop_an_order_half_way() {
    for step in PATH {
        for (how, placed) in [(How::Late, 1), (How::HangAfter, 0)] {
            let said = format!("{step:?} {how:?}");
            let stage = Stage::set_for(how).await;
            stage.gate.set(&[(step, how)]);
            let client = tokio::spawn(stage.app().oneshot(order(one(), None)));
            stage.gate.reached().await;
            client.abort();
            assert!(client.await.unwrap_err().is_cancelled(), "{said}");
            if how == How::Late {
                stage.gate.let_late_through().await;
            }
            stage.orders.idle().await;
            let expected = [Status::Rejected, Status::Placed][placed];
            assert_eq!(first(&stage).await.0, expected, "{said}");
            stage.assert_balanced(placed as u64, &said);
        }
    }
}

#[tokio::test]
async fn a_sweep_leaves_alone_what_is_being_worked_on_and_what_is_placed() {
    let stage = Stage::set().await;
    assert_eq!(post(&stage.app(), one()).await.0, 201);
    stage.gate.set(&[(Step::Confirm, How::Late)]);
    let client = tokio::spawn(stage.app().oneshot(order(one(), None)));
    stage.gate.reached().await;
    assert_eq!(stage.orders.sweep().await.unwrap(), 0);
    stage.gate.let_late_through().await;
    assert_eq!(client.await.unwrap().unwrap().status(), 201);
    stage.assert_balanced(2, "both are placed");
}

#[tokio::test]
async fn a_failed_order_can_be_read_with_its_reason() {
    let stage = Stage::set().await;
    stage.gate.set(&[(Step::Authorise, How::Fail)]);
    post(&stage.app(), one()).await;
    let (status, order): (_, Value) = get(&stage.app(), "/orders/1").await;
    assert_eq!(status, 200);
    assert_eq!(order["status"], "rejected");
    assert_eq!(
        order["reason"],
        "payments answered 500 Internal Server Error"
    );
    assert_eq!(order.get("total_cents"), None);
}
