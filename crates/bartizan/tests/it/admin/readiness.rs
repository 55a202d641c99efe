//! Whether a server may be sent requests.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use bartizan::admin::{Admin, Check};
use bartizan::{Lifecycle, Phase, Telemetry};
use http::Version;
use serde_json::{Value, json};

use super::{get, json, replica};
use crate::serve::{Client, Gate, NEVER};
use crate::support;

fn passing(name: &str) -> Check {
    Check::new(name, || async { Ok::<_, io::Error>(()) })
}

fn failing(name: &str) -> Check {
    Check::new(name, || async { Err("connection refused") })
}

fn statuses(ready: &Value) -> Vec<(&str, &str)> {
    let checks = ready["checks"].as_array().unwrap().iter();
    let text = |check: &'_ Value, key: &str| -> String { check[key].as_str().unwrap().to_owned() };
    checks
        .map(|check| {
            assert!(
                check["duration_ms"].is_f64() && check["age_ms"].is_f64(),
                "{check}"
            );
            assert_eq!(
                check.get("error").is_some(),
                text(check, "status") == "down"
            );
            (
                check["name"].as_str().unwrap(),
                check["status"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_server_is_ready_when_everything_it_needs_is() {
    async fn broken() -> Result<(), io::Error> {
        panic!("on purpose")
    }
    for (case, checks, status, expected) in [
        ("no checks", vec![], 200, &[][..]),
        (
            "all pass",
            vec![passing("a"), passing("b")],
            200,
            &[("a", "up"), ("b", "up")],
        ),
        (
            "one fails",
            vec![passing("a"), failing("b")],
            503,
            &[("a", "up"), ("b", "down")],
        ),
        (
            "one panics",
            vec![Check::new("a", broken), passing("b")],
            503,
            &[("a", "down"), ("b", "up")],
        ),
        (
            "an optional one fails",
            vec![failing("a").optional(), passing("b")],
            200,
            &[("a", "down"), ("b", "up")],
        ),
    ] {
        let admin = checks.into_iter().fold(Admin::new(), Admin::with_check);
        let (replica, addr) = replica(Router::new(), admin, |server| server).await;
        let response = get(addr, "/readyz").await;
        assert_eq!(response.status(), status, "{case}");
        let ready = json(&response);
        assert_eq!(
            ready["status"],
            if status == 200 { "ready" } else { "not ready" }
        );
        assert_eq!(ready["phase"], "ready");
        assert_eq!(statuses(&ready), expected, "{case}");
        // It lives in any case.
        let live = get(addr, "/livez").await;
        assert_eq!(json(&live), json!({"status": "live", "phase": "ready"}));
        replica.end().await;
    }
}

#[tokio::test]
async fn what_a_failed_check_says_is_told() {
    let admin = Admin::new().with_check(failing("stock"));
    let (replica, addr) = replica(Router::new(), admin, |server| server).await;
    let ready = json(&get(addr, "/readyz").await);
    assert_eq!(ready["checks"][0]["error"], "connection refused");
    assert_eq!(ready["checks"][0]["required"], true);
    replica.end().await;
}

#[tokio::test]
async fn a_storm_of_probes_runs_a_check_once() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    let check = Check::new("counted", move || {
        counter.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, io::Error>(()) }
    });
    let admin = Admin::new().with_check(check.with_max_age(NEVER));
    let (replica, addr) = replica(Router::new(), admin, |server| server).await;
    let probes: Vec<_> = (0..50)
        .map(|_| tokio::spawn(get(addr, "/readyz")))
        .collect();
    for probe in probes {
        assert_eq!(probe.await.unwrap().status(), 200);
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    replica.end().await;
}

#[tokio::test]
async fn readiness_is_red_before_the_listener_closes_and_to_the_end() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    let check = Check::new("counted", move || {
        counter.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, io::Error>(()) }
    });
    let gate = Gate::new();
    let admin = Admin::new().with_check(check);
    let (replica, addr) = replica(gate.router(), admin, |server| server.with_grace(NEVER)).await;
    assert_eq!(get(addr, "/readyz").await.status(), 200);
    assert_eq!(runs.load(Ordering::SeqCst), 1);

    let stopping = replica.stop(Phase::Grace).await;
    let response = get(addr, "/readyz").await;
    assert_eq!(response.status(), 503);
    assert_eq!(
        json(&response),
        json!({"status": "not ready", "phase": "grace", "checks": []})
    );
    // The application's port still takes connections.
    let mut late = Client::connect(stopping.addr, Version::HTTP_11).await;
    assert_eq!(late.fetch("/").await.status(), 200);
    assert_eq!(get(addr, "/livez").await.status(), 200);
    assert_eq!(
        runs.load(Ordering::SeqCst),
        1,
        "what depends on others is not asked any more"
    );
    stopping.end().await;
}

#[tokio::test]
async fn readiness_is_red_while_requests_under_way_finish() {
    let gate = Gate::new();
    let (replica, addr) = replica(gate.router(), Admin::new(), |server| server).await;
    let mut client = Client::connect(replica.addr, Version::HTTP_11).await;
    let answer = tokio::spawn(client.send("/wait"));
    gate.entered().await;
    let stopping = replica.stop(Phase::Draining).await;
    let response = get(addr, "/readyz").await;
    assert_eq!(
        (response.status().as_u16(), &json(&response)["phase"]),
        (503, &json!("draining"))
    );
    gate.open();
    assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    stopping.ended().await;
}

#[tokio::test]
async fn a_server_that_has_not_started_is_not_ready() {
    let telemetry = Telemetry::builder().build().unwrap();
    let router = Admin::new().into_router(&Lifecycle::new(), &telemetry);
    let response = support::fetch(&router, support::get("/readyz")).await;
    assert_eq!(response.status(), 503);
    let ready: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(ready["phase"], "starting");
}
