//! Log levels, changed from outside.

use axum::Router;
use bartizan::admin::{Admin, DEFAULT_LEVEL_TIME};
use http::Method;
use serde_json::Value;

use super::{ask, assert_problem, get, json, replica};

#[tokio::test]
async fn levels_are_changed_for_a_time_and_set_back() {
    let (replica, addr) = replica(Router::new(), Admin::new(), |server| server).await;
    let configured = json(&get(addr, "/log-level").await)["directives"].clone();
    let default = DEFAULT_LEVEL_TIME.as_secs_f64();
    for (body, directives, at_most) in [
        (
            r#"{"directives": "info,orders=debug"}"#,
            "info,orders=debug",
            Some(default),
        ),
        (
            r#"{"directives": "trace", "for": "10m"}"#,
            "trace",
            Some(600.0),
        ),
        (
            r#"{"directives": "warn", "for": "unlimited"}"#,
            "warn",
            None,
        ),
    ] {
        let put = ask(addr, Method::PUT, "/log-level", body).await;
        assert_eq!(put.status(), 200, "{body}: {}", put.body());
        for response in [put, get(addr, "/log-level").await] {
            let levels = json(&response);
            assert_eq!(levels["directives"], directives);
            assert_eq!(levels["configured"], configured);
            match at_most {
                Some(at_most) => {
                    let left = levels["reverts_in_seconds"].as_f64().unwrap();
                    assert!(left > at_most - 60.0 && left <= at_most, "{left}");
                }
                None => assert_eq!(levels["reverts_in_seconds"], Value::Null),
            }
        }
    }
    let back = json(&ask(addr, Method::DELETE, "/log-level", "").await);
    assert_eq!(
        (&back["directives"], &back["reverts_in_seconds"]),
        (&configured, &Value::Null)
    );
    replica.end().await;
}

#[tokio::test]
async fn a_change_that_cannot_be_made_changes_nothing_and_says_why() {
    let (replica, addr) = replica(Router::new(), Admin::new(), |server| server).await;
    let before = json(&get(addr, "/log-level").await);
    for (body, why) in [
        ("debug", "expected value"),
        (r#"{"directives": ""}"#, "a list of directives"),
        (r#"{"directives": "shop=loud"}"#, "shop=loud"),
        (
            r#"{"directives": "info", "for": "10"}"#,
            "a duration such as 10m, or unlimited",
        ),
        (r#"{"directives": "info", "until": "10m"}"#, "unknown field"),
    ] {
        let response = ask(addr, Method::PUT, "/log-level", body).await;
        assert_eq!(response.status(), 400, "{body}");
        let problem = assert_problem(&response);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(why), "{body}: {detail}");
        assert_eq!(json(&get(addr, "/log-level").await), before);
    }
    replica.end().await;
}
