//! Three replicas that share a server let through what one may, and their leases at most.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use bartizan_protect::shared_limit::{Counts, SharedLimiter, StoreDown};
use bartizan_testkit::RedisServer;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::*;

const REPLICAS: u32 = 3;
const RATE: u32 = 200;
const BURST: u32 = 500;
const TIME: Duration = Duration::from_secs(2);

/// What the other policy gives, once for all.
const WIDE: u32 = 10_000;

/// Names the server to a process that is one of the replicas.
const SERVER: &str = "BARTIZAN_TEST_REPLICA_OF";

/// Of two policies, of which one has enough for all.
fn replica(url: &str) -> SharedLimiter<RedisStore> {
    let quota = Quota::new(RATE, SECOND, BURST).unwrap();
    let limiter = builder(quota, url).with_policy(wide());
    let limiter = limiter.with_lease_share(0.02);
    limiter.with_store_down(StoreDown::Deny).build().unwrap()
}

fn wide() -> Policy {
    Policy::new("wide", burst(WIDE)).with_keys(Keys::by(|_| None))
}

/// Asks from several tasks at once for a while, for one to three units each. Answers how many were
/// let through.
async fn hammer(limiter: SharedLimiter<RedisStore>) -> (u64, Counts) {
    let end = Instant::now() + TIME;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let limiter = limiter.clone();
        tasks.spawn(async move {
            let mut passed = 0;
            for cost in (1..=3).cycle() {
                if Instant::now() >= end {
                    break;
                }
                if limiter.acquire(Some("one"), cost).await.is_ok() {
                    passed += u64::from(cost);
                }
                tokio::task::yield_now().await;
            }
            passed
        });
    }
    let passed = tasks.join_all().await.iter().sum();
    (passed, limiter.counts())
}

/// Whether what was rejected was not charged to the policy that would have let it through: what was
/// let through, and what is leased or was in a request's hands.
async fn assert_rejections_cost_nothing(server: &RedisServer, passed: u64) {
    let store = RedisStore::open(&server.url()).unwrap();
    let limiter = SharedLimiter::builder(store).with_policy(wide());
    let limiter = limiter.with_deadline(10 * SECOND).build().unwrap();
    let reservation = limiter.acquire(Some("one"), 1).await.unwrap();
    let (_, decision) = reservation.decisions().iter().next().unwrap();
    let used = u64::from(WIDE - 1 - decision.remaining().unwrap());
    let most = passed + u64::from(2 * REPLICAS * limiter.lease("wide").unwrap());
    let said = format!("of the wide quota {used} are used, of {passed} to {most}\n");
    io::stderr().write_all(said.as_bytes()).unwrap();
    assert!((passed..=most).contains(&used), "{said}");
}

/// Whether all of them have let through in `time` what they should.
fn assert_quota_is_held(what: &str, allowed: u64, asked: u64, time: Duration) {
    let given = f64::from(BURST) + f64::from(RATE) * time.as_secs_f64();
    let slack = f64::from(REPLICAS * BURST / 50);
    let said = format!(
        "{what}: {allowed} let through in {time:?} by {asked} round trips; \
         the quota is {given:.0}, the slack {slack}\n"
    );
    io::stderr().write_all(said.as_bytes()).unwrap();
    assert!(allowed as f64 <= given + slack, "{said}");
    // The time is a bit longer than they have asked for.
    let least = f64::from(BURST) + f64::from(RATE) * TIME.as_secs_f64();
    assert!(allowed as f64 >= 0.9 * least, "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_limiters_hold_one_quota() {
    let Some(server) = RedisServer::start().await else {
        return;
    };
    let start = Instant::now();
    let replicas: JoinSet<_> = (0..REPLICAS)
        .map(|_| hammer(replica(&server.url())))
        .collect();
    let all = replicas.join_all().await;
    let time = start.elapsed();
    assert!(all.iter().all(|(_, it)| it.without_store == 0), "{all:?}");
    let passed = all.iter().map(|(passed, _)| passed).sum();
    let asked = all.iter().map(|(_, it)| it.asked).sum();
    assert_quota_is_held("three limiters", passed, asked, time);
    assert_rejections_cost_nothing(&server, passed).await;
}

#[tokio::test]
async fn three_processes_hold_one_quota() {
    let Some(server) = RedisServer::start().await else {
        return;
    };
    let start = Instant::now();
    let replicas = [(); REPLICAS as usize].map(|()| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "replicas::one_of_three_processes", "--nocapture"])
            .env(SERVER, server.url())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    });
    let (mut allowed, mut asked) = (0, 0);
    for replica in replicas {
        let output = replica.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}");
        let counts = said.lines().find_map(|line| line.strip_prefix("counts: "));
        let mut counts = counts
            .expect(&said)
            .split(' ')
            .map(|it| it.parse::<u64>().unwrap());
        allowed += counts.next().unwrap();
        asked += counts.next().unwrap();
    }
    assert_quota_is_held("three processes", allowed, asked, start.elapsed());
    assert_rejections_cost_nothing(&server, allowed).await;
}

/// One of the processes of the test above, and nothing else.
#[tokio::test]
async fn one_of_three_processes() {
    let Ok(url) = std::env::var(SERVER) else {
        return;
    };
    let (passed, counts) = hammer(replica(&url)).await;
    assert_eq!(counts.without_store, 0);
    // A line of its own, whatever the harness has said before.
    let said = format!("\ncounts: {passed} {}\n", counts.asked);
    io::stdout().write_all(said.as_bytes()).unwrap();
}
