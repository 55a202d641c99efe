//! An outage of the payments, as the circuit breaker on the way there sees it.

use std::time::Duration;

use bartizan_testkit::EventView;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::http::Ask;
use crate::shop::{Shop, ask};
use crate::support::eventually::eventually;

/// Nobody waits for so long.
const HANGS: &str = r#"{"latency_ms": 60000}"#;

/// Long enough that no probe comes between the measurements.
const OPEN_TIME: &str = "4s";

const CIRCUITS: &str = "bartizan_breaker_circuits";
const TRANSITIONS: &str = "bartizan_breaker_transitions_total";
const PAYMENTS: &str = r#"name="payments""#;

/// Has so many orders placed at once, and says how long each took, in order. None may succeed.
async fn turned_away(shop: &Shop, orders: usize, round: &str) -> Vec<Duration> {
    let gateway = shop.service("gateway").address();
    let mut placing = JoinSet::new();
    for number in 0..orders {
        let order = Ask::order(format!("{round}-{number}"));
        placing.spawn(async move {
            let start = Instant::now();
            let answer = ask(&order, gateway).await.unwrap();
            assert!(answer.is_outage(), "{answer:?}");
            start.elapsed()
        });
    }
    let mut times = placing.join_all().await;
    times.sort_unstable();
    times
}

/// How many circuits to the payments are in this state.
async fn circuits(shop: &Shop, state: &str) -> u64 {
    let labels = [PAYMENTS, &format!("state=\"{state}\"")];
    shop.service("orders").metric(CIRCUITS, &labels).await
}

fn is_about_payments(event: &EventView) -> bool {
    let name = event.attributes.get("bartizan.breaker.name");
    name.and_then(|name| name.as_str()) == Some("payments")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_opens_a_circuit_and_the_answers_are_fast_until_it_is_over() {
    let mut shop = Shop::open().await;
    let orders = shop.service("orders").address();
    let vars = [
        ("ORDERS__PAYMENTS__BREAKER__OPEN_TIME", OPEN_TIME),
        ("ORDERS__PAYMENTS__BREAKER__MAX_OPEN_TIME", OPEN_TIME),
    ];
    shop.end("orders", "-TERM").await;
    shop.start("orders", orders, &vars).await;

    // Each waits for its timeout, until there are enough of them.
    shop.service("payments").delay(HANGS).await;
    let before = turned_away(&shop, 20, "hanging").await;
    assert_eq!(circuits(&shop, "open").await, 1);
    assert_eq!(circuits(&shop, "closed").await, 0);
    let meanwhile = turned_away(&shop, 20, "open").await;
    let (p50, p99) = (before[before.len() / 2], meanwhile[meanwhile.len() - 1]);
    assert!(p50 >= Duration::from_secs(1), "{before:?}");
    assert!(p99 < p50 / 2, "{meanwhile:?} after {before:?}");

    shop.service("payments").delay("{}").await;
    let gateway = shop.service("gateway").address();
    let mut number = 0;
    // One good probe is not enough, and further orders bring the others.
    eventually("the circuit is closed", async || {
        number += 1;
        let order = Ask::order(format!("over-{number}"));
        let answer = ask(&order, gateway).await.unwrap();
        (answer.is_success() && circuits(&shop, "closed").await == 1).then_some(())
    })
    .await;
    for (from, to) in [
        ("closed", "open"),
        ("open", "half_open"),
        ("half_open", "closed"),
    ] {
        let (from, to) = (format!("from=\"{from}\""), format!("state=\"{to}\""));
        let labels = [PAYMENTS, &from, &to];
        let changes = shop.service("orders").metric(TRANSITIONS, &labels).await;
        assert!(changes >= 1, "{labels:?}");
    }

    // The same in the traces: whose call has changed it, and who was turned away.
    let ended = shop.end("orders", "-TERM").await;
    assert!(ended.status.success(), "{ended:?}");
    let spans = shop.spans("orders");
    let events = |name: &str| {
        let events = spans.iter().flat_map(|span| &span.events);
        let named = events.filter(|event| event.name == name);
        named.filter(|event| is_about_payments(event)).count()
    };
    assert!(events("bartizan.breaker.transition") >= 3);
    assert!(events("bartizan.breaker.rejected") >= 1);
}
