//! While load balancers find out.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use bartizan::{Lifecycle, Phase};
use http::{StatusCode, Version};

use super::client::says_close;
use super::replica::NEVER;
use super::{Client, Gate, Replica};

/// An app whose `/readyz` tells what the lifecycle says.
pub(crate) fn with_readyz(app: Router, lifecycle: &Lifecycle) -> Router {
    async fn readyz(State(lifecycle): State<Lifecycle>) -> StatusCode {
        if lifecycle.is_ready() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }

    app.merge(
        Router::new()
            .route("/readyz", get(readyz))
            .with_state(lifecycle.clone()),
    )
}

#[tokio::test]
async fn readiness_is_red_before_accepting_stops_and_answers_ask_to_close() {
    let lifecycle = Lifecycle::new();
    let app = with_readyz(Gate::new().router(), &lifecycle);
    assert_eq!(lifecycle.phase(), Phase::Starting);
    let replica = Replica::start_with(app, |server| {
        server.with_lifecycle(&lifecycle).with_grace(NEVER)
    })
    .await;
    let mut before = Client::connect(replica.addr, Version::HTTP_11).await;
    let ready = before.fetch("/readyz").await;
    assert_eq!(ready.status(), StatusCode::OK);
    assert!(!says_close(&ready));
    let stopping = replica.stop(Phase::Grace).await;

    assert!(!lifecycle.is_ready());
    // The connection that was there, and new ones.
    let last = before.fetch("/readyz").await;
    assert_eq!(last.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(says_close(&last));
    before.closed().await.unwrap();
    let mut after = Client::connect(stopping.addr, Version::HTTP_11).await;
    let answer = after.fetch("/").await;
    assert_eq!(
        (answer.status(), says_close(&answer)),
        (StatusCode::OK, true)
    );
    // HTTP/2 has no such header, and goes on with the connection.
    let mut http_2 = Client::connect(stopping.addr, Version::HTTP_2).await;
    for _ in 0..2 {
        let answer = http_2.fetch("/").await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(!answer.headers().contains_key("connection"));
    }

    assert_eq!(stopping.lifecycle.phase(), Phase::Grace);
    let (report, _) = stopping.end().await;
    assert!(report.at_once);
    assert_eq!((report.served(), report.cut_off.total), (5, 0), "{report}");
    assert_eq!(lifecycle.phase(), Phase::Stopped);
}
