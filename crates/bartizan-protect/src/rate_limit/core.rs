use std::hash::Hasher;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use http::HeaderValue;
use http::request::Parts;

use super::keys::{self, Head};
use super::limit::Limit;
use super::secret::Secret;
use super::{Decision, Decisions, MissingKey, Mode, Outcome, Policy, Refusal, UnknownPolicy};
use crate::Timer;

/// The policies of a limiter, and all that they know.
pub(super) struct Core {
    pub(super) limits: Box<[Limit]>,
    /// Whether any of them is to know names.
    pub(super) knows_names: bool,
    pub(super) peer: Option<Arc<PeerFn>>,
    pub(super) timer: Timer,
    /// When time began here.
    pub(super) origin: Instant,
    pub(super) secret: Secret,
    /// What answers say of its policies, as long as they are as they were built.
    pub(super) said: Option<HeaderValue>,
}

pub(super) type PeerFn = dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync;

/// What wants to pass.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    Request(Head<'a>),
    /// Something else, of so many units, with or without a key.
    Other {
        key: Option<&'a str>,
        cost: NonZeroU32,
    },
}

// === impl Core ===

impl Core {
    /// What a clock's time is here, in nanoseconds. Whatever is earlier than the limiter is its
    /// beginning.
    #[inline]
    pub(super) fn time(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.origin);
        // For 584 years.
        since.as_secs() * 1_000_000_000 + u64::from(since.subsec_nanos())
    }

    #[inline]
    pub(super) fn peer(&self, parts: &Parts) -> Option<IpAddr> {
        self.peer.as_ref().and_then(|peer| peer(parts))
    }

    /// Asks all policies, and charges all, or none if one of them rejects. Where a policy finds no
    /// key, `keyless` is told which, and whether it is the first time.
    ///
    /// Everything is written where it stays: a decision that is copied while it is still being
    /// written waits for that, for longer than its making takes.
    pub(super) fn decide(
        &self,
        subject: &Subject<'_>,
        now: Instant,
        keyless: impl FnMut(usize, bool),
        decisions: &mut Decisions,
    ) {
        // What is not ours is called before there is a lock.
        self.ask(subject, keyless, decisions);
        self.walk(decisions.each(), self.time(now), true);
    }

    fn ask(
        &self,
        subject: &Subject<'_>,
        mut keyless: impl FnMut(usize, bool),
        decisions: &mut Decisions,
    ) {
        for (at, limit) in (0_u8..).zip(&self.limits) {
            let mode = limit.mode.get();
            if mode == Mode::Disabled {
                continue;
            }
            let policy = &limit.policy;
            let (cost, quota) = match subject {
                Subject::Request(head) => {
                    (policy.cost.of(head.parts), policy.overrides.of(head.parts))
                }
                Subject::Other { cost, .. } => (Some(*cost), None),
            };
            let Some(cost) = cost else { continue };
            let key = self.key(policy, subject).or_else(|| {
                keyless(at.into(), limit.count_keyless());
                self.stand_in(policy, subject)
            });
            // Where there is a key, the quota is read in its place.
            let default = match key {
                Some(_) => policy.quota,
                None => limit.table.quota(),
            };
            decisions.push(Decision::ask(at, mode, cost, quota, default, key));
        }
    }

    /// Asks the first of the policies, then those behind it while its lock is held, and charges it
    /// if nobody has rejected. Locks are always taken in this order, so nobody waits in a circle.
    ///
    /// Answers whether the request is `admitted`, which it was by those before.
    fn walk(&self, decisions: &mut [Decision], now: u64, admitted: bool) -> bool {
        let Some((decision, others)) = decisions.split_first_mut() else {
            return admitted;
        };
        let table = &self.limits[usize::from(decision.policy)].table;
        if decision.refusal() == Some(Refusal::KeyMissing) {
            table.count(|counts| counts.add(decision.outcome()));
            let admitted = admitted && decision.outcome() != Outcome::Rejected;
            return self.walk(others, now, admitted);
        }
        let mut place = table.lock(decision.key, now);
        let charged = decision.decide(&place);
        let admitted = admitted && decision.outcome() != Outcome::Rejected;
        let admitted = match others {
            [] => admitted,
            _ => self.walk(others, now, admitted),
        };
        if let (Some(tat), true) = (charged, admitted) {
            place.set_tat(tat);
            decision.charge(tat);
        }
        place.count(|counts| counts.add(decision.outcome()));
        admitted
    }

    /// Keeps the names of the keys that have used much, for policies that are to know names.
    #[cold]
    pub(super) fn keep_names(&self, subject: &Subject<'_>, decisions: &Decisions) {
        for (at, decision) in decisions.iter() {
            let limit = &self.limits[at];
            let Some(names) = &limit.names else { continue };
            if decision.remaining() <= decision.quota().burst() / 2 {
                names.keep(decision.key, || match subject {
                    Subject::Request(head) => limit.policy.keys.name(*head),
                    Subject::Other { key, .. } => key.map(str::to_owned),
                });
            }
        }
    }

    /// The place of the policy of that name.
    pub(super) fn find(&self, policy: &str) -> Result<usize, UnknownPolicy> {
        let found = self
            .limits
            .iter()
            .position(|limit| &*limit.policy.name == policy);
        let known = || self.limits.iter().map(|limit| &limit.policy);
        found.ok_or_else(|| UnknownPolicy::new(policy, known()))
    }

    fn key_of(&self, text: &str) -> u64 {
        let mut hasher = self.secret.hasher();
        keys::hash_text(text, &mut hasher);
        hasher.finish()
    }

    #[inline]
    fn key(&self, policy: &Policy, subject: &Subject<'_>) -> Option<u64> {
        if policy.keys.is_global() {
            return Some(keys::ONE_FOR_ALL);
        }
        match subject {
            Subject::Request(head) => {
                let mut hasher = self.secret.hasher();
                policy.keys.hash(*head, &mut hasher)?;
                Some(hasher.finish())
            }
            Subject::Other { key, .. } => key.map(|key| self.key_of(key)),
        }
    }

    /// What stands in for a key that is not there.
    fn stand_in(&self, policy: &Policy, subject: &Subject<'_>) -> Option<u64> {
        let peer = match subject {
            Subject::Request(head) => head.peer,
            Subject::Other { .. } => None,
        };
        match (policy.missing, peer) {
            (MissingKey::Deny, _) => None,
            (MissingKey::Peer, Some(peer)) => {
                let mut hasher = self.secret.hasher();
                keys::hash_peer(peer, &mut hasher);
                Some(hasher.finish())
            }
            (MissingKey::Shared, _) | (MissingKey::Peer, None) => Some(keys::WITHOUT_KEY),
        }
    }
}
