//! SIGKILL for each service in the middle of its traffic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::Value;
use tokio::task::JoinSet;

use crate::http::Ask;
use crate::shop::{Database, Shop, ask};
use crate::support::eventually::eventually;
use crate::support::services::SERVICES;

/// What is sent meanwhile, over and over.
fn mixed(number: u64) -> Ask {
    match number % 3 {
        0 => Ask::get("/products"),
        1 => Ask::order(number.to_string()),
        _ => Ask::get("/orders/1"),
    }
}

/// What still works without a service: who is asked for what.
fn unharmed(killed: &str) -> Vec<(&'static str, Ask)> {
    let all = [
        // Of the order that was placed first.
        ("orders", Ask::get("/orders/1")),
        ("inventory", Ask::get("/products")),
        ("payments", Ask::get("/ledger")),
        ("gateway", Ask::get("/openapi.json")),
    ];
    let through = match killed {
        "orders" => vec![("gateway", Ask::get("/products"))],
        "inventory" => vec![("gateway", Ask::get("/orders/1"))],
        "payments" => vec![
            ("gateway", Ask::get("/products")),
            ("gateway", Ask::get("/orders/1")),
        ],
        _ => vec![],
    };
    let others = all.into_iter().filter(|(asked, _)| *asked != killed);
    others.chain(through).collect()
}

/// What the gateway cannot do without it.
fn harmed(killed: &str) -> Vec<Ask> {
    match killed {
        "orders" => vec![Ask::order("after"), Ask::get("/orders/1")],
        "inventory" => vec![Ask::order("after"), Ask::get("/products")],
        "payments" => vec![Ask::order("after")],
        _ => vec![],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_killed_takes_nothing_along_but_what_needs_it() {
    for name in SERVICES {
        let mut shop = Shop::open().await;
        let gateway = shop.service("gateway").address();
        let first = ask(&Ask::order("first"), gateway).await.unwrap();
        assert_eq!(first.status, 201, "{first:?}");

        let (over, next) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let mut traffic = JoinSet::new();
        for _ in 0..4 {
            let (over, next) = (Arc::clone(&over), Arc::clone(&next));
            traffic.spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let request = mixed(next.fetch_add(1, Ordering::Relaxed));
                    match ask(&request, gateway).await {
                        Ok(answer) => assert!(
                            answer.is_success() || answer.is_outage(),
                            "{request:?}: {answer:?}"
                        ),
                        Err(error) => assert_eq!(name, "gateway", "{request:?}: {error}"),
                    }
                }
            });
        }
        let service = shop.service(name);
        let acknowledged = eventually("telemetry under way", async || {
            let labels = [r#"result="exported""#, r#"signal="traces""#];
            let exported = service.metric("bartizan_telemetry_items_total", &labels);
            Some(exported.await).filter(|exported| *exported >= 100)
        })
        .await;
        let ended = shop.end(name, "-KILL").await;
        assert_eq!(ended.status.code(), None, "{ended:?}");
        assert!(shop.received(name).0 >= acknowledged, "{name}");

        // Some more of it, without the service.
        let killed_at = next.load(Ordering::Relaxed);
        eventually("traffic afterwards", async || {
            (next.load(Ordering::Relaxed) >= killed_at + 20).then_some(())
        })
        .await;
        over.store(true, Ordering::Relaxed);
        while let Some(ended) = traffic.join_next().await {
            ended.unwrap();
        }
        for (asked, request) in unharmed(name) {
            let answer = ask(&request, shop.service(asked).address()).await.unwrap();
            assert!(answer.is_success(), "without {name}: {asked} {answer:?}");
        }
        for request in harmed(name) {
            let answer = ask(&request, gateway).await.unwrap();
            assert!(answer.is_outage(), "without {name}: {answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_that_a_kill_has_left_are_undone_after_a_restart_and_can_be_placed_again() {
    const ORDERS: u64 = 4;

    let database = Database::named("killed.db");
    let mut shop = Shop::open_with(&database.0).await;
    // Longer than the order service waits, so that nothing is placed or undone before the kill.
    let never = r#"{"latency_ms": 20000}"#;
    shop.service("payments").delay(never).await;
    let gateway = shop.service("gateway").address();
    let mut placing = JoinSet::new();
    for number in 0..ORDERS {
        placing.spawn(async move { ask(&Ask::order(number.to_string()), gateway).await });
    }
    let payments = shop.service("payments");
    eventually("all being paid", async || {
        let active = payments.metric("http_server_active_requests", &[]).await;
        (active == ORDERS).then_some(())
    })
    .await;
    shop.end("orders", "-KILL").await;
    for answer in placing.join_all().await {
        let answer = answer.unwrap();
        assert!(answer.is_outage(), "{answer:?}");
    }
    shop.service("payments").delay("{}").await;

    let address = shop.service("orders").address();
    shop.start("orders", address, &[]).await;
    for id in 1..=ORDERS {
        eventually("undone", async || {
            let order = ask(&Ask::get(format!("/orders/{id}")), address).await;
            (order.unwrap().json()["status"] == "rejected").then_some(())
        })
        .await;
    }
    assert_eq!(books(&shop).await, (0, 0, 0));

    // The clients that never heard of it try again, with the same keys, until the gateway dares to.
    for number in 0..ORDERS {
        let order = Ask::order(number.to_string());
        eventually("placed", async || {
            let answer = ask(&order, gateway).await.unwrap();
            assert!(answer.is_success() || answer.is_outage(), "{answer:?}");
            answer.is_success().then_some(())
        })
        .await;
    }
    assert_eq!(books(&shop).await, (0, ORDERS, ORDERS));
}

/// How much of the first product is reserved, how much is sold, and how many payments there are.
async fn books(shop: &Shop) -> (u64, u64, u64) {
    let ledger = async |name| {
        let address = shop.service(name).address();
        ask(&Ask::get("/ledger"), address).await.unwrap().json()
    };
    let count = |value: &Value| value.as_u64().unwrap();
    let (stock, money) = (ledger("inventory").await, ledger("payments").await);
    (
        count(&stock[0]["reserved"]),
        count(&stock[0]["sold"]),
        count(&money["payments"]),
    )
}
