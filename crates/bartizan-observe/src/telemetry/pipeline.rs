//! The loop that takes one signal's items from its queue to its exporter.

use std::sync::Arc;
use std::time::Duration;

use super::queue::{Next, Queue};
use super::sink::Sink;
use super::transport::{Refusal, Sent, Signal};

/// One signal's way out.
pub(super) struct Pipeline<T> {
    pub(super) signal: Signal,
    pub(super) queue: Arc<Queue<T>>,
    pub(super) sink: Box<dyn Sink<T>>,
    /// How long items wait for a batch to fill; how often metrics are collected.
    pub(super) delay: Duration,
    pub(super) export_timeout: Duration,
}

/// Tells people when exports begin to fail and when they work again, once each.
#[derive(Debug)]
struct Announcer {
    signal: Signal,
    failing: bool,
}

// === impl Pipeline ===

impl<T> Pipeline<T> {
    /// Runs until the queue is closed and empty, or out of time.
    ///
    /// `collect` makes the next item of a queue that is not pushed to.
    pub(super) async fn run(mut self, mut collect: impl FnMut() -> Option<T>) {
        let queue = self.queue;
        let mut announcer = Announcer {
            signal: self.signal,
            failing: false,
        };
        loop {
            match queue.next() {
                Next::Ended => return,
                Next::Collect => queue.supply(collect()),
                Next::Wait => {
                    tokio::select! {
                        () = queue.woken() => {}
                        () = tokio::time::sleep(self.delay) => {
                            queue.request_flush();
                        }
                    }
                }
                Next::Batch(batch) => {
                    let handed = self.sink.handed();
                    let export = tokio::time::timeout(self.export_timeout, self.sink.send(batch));
                    let sent = tokio::select! {
                        biased;
                        sent = export => sent,
                        () = queue.expired() => {
                            queue.expire();
                            return;
                        }
                    };
                    let sent = match sent {
                        Ok(sent) => sent,
                        Err(_elapsed) if handed.is_set() => Sent::Unconfirmed,
                        Err(_elapsed) => Sent::Unreachable,
                    };
                    queue.settle(&sent);
                    announcer.note(&sent);
                }
            }
        }
    }
}

// === impl Announcer ===

impl Announcer {
    fn note(&mut self, sent: &Sent) {
        let failing = !matches!(sent, Sent::Acknowledged { .. });
        if failing == std::mem::replace(&mut self.failing, failing) {
            return;
        }
        let signal = self.signal.name();
        match sent {
            Sent::Acknowledged { .. } => tracing::info!(signal, "exports work again"),
            Sent::Refused(Refusal {
                by,
                retryable,
                retry_after,
            }) => {
                tracing::warn!(signal, ?by, retryable, ?retry_after, "exports are refused");
            }
            Sent::Unreachable => tracing::warn!(signal, "there is no connection to export over"),
            Sent::Unconfirmed => tracing::warn!(signal, "exports get no answer"),
            Sent::Encoding => tracing::warn!(signal, "a batch could not be encoded"),
            Sent::Failed => tracing::warn!(signal, "the exporter fails"),
        }
    }
}
