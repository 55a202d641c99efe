//! One replica and its quota.

use bartizan_protect::rate_limit::MAX_REFILL;
use bartizan_protect::shared_limit::{Refusal, StoreDown};
use bartizan_testkit::{RedisServer, until};

use super::*;

#[tokio::test]
async fn a_client_has_its_quota_and_no_more() {
    let Some(server) = RedisServer::start().await else {
        return;
    };
    for (key, share) in [("without leases", 0.0), ("with leases", 0.2)] {
        let limiter = builder(burst(50), &server.url())
            .with_lease_share(share)
            .with_store_down(StoreDown::Deny)
            .build()
            .unwrap();
        let mut passed = 0;
        for _ in 0..200 {
            match limiter.acquire(Some(key), 1).await {
                Ok(_) => passed += 1,
                Err(rejected) => {
                    assert_eq!(rejected.refusal(), Refusal::QuotaExceeded);
                    let wait = rejected.retry_after().unwrap();
                    assert!((900 * SECOND..=1_000 * SECOND).contains(&wait), "{wait:?}");
                }
            }
        }
        assert_eq!(passed, 50, "{key}");
        // One, two, four, eight, and ten each time; and once for what is not there.
        let asked = if share > 0.0 { 4 + 4 + 1 } else { 50 + 1 };
        assert_eq!(limiter.counts().asked, asked, "{key}");
        assert_eq!(limiter.counts().failed, 0);
    }
}

#[tokio::test]
async fn a_rate_that_does_not_divide_has_its_whole_burst() {
    let Some(server) = RedisServer::start().await else {
        return;
    };
    for (rate, per, burst) in [
        (3, SECOND, 1),
        (3, SECOND, 3),
        (7, SECOND, 5),
        (999, SECOND, 700),
        (99_999, SECOND, 150_000),
        // And what a quota can be at most.
        (1, MAX_REFILL, 1),
        (1_000, SECOND, u32::MAX),
        (1_000_000_000, SECOND, 1_000_000),
    ] {
        let quota = Quota::new(rate, per, burst).unwrap();
        let limiter = builder(quota, &server.url())
            .with_store_down(StoreDown::Deny)
            .build()
            .unwrap();
        let result = limiter.acquire(Some("one"), burst).await;
        assert!(result.is_ok(), "{burst} at {rate} in {per:?}: {result:?}");
    }
}

#[tokio::test]
async fn what_was_used_comes_back_at_the_rate() {
    let Some(server) = RedisServer::start().await else {
        return;
    };
    let quota = Quota::new(20, SECOND, 2).unwrap();
    let limiter = builder(quota, &server.url())
        .with_store_down(StoreDown::Deny)
        .build()
        .unwrap();
    let start = tokio::time::Instant::now();
    let mut passed = 0;
    let passed = until(10 * SECOND, async || {
        passed += u32::from(limiter.acquire(Some("one"), 1).await.is_ok());
        (passed == 12).then_some(passed)
    })
    .await;
    // Two at once, and fifty milliseconds for each of the others.
    assert!(
        start.elapsed() >= SECOND / 2,
        "{passed} in {:?}",
        start.elapsed()
    );
}
