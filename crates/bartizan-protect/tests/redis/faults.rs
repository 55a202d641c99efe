//! The server is killed, held still and started anew while requests come in.

use std::num::NonZeroU32;
use std::time::Duration;

use bartizan_protect::breaker::Config;
use bartizan_protect::shared_limit::{Refusal, SharedLimiter, StoreDown};
use bartizan_testkit::{RedisServer, until};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::*;

const DEADLINE: Duration = Duration::from_millis(50);

/// How much longer a request may take on a machine that has other things to do.
const MARGIN: Duration = Duration::from_millis(500);

const POLICIES: [StoreDown; 3] = [StoreDown::LocalOnly, StoreDown::Allow, StoreDown::Deny];

fn limiter(url: &str, down: StoreDown) -> SharedLimiter<RedisStore> {
    let breaker = Config::builder()
        .with_consecutive_failures(3)
        .with_open_time(Duration::from_millis(100), Duration::from_millis(200));
    builder(burst(10_000), url)
        .with_deadline(DEADLINE)
        .with_breaker(breaker.build().unwrap())
        .with_store_down(down)
        .with_replicas(NonZeroU32::new(1_000).unwrap())
        .build()
        .unwrap()
}

/// Asks once, in time. Answers whether the store has decided it, and what.
async fn ask(limiter: &SharedLimiter<RedisStore>) -> (bool, Option<Refusal>) {
    let (start, before) = (Instant::now(), limiter.counts().without_store);
    let result = limiter.acquire(Some("one"), 1).await;
    let took = start.elapsed();
    assert!(took <= 2 * DEADLINE + MARGIN, "{took:?}");
    let by_store = limiter.counts().without_store == before;
    (by_store, result.err().map(|rejected| rejected.refusal()))
}

async fn until_the_store_decides(limiter: &SharedLimiter<RedisStore>) {
    until(20 * SECOND, async || {
        let (by_store, refusal) = ask(limiter).await;
        assert!(!by_store || refusal.is_none(), "{refusal:?}");
        by_store.then_some(())
    })
    .await;
}

/// Requests while there is no answer from the store.
async fn goes_on_without(limiter: &SharedLimiter<RedisStore>, down: StoreDown) {
    let mut refusals = Vec::new();
    let start = Instant::now();
    for _ in 0..100 {
        let (by_store, refusal) = ask(limiter).await;
        assert!(!by_store, "{down:?}");
        refusals.push(refusal);
    }
    // The breaker spares most of them the deadline.
    assert!(start.elapsed() < 50 * DEADLINE, "{:?}", start.elapsed());
    let passed = refusals.iter().filter(|refusal| refusal.is_none()).count();
    let expected = match down {
        StoreDown::LocalOnly => (10, Some(Refusal::LocalQuotaExceeded)),
        StoreDown::Allow => (100, None),
        _ => (0, Some(Refusal::StoreDown)),
    };
    assert_eq!((passed, refusals[99]), expected, "{down:?}");
}

#[tokio::test]
async fn a_server_that_is_killed_and_comes_back() {
    let Some(mut server) = RedisServer::start().await else {
        return;
    };
    for down in POLICIES {
        let limiter = limiter(&server.url(), down);
        until_the_store_decides(&limiter).await;
        server.kill();
        goes_on_without(&limiter, down).await;
        server.restart().await;
        until_the_store_decides(&limiter).await;
    }
}

#[tokio::test]
async fn a_server_that_holds_still_and_goes_on() {
    let Some(server) = RedisServer::start().await else {
        return;
    };
    for down in POLICIES {
        let limiter = limiter(&server.url(), down);
        until_the_store_decides(&limiter).await;
        server.pause();
        goes_on_without(&limiter, down).await;
        server.go_on();
        until_the_store_decides(&limiter).await;
    }
}

#[tokio::test]
async fn a_server_that_is_started_anew_between_two_requests_is_not_noticed() {
    let Some(mut server) = RedisServer::start().await else {
        return;
    };
    let limiter = builder(burst(10), &server.url()).with_store_down(StoreDown::Deny);
    let limiter = limiter.build().unwrap();
    for _ in 0..3 {
        limiter.acquire(Some("one"), 1).await.unwrap();
        server.kill();
        server.restart().await;
    }
    assert_eq!(limiter.counts().failed, 0);
}

/// Needs no server.
#[tokio::test]
async fn what_speaks_something_else_is_a_failure() {
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"$-7\r\n", b""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}/", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            loop {
                let (mut peer, _) = listener.accept().await.unwrap();
                let _ = peer.write_all(answer).await;
            }
        });
        let limiter = limiter(&url, StoreDown::Allow);
        for _ in 0..20 {
            assert_eq!(ask(&limiter).await, (false, None));
        }
        server.abort();
    }
}
