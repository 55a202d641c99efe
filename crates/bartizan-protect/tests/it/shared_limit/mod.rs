mod crowd;
mod decided;
mod heads;
mod layer;
mod leases;
mod operate;
mod promise;
mod several;
mod store_down;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_protect::rate_limit::{Keys, Policy, Quota};
use bartizan_protect::shared_limit::{
    Ask, Decision, Grant, MemoryStore, Observer, Rejected, SharedLimiter, SharedLimiterBuilder,
    Store, StoreFailure,
};
use bartizan_protect::{BoxError, InvalidConfig};
use tokio::sync::Notify;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// A store that does as it is told, once each, and then as one in memory does.
#[derive(Debug, Clone, Default)]
struct Told(Arc<State>);

#[derive(Debug, Default)]
struct State {
    next: Mutex<VecDeque<Does>>,
    /// What was asked for, each time.
    asked: Mutex<Vec<Ask>>,
    memory: MemoryStore,
}

#[derive(Debug, Clone)]
enum Does {
    Fails,
    Hangs,
    Panics,
    /// Says that it gives so many.
    Gives(u32),
    /// Gives none, for so long.
    Refuses(Duration),
    /// Waits for a sign first.
    Waits(Arc<Notify>),
    /// Takes so long.
    Takes(Duration),
    /// Gives what it has, and never says so.
    Loses,
}

// === impl Told ===

impl Told {
    fn over(memory: MemoryStore) -> Self {
        Self(Arc::new(State {
            memory,
            ..State::default()
        }))
    }

    fn then(&self, does: impl IntoIterator<Item = Does>) {
        self.0.next.lock().unwrap().extend(does);
    }

    /// How many units were asked for, each time.
    fn asked(&self) -> Vec<u32> {
        let asked = self.0.asked.lock().unwrap();
        asked.iter().map(|ask| ask.most).collect()
    }
}

impl Store for Told {
    async fn grant(&self, ask: &Ask) -> Result<Grant, BoxError> {
        self.0.asked.lock().unwrap().push(ask.clone());
        let next = self.0.next.lock().unwrap().pop_front();
        match next {
            Some(Does::Fails) => return Err("it does not like it".into()),
            Some(Does::Hangs) => std::future::pending().await,
            Some(Does::Panics) => panic!("the store is broken"),
            Some(Does::Gives(granted)) => {
                return Ok(Grant {
                    granted,
                    retry_after: Duration::ZERO,
                    remaining: 0,
                });
            }
            Some(Does::Refuses(retry_after)) => {
                return Ok(Grant {
                    granted: 0,
                    retry_after,
                    remaining: 0,
                });
            }
            Some(Does::Waits(sign)) => sign.notified().await,
            Some(Does::Takes(time)) => {
                let over = tokio::time::timeout(time, std::future::pending::<()>());
                over.await.unwrap_err();
            }
            Some(Does::Loses) => {
                self.0.memory.grant(ask).await?;
                std::future::pending().await
            }
            None => {}
        }
        self.0.memory.grant(ask).await
    }
}

/// What an observer was told, in words.
#[derive(Debug, Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

// === impl Heard ===

impl Heard {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn push(&self, said: String) {
        self.0.lock().unwrap().push(said);
    }
}

impl Observer for Heard {
    type Policy = String;
    type Breaker = ();

    fn policy(&self, name: &str) -> String {
        name.to_owned()
    }

    fn breaker(&self) {}

    fn decided(&self, policy: &String, decision: &Decision) {
        let (outcome, by) = (decision.outcome().name(), decision.by());
        self.push(match decision.refusal() {
            Some(refusal) => format!("{policy}: {outcome} by {by:?}: {refusal:?}"),
            None => format!("{policy}: {outcome} by {by:?}"),
        });
    }

    fn store_answered(&self, took: Duration) {
        self.push(format!("answered in {took:?}"));
    }

    fn store_failed(&self, failure: &StoreFailure, took: Duration, first: bool) {
        self.push(format!("failed in {took:?}, first {first}: {failure}"));
    }

    fn store_recovered(&self) {
        self.push("recovered".to_owned());
    }

    fn key_missing(&self, policy: &String, first: bool) {
        self.push(format!("{policy}: no key, first {first}"));
    }
}

fn quota(rate: u32, burst: u32) -> Quota {
    Quota::new(rate, SECOND, burst).unwrap()
}

/// A limiter over all, which takes nothing ahead.
fn builder<St: Store>(quota: Quota, store: St) -> SharedLimiterBuilder<St> {
    of([Policy::new("all", quota)], store)
}

/// The same with a budget for each key, and none of a request's own.
fn keyed<St: Store>(quota: Quota, store: St) -> SharedLimiterBuilder<St> {
    of([each_key("all", quota)], store)
}

fn of<St: Store, const N: usize>(policies: [Policy; N], store: St) -> SharedLimiterBuilder<St> {
    let builder = SharedLimiter::builder(store).with_lease_share(0.0);
    let policies = policies.into_iter();
    policies.fold(builder, SharedLimiterBuilder::with_policy)
}

fn violated(rejected: &Rejected) -> Vec<&str> {
    rejected.violated().iter().map(|name| &**name).collect()
}

fn each_key(name: &str, quota: Quota) -> Policy {
    Policy::new(name, quota).with_keys(Keys::by(|_| None))
}

#[test]
fn what_cannot_be_is_said_with_field_and_value() {
    fn said<T>(result: Result<T, InvalidConfig>) -> String {
        result.err().unwrap().to_string()
    }
    let all = || builder(quota(1, 1), MemoryStore::default());
    for (said, expected) in [
        (
            said(of([], Told::default()).build()),
            "shared limit: policies: 0 is not 1 to 8",
        ),
        (
            said(of([Policy::new("", quota(1, 1))], Told::default()).build()),
            "shared limit: policy.name: \"\" is not 1 to 64 visible ASCII characters",
        ),
        (
            said(all().with_policy(Policy::new("all", quota(2, 2))).build()),
            "shared limit: policy.name: \"all\" is not the only one of its name",
        ),
        (
            said(all().with_lease_share(1.5).build()),
            "shared limit: lease_share: 1.5 is not from 0 to 1",
        ),
        (
            said(all().with_lease_share(f64::NAN).build()),
            "shared limit: lease_share: NaN is not from 0 to 1",
        ),
        (
            said(all().with_lease_time(Duration::ZERO).build()),
            "shared limit: lease_time: 0ns is not 1ms to 24h",
        ),
        (
            said(all().with_deadline(Duration::ZERO).build()),
            "shared limit: deadline: 0ns is not 1ms to 24h",
        ),
        (
            said(all().with_capacity(0).build()),
            "shared limit: capacity: 0 is not 1 to 1073741824 keys",
        ),
    ] {
        assert_eq!(said, expected);
    }
    // Whatever a quota can be is a limit with everything at its default.
    for (rate, per, burst) in [
        (1, Duration::from_nanos(1), 1),
        (1, Duration::from_secs(365 * 24 * 60 * 60), 1),
        (1_000, SECOND, u32::MAX),
    ] {
        let quota = Quota::new(rate, per, burst).unwrap();
        let name = "x".repeat(64);
        let limiter = of([Policy::new(&name, quota)], Told::default());
        let limiter = limiter.build().unwrap();
        assert!(limiter.lease(&name).unwrap() >= 1);
    }
}
