//! Many requests of one key at the same time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use bartizan_protect::shared_limit::{DEFAULT_LEASE_SHARE, Refusal, StoreDown};
use tokio::task::JoinSet;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_crowd_is_decided_by_a_store_that_answers() {
    for down in [StoreDown::LocalOnly, StoreDown::Allow, StoreDown::Deny] {
        let memory = MemoryStore::default();
        let replicas = [(); 3].map(|()| {
            let store = Told::over(memory.clone());
            store.then(vec![Does::Takes(MILLI); 100]);
            let limiter = builder(quota(1, 100), store).with_lease_share(DEFAULT_LEASE_SHARE);
            limiter.with_store_down(down).build().unwrap()
        });
        let mut calls = JoinSet::new();
        for limiter in (0..40).flat_map(|_| replicas.clone()) {
            calls.spawn(async move { limiter.acquire(None, 1).await });
        }
        let (passed, rejected): (Vec<_>, Vec<_>) =
            calls.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!(passed.len(), 100, "{down:?}");
        let mut refusals = rejected.into_iter().map(|it| it.unwrap_err().refusal());
        assert!(refusals.all(|it| it == Refusal::QuotaExceeded), "{down:?}");
        for limiter in replicas {
            let counts = limiter.counts();
            assert_eq!(counts.without_store, 0, "{down:?}");
            // For the first one, for the others, and once more where they did not get all.
            assert!((2..=3).contains(&counts.asked), "{down:?}: {counts:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_goes_away_leaves_a_lease_behind_and_no_more() {
    let (store, sign) = (Told::default(), Arc::new(Notify::new()));
    store.then([Does::Waits(Arc::clone(&sign))]);
    let limiter = builder(quota(1, 100), store.clone())
        .with_lease_share(0.05)
        .with_store_down(StoreDown::Deny);
    let limiter = limiter.build().unwrap();
    let mut calls: Vec<_> = (0..41)
        .map(|_| tokio_test::task::spawn(Box::pin(limiter.acquire(None, 1))))
        .collect();
    for call in &mut calls {
        assert!(call.poll().is_pending());
    }
    sign.notify_one();
    // The first one, and the one that asks for all that wait.
    for call in calls.drain(..2) {
        call.into_inner().await.unwrap();
    }
    assert_eq!(store.asked(), [1, 40]);
    drop(calls);
    store.then([Does::Fails]);
    for _ in 0..limiter.lease("all").unwrap() {
        limiter.acquire(None, 1).await.unwrap();
    }
    let rejected = limiter.acquire(None, 1).await.unwrap_err();
    assert_eq!(rejected.refusal(), Refusal::StoreDown);
}

/// A store that takes a while, and counts how many ask it for a key at a time.
#[derive(Clone, Default)]
struct Counting {
    memory: MemoryStore,
    asking: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

/// One that asks, as long as it does.
struct Asking(Arc<AtomicUsize>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Store for Counting {
    async fn grant(&self, ask: &Ask) -> Result<Grant, BoxError> {
        let before = self.asking.fetch_add(1, Ordering::SeqCst);
        let _asking = Asking(Arc::clone(&self.asking));
        self.most.fetch_max(before + 1, Ordering::SeqCst);
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        self.memory.grant(ask).await
    }
}

/// Calls until there is nothing left, and goes away from every `nth` call. Answers how many passed.
async fn call(limiter: SharedLimiter<Counting>, nth: usize) -> usize {
    let mut passed = 0;
    for at in 1.. {
        let mut call = tokio_test::task::spawn(Box::pin(limiter.acquire(None, 1)));
        let result = match call.poll() {
            Poll::Ready(result) => result,
            Poll::Pending if at % nth == 0 => {
                tokio::task::yield_now().await;
                continue;
            }
            Poll::Pending => call.into_inner().await,
        };
        match result {
            Ok(_) => passed += 1,
            Err(rejected) => {
                assert_eq!(rejected.refusal(), Refusal::QuotaExceeded);
                break;
            }
        }
    }
    passed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_question_is_on_its_way_and_nobody_is_forgotten_whoever_goes_away() {
    const BURST: u32 = 20_000;
    let never = Quota::new(1, 1_000 * SECOND, BURST).unwrap();
    for (share, nth) in [(0.0, usize::MAX), (0.001, usize::MAX), (0.0, 3), (0.001, 2)] {
        let store = Counting::default();
        let limiter = builder(never, store.clone())
            .with_lease_share(share)
            .with_deadline(60 * SECOND)
            .build()
            .unwrap();
        let calls: JoinSet<_> = (0..32).map(|_| call(limiter.clone(), nth)).collect();
        let passed: usize = calls.join_all().await.into_iter().sum();
        assert_eq!(store.most.load(Ordering::SeqCst), 1);
        assert!(passed <= BURST as usize, "{passed}");
        if nth == usize::MAX {
            assert_eq!(passed, BURST as usize);
        }
        assert_eq!(limiter.counts().without_store, 0);
    }
}
