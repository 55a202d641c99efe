use std::hash::Hasher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::clock::Clock;
use super::hash::SipHasher128;
use super::leases::{Key, Leases, Rules};
use crate::rate_limit::{
    Head, MissingKey, Mode, ModeCell, Policy, Quota, Subject, UnknownPolicy, hash_peer, hash_text,
    string,
};

/// What all policies of a limiter have in common.
pub(super) struct Limits {
    pub(super) all: Box<[Limit]>,
    pub(super) clock: Clock,
    /// What keys are hashed with.
    pub(super) secret: [u8; 16],
}

/// A policy at work.
#[derive(Debug)]
pub(super) struct Limit {
    pub(super) policy: Policy,
    /// Its name, as answers say it.
    pub(super) said: Box<[u8]>,
    pub(super) mode: ModeCell,
    pub(super) leases: Arc<Leases>,
    quota: RwLock<Quota>,
    had_keyless: AtomicBool,
}

/// What a policy is asked for a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    /// Which policy.
    pub(super) at: usize,
    pub(super) mode: Mode,
    pub(super) quota: Quota,
    pub(super) cost: u32,
    /// `None` where it has to have one.
    pub(super) hash: Option<u128>,
}

// === impl Limits ===

impl Limits {
    /// What is asked for `subject`. `keyless` is told where a policy finds no key, and whether it is
    /// for the first time.
    pub(super) fn questions(
        &self,
        subject: Subject<'_>,
        mut keyless: impl FnMut(usize, bool),
    ) -> Vec<Question> {
        let all = self.all.iter().enumerate();
        all.filter_map(|(at, limit)| {
            let mode = limit.mode.get();
            if mode == Mode::Disabled {
                return None;
            }
            let policy = &limit.policy;
            let (cost, quota) = match subject {
                Subject::Request(head) => {
                    (policy.cost.of(head.parts)?, policy.overrides.of(head.parts))
                }
                Subject::Other { cost, .. } => (cost, None),
            };
            let hash = self.key(policy, subject).or_else(|| {
                keyless(at, !limit.had_keyless.swap(true, Ordering::Relaxed));
                self.stand_in(policy, subject)
            });
            Some(Question {
                at,
                mode,
                quota: quota.unwrap_or_else(|| limit.quota()),
                cost: cost.get(),
                hash,
            })
        })
        .collect()
    }

    /// The place of the policy of that name.
    pub(super) fn find(&self, policy: &str) -> Result<usize, UnknownPolicy> {
        let mut all = self.all.iter();
        let found = all.position(|limit| &*limit.policy.name == policy);
        let known = || self.all.iter().map(|limit| &limit.policy);
        found.ok_or_else(|| UnknownPolicy::new(policy, known()))
    }

    fn key(&self, policy: &Policy, subject: Subject<'_>) -> Option<u128> {
        self.hashed(|hasher| match subject {
            _ if policy.keys.is_global() => Some(()),
            Subject::Request(head) => policy.keys.hash(head, hasher),
            Subject::Other { key, .. } => {
                hash_text(key?, hasher);
                Some(())
            }
        })
    }

    /// What stands in for a key that is not there.
    fn stand_in(&self, policy: &Policy, subject: Subject<'_>) -> Option<u128> {
        let peer = match subject {
            Subject::Request(Head { peer, .. }) => peer,
            Subject::Other { .. } => None,
        };
        self.hashed(|hasher| {
            match (policy.missing, peer) {
                (MissingKey::Deny, _) => return None,
                (MissingKey::Peer, Some(peer)) => hash_peer(peer, hasher),
                // Every key but that of all is longer.
                (MissingKey::Shared, _) | (MissingKey::Peer, None) => hasher.write_u8(b'?'),
            }
            Some(())
        })
    }

    fn hashed(&self, write: impl FnOnce(&mut SipHasher128) -> Option<()>) -> Option<u128> {
        let mut hasher = SipHasher128::new(&self.secret);
        write(&mut hasher)?;
        Some(hasher.finish128())
    }
}

// === impl Limit ===

impl Limit {
    /// At work, with room for this many keys.
    pub(super) fn new(policy: Policy, capacity: usize, rules: Rules) -> Self {
        Self {
            said: string(&policy.name),
            mode: ModeCell::new(policy.mode),
            leases: Arc::new(Leases::new(capacity, rules)),
            quota: RwLock::new(policy.quota),
            had_keyless: AtomicBool::new(false),
            policy,
        }
    }

    pub(super) fn quota(&self) -> Quota {
        *self.quota.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_quota(&self, quota: Quota) {
        *self.quota.write().unwrap_or_else(PoisonError::into_inner) = quota;
    }
}

// === impl Question ===

impl Question {
    pub(super) const fn key(&self, hash: u128) -> Key {
        Key {
            hash,
            quota: self.quota,
        }
    }
}
