//! Three gateways that share a Redis give a client one budget, and go on without it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::routing::get;
use bartizan_testkit::{RedisServer, until};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

use crate::gateways::{Gateway, PATIENCE};
use crate::serve;

const REPLICAS: u32 = 3;

/// What a client has, of which nothing comes back while a test runs.
const BURST: u32 = 100;
const QUOTA: [(&str, &str); 3] = [
    ("GATEWAY__RATE_LIMIT__RATE", "1"),
    ("GATEWAY__RATE_LIMIT__PER", "1h"),
    ("GATEWAY__RATE_LIMIT__BURST", "100"),
];

/// What a gateway takes ahead at most: a fiftieth of the burst.
const LEASE: u32 = BURST / 50;

/// By status, how many answers.
type Statuses = BTreeMap<u16, u32>;

/// Gateways with these settings beside the quota, and an inventory behind them.
async fn gateways(count: u32, redis: &str, vars: &[(&str, &str)]) -> Arc<[Gateway]> {
    let inventory = serve(Router::new().route("/products", get(async || "[]"))).await;
    let redis = [("GATEWAY__RATE_LIMIT__REDIS_URL", redis)];
    let vars: Vec<_> = QUOTA.iter().chain(&redis).chain(vars).copied().collect();
    let mut gateways = Vec::new();
    for _ in 0..count {
        gateways.push(Gateway::start(inventory, &vars).await);
    }
    gateways.into()
}

/// Asks so many times with a key, each gateway as often as the others and several at once. `asked`
/// counts.
async fn ask(
    gateways: Arc<[Gateway]>,
    key: &'static str,
    times: u32,
    asked: Arc<AtomicU32>,
) -> Statuses {
    let mut asking = JoinSet::new();
    for _ in 0..2 * REPLICAS {
        let (gateways, asked) = (Arc::clone(&gateways), Arc::clone(&asked));
        asking.spawn(async move {
            let mut statuses = Vec::new();
            loop {
                let number = asked.fetch_add(1, Ordering::Relaxed);
                if number >= times {
                    return statuses;
                }
                let gateway = &gateways[number as usize % gateways.len()];
                statuses.push(gateway.ask(key).await.status);
            }
        });
    }
    let mut statuses = Statuses::new();
    for status in asking.join_all().await.into_iter().flatten() {
        *statuses.entry(status).or_default() += 1;
    }
    statuses
}

/// How many of three times the quota pass. All others are over it.
async fn passed(gateways: &Arc<[Gateway]>, key: &'static str) -> u32 {
    let times = 3 * BURST + REPLICAS;
    let statuses = ask(Arc::clone(gateways), key, times, Arc::default()).await;
    let of = |status| statuses.get(&status).copied().unwrap_or_default();
    assert_eq!(of(200) + of(429), times, "{key}: {statuses:?}");
    of(200)
}

fn assert_is_one_quota(key: &str, passed: u32) {
    let slack = REPLICAS * LEASE;
    let said = format!("{key}: {passed} passed; the quota is {BURST}, the leases {slack}\n");
    io::stderr().write_all(said.as_bytes()).unwrap();
    // What is leased is charged, so that without time there is no slack upwards, and what a gateway
    // has taken and not used is missing.
    assert!((BURST - slack..=BURST + slack).contains(&passed), "{said}");
}

#[tokio::test]
async fn three_gateways_share_one_budget_and_go_on_without_redis() {
    let Some(mut redis) = RedisServer::start().await else {
        return;
    };
    // Time enough for a busy machine.
    let vars = [("GATEWAY__RATE_LIMIT__REDIS_DEADLINE", "10s")];
    let gateways = gateways(REPLICAS, &redis.url(), &vars).await;

    assert_is_one_quota("one", passed(&gateways, "one").await);
    // Another key is none of its business.
    assert_is_one_quota("another", passed(&gateways, "another").await);

    let (times, asked) = (6 * BURST, Arc::<AtomicU32>::default());
    let asking = ask(Arc::clone(&gateways), "killed", times, Arc::clone(&asked));
    let asking = tokio::spawn(asking);
    let begun = async || (asked.load(Ordering::Relaxed) >= BURST / 2).then_some(());
    until(PATIENCE, begun).await;
    redis.kill();
    let statuses = asking.await.unwrap();
    let answers: u32 = statuses.values().sum();
    assert_eq!(answers, times);
    assert!(
        statuses.keys().all(|status| [200, 429].contains(status)),
        "{statuses:?}"
    );

    // Each by itself.
    assert_eq!(passed(&gateways, "alone").await, REPLICAS * BURST);

    redis.restart().await;
    for gateway in &*gateways {
        let by_store = async || {
            let by = "bartizan_rate_limit_by=\"store\"";
            gateway
                .counted("bartizan_rate_limit_requests_total", by)
                .await
        };
        let before = by_store().await;
        until(PATIENCE, async || {
            gateway.ask("back").await;
            (by_store().await > before).then_some(())
        })
        .await;
    }
    assert_is_one_quota("afterwards", passed(&gateways, "afterwards").await);
}

#[tokio::test]
async fn a_gateway_starts_without_redis_and_says_what_is_left_of_its_own_budget() {
    // Bound, so that nobody else gets the port, and not listening.
    let silent = TcpSocket::new_v4().unwrap();
    silent.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let redis = format!("redis://{}/", silent.local_addr().unwrap());
    let gateways = gateways(1, &redis, &[]).await;
    for left in (0..BURST).rev() {
        let answer = gateways[0].ask("one").await;
        assert_eq!(answer.status, 200);
        // Once, and of the two budgets that it was charged to the lesser one.
        let said = format!("\"api-key\";r={left}");
        let [fields] = &answer.fields[..] else {
            panic!("{answer:?}");
        };
        assert!(fields.contains(&said), "{fields}");
    }
    assert_eq!(gateways[0].ask("one").await.status, 429);
    assert_eq!(gateways[0].ask("another").await.status, 200);
}

#[tokio::test]
async fn a_gateway_without_redis_can_be_told_to_let_all_through_or_nobody() {
    let silent = TcpSocket::new_v4().unwrap();
    silent.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let redis = format!("redis://{}/", silent.local_addr().unwrap());
    for (down, status) in [("allow", 200), ("deny", 503)] {
        let vars = [("GATEWAY__RATE_LIMIT__WHEN_REDIS_DOWN", down)];
        let gateways = gateways(1, &redis, &vars).await;
        let times = 2 * BURST;
        let statuses = ask(gateways, "one", times, Arc::default()).await;
        assert_eq!(statuses, Statuses::from([(status, times)]), "{down}");
    }
}
