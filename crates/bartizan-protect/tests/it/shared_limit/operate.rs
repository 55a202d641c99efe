//! What is changed while it is at work: quotas, modes, and charges.

use bartizan_protect::rate_limit::{Mode, UnknownPolicy};

use super::*;

async fn passed(limiter: &SharedLimiter<Told, Heard>, calls: u32) -> u32 {
    let mut passed = 0;
    for _ in 0..calls {
        passed += u32::from(limiter.acquire(Some("one"), 1).await.is_ok());
    }
    passed
}

fn limiter(quota: Quota, share: f64) -> (SharedLimiter<Told, Heard>, Told, Heard) {
    let (store, heard) = (Told::default(), Heard::default());
    let limiter = keyed(quota, store.clone()).with_lease_share(share);
    let limiter = limiter.with_observer(heard.clone()).build().unwrap();
    (limiter, store, heard)
}

#[tokio::test(start_paused = true)]
async fn another_quota_is_another_budget_at_once_and_the_old_lease_is_not_used() {
    let (limiter, store, _) = limiter(quota(1, 100), 0.1);
    assert_eq!(passed(&limiter, 20).await, 20);
    limiter.set_quota("all", quota(1, 5)).unwrap();
    assert_eq!(limiter.quota("all").unwrap(), quota(1, 5));
    assert_eq!(limiter.lease("all").unwrap(), 1);
    assert_eq!(passed(&limiter, 20).await, 5);
    // What is kept of the old one is what was used of it.
    limiter.set_quota("all", quota(1, 100)).unwrap();
    assert_eq!(passed(&limiter, 100).await, 80);
    let asked = store.0.asked.lock().unwrap();
    let keys = asked.iter().map(|ask| ask.key.to_string());
    let versions = |part: &str| keys.clone().filter(|key| key.contains(part)).count();
    assert_eq!(versions(":1000000000-5:"), 6);
    assert_eq!(versions(":1000000000-100:") + 6, asked.len());
}

#[tokio::test(start_paused = true)]
async fn a_policy_in_shadow_charges_and_tells_and_rejects_nothing() {
    let (limiter, store, heard) = limiter(quota(1, 2), 0.0);
    limiter.set_mode("all", Mode::Shadow).unwrap();
    assert_eq!(passed(&limiter, 3).await, 3);
    let decided = heard.take().pop().unwrap();
    assert_eq!(decided, "all: shadow_rejected by Store: QuotaExceeded");
    limiter.set_mode("all", Mode::Enforce).unwrap();
    assert_eq!(passed(&limiter, 1).await, 0);
    let asked = store.asked().len();
    limiter.set_mode("all", Mode::Disabled).unwrap();
    heard.take();
    tokio::time::advance(10 * SECOND).await;
    assert_eq!(passed(&limiter, 10).await, 10);
    assert_eq!((store.asked().len(), heard.take()), (asked, vec![]));
}

#[tokio::test(start_paused = true)]
async fn one_that_rejects_nothing_keeps_nobody_elses_units() {
    let store = Told::default();
    let shadow = each_key("shadow", quota(1, 2)).with_mode(Mode::Shadow);
    let limiter = of([shadow, each_key("all", quota(1, 5))], store.clone());
    let limiter = limiter.build().unwrap();
    let mut passed = 0;
    for _ in 0..10 {
        passed += u32::from(limiter.acquire(None, 1).await.is_ok());
    }
    assert_eq!(passed, 5);
}

#[tokio::test(start_paused = true)]
async fn a_charge_is_corrected_without_asking_anybody() {
    let (limiter, store, _) = limiter(quota(1, 20), 0.5);
    let mut reservation = limiter.acquire(Some("one"), 10).await.unwrap();
    reservation.settle("all", 2).unwrap();
    assert_eq!(store.asked().len(), 1);
    // Eight are here again, and ten there.
    let second = limiter.acquire(Some("one"), 8).await.unwrap();
    assert_eq!(store.asked().len(), 1);
    second.refund();
    // It took more than expected, and what is not here is a debt.
    reservation.settle("all", 12).unwrap();
    assert_eq!(store.asked().len(), 1);
    assert_eq!(passed(&limiter, 20).await, 20 - 12);
    let unknown: UnknownPolicy = reservation.settle("none", 1).unwrap_err();
    assert_eq!(unknown.to_string(), "policy: none is none of all");
    assert_eq!(limiter.lease("none"), Err(unknown));
}

#[tokio::test(start_paused = true)]
async fn a_charge_that_was_too_high_is_no_source_of_units() {
    let (limiter, _, _) = limiter(quota(1, 10), 0.5);
    let mut reservation = limiter.acquire(Some("one"), 1).await.unwrap();
    reservation.settle("all", u32::MAX).unwrap();
    reservation.settle("all", 500).unwrap();
    reservation.refund();
    assert_eq!(passed(&limiter, 1_000).await, 10);
}

#[tokio::test(start_paused = true)]
async fn nor_is_one_of_the_budget_that_is_here_while_the_store_is_down() {
    let quota = Quota::new(1, 10 * SECOND, 10).unwrap();
    let (limiter, store, _) = limiter(quota, 0.0);
    store.then(vec![Does::Fails; 5]);
    let mut reservation = limiter.acquire(Some("one"), 1).await.unwrap();
    reservation.settle("all", u32::MAX).unwrap();
    assert_eq!(passed(&limiter, 1).await, 0);
    reservation.refund();
    assert_eq!(passed(&limiter, 100).await, 10);
}
