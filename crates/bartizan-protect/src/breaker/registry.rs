use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use super::entry::Entry;
use super::{CircuitId, Config};

/// How many circuits of a breaker with keys there are at most: far more than a service has
/// upstreams, and, at half a kilobyte each beside its key, less than a megabyte. (A count window
/// adds an eighth of a byte for each of its calls, and a time window 16 bytes for each step over the
/// default.)
pub const DEFAULT_MAX_KEYS: usize = 1024;

/// The longest key that has a circuit of its own, in bytes, so that the bound above is one in bytes:
/// longer than any host name with a port. Calls of a longer one are those of a new key where every
/// circuit is needed.
pub const MAX_KEY_LENGTH: usize = 512;

/// How many circuits are looked at for one that can go, so that a new key costs the same however
/// many there are.
const LOOKS: usize = 8;

/// What happens to the calls of a new key where every circuit is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// They share one circuit, with one another and with the calls that have no key.
    #[default]
    Shared,
    /// They pass, and nothing is counted.
    Unguarded,
}

/// The circuits of a breaker, by key; never more than `max`.
///
/// Where it is full, a circuit goes through which no call is under way, and that would be missed by
/// nobody: a new one would do [the same](super::circuit::Circuit::is_as_new).
#[derive(Debug)]
pub(super) struct Registry<D> {
    max: usize,
    overflow: Overflow,
    name: Arc<str>,
    /// The one without a key.
    pub(super) shared: Entry<D>,
    circuits: RwLock<Circuits<D>>,
}

#[derive(Debug)]
struct Circuits<D> {
    config: Arc<Config>,
    by_key: HashMap<Arc<str>, Arc<Entry<D>>>,
    /// The keys, in no order.
    keys: Vec<Arc<str>>,
    /// Where the next look begins.
    hand: usize,
}

/// Which circuit a call goes through.
#[derive(Debug)]
pub(super) enum Found<D> {
    Own(Arc<Entry<D>>),
    Shared,
    None,
}

// === impl Registry ===

impl<D> Registry<D> {
    pub(super) fn new(
        name: Arc<str>,
        config: Arc<Config>,
        max: usize,
        overflow: Overflow,
        data: impl FnOnce(&CircuitId) -> D,
        now: Instant,
    ) -> Self {
        let id = CircuitId {
            name: Arc::clone(&name),
            key: None,
        };
        let data = data(&id);
        Self {
            max,
            overflow,
            name,
            shared: Entry::new(id, data, Arc::clone(&config), now),
            circuits: RwLock::new(Circuits {
                config,
                by_key: HashMap::new(),
                keys: Vec::new(),
                hand: 0,
            }),
        }
    }

    /// The circuit of `key`, which is made if there is none; `data` is what goes with it then.
    pub(super) fn find(
        &self,
        key: &str,
        data: impl FnOnce(&CircuitId) -> D,
        now: Instant,
    ) -> Found<D> {
        let known = self.read().by_key.get(key).cloned();
        known.map_or_else(|| self.admit(key, data, now), Found::Own)
    }

    pub(super) fn get(&self, key: &str) -> Option<Arc<Entry<D>>> {
        self.read().by_key.get(key).cloned()
    }

    /// All circuits with a key there are.
    pub(super) fn all(&self) -> Vec<Arc<Entry<D>>> {
        self.read().by_key.values().cloned().collect()
    }

    pub(super) fn update(&self, config: &Arc<Config>) {
        self.shared.circuit.update(Arc::clone(config));
        let mut circuits = self.write();
        circuits.config = Arc::clone(config);
        for entry in circuits.by_key.values() {
            entry.circuit.update(Arc::clone(config));
        }
    }

    #[cold]
    fn admit(&self, key: &str, data: impl FnOnce(&CircuitId) -> D, now: Instant) -> Found<D> {
        let overflow = match self.overflow {
            Overflow::Shared => Found::Shared,
            Overflow::Unguarded => Found::None,
        };
        if key.len() > MAX_KEY_LENGTH {
            return overflow;
        }
        let mut circuits = self.write();
        // Somebody else may have brought it between the two locks.
        if let Some(entry) = circuits.by_key.get(key) {
            return Found::Own(Arc::clone(entry));
        }
        if circuits.by_key.len() >= self.max && !circuits.evict(now) {
            return overflow;
        }
        let key: Arc<str> = key.into();
        let id = CircuitId {
            name: Arc::clone(&self.name),
            key: Some(Arc::clone(&key)),
        };
        let data = data(&id);
        let entry = Arc::new(Entry::new(id, data, Arc::clone(&circuits.config), now));
        circuits.keys.push(Arc::clone(&key));
        circuits.by_key.insert(key, Arc::clone(&entry));
        Found::Own(entry)
    }

    fn read(&self) -> RwLockReadGuard<'_, Circuits<D>> {
        // Nothing is left half done where it could panic.
        self.circuits.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Circuits<D>> {
        self.circuits
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Circuits ===

impl<D> Circuits<D> {
    /// Makes room for one, if one can go.
    fn evict(&mut self, now: Instant) -> bool {
        for _ in 0..LOOKS.min(self.keys.len()) {
            let place = self.hand % self.keys.len();
            self.hand = place + 1;
            let key = &self.keys[place];
            // Permits hold the entry of their circuit, and nobody can come by another one meanwhile.
            let can_go = self
                .by_key
                .get(key)
                .is_none_or(|entry| Arc::strong_count(entry) == 1 && entry.circuit.is_as_new(now));
            if can_go {
                self.by_key.remove(key);
                self.keys.swap_remove(place);
                return true;
            }
        }
        false
    }
}
