use std::collections::HashSet;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The most orders worked on at once. They outlive the requests that asked for them, so those do not
/// bound them; each ends within a few call timeouts.
pub const MAX_ACTIVE: usize = 1024;

/// The orders that this process works on; clones are the same ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Active(Arc<State>);

#[derive(Debug, Default)]
struct State {
    references: Mutex<HashSet<String>>,
    /// Told when the last one is gone.
    idle: Notify,
}

/// An order that is worked on, until this is dropped.
#[derive(Debug)]
pub(crate) struct Working {
    active: Active,
    reference: String,
}

// === impl Active ===

impl Active {
    /// Counts an order as worked on; `None` if there are [`MAX_ACTIVE`] already.
    pub(crate) fn enter(&self, reference: String) -> Option<Working> {
        let mut references = self.lock();
        if references.len() >= MAX_ACTIVE {
            return None;
        }
        references.insert(reference.clone());
        Some(Working {
            active: self.clone(),
            reference,
        })
    }

    pub(crate) fn contains(&self, reference: &str) -> bool {
        self.lock().contains(reference)
    }

    /// Waits until none is worked on. Cancel safe.
    pub(crate) async fn idle(&self) {
        loop {
            let mut told = pin!(self.0.idle.notified());
            // Listened for before it is looked, so that nothing happens unheard in between.
            told.as_mut().enable();
            if self.lock().is_empty() {
                return;
            }
            told.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        let references = self.0.references.lock();
        references.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let mut references = self.active.lock();
        references.remove(&self.reference);
        if references.is_empty() {
            self.active.0.idle.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_so_many_are_worked_on_and_it_is_idle_when_the_last_is_done() {
        let active = Active::default();
        active.idle().await;
        let mut working: Vec<_> = (0..MAX_ACTIVE)
            .map(|number| active.enter(number.to_string()).unwrap())
            .collect();
        assert!(active.enter("late".to_owned()).is_none());
        assert!(active.contains("7") && !active.contains("late"));

        let waiting = tokio::spawn({
            let active = active.clone();
            async move { active.idle().await }
        });
        tokio::task::yield_now().await;
        working.truncate(1);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(working);
        waiting.await.unwrap();
    }
}
