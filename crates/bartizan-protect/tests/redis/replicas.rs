//! Three replicas that share a server let through what one may, and their leases at most.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use bartizan_protect::shared_limit::{Counts, SharedLimiter, StoreDown};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::server::Server;
use super::*;

const REPLICAS: u32 = 3;
const RATE: u32 = 200;
const BURST: u32 = 500;
const TIME: Duration = Duration::from_secs(2);

/// Names the server to a process that is one of the replicas.
const SERVER: &str = "BARTIZAN_TEST_REPLICA_OF";

fn replica(url: &str) -> SharedLimiter<RedisStore> {
    let quota = Quota::new(RATE, SECOND, BURST).unwrap();
    let limiter = builder(quota, url).with_lease_share(0.02);
    limiter.with_store_down(StoreDown::Deny).build().unwrap()
}

/// Asks from several tasks at once for a while.
async fn hammer(limiter: SharedLimiter<RedisStore>) -> Counts {
    let end = Instant::now() + TIME;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let limiter = limiter.clone();
        tasks.spawn(async move {
            while Instant::now() < end {
                let _ = limiter.acquire(Some("one")).await;
                tokio::task::yield_now().await;
            }
        });
    }
    tasks.join_all().await;
    limiter.counts()
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
    let Some(server) = Server::start().await else {
        return;
    };
    let start = Instant::now();
    let replicas: JoinSet<Counts> = (0..REPLICAS)
        .map(|_| hammer(replica(&server.url())))
        .collect();
    let counts = replicas.join_all().await;
    let time = start.elapsed();
    assert!(counts.iter().all(|it| it.without_store == 0), "{counts:?}");
    let allowed = counts.iter().map(|it| it.allowed).sum();
    let asked = counts.iter().map(|it| it.asked).sum();
    assert_quota_is_held("three limiters", allowed, asked, time);
}

#[tokio::test]
async fn three_processes_hold_one_quota() {
    let Some(server) = Server::start().await else {
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
}

/// One of the processes of the test above, and nothing else.
#[tokio::test]
async fn one_of_three_processes() {
    let Ok(url) = std::env::var(SERVER) else {
        return;
    };
    let counts = hammer(replica(&url)).await;
    assert_eq!(counts.without_store, 0);
    // A line of its own, whatever the harness has said before.
    let said = format!("\ncounts: {} {}\n", counts.allowed, counts.asked);
    io::stdout().write_all(said.as_bytes()).unwrap();
}
