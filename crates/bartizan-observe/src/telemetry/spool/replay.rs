use std::future::pending;
use std::sync::Arc;

use super::super::queue::Queue;
use super::super::sink::caught;
use super::super::transport::{Sent, Transport};
use super::index::Entry;
use super::store::{Spool, Turn};
use crate::Clock;

/// Sends what is in the directory, one file at a time and each only once it is due.
///
/// It has a connection of its own, so that the pipeline goes on meanwhile.
pub(in crate::telemetry) struct Replay<T> {
    pub(in crate::telemetry) spool: Arc<Spool>,
    pub(in crate::telemetry) queue: Arc<Queue<T>>,
    pub(in crate::telemetry) transport: Arc<Transport>,
    pub(in crate::telemetry) clock: Clock,
}

// === impl Replay ===

impl<T> Replay<T> {
    /// Never ends by itself; the pipeline's end is its end.
    pub(in crate::telemetry) async fn run(self) {
        loop {
            let entry = self.turn().await;
            let Some(message) = self.spool.load(&entry, &self.queue, self.clock.now()) else {
                continue;
            };
            let handed = self.transport.handed();
            handed.begin_batch();
            if !self.queue.begin_replay(entry.origin, entry.items, handed) {
                // What is left is for the next run.
                self.spool.give_back(&entry);
                return pending().await;
            }
            let sent = self.send(message).await;
            let fate = self.spool.settle(&entry, &sent, self.clock.now());
            self.queue.end_replay(fate);
        }
    }

    async fn turn(&self) -> Entry {
        loop {
            match self.spool.turn(self.clock.now()) {
                Turn::Send(entry) => return entry,
                Turn::Nothing => self.spool.changed().await,
                // A later failure may have made the pause longer, which is seen when it is over.
                Turn::At(until) => tokio::time::sleep_until(until.into()).await,
            }
        }
    }

    async fn send(&self, message: Vec<u8>) -> Sent {
        match caught(self.transport.send(message.into())).await {
            Some(sent) => sent,
            // It panicked over the answer, or before it had sent anything.
            None if self.transport.handed().revoke() => Sent::Unreadable,
            None => Sent::Encoding,
        }
    }
}
