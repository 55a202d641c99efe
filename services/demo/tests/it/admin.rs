//! The admin port of each service, and what it can be told.

use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::http::Ask;
use crate::process::Demo;
use crate::shop::{Database, Shop};
use crate::support::eventually::eventually;
use crate::support::services::SERVICES;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_service_answers_an_operator_on_a_port_of_its_own() {
    let shop = Shop::open().await;
    for (name, checks, key) in [
        ("gateway", &["orders", "inventory"][..], "orders_url"),
        ("orders", &["database"], "database"),
        ("inventory", &[], "server.bind"),
        ("payments", &[], "limit_cents"),
    ] {
        let service = shop.service(name);
        let admin = async |path| Ask::get(path).of(service.admin()).await.unwrap();
        for path in ["/livez", "/log-level"] {
            assert_eq!(admin(path).await.status, 200, "{name} {path}");
        }
        // It listens before it serves.
        let ready = eventually("ready", async || {
            let ready = admin("/readyz").await;
            (ready.status == 200).then_some(ready)
        })
        .await;
        let checked = ready.json()["checks"].clone();
        let told: Vec<_> = checked.as_array().unwrap().iter().collect();
        let names: Vec<_> = told.iter().map(|check| &check["name"]).collect();
        assert_eq!(names, checks, "{name}");
        assert!(
            told.iter().all(|check| check["status"] == "up"),
            "{checked}"
        );
        let info = admin("/info").await.json();
        assert_eq!(info["service"]["name"], name);
        assert!(info["config"][key]["source"].is_string(), "{name}: {info}");
        let metrics = admin("/metrics").await;
        assert!(metrics.body.contains("bartizan_telemetry_items_total"));
        let has_faults = matches!(name, "inventory" | "payments");
        let expected = if has_faults { 200 } else { 404 };
        assert_eq!(admin("/faults").await.status, expected, "{name}");
        // Nor is any of it on the public port.
        let public = Ask::get("/metrics").of(service.address()).await.unwrap();
        assert_eq!(public.status, 404, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_without_its_services_says_so_and_stays_ready() {
    let mut shop = Shop::open().await;
    for (killed, down) in [
        ("orders", json!(["orders"])),
        ("inventory", json!(["orders", "inventory"])),
    ] {
        shop.end(killed, "-KILL").await;
        let admin = shop.service("gateway").admin();
        eventually("the checks are down", async || {
            let ready = Ask::get("/readyz").of(admin).await.unwrap();
            let checks = ready.json()["checks"].clone();
            let checks = checks.as_array().unwrap().iter();
            let failed = checks.filter(|check| check["status"] == "down");
            let names: Value = failed.map(|check| check["name"].clone()).collect();
            (ready.status == 200 && names == down).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_service_without_its_database_is_not_ready() {
    let database = Database::named("dropped.db");
    let shop = Shop::open_with(&database.0).await;
    let admin = shop.service("orders").admin();
    for (status, told) in [(200, "up"), (503, "down")] {
        let ready = eventually(told, async || {
            let ready = Ask::get("/readyz").of(admin).await.unwrap();
            (ready.status == status && ready.json()["phase"] == "ready").then_some(ready)
        })
        .await;
        let check = &ready.json()["checks"][0];
        assert_eq!(
            (&check["name"], &check["status"]),
            (&json!("database"), &json!(told))
        );
        let other = Connection::open(&database.0).unwrap();
        other.execute_batch("DROP TABLE IF EXISTS orders").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_reads_the_file_that_it_is_told_of_and_shows_no_secrets() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("payments.toml");
    let text = "limit_cents = 7\n\n[server]\nbind = \"127.0.0.1:1\"\n";
    std::fs::write(&file, text).unwrap();
    let mut shop = Shop::open().await;
    let path = file.to_str().unwrap();
    let any = ([127, 0, 0, 1], 0).into();
    shop.end("payments", "-KILL").await;
    shop.start("payments", any, &[("PAYMENTS_CONFIG", path)])
        .await;
    let url = "http://shop:hunter2@127.0.0.1:1";
    shop.end("gateway", "-KILL").await;
    shop.start("gateway", any, &[("GATEWAY__INVENTORY_URL", url)])
        .await;
    std::fs::remove_file(&file).unwrap();

    let info = async |name| {
        let admin = shop.service(name).admin();
        Ask::get("/info").of(admin).await.unwrap()
    };
    let config = info("payments").await.json()["config"].clone();
    let from_file = json!({"value": 7, "source": format!("{path}:1")});
    assert_eq!(config["limit_cents"], from_file);
    // The variable goes before the file.
    assert_eq!(config["server.bind"]["source"], "PAYMENTS__SERVER__BIND");
    let info = info("gateway").await;
    assert!(!info.body.contains("hunter2"), "{info:?}");
    let shown = &info.json()["config"]["inventory_url"]["value"];
    assert_eq!(shown, "http://***@127.0.0.1:1/");
}

#[test]
fn everything_that_is_wrong_with_a_services_settings_is_told_at_once() {
    for name in SERVICES {
        let prefix = name.to_uppercase();
        let (grace, unknown) = (
            format!("{prefix}__SERVER__GRACE"),
            format!("{prefix}__COLOUR"),
        );
        let vars = [(grace.as_str(), "soon"), (unknown.as_str(), "red")];
        let ended = Demo::start_with(&[demo::ROLE_ARGUMENT, name], &vars).wait();
        assert_eq!(ended.status.code(), Some(2), "{ended:?}");
        let said = ended.stderr.join("\n");
        for expected in [
            &format!("{name}: the configuration has 2 problems:"),
            &format!("{grace}: server.grace: `soon` is not a duration"),
            &format!("{unknown}: colour: unknown key"),
        ] {
            assert!(said.contains(expected), "{expected}: {said}");
        }
    }
}
