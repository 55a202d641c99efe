//! The tasks of one connection.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use hyper::rt::Executor;
use tokio::task::JoinSet;

use super::accept::tell_panic;

/// Where hyper spawns an HTTP/2 connection's streams, so that they end with the connection.
/// hyper-util's own executor detaches them, and they would go on after the connection was dropped.
#[derive(Debug, Clone)]
pub(super) struct Streams(Arc<Mutex<Option<JoinSet<()>>>>);

/// Ends the streams when it is dropped.
#[derive(Debug)]
pub(super) struct OwnedStreams(Streams);

// === impl Streams ===

impl Streams {
    /// `None` once the connection is over.
    fn lock(&self) -> MutexGuard<'_, Option<JoinSet<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        if let Some(streams) = &mut *self.lock() {
            streams.spawn(stream);
        }
    }
}

// === impl OwnedStreams ===

impl OwnedStreams {
    pub(super) fn new() -> Self {
        Self(Streams(Arc::new(Mutex::new(Some(JoinSet::new())))))
    }

    pub(super) fn executor(&self) -> Streams {
        self.0.clone()
    }

    /// Forgets the streams that have ended.
    pub(super) fn poll_reap(&self, cx: &mut Context<'_>) {
        if let Some(streams) = &mut *self.0.lock() {
            while let Poll::Ready(Some(ended)) = streams.poll_join_next(cx) {
                tell_panic(ended);
            }
        }
    }

    /// Cancels the streams, and waits until they are gone.
    pub(super) async fn shutdown(self) {
        let streams = self.0.lock().take();
        if let Some(mut streams) = streams {
            streams.shutdown().await;
        }
    }
}

impl Drop for OwnedStreams {
    fn drop(&mut self) {
        // Outside of the lock: a stream holds a handle to its executor.
        let streams = self.0.lock().take();
        drop(streams);
    }
}
