use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Transition;

/// How many changes a slow listener may be behind. Changes are rare: a circuit that opens every
/// five seconds makes fewer than one a second.
pub(super) const CAPACITY: usize = 64;

/// The changes of a breaker's circuits, in the order in which they were told.
///
/// Nobody waits for a listener: one that falls behind loses the oldest, and is told how many.
#[derive(Debug)]
pub struct Transitions {
    receiver: Receiver<Transition>,
    lost: u64,
}

// === impl Transitions ===

impl Transitions {
    pub(super) const fn new(receiver: Receiver<Transition>) -> Self {
        Self { receiver, lost: 0 }
    }

    /// The next change; `None` once the breaker is gone.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost where it is dropped.
    pub async fn next(&mut self) -> Option<Transition> {
        loop {
            match self.receiver.recv().await {
                Ok(transition) => return Some(transition),
                Err(RecvError::Lagged(lost)) => self.lost += lost,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// How many changes were lost so far.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }
}
