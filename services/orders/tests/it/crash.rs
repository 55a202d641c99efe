//! The process ends in the middle of an order.

use std::path::PathBuf;
use std::time::Duration;

use orders::{Status, Sweeper, router};
use tokio::runtime;
use tower::ServiceExt;

use crate::gate::{How, Step};
use crate::stage::{Stage, one, order, post_with_key, tempfile};

/// Places an order in a runtime of its own, which ends when the gate is reached: nothing of it runs
/// any further, as if the process had been killed.
async fn crash_at(stage: &Stage, database: PathBuf) {
    let doomed = runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let app = {
        let _inside = doomed.enter();
        router(stage.orders_of(&database))
    };
    doomed.spawn(app.oneshot(order(one(), Some("k"))));
    stage.gate.reached().await;
    doomed.shutdown_background();
}

#[tokio::test]
async fn an_order_that_a_crash_has_left_is_undone_at_the_next_start() {
    for step in [Step::Reserve, Step::Authorise, Step::Confirm] {
        for how in [How::Hang, How::HangAfter] {
            let said = format!("{step:?} {how:?}");
            let db = tempfile();
            let stage = Stage::set_in(&db.path).await;
            stage.gate.set(&[(step, how)]);
            crash_at(&stage, db.path.clone()).await;
            stage.gate.set(&[]);

            let restarted = stage.orders_of(&db.path);
            let left = restarted.order(1).await.unwrap().unwrap();
            assert_eq!(left.status, Status::Pending, "{said}");
            assert_eq!(restarted.sweep().await.unwrap(), 1, "{said}");
            let undone = restarted.order(1).await.unwrap().unwrap();
            assert_eq!(undone.status, Status::Rejected, "{said}");
            assert_eq!(undone.reason.as_deref(), Some("interrupted"), "{said}");
            stage.assert_balanced(0, &said);

            // The client that never heard of it tries again, with the same key.
            let (status, _) = post_with_key(&router(restarted), one(), "k").await;
            assert_eq!(status, 201, "{said}");
            stage.assert_balanced(1, &said);
        }
    }
}

#[tokio::test]
async fn a_sweeper_undoes_at_once_what_it_finds() {
    let db = tempfile();
    let stage = Stage::set_in(&db.path).await;
    stage.gate.set(&[(Step::Confirm, How::HangAfter)]);
    crash_at(&stage, db.path.clone()).await;
    stage.gate.set(&[]);

    let restarted = stage.orders_of(&db.path);
    let sweeper = Sweeper::start(restarted.clone());
    let rejected =
        async { while restarted.order(1).await.unwrap().unwrap().status != Status::Rejected {} };
    let long = Duration::from_secs(60);
    tokio::time::timeout(long, rejected).await.unwrap();
    sweeper.stop().await;
    stage.assert_balanced(0, "swept");
}
