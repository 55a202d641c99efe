//! How much passes, and how often the store is asked for it.

use std::collections::HashMap;

use tokio::time::Instant;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_hot_key_costs_few_round_trips_and_gets_its_quota() {
    let store = Told::default();
    let limiter = builder(quota(1, 1_000), store.clone()).with_lease_share(0.02);
    let limiter = limiter.build().unwrap();
    assert_eq!(limiter.lease("all").unwrap(), 20);
    let mut passed = 0;
    for _ in 0..2_000 {
        passed += usize::from(limiter.acquire(None, 1).await.is_ok());
    }
    assert_eq!(passed, 1_000);
    let asked = store.asked();
    assert_eq!(asked[..7], [1, 2, 4, 8, 16, 20, 20]);
    // All of the burst, and once for what is not there.
    assert_eq!(asked.len(), 5 + (1_000 - 31_usize).div_ceil(20) + 1);
    assert_eq!(limiter.counts().asked, asked.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_holds_without_asking_again() {
    let store = Told::default();
    let limiter = builder(quota(1, 1), store.clone()).build().unwrap();
    limiter.acquire(None, 1).await.unwrap();
    let heard = async || limiter.acquire(None, 1).await.unwrap_err().retry_after();
    assert_eq!(heard().await, Some(SECOND));
    tokio::time::advance(999 * MILLI).await;
    assert_eq!(heard().await, Some(MILLI));
    assert_eq!(store.asked().len(), 2);
    tokio::time::advance(MILLI).await;
    limiter.acquire(None, 1).await.unwrap();
    assert_eq!(store.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_comes_seldom_is_charged_for_what_it_does() {
    let store = Told::default();
    let limiter = builder(quota(10, 100), store.clone()).with_lease_share(0.5);
    let limiter = limiter.build().unwrap();
    for _ in 0..20 {
        limiter.acquire(None, 1).await.unwrap();
        tokio::time::advance(SECOND).await;
    }
    assert_eq!(store.asked(), [1; 20]);
}

#[tokio::test(start_paused = true)]
async fn one_asks_and_the_others_take_of_what_it_gets() {
    let (store, sign) = (Told::default(), Arc::new(Notify::new()));
    store.then([Does::Waits(Arc::clone(&sign))]);
    let limiter = builder(quota(1, 100), store.clone()).with_lease_share(1.0);
    let limiter = limiter.build().unwrap();
    let mut calls: Vec<_> = (0..10)
        .map(|_| tokio_test::task::spawn(Box::pin(limiter.acquire(None, 1))))
        .collect();
    for call in &mut calls {
        assert!(call.poll().is_pending());
    }
    assert_eq!(store.asked(), [1]);
    sign.notify_one();
    for call in calls {
        call.into_inner().await.unwrap();
    }
    assert_eq!(store.asked(), [1, 9]);
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_and_goes_away_leaves_it_to_the_next() {
    let store = Told::default();
    store.then([Does::Hangs]);
    let limiter = builder(quota(1, 100), store.clone()).build().unwrap();
    let mut first = tokio_test::task::spawn(Box::pin(limiter.acquire(None, 1)));
    let mut second = tokio_test::task::spawn(Box::pin(limiter.acquire(None, 1)));
    assert!(first.poll().is_pending());
    assert!(second.poll().is_pending());
    drop(first);
    assert!(second.is_woken());
    let start = Instant::now();
    second.into_inner().await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(store.asked(), [1, 1]);
    assert_eq!(limiter.counts().failed, 0);
}

#[tokio::test(start_paused = true)]
async fn more_keys_than_there_is_room_for_are_limited_all_the_same() {
    let store = MemoryStore::default();
    let limiter = keyed(quota(1, 1), store).with_capacity(8).build().unwrap();
    let mut passed: HashMap<usize, usize> = HashMap::new();
    for _ in 0..3 {
        for key in 0..100 {
            let pass = limiter.acquire(Some(&key.to_string()), 1).await.is_ok();
            *passed.entry(key).or_default() += usize::from(pass);
        }
    }
    assert!(passed.values().all(|passed| *passed == 1), "{passed:?}");
}
