//! Several policies at once, by whatever a request costs: all or nothing.

use std::num::NonZeroU32;

use bartizan_protect::rate_limit::Mode;
use bartizan_protect::shared_limit::{Refusal, StoreDown};
use tokio::time::Instant;

use super::*;

/// How many units of the policy there are for one key, as long as nobody else asks.
async fn drain(limiter: &SharedLimiter<Told>, policy: &str) -> u32 {
    for other in ["narrow", "wide"] {
        let mode = if other == policy {
            Mode::Enforce
        } else {
            Mode::Disabled
        };
        limiter.set_mode(other, mode).unwrap();
    }
    let mut units = 0;
    while limiter.acquire(Some("one"), 1).await.is_ok() {
        units += 1;
    }
    units
}

fn narrow_and_wide(store: &Told, share: f64) -> SharedLimiter<Told> {
    let narrow = each_key("narrow", quota(1, 5));
    let wide = each_key("wide", quota(1, 20));
    let limiter = of([narrow, wide], store.clone()).with_lease_share(share);
    limiter.with_store_down(StoreDown::Deny).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_request_that_one_policy_rejects_is_charged_to_none() {
    for share in [0.0, 0.2, 1.0] {
        let store = Told::default();
        let limiter = narrow_and_wide(&store, share);
        let mut passed = Vec::new();
        for cost in [2, 4, 4, 4, 4, 3, 3, 1] {
            passed.push(limiter.acquire(Some("one"), cost).await.is_ok());
        }
        let expected = [true, false, false, false, false, true, false, false];
        assert_eq!(passed, expected, "{share}");
        assert_eq!(drain(&limiter, "wide").await, 20 - 5, "{share}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_stores_are_asked_together_and_for_what_is_not_leased_only() {
    let store = Told::default();
    let limiter = narrow_and_wide(&store, 0.2);
    let asked = || {
        let asked = std::mem::take(&mut *store.0.asked.lock().unwrap());
        let asked = asked.into_iter().map(|ask| {
            let name = ask.key.to_string().split(':').nth(1).unwrap().to_owned();
            (name, ask.least, ask.most)
        });
        asked.collect::<Vec<_>>()
    };
    let of = |name: &str, least, most| (name.to_owned(), least, most);
    limiter.acquire(Some("one"), 1).await.unwrap();
    assert_eq!(asked(), [of("narrow", 1, 1), of("wide", 1, 1)]);
    limiter.acquire(Some("one"), 1).await.unwrap();
    assert_eq!(asked(), [of("narrow", 1, 1), of("wide", 1, 2)]);
    // One of the wide one is here.
    limiter.acquire(Some("one"), 1).await.unwrap();
    assert_eq!(asked(), [of("narrow", 1, 1)]);
    // What is known to be refused costs no round trip, and nobody is asked for nothing.
    assert!(limiter.acquire(Some("one"), 3).await.is_err());
    assert_eq!(asked(), [of("narrow", 3, 3), of("wide", 3, 4)]);
    assert!(limiter.acquire(Some("one"), 4).await.is_err());
    assert!(limiter.acquire(Some("one"), 20).await.is_err());
    assert_eq!(asked(), []);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_dropped_while_it_waits_has_taken_nothing() {
    let store = Told::default();
    let limiter = narrow_and_wide(&store, 0.2);
    for _ in 0..2 {
        limiter.acquire(Some("one"), 1).await.unwrap();
    }
    // One unit of the wide one is here, and the narrow one is asked.
    store.then([Does::Hangs]);
    let mut call = tokio_test::task::spawn(Box::pin(limiter.acquire(Some("one"), 1)));
    assert!(call.poll().is_pending());
    drop(call);
    assert_eq!(store.asked(), [1, 1, 1, 2, 1]);
    // One that has been asked and has given, while the other one is waited for.
    store.then([Does::Hangs]);
    let mut call = tokio_test::task::spawn(Box::pin(limiter.acquire(Some("one"), 2)));
    assert!(call.poll().is_pending());
    drop(call);
    assert_eq!(drain(&limiter, "wide").await, 20 - 2);
    assert_eq!(drain(&limiter, "narrow").await, 5 - 2);
}

#[tokio::test(start_paused = true)]
async fn two_that_hang_cost_one_deadline() {
    let store = Told::default();
    store.then([Does::Hangs, Does::Hangs]);
    let limiter = narrow_and_wide(&store, 0.0);
    let start = Instant::now();
    let rejected = limiter.acquire(Some("one"), 1).await.unwrap_err();
    assert_eq!(start.elapsed(), 5 * MILLI);
    assert_eq!(violated(&rejected), ["narrow", "wide"]);
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_exceeded_is_said_before_a_store_that_is_down() {
    let store = Told::default();
    let limiter = narrow_and_wide(&store, 0.0);
    limiter.acquire(Some("one"), 1).await.unwrap();
    let rejected = limiter.acquire(Some("one"), 20).await.unwrap_err();
    assert_eq!(rejected.refusal(), Refusal::CostAboveBurst);
    store.then([Does::Fails]);
    let rejected = limiter.acquire(Some("one"), 5).await.unwrap_err();
    assert_eq!(rejected.refusal(), Refusal::StoreDown);
    assert_eq!(violated(&rejected), ["narrow"]);
    for (does, expected) in [
        (vec![Does::Refuses(SECOND), Does::Fails], ["narrow", "wide"]),
        (vec![Does::Fails, Does::Refuses(SECOND)], ["wide", "narrow"]),
    ] {
        let store = Told::default();
        let limiter = narrow_and_wide(&store, 0.0);
        store.then(does);
        let rejected = limiter.acquire(Some("one"), 1).await.unwrap_err();
        assert_eq!(rejected.refusal(), Refusal::QuotaExceeded);
        assert_eq!(violated(&rejected), expected);
        // Nobody knows when the store is back.
        assert_eq!(rejected.retry_after(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn the_local_budgets_are_all_or_nothing_as_well() {
    let store = Told::default();
    store.then(vec![Does::Fails; 10]);
    let narrow = each_key("narrow", quota(1, 10));
    let wide = each_key("wide", quota(1, 40));
    let limiter = of([narrow, wide], store.clone()).with_replicas(NonZeroU32::new(2).unwrap());
    let limiter = limiter.build().unwrap();
    let mut passed = Vec::new();
    for cost in [3, 3, 3, 2] {
        passed.push(limiter.acquire(Some("one"), cost).await.is_ok());
    }
    assert_eq!(passed, [true, false, false, true]);
    let rejected = limiter.acquire(Some("one"), 1).await.unwrap_err();
    assert_eq!(rejected.refusal(), Refusal::LocalQuotaExceeded);
    assert_eq!(rejected.retry_after(), Some(2 * SECOND));
    assert_eq!(drain(&limiter, "wide").await, 20 - 5);
    assert_eq!(limiter.counts().asked, 10 - 5);
}

#[tokio::test(start_paused = true)]
async fn what_costs_nothing_asks_nobody_and_what_costs_too_much_never_passes() {
    let store = Told::default();
    let limiter = narrow_and_wide(&store, 0.2);
    for _ in 0..100 {
        limiter.acquire(Some("one"), 0).await.unwrap();
    }
    let rejected = limiter.acquire(Some("one"), 6).await.unwrap_err();
    assert_eq!(rejected.refusal(), Refusal::CostAboveBurst);
    assert_eq!(violated(&rejected), ["narrow"]);
    assert_eq!(rejected.retry_after(), None);
    assert_eq!(
        rejected.to_string(),
        "the shared rate limit narrow never allows so much at once"
    );
    assert!(store.asked().is_empty());
    limiter.acquire(Some("one"), 5).await.unwrap();
}
