//! A store that fails, does not answer, or answers nonsense.

use std::num::NonZeroU32;

use bartizan_protect::breaker::State;
use bartizan_protect::shared_limit::{Refusal, Rejected, SharedLimiter, StoreDown};
use tokio::time::Instant;

use super::*;

const POLICIES: [StoreDown; 3] = [StoreDown::LocalOnly, StoreDown::Allow, StoreDown::Deny];

fn limiter(store: &Told, down: StoreDown) -> SharedLimiter<Told> {
    let limiter = builder(quota(1, 100), store.clone());
    limiter.with_store_down(down).build().unwrap()
}

fn refusal<T>(result: Result<T, Rejected>) -> Option<Refusal> {
    result.err().map(|rejected| rejected.refusal())
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_costs_a_deadline_and_the_policy_decides() {
    for down in POLICIES {
        let store = Told::default();
        store.then([Does::Hangs]);
        let limiter = limiter(&store, down);
        let start = Instant::now();
        let result = refusal(limiter.acquire(None, 1).await);
        assert_eq!(start.elapsed(), 5 * MILLI, "{down:?}");
        let denied = (down == StoreDown::Deny).then_some(Refusal::StoreDown);
        assert_eq!(result, denied, "{down:?}");
        let counts = limiter.counts();
        assert_eq!((counts.without_store, counts.failed), (1, 1));
        // It is back.
        limiter.acquire(None, 1).await.unwrap();
        assert_eq!(limiter.counts().without_store, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_anothers_answer_waits_two_deadlines_at_most() {
    for down in POLICIES {
        let store = Told::default();
        store.then([Does::Hangs, Does::Hangs]);
        let limiter = limiter(&store, down);
        let took = async |later: Duration| {
            tokio::time::timeout(later, std::future::pending::<()>())
                .await
                .unwrap_err();
            let began = Instant::now();
            let result = refusal(limiter.acquire(None, 1).await);
            assert_eq!(result.is_some(), down == StoreDown::Deny);
            began.elapsed()
        };
        // The second one waits for three, and then for an answer of its own.
        let took = tokio::join!(took(MILLI), took(3 * MILLI));
        assert_eq!(took, (5 * MILLI, 8 * MILLI), "{down:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_left_alone_and_asked_again_later() {
    for down in POLICIES {
        let store = Told::default();
        store.then([const { Does::Fails }; 5]);
        let limiter = limiter(&store, down);
        for _ in 0..50 {
            let rejected = limiter.acquire(None, 1).await.err();
            assert_eq!(rejected.is_some(), down == StoreDown::Deny, "{down:?}");
        }
        assert_eq!(store.asked().len(), 5, "{down:?}");
        assert_eq!(limiter.breaker().snapshot().state, State::Open);
        let rejected = limiter.acquire(None, 1).await.err();
        // It says how long that may take.
        assert!(rejected.is_none_or(|it| it.retry_after().is_some()));
        tokio::time::advance(SECOND).await;
        let before = limiter.counts().without_store;
        for _ in 0..10 {
            limiter.acquire(None, 1).await.unwrap();
        }
        assert_eq!(limiter.counts().without_store, before, "{down:?}");
        assert_eq!(limiter.breaker().snapshot().state, State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn local_only_is_a_budget_for_each_key_of_its_own() {
    let store = Told::default();
    store.then(vec![Does::Fails; 5]);
    let limiter = keyed(quota(100, 100), store.clone()).with_replicas(NonZeroU32::new(10).unwrap());
    let limiter = limiter.build().unwrap();
    for key in ["one", "another"] {
        for _ in 0..10 {
            limiter.acquire(Some(key), 1).await.unwrap();
        }
        let rejected = limiter.acquire(Some(key), 1).await.unwrap_err();
        assert_eq!(rejected.refusal(), Refusal::LocalQuotaExceeded);
        assert_eq!(rejected.retry_after(), Some(SECOND / 10));
    }
    tokio::time::advance(SECOND / 10).await;
    limiter.acquire(Some("one"), 1).await.unwrap();
    assert_eq!(store.asked().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_makes_no_sense_is_a_failure() {
    let (store, heard) = (Told::default(), Heard::default());
    store.then([Does::Gives(u32::MAX), Does::Gives(2)]);
    let limiter = builder(quota(1, 100), store.clone()).with_observer(heard.clone());
    let limiter = limiter.build().unwrap();
    for _ in 0..3 {
        limiter.acquire(None, 1).await.unwrap();
    }
    assert_eq!(
        heard.take(),
        [
            "failed in 0ns, first true: 4294967295 units are no grant of 1 to 1",
            "all: allowed by StoreDown",
            "failed in 0ns, first false: 2 units are no grant of 1 to 1",
            "all: allowed by StoreDown",
            "answered in 0ns",
            "recovered",
            "all: allowed by Store",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_leased_is_good_while_the_store_is_down() {
    let store = Told::default();
    let limiter = builder(quota(1, 100), store.clone())
        .with_lease_share(1.0)
        .with_store_down(StoreDown::Deny);
    let limiter = limiter.build().unwrap();
    for _ in 0..4 {
        limiter.acquire(None, 1).await.unwrap();
    }
    // One, two, and one of four.
    store.then([Does::Fails]);
    for _ in 0..3 {
        limiter.acquire(None, 1).await.unwrap();
    }
    let rejected = limiter.acquire(None, 1).await.unwrap_err();
    assert_eq!(rejected.refusal(), Refusal::StoreDown);
    assert_eq!(
        rejected.to_string(),
        "the shared rate limit all cannot be asked"
    );
}

#[tokio::test(start_paused = true)]
async fn what_time_has_given_back_here_is_not_given_back_again() {
    let store = Told::default();
    store.then(vec![Does::Fails; 5]);
    let limiter = builder(quota(1, 10), store.clone()).build().unwrap();
    let mut first = limiter.acquire(None, 10).await.unwrap();
    tokio::time::advance(9 * SECOND).await;
    limiter.acquire(None, 9).await.unwrap();
    first.settle("all", 5).unwrap();
    first.refund();
    // The last second of it.
    limiter.acquire(None, 1).await.unwrap();
    let rejected = limiter.acquire(None, 1).await.unwrap_err();
    assert_eq!(rejected.refusal(), Refusal::LocalQuotaExceeded);
}

#[tokio::test(start_paused = true)]
async fn probes_that_go_away_do_not_keep_the_store_from_being_asked() {
    let store = Told::default();
    store.then([const { Does::Fails }; 5]);
    let limiter = limiter(&store, StoreDown::Deny);
    for _ in 0..5 {
        limiter.acquire(None, 1).await.unwrap_err();
    }
    tokio::time::advance(SECOND).await;
    for _ in 0..20 {
        store.then([Does::Hangs]);
        let mut call = tokio_test::task::spawn(Box::pin(limiter.acquire(None, 1)));
        assert!(call.poll().is_pending());
    }
    assert_eq!(limiter.breaker().snapshot().state, State::HalfOpen);
    for _ in 0..10 {
        limiter.acquire(None, 1).await.unwrap();
    }
    assert_eq!(limiter.breaker().snapshot().state, State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_takes_one_request_along_and_not_those_that_wait() {
    let store = Told::default();
    let sign = Arc::new(Notify::new());
    store.then([Does::Waits(Arc::clone(&sign)), Does::Panics]);
    let limiter = limiter(&store, StoreDown::Deny);
    let calls: Vec<_> = (0..5)
        .map(|_| {
            let limiter = limiter.clone();
            tokio::spawn(async move { limiter.acquire(None, 1).await.is_ok() })
        })
        .collect();
    tokio::task::yield_now().await;
    sign.notify_one();
    let mut passed = Vec::new();
    for call in calls {
        passed.push(call.await.ok());
    }
    assert_eq!(
        passed,
        [Some(true), None, Some(true), Some(true), Some(true)]
    );
    assert_eq!(limiter.counts().without_store, 0);
}
