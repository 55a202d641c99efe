//! The part of the section that shares the limit between replicas.

use bartizan::Telemetry;
use bartizan::config::RateLimitConfig;
use bartizan::shared_limit::StoreDown;

use super::{Only, section};
use crate::config::{first_toml, load, problems};

const URL: &str = "redis://shop:hunter2@127.0.0.1:6379/0";

#[test]
fn the_documented_values_are_the_defaults() {
    let source = include_str!("../../../../src/config/rate_limit/mod.rs");
    let (_, documented) = source.split_once("replicas can share the limit:").unwrap();
    let toml = first_toml(documented);
    assert_eq!(toml.matches(" = ").count(), 3, "{toml}");
    let documented = section("redis-documented", &format!("[rate_limit]\n{toml}"));
    // There is no URL by default.
    let (_, rest) = toml.split_once('\n').unwrap();
    let default = section("redis-default", &format!("[rate_limit]\n{rest}"));
    assert_eq!(default, RateLimitConfig::default());
    assert_ne!(documented, default);
    assert_eq!(documented.when_redis_down(), StoreDown::LocalOnly);
}

#[test]
fn what_becomes_of_requests_without_redis_can_be_said() {
    for (said, down) in [
        ("local", StoreDown::LocalOnly),
        ("allow", StoreDown::Allow),
        ("deny", StoreDown::Deny),
    ] {
        let file = format!("[rate_limit]\nwhen_redis_down = {said:?}");
        let config = section("redis-down", &file);
        assert_eq!(config.when_redis_down(), down);
    }
}

#[test]
fn wrong_values_are_told_and_a_url_never_is() {
    let file = r#"
[rate_limit]
redis_url = "http://shop:hunter2@127.0.0.1/"
redis_deadline = "11s"
when_redis_down = "panic"
"#;
    assert_eq!(
        problems::<Only>("redis-wrong", file, &[]),
        [
            "shop.toml:3: rate_limit.redis_url: expected a URL such as redis://127.0.0.1:6379/0",
            "shop.toml:4: rate_limit.redis_deadline: `11s` is not a duration such as 250ms, 15s or \
             1h30m, from 1ms to 10s",
            "shop.toml:5: rate_limit.when_redis_down: `panic` is not one of local, allow, deny",
        ]
    );
    let vars = [("SHOP__RATE_LIMIT__REDIS_URL", URL)];
    let loaded = load::<Only>("redis-told", "", &vars).unwrap();
    let told = serde_json::to_string(&loaded.effective()).unwrap();
    let told = format!("{told}{loaded:?}");
    assert!(
        told.contains("redis_url") && !told.contains("hunter2"),
        "{told}"
    );
}

#[tokio::test]
async fn a_shared_layer_is_had_where_there_is_a_redis_even_if_it_is_not_there_yet() {
    let telemetry = Telemetry::builder().build().unwrap();
    let layer = |config: &RateLimitConfig| {
        let policies = [config.policy("client").unwrap()];
        config.shared_layer(policies, &telemetry).unwrap()
    };
    assert!(layer(&RateLimitConfig::default()).is_none());
    let config = section("redis-layer", &format!("[rate_limit]\nredis_url = {URL:?}"));
    assert!(layer(&config).is_some());
}
