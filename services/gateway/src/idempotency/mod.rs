//! Answers by the keys of their requests.

mod store;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::body::Bytes;
use shop::keys::IdempotencyKey;

use self::store::{Decision, Id, Limits, Store};
use crate::upstream::Answer;

pub use store::{DEFAULT_TTL, MAX_KEPT, MAX_KEYS};

/// The longest key that is taken, in bytes; a UUID takes 36.
pub const MAX_KEY_LENGTH: usize = 255;

/// What was answered to which key; clones are the same.
///
/// One mutex around all of it, held for a few map operations and never across an await.
#[derive(Debug, Clone)]
pub struct Keys(Arc<Mutex<Store<Answer>>>);

/// What to do with a request.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It is the first with its key.
    Run(Running),
    /// It was answered before, and so.
    Replay(Answer),
    /// The first with its key is under way.
    InProgress,
    /// The key was used for something else.
    Reused,
    /// Too many are under way.
    Full,
}

/// The first request with its key. Dropped without an answer, the next one is the first.
#[derive(Debug)]
pub(crate) struct Running {
    keys: Keys,
    /// `None` once it is finished.
    id: Option<Id>,
}

// === impl Keys ===

impl Keys {
    /// Looks the key up, and counts the request as under way if it is the first.
    pub(crate) fn begin(&self, client: IpAddr, key: &IdempotencyKey, payload: &Bytes) -> Begun {
        let id = Id {
            client,
            key: key.clone(),
        };
        match self.lock().begin(now(), &id, payload) {
            Decision::Run => Begun::Run(Running {
                keys: self.clone(),
                id: Some(id),
            }),
            Decision::Replay(answer) => Begun::Replay(answer),
            Decision::InProgress => Begun::InProgress,
            Decision::Reused => Begun::Reused,
            Decision::Full => Begun::Full,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Store<Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Store::new(Limits::default()))))
    }
}

// === impl Running ===

impl Running {
    /// Keeps the answer for whoever comes with the same key, if it is the last word.
    pub(crate) fn finish(mut self, answer: &Answer) {
        if answer.is_final()
            && let Some(id) = self.id.take()
        {
            let mut store = self.keys.lock();
            store.finish(now(), &id, answer.clone(), answer.size());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.keys.lock().abandon(&id);
        }
    }
}

/// Tokio's clock, which tests can stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
