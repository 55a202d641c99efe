use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;

use super::phases::Phase;

/// Tells in which [`Phase`] a server is: for a readiness probe, and for handlers that want to end
/// by themselves. Clones are the same; one belongs to one server.
///
/// ```
/// use axum::{Router, extract::State, http::StatusCode, routing::get};
/// use bartizan::{Lifecycle, Phase};
///
/// async fn readyz(State(lifecycle): State<Lifecycle>) -> StatusCode {
///     if lifecycle.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
/// }
///
/// let lifecycle = Lifecycle::new();
/// let app: Router = Router::new().route("/readyz", get(readyz)).with_state(lifecycle.clone());
/// // ... `Server::new(app, telemetry).with_lifecycle(&lifecycle)` ...
/// assert_eq!(lifecycle.phase(), Phase::Starting);
/// assert!(!lifecycle.is_ready());
/// ```
#[derive(Debug, Clone)]
pub struct Lifecycle(Arc<watch::Sender<Phase>>);

// === impl Lifecycle ===

impl Lifecycle {
    /// Of a server that is yet to start.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Phase::Starting)))
    }

    /// The phase at this moment.
    #[must_use]
    pub fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    /// Whether the server may be sent new requests: from the moment it listens to the moment it is
    /// asked to stop.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.phase() == Phase::Ready
    }

    /// Completes once the server is in `phase` or beyond, at once if it is. A WebSocket's handler
    /// waits for [`Phase::Draining`] to say goodbye.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub fn reached(&self, phase: Phase) -> impl Future<Output = ()> + Send + use<> {
        let lifecycle = self.clone();
        let mut phases = self.0.subscribe();
        async move {
            // The sender lives as long as this future does, so the wait does not fail.
            let _reached = phases.wait_for(|now| *now >= phase).await;
            drop(lifecycle);
        }
    }

    /// Moves forward, never back.
    pub(super) fn advance(&self, phase: Phase) {
        self.0.send_if_modified(|now| {
            let is_later = *now < phase;
            *now = phase.max(*now);
            is_later
        });
    }
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use tokio_test::task::spawn as poll_by_hand;

    use super::*;

    #[test]
    fn who_waits_for_a_phase_is_woken_by_a_later_one_too() {
        let lifecycle = Lifecycle::new();
        let mut waiting = poll_by_hand(lifecycle.reached(Phase::Draining));
        assert!(waiting.poll().is_pending());
        lifecycle.advance(Phase::Ready);
        assert!(lifecycle.is_ready());
        assert!(waiting.poll().is_pending());
        lifecycle.advance(Phase::Flushing);
        assert!(waiting.is_woken());
        assert!(waiting.poll().is_ready());
        assert!(
            poll_by_hand(lifecycle.reached(Phase::Ready))
                .poll()
                .is_ready()
        );
    }

    #[test]
    fn there_is_no_way_back() {
        let lifecycle = Lifecycle::new();
        lifecycle.advance(Phase::Grace);
        lifecycle.advance(Phase::Ready);
        assert_eq!(lifecycle.phase(), Phase::Grace);
        assert!(!lifecycle.is_ready());
    }
}
