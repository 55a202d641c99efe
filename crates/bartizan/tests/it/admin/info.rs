//! What a service tells of itself.

use axum::Router;
use bartizan::admin::Admin;
use bartizan::config::{self, Secret, ServerConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{get, json, replica};

#[derive(Deserialize, Serialize)]
struct Shop {
    api_key: Secret<String>,
    database: String,
    #[serde(default)]
    server: ServerConfig,
}

#[tokio::test]
async fn a_service_tells_what_it_is_and_how_it_is_set() {
    let vars = [("SHOP__API_KEY", "hunter2"), ("SHOP__DATABASE", "shop.db")];
    let loaded = config::loader()
        .with_env("SHOP")
        .with_vars(vars)
        .load::<Shop>()
        .unwrap();
    let admin = Admin::new()
        .with_service("shop", "1.2.3")
        .with_build("commit", "0abc")
        .with_config(loaded.effective());
    let (replica, addr) = replica(Router::new(), admin, |server| server).await;
    let response = get(addr, "/info").await;
    assert_eq!(response.status(), 200);
    assert!(!response.body().contains("hunter2"), "{}", response.body());
    let info = json(&response);
    assert_eq!(info["service"], json!({"name": "shop", "version": "1.2.3"}));
    assert_eq!(info["build"], json!({"commit": "0abc"}));
    assert_eq!(info["bartizan"], env!("CARGO_PKG_VERSION"));
    assert_eq!(info["phase"], "ready");
    assert!(info["uptime_seconds"].as_f64().unwrap() >= 0.0);
    let config = &info["config"];
    for (key, value, source) in [
        ("api_key", "***", "SHOP__API_KEY"),
        ("database", "shop.db", "SHOP__DATABASE"),
        ("server.grace", "5s", "default"),
    ] {
        assert_eq!(
            config[key],
            json!({"value": value, "source": source}),
            "{key}"
        );
    }
    replica.end().await;
}

#[tokio::test]
async fn a_service_that_was_told_nothing_tells_the_rest() {
    let (replica, addr) = replica(Router::new(), Admin::new(), |server| server).await;
    let info = json(&get(addr, "/info").await);
    assert_eq!(
        (&info["service"], &info["config"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(info["phase"], "ready");
    replica.end().await;
}
