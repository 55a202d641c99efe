//! The section that says what each client may ask for.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bartizan::config::RateLimitConfig;
use bartizan::rate_limit::{Mode, Quota};
use bartizan::{PeerAddr, Telemetry};
use http::Request;
use serde::{Deserialize, Serialize};
use tower::ServiceExt;

use super::{first_toml, load, problems};

#[cfg(feature = "redis")]
mod redis;

#[derive(Debug, Deserialize, Serialize)]
struct Only {
    #[serde(default)]
    rate_limit: RateLimitConfig,
}

fn section(test: &str, file: &str) -> RateLimitConfig {
    let loaded = load::<Only>(test, file, &[]);
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    loaded.config.rate_limit
}

/// The example in the documentation.
#[test]
fn the_documented_rate_limit_is_the_default_one() {
    let source = include_str!("../../../src/config/rate_limit/mod.rs");
    let toml = first_toml(source);
    assert_eq!(toml.matches(" = ").count(), 5, "{toml}");
    let documented = section("rate-limit-documented", &toml);
    assert_eq!(documented, RateLimitConfig::default());
    let second = Duration::from_secs(1);
    assert_eq!(documented.quota(), Quota::new(100, second, 200));
    assert_eq!(documented.mode(), Mode::Enforce);
}

#[test]
fn every_value_of_a_rate_limit_can_be_set_by_a_variable() {
    let vars = [
        ("SHOP__RATE_LIMIT__ENABLED", "false"),
        ("SHOP__RATE_LIMIT__RATE", "5"),
        ("SHOP__RATE_LIMIT__PER", "1m"),
        ("SHOP__RATE_LIMIT__BURST", "7"),
        ("SHOP__RATE_LIMIT__TRUSTED_PROXIES", "2"),
        #[cfg(feature = "redis")]
        ("SHOP__RATE_LIMIT__REDIS_DEADLINE", "10ms"),
        #[cfg(feature = "redis")]
        ("SHOP__RATE_LIMIT__WHEN_REDIS_DOWN", "deny"),
    ];
    let config = load::<Only>("rate-limit-vars", "", &vars).unwrap().config;
    let minute = Duration::from_secs(60);
    assert_eq!(config.rate_limit.quota(), Quota::new(5, minute, 7));
    assert_eq!(config.rate_limit.mode(), Mode::Disabled);
    let shown = serde_json::to_value(&config).unwrap();
    let mut expected = serde_json::json!({
        "enabled": false, "rate": 5, "per": "1m", "burst": 7, "trusted_proxies": 2,
    });
    if cfg!(feature = "redis") {
        expected["redis_deadline"] = "10ms".into();
        expected["when_redis_down"] = "deny".into();
    }
    assert_eq!(shown["rate_limit"], expected);
}

#[test]
fn a_wrong_rate_limit_is_told_with_line_value_and_what_is_allowed() {
    let file = r#"
[rate_limit]
enabled = "perhaps"
rate = 0
per = "0s"
burst = 2000000
trusted_proxies = 17
window = "1s"
"#;
    let of_redis = match cfg!(feature = "redis") {
        true => ", redis_url, redis_deadline, when_redis_down",
        false => "",
    };
    assert_eq!(
        problems::<Only>("rate-limit-wrong", file, &[]),
        [
            "shop.toml:3: rate_limit.enabled: `perhaps` is not true or false",
            "shop.toml:4: rate_limit.rate: `0` is not from 1 to 100000",
            "shop.toml:5: rate_limit.per: `0s` is not a duration such as 250ms, 15s or 1h30m, from \
             1ms to 24h",
            "shop.toml:6: rate_limit.burst: `2000000` is not from 1 to 1000000",
            "shop.toml:7: rate_limit.trusted_proxies: `17` is not from 0 to 16",
            &format!(
                "shop.toml:8: rate_limit.window: unknown key, expected one of enabled, rate, per, \
                 burst, trusted_proxies{of_redis}"
            ),
        ]
    );
}

/// What takes several values is told when each of them is right.
#[test]
fn a_burst_that_never_comes_back_is_no_rate_limit() {
    let file = "[rate_limit]\nrate = 1\nper = \"24h\"\nburst = 1000";
    let said = "shop.toml:1: rate_limit: rate limit: quota.burst: 1000 of 1 per 86400s is not whole \
                again within a year";
    assert_eq!(problems::<Only>("rate-limit-slow", file, &[]), [said]);
}

#[tokio::test]
async fn the_layer_of_a_section_limits_each_client_behind_its_proxies() {
    let file = "[rate_limit]\nrate = 1\nper = \"1h\"\nburst = 1\ntrusted_proxies = 1";
    let telemetry = Telemetry::builder().build().unwrap();
    let limit = section("rate-limit-layer", file).layer(&telemetry).unwrap();
    let app: Router = Router::new().route("/", get(async || "ok")).layer(limit);
    let mut statuses = Vec::new();
    for client in ["192.0.2.1", "192.0.2.1", "192.0.2.2"] {
        let mut request = Request::get("/").header("x-forwarded-for", client);
        let extensions = request.extensions_mut().unwrap();
        extensions.insert(PeerAddr(([10, 0, 0, 1], 1).into()));
        let answer = app.clone().oneshot(request.body(Body::empty()).unwrap());
        statuses.push(answer.await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 429, 200]);
}
