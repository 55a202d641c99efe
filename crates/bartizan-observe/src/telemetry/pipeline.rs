//! The loop that takes one signal's items from its queue to its exporter.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ids;
use super::queue::{Next, Queue};
use super::retry::{Attempts, Backoff, Closing, Pause, Verdict};
use super::sink::Sink;
use super::spool::Spool;
use super::transport::{Refusal, Sent, Signal};
use crate::Clock;

/// One signal's way out.
pub(super) struct Pipeline<T> {
    pub(super) signal: Signal,
    pub(super) queue: Arc<Queue<T>>,
    pub(super) sink: Box<dyn Sink<T>>,
    /// How long items wait for a batch to fill; how often metrics are collected.
    pub(super) delay: Duration,
    /// How long one batch may be under way, retries included.
    pub(super) export_timeout: Duration,
    pub(super) backoff: Backoff,
    pub(super) clock: Clock,
    /// What has to pass before the next attempt.
    pub(super) pause: Option<Pause>,
    /// Where batches go that are not delivered.
    pub(super) spool: Option<Arc<Spool>>,
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
        self.queue.export_here();
        let mut announcer = Announcer {
            signal: self.signal,
            failing: false,
        };
        loop {
            match self.queue.next() {
                Next::Ended => return,
                Next::Collect => self.queue.supply(caught(&mut collect)),
                Next::Wait if self.queue.closing() == Closing::No => {
                    tokio::select! {
                        () = self.queue.woken() => {}
                        () = tokio::time::sleep(self.delay) => {
                            self.queue.request_flush();
                        }
                    }
                }
                Next::Wait => self.await_replay().await,
                Next::Batch(batch) => {
                    let Some(sent) = self.deliver(batch, &mut announcer).await else {
                        return;
                    };
                    self.sink.forget();
                    self.queue.settle(&sent);
                    announcer.note(&sent);
                }
            }
        }
    }

    /// Sends a batch, again and again where that may help, until there is a result. `None` when the
    /// queue's own time was up; its books are then closed.
    async fn deliver(&mut self, batch: Vec<T>, announcer: &mut Announcer) -> Option<Sent> {
        let mut attempts = Attempts::new(self.backoff, self.clock.now(), self.export_timeout);
        let items = batch.len() as u64;
        let mut batch = Some(batch);
        if self.is_useless() {
            self.sink.encode(batch.take().unwrap_or_default()).await;
            if self.sink.message().is_none() {
                return Some(Sent::Encoding);
            }
            if self.keep(items, Sent::Unreachable) {
                return Some(Sent::Unreachable);
            }
        }
        loop {
            if let Some(pause) = self.pause.take() {
                self.rest(pause).await?;
            }
            let sent = self.attempt(batch.take(), attempts.until()).await?;
            if !self.sink.can_resend() {
                return Some(sent);
            }
            let (now, closing) = (self.clock.now(), self.queue.closing());
            if sent.may_be_sent_again() && self.keep(items, attempts.give_up(sent)) {
                self.miss(&sent, now);
                return Some(sent);
            }
            match attempts.judge(sent, now, closing, ids::random_fraction()) {
                Verdict::Final(sent) => return Some(sent),
                Verdict::Again(pause) => {
                    announcer.note(&sent);
                    // The next batch keeps a pause that the far side has asked for.
                    self.pause = Some(pause);
                    if attempts.is_over_by(pause.until, closing) {
                        return Some(attempts.give_up(sent));
                    }
                }
            }
        }
    }

    /// Whether a batch is to be kept without an attempt.
    fn is_useless(&self) -> bool {
        self.spool
            .as_ref()
            .is_some_and(|spool| spool.is_away() || self.queue.is_cut_off())
    }

    /// Keeps the batch in the spool, if there is one, which books it.
    fn keep(&self, items: u64, sent: Sent) -> bool {
        match (&self.spool, self.sink.message()) {
            (Some(spool), Some(message)) => spool.keep(&self.queue, &message, items, &sent),
            _ => false,
        }
    }

    fn miss(&self, sent: &Sent, now: Instant) {
        self.spool.iter().for_each(|spool| spool.miss(sent, now));
    }

    /// At the end only a file that is being sent is waited for, and that not where it will hardly
    /// be answered.
    async fn await_replay(&mut self) {
        if self.spool.as_ref().is_some_and(|spool| !spool.is_away()) {
            tokio::select! {
                () = self.queue.woken() => return,
                () = self.queue.cut_off() => {}
            }
        }
        self.queue.abandon_replay();
    }

    /// One attempt: the first with the batch itself, the others with what it was encoded to.
    async fn attempt(&mut self, batch: Option<Vec<T>>, until: Instant) -> Option<Sent> {
        let handed = self.sink.handed();
        let sending = match batch {
            Some(batch) => self.sink.send(batch),
            None => self.sink.resend(),
        };
        let sent = tokio::select! {
            biased;
            sent = tokio::time::timeout_at(until.into(), sending) => sent.ok(),
            () = self.queue.cut_off(), if self.spool.is_some() => None,
            () = self.queue.expired() => {
                self.queue.expire();
                return None;
            }
        };
        let sent = match sent {
            Some(sent) => sent,
            None if handed.revoke_request() => Sent::Unconfirmed,
            None => Sent::Unreachable,
        };
        match sent {
            Sent::Unconfirmed => handed.doubt(),
            Sent::Refused(_) => handed.answered(),
            _ => {}
        }
        Some(sent)
    }

    /// Waits for a pause to pass. When the queue is told to end in it, it is time for a last
    /// attempt, unless it was the far side that asked to be left alone.
    async fn rest(&mut self, pause: Pause) -> Option<()> {
        let passed = || tokio::time::sleep_until(pause.until.into());
        if self.queue.closing() == Closing::No {
            tokio::select! {
                () = passed() => return Some(()),
                () = self.queue.closed() => {}
            }
            if !pause.asked {
                return Some(());
            }
        }
        let too_long = matches!(self.queue.closing(), Closing::By(end) if pause.until >= end);
        if !too_long {
            tokio::select! {
                () = passed() => return Some(()),
                () = self.queue.expired() => {}
            }
        }
        self.queue.expire();
        None
    }
}

/// Collecting runs the application's own callbacks; one that panics must not end the pipeline, for
/// whose end others wait. The SDK collects nothing more after that: its lock is poisoned.
fn caught<T>(collect: &mut impl FnMut() -> Option<T>) -> Option<T> {
    // What a callback leaves behind half-changed is its own.
    std::panic::catch_unwind(AssertUnwindSafe(collect)).unwrap_or_else(|_| {
        tracing::error!("a callback of an observable instrument panicked: metrics have ended");
        None
    })
}

// === impl Announcer ===

impl Announcer {
    fn note(&mut self, sent: &Sent) {
        let failing = !sent.is_acknowledged();
        if failing == std::mem::replace(&mut self.failing, failing) {
            return;
        }
        let signal = self.signal.name();
        match sent {
            Sent::Acknowledged { .. } | Sent::Doubted { .. } => {
                tracing::info!(signal, "exports work again");
            }
            Sent::Refused(Refusal {
                by,
                retryable,
                retry_after,
            }) => {
                tracing::warn!(signal, ?by, retryable, ?retry_after, "exports are refused");
            }
            Sent::Unreachable => tracing::warn!(signal, "there is no connection to export over"),
            Sent::Unconfirmed => tracing::warn!(signal, "exports get no answer"),
            Sent::Unreadable => tracing::warn!(signal, "exports get answers that cannot be read"),
            Sent::Encoding => tracing::warn!(signal, "a batch could not be encoded"),
            Sent::Failed => tracing::warn!(signal, "the exporter fails"),
        }
    }
}
