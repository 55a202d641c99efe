use std::sync::{Mutex, PoisonError};

use tracing::dispatcher::{Dispatch, WeakDispatch, with_default};

/// The subscribers that our layers are part of. What we say ourselves is said to them: the thread
/// that says it may have another subscriber, or none.
#[derive(Debug, Default)]
pub(super) struct Dispatches(Mutex<Vec<WeakDispatch>>);

impl Dispatches {
    pub(super) fn add(&self, dispatch: &Dispatch) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|known| known.upgrade().is_some());
        all.push(dispatch.downgrade());
    }

    /// Does it with each of them as the thread's subscriber.
    pub(super) fn each(&self, mut work: impl FnMut(&Dispatch)) {
        for dispatch in self.live() {
            with_default(&dispatch, || work(&dispatch));
        }
    }

    /// Does it with one of them as the thread's subscriber, if there is any.
    pub(super) fn with_one<T>(&self, work: impl FnOnce() -> T) -> T {
        match self.live().next() {
            Some(dispatch) => with_default(&dispatch, work),
            None => work(),
        }
    }

    fn live(&self) -> impl Iterator<Item = Dispatch> + use<> {
        let all = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        all.into_iter().filter_map(|dispatch| dispatch.upgrade())
    }
}
