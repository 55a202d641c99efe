use std::sync::{Arc, Mutex, PoisonError};

use super::ending::StreamEnding;

/// What is to be told when a connection closes, as a request extension.
///
/// An upgraded connection outlives its request, and nothing about the request can see its end.
/// A server that wraps its connections puts the same handle on each request of a connection and
/// calls [`OnClose::closed`] when the socket is dropped; without it, the length of upgraded
/// streams is not measured. Nor is that of tunnels over HTTP/2, which do not end with their
/// connection.
#[derive(Debug, Clone, Default)]
pub struct OnClose(Arc<Mutex<Vec<StreamEnding>>>);

impl OnClose {
    /// A handle for a new connection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The connection is closed: ends the streams it carried.
    pub fn closed(&self) {
        // Dropped outside of the lock: an ending writes a line and records a metric.
        let ended = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        drop(ended);
    }

    /// An HTTP/1 connection carries one upgrade, so the list has no need of a bound.
    pub(super) fn hold(&self, stream: StreamEnding) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(stream);
    }
}
