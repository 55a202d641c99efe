//! The promise of the docs, in every span of time: all replicas together take no more than the quota
//! and a lease each.

use std::task::Poll;

use bartizan_protect::shared_limit::{SharedLimiter, StoreDown};
use proptest::prelude::*;
use tokio::time::Instant;

use super::*;

/// What happens at a replica, after a pause.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// So many calls of a cost, one after the other.
    Calls { cost: u32, calls: usize },
    /// One that is cancelled while the store is asked, which has given by then or has not.
    Cancelled { cost: u32, is_given: bool },
    /// One that finds the store down.
    Down { cost: u32 },
    /// One that has cost something else in the end.
    Settled { cost: u32, actual: u32 },
}

type Steps = Vec<(u32, usize, Act)>;

/// What passed, and when.
type Passed = Vec<(Duration, u32)>;

const MAX_COST: u32 = 12;

fn steps() -> impl Strategy<Value = Steps> {
    let cost = || 1..=MAX_COST;
    let act = prop_oneof![
        6 => (cost(), 1..12_usize).prop_map(|(cost, calls)| Act::Calls { cost, calls }),
        2 => (cost(), any::<bool>())
            .prop_map(|(cost, is_given)| Act::Cancelled { cost, is_given }),
        1 => cost().prop_map(|cost| Act::Down { cost }),
        1 => cost().prop_flat_map(|cost| (Just(cost), 0..=cost))
            .prop_map(|(cost, actual)| Act::Settled { cost, actual }),
    ];
    prop::collection::vec((0..40_u32, 0..3_usize, act), 1..60)
}

struct Replica {
    store: Told,
    limiter: SharedLimiter<Told>,
}

// === impl Replica ===

impl Replica {
    fn new(store: &MemoryStore, quotas: [Quota; 2], share: f64) -> Self {
        let store = Told::over(store.clone());
        let [one, two] = quotas;
        let policies = [Policy::new("one", one), Policy::new("two", two)];
        let limiter = of(policies, store.clone()).with_lease_share(share);
        let limiter = limiter.with_store_down(StoreDown::Deny).build().unwrap();
        Self { store, limiter }
    }

    /// Answers what was let through and stays charged.
    async fn act(&self, act: Act) -> u32 {
        match act {
            Act::Calls { cost, calls } => {
                let mut passed = 0;
                for _ in 0..calls {
                    passed += cost * u32::from(self.limiter.acquire(None, cost).await.is_ok());
                }
                passed
            }
            Act::Cancelled { cost, is_given } => {
                let does = if is_given { Does::Loses } else { Does::Hangs };
                // One of the two answers, if both are asked.
                self.store.then([does]);
                let call = Box::pin(self.limiter.acquire(None, cost));
                let polled = tokio_test::task::spawn(call).poll();
                let is_passed = matches!(polled, Poll::Ready(Ok(_)));
                self.store.0.next.lock().unwrap().clear();
                cost * u32::from(is_passed)
            }
            Act::Down { cost } => {
                self.store.then([Does::Fails]);
                let passed = self.limiter.acquire(None, cost).await.is_ok();
                self.store.0.next.lock().unwrap().clear();
                cost * u32::from(passed)
            }
            Act::Settled { cost, actual } => match self.limiter.acquire(None, cost).await {
                Ok(mut reservation) => {
                    reservation.settle("one", actual).unwrap();
                    reservation.settle("two", actual).unwrap();
                    actual
                }
                Err(_) => 0,
            },
        }
    }
}

async fn run(quotas: [Quota; 2], share: f64, steps: Steps) -> Passed {
    let store = MemoryStore::default();
    let replicas = [(); 3].map(|()| Replica::new(&store, quotas, share));
    let (start, mut passed) = (Instant::now(), Vec::new());
    for (pause, replica, act) in steps {
        tokio::time::advance(pause * MILLI).await;
        let units = replicas[replica].act(act).await;
        passed.push((start.elapsed(), units));
    }
    passed
}

/// The first span in which more has passed than may.
fn excess(passed: &Passed, quota: Quota, slack: f64) -> Option<String> {
    passed.iter().enumerate().find_map(|(at, (from, _))| {
        let mut units = 0;
        passed[at..].iter().find_map(|(to, more)| {
            units += more;
            let given = (*to - *from).as_secs_f64() * f64::from(quota.rate());
            let most = f64::from(quota.burst()) + given + slack;
            let said = || format!("{units} from {from:?} to {to:?}, of {most}");
            (f64::from(units) > most + 1e-6).then(said)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn all_replicas_take_no_more_than_the_quota_and_a_lease_each(
        quotas in [(1..200_u32, 1..100_u32), (1..200_u32, 1..100_u32)],
        share in 0.0..1.0_f64,
        steps in steps(),
    ) {
        let quotas = quotas.map(|(rate, burst)| quota(rate, burst));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let passed = runtime.block_on(run(quotas, share, steps));
        for quota in quotas {
            let lease = (f64::from(quota.burst()) * share).floor().max(f64::from(MAX_COST));
            prop_assert_eq!(excess(&passed, quota, 3.0 * lease), None);
        }
    }

    /// Where a request costs one unit, a lease is what the limiter says.
    #[test]
    fn a_request_of_one_unit_has_no_other_slack(
        (rate, burst) in (1..200_u32, 1..100_u32),
        share in 0.0..1.0_f64,
        steps in prop::collection::vec((0..40_u32, 0..3_usize, 1..20_usize), 1..80),
    ) {
        let (runtime, quota) = (tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap(), quota(rate, burst));
        let steps = steps.into_iter().map(|(pause, replica, calls)| {
            (pause, replica, Act::Calls { cost: 1, calls })
        });
        let limiter = Replica::new(&MemoryStore::default(), [quota; 2], share).limiter;
        let lease = limiter.lease("one").unwrap();
        let passed = runtime.block_on(run([quota; 2], share, steps.collect()));
        prop_assert_eq!(excess(&passed, quota, 3.0 * f64::from(lease)), None);
    }
}
