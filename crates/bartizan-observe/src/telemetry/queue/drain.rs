//! The pipeline's side of the queue: what it takes out, and what it says became of that.

use std::future::Future;
use std::thread;

use super::{Feed, InFlight, Next, Phase, Queue, Queued, State};
use crate::telemetry::retry::Closing;
use crate::telemetry::transport::Sent;

impl<T> Queue<T> {
    /// From now on it is this thread that exports.
    pub(in crate::telemetry) fn export_here(&self) {
        self.exporter.get_or_init(|| thread::current().id());
    }

    /// What there is to do.
    pub(in crate::telemetry) fn next(&self) -> Next<T> {
        let mut state = self.lock();
        match &mut state.phase {
            Phase::Done => return Next::Ended,
            Phase::Closing { collected, .. } if self.feed == Feed::Collected && !*collected => {
                *collected = true;
                // Its number is given before it is made: a flush that is asked for from now on
                // may be too late for it, and waits for the next.
                state.entered += 1;
                return Next::Collect;
            }
            _ => {}
        }
        let closing = matches!(state.phase, Phase::Closing { .. });
        if state.items.is_empty() {
            if closing && state.replayed.is_some() {
                return Next::Wait;
            }
            if closing {
                state.end_spooled();
                state.phase = Phase::Done;
                drop(state);
                self.progress.notify_all();
                return Next::Ended;
            }
            if self.feed == Feed::Collected && state.flush_to > state.entered {
                state.entered += 1;
                return Next::Collect;
            }
            return Next::Wait;
        }
        let taken = state.entered - state.items.len() as u64;
        if !closing && !self.fills_batch(&state) && taken >= state.flush_to {
            return Next::Wait;
        }
        self.handed.begin_batch();
        Next::Batch(self.take_batch(&mut state))
    }

    /// As much as goes out in one request, one item at least.
    fn take_batch(&self, state: &mut State<T>) -> Vec<T> {
        let mut batch = Vec::with_capacity(state.items.len().min(self.bounds.batch));
        let mut bytes = 0;
        while let Some(next) = state.items.front() {
            let fits = batch.len() < self.bounds.batch && bytes + next.bytes <= self.portion;
            if !fits && !batch.is_empty() {
                break;
            }
            bytes += next.bytes;
            batch.extend(state.items.pop_front().map(|queued| queued.item));
        }
        state.bytes -= bytes;
        state.in_flight = InFlight {
            items: batch.len() as u64,
            bytes,
        };
        batch
    }

    /// Takes what was collected; `None` when there was nothing to collect.
    pub(in crate::telemetry) fn supply(&self, item: Option<T>) {
        let mut state = self.lock();
        match (item, state.phase) {
            (_, Phase::Done) => {}
            (Some(item), _) => {
                state.report.ended += 1;
                state.items.push_back(Queued { item, bytes: 0 });
            }
            (None, _) => state.settled += 1,
        }
        drop(state);
        self.progress.notify_all();
    }

    /// Books the result of the batch that [`Self::next`] gave out.
    pub(in crate::telemetry) fn settle(&self, sent: &Sent) {
        let mut state = self.lock();
        // Zero after `expire`, which has booked the batch already.
        let count = std::mem::take(&mut state.in_flight).items;
        match (self.feed, sent) {
            (Feed::Collected, Sent::Acknowledged { rejected } | Sent::Doubted { rejected }) => {
                state.rejected_parts += rejected;
                state
                    .report
                    .settle(count, &Sent::Acknowledged { rejected: 0 });
            }
            _ => state.report.settle(count, sent),
        }
        state.settled += count;
        drop(state);
        self.progress.notify_all();
    }

    /// Ends the books at the deadline, whatever the pipeline is doing.
    pub(in crate::telemetry) fn expire(&self) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Done) {
            return;
        }
        state.end_spooled();
        state.phase = Phase::Done;
        let waiting = std::mem::take(&mut state.items);
        let in_flight = std::mem::take(&mut state.in_flight).items;
        state.bytes = 0;
        state.report.dropped.deadline += waiting.len() as u64;
        if self.handed.revoke() {
            state.report.unconfirmed += in_flight;
        } else {
            state.report.dropped.deadline += in_flight;
        }
        state.settled = state.entered;
        drop(state);
        self.progress.notify_all();
        self.wake.notify_one();
        self.turned.notify_waiters();
        // Outside of the lock: dropping thousands of spans takes a while.
        drop(waiting);
    }

    /// Resolves when there may be something to do.
    pub(in crate::telemetry) fn woken(&self) -> impl Future<Output = ()> {
        self.wake.notified()
    }

    /// Whether the queue was told to end.
    pub(in crate::telemetry) fn closing(&self) -> Closing {
        match self.lock().phase {
            Phase::Open => Closing::No,
            Phase::Closing { deadline, .. } => Closing::By(deadline),
            Phase::Done => Closing::By(self.clock.now()),
        }
    }

    /// Resolves when the queue is told to end; at once if it was.
    pub(in crate::telemetry) async fn closed(&self) {
        loop {
            let changed = self.turned.notified();
            if self.closing() != Closing::No {
                return;
            }
            changed.await;
        }
    }

    /// Whether it is too late to send anything that can be kept.
    pub(in crate::telemetry) fn is_cut_off(&self) -> bool {
        match self.lock().phase {
            Phase::Open => false,
            Phase::Closing { cut_off, .. } => cut_off <= self.clock.now(),
            Phase::Done => true,
        }
    }

    /// Resolves when [`Self::is_cut_off`].
    pub(in crate::telemetry) async fn cut_off(&self) {
        loop {
            // Before the look, so that a change right after it is not missed.
            let changed = self.turned.notified();
            let phase = self.lock().phase;
            match phase {
                Phase::Done => return,
                Phase::Closing { cut_off, .. } => tokio::select! {
                    () = tokio::time::sleep_until(cut_off.into()) => return,
                    () = changed => {}
                },
                Phase::Open => changed.await,
            }
        }
    }

    /// Resolves when the queue was told to end and the time for it is up.
    pub(in crate::telemetry) async fn expired(&self) {
        loop {
            let changed = self.turned.notified();
            let phase = self.lock().phase;
            match phase {
                Phase::Done => return,
                // Looks again when it is woken: another shutdown may want to be done earlier.
                Phase::Closing { deadline, .. } => tokio::select! {
                    () = tokio::time::sleep_until(deadline.into()) => return,
                    () = changed => {}
                },
                Phase::Open => changed.await,
            }
        }
    }
}
