//! A bounded queue that also keeps the books: every item that enters is accounted for once.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::report::SignalReport;
use super::transport::{Handed, Sent};
use crate::Clock;

/// What waits to be exported, and what became of everything that did.
///
/// Items and figures live under one lock, so that a report is exact at the moment it is read.
/// The lock is held for a few instructions by whoever ends a span, and while one batch is moved
/// out by the exporter; never while something is sent.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    /// Wakes the pipeline: a full batch is there, or somebody asks for something.
    wake: Notify,
    /// Wakes threads that wait for a flush or for the end.
    progress: Condvar,
    feed: Feed,
    capacity: usize,
    batch: usize,
    handed: Handed,
    clock: Clock,
}

/// How items come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feed {
    /// Whoever ends something pushes it.
    Pushed,
    /// The pipeline collects one item when it is due: metrics.
    Collected,
}

/// What the pipeline does next.
#[derive(Debug)]
pub(super) enum Next<T> {
    /// Nothing is due.
    Wait,
    /// Collect, and hand the result to [`Queue::supply`].
    Collect,
    /// Send these, and report by [`Queue::settle`].
    Batch(Vec<T>),
    /// Everything is done.
    Ended,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    /// How many have entered the queue, and how many of these have their result. Both only grow,
    /// so that a flush waits for a number and not for a moment when the queue happens to be empty.
    entered: u64,
    settled: u64,
    /// Everything up to this number goes out without waiting for a full batch.
    flush_to: u64,
    in_flight: u64,
    phase: Phase,
    report: SignalReport,
    /// Of a collected item, the far side rejects parts.
    rejected_parts: u64,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Open,
    /// Nothing more comes in; what is there goes out until the deadline. `collected` says that
    /// the last item of a [`Feed::Collected`] has been asked for.
    Closing {
        deadline: Instant,
        collected: bool,
    },
    Done,
}

// === impl Queue ===

impl<T> Queue<T> {
    pub(super) fn new(
        feed: Feed,
        capacity: usize,
        batch: usize,
        handed: Handed,
        clock: Clock,
    ) -> Self {
        Self {
            state: Mutex::new(State {
                items: VecDeque::with_capacity(capacity),
                entered: 0,
                settled: 0,
                flush_to: 0,
                in_flight: 0,
                phase: Phase::Open,
                report: SignalReport::default(),
                rejected_parts: 0,
            }),
            wake: Notify::new(),
            progress: Condvar::new(),
            feed,
            capacity,
            batch: batch.clamp(1, capacity.max(1)),
            handed,
            clock,
        }
    }

    /// Takes an item, or drops and counts it. Never waits for the exporter and never allocates.
    pub(super) fn push(&self, item: T) {
        let mut state = self.lock();
        state.report.ended += 1;
        if !matches!(state.phase, Phase::Open) {
            state.report.dropped.after_shutdown += 1;
            return;
        }
        if state.items.len() >= self.capacity {
            state.report.dropped.queue_full += 1;
            return;
        }
        state.items.push_back(item);
        state.entered += 1;
        // Only here: a wake-up for every item would cost more than the item, and until a batch is
        // full the pipeline's own timer is soon enough.
        let full = state.items.len() == self.batch;
        drop(state);
        if full {
            self.wake.notify_one();
        }
    }

    /// The figures so far.
    pub(super) fn report(&self) -> SignalReport {
        self.lock().report
    }

    /// Parts that were rejected out of collected items.
    pub(super) fn rejected_parts(&self) -> u64 {
        self.lock().rejected_parts
    }

    /// Asks for everything that is in the queue to go out now; gives the number to wait for.
    pub(super) fn request_flush(&self) -> u64 {
        let mut state = self.lock();
        let target = match self.feed {
            Feed::Pushed => state.entered,
            // The item is made for this request.
            Feed::Collected => state.entered + 1,
        };
        state.flush_to = state.flush_to.max(target);
        drop(state);
        self.wake.notify_one();
        target
    }

    /// Waits until everything up to `target` has its result. `false` when the deadline came first.
    pub(super) fn wait_flushed(&self, target: u64, deadline: Instant) -> bool {
        self.wait(deadline, |state| {
            state.settled >= target || matches!(state.phase, Phase::Done)
        })
    }

    /// Lets nothing more in, and has what is there sent until `deadline`.
    pub(super) fn close(&self, deadline: Instant) {
        let mut state = self.lock();
        state.phase = match state.phase {
            Phase::Open => Phase::Closing {
                deadline,
                collected: false,
            },
            // The earliest deadline counts: nobody is to wait longer than they asked for.
            Phase::Closing {
                deadline: before,
                collected,
            } => Phase::Closing {
                deadline: before.min(deadline),
                collected,
            },
            Phase::Done => Phase::Done,
        };
        drop(state);
        self.wake.notify_one();
    }

    /// Waits for the pipeline's end after [`Self::close`]; at `deadline` ends the books itself.
    pub(super) fn wait_ended(&self, deadline: Instant) {
        if !self.wait(deadline, |state| matches!(state.phase, Phase::Done)) {
            self.expire();
        }
    }

    fn wait(&self, deadline: Instant, until: impl Fn(&State<T>) -> bool) -> bool {
        let mut state = self.lock();
        while !until(&state) {
            let left = deadline.saturating_duration_since(self.clock.now());
            if left.is_zero() {
                return false;
            }
            (state, _) = self
                .progress
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing in here panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === the pipeline's side ===

impl<T> Queue<T> {
    /// What there is to do.
    pub(super) fn next(&self) -> Next<T> {
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
            if closing {
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
        if !closing && state.items.len() < self.batch && taken >= state.flush_to {
            return Next::Wait;
        }
        let count = state.items.len().min(self.batch);
        state.in_flight = count as u64;
        self.handed.reset();
        Next::Batch(state.items.drain(..count).collect())
    }

    /// Takes what was collected; `None` when there was nothing to collect.
    pub(super) fn supply(&self, item: Option<T>) {
        let mut state = self.lock();
        match (item, state.phase) {
            (_, Phase::Done) => {}
            (Some(item), _) => {
                state.report.ended += 1;
                state.items.push_back(item);
            }
            (None, _) => state.settled += 1,
        }
        drop(state);
        self.progress.notify_all();
    }

    /// Books the result of the batch that [`Self::next`] gave out.
    pub(super) fn settle(&self, sent: &Sent) {
        let mut state = self.lock();
        // Zero after `expire`, which has booked the batch already.
        let count = std::mem::take(&mut state.in_flight);
        match (self.feed, sent) {
            (Feed::Collected, Sent::Acknowledged { rejected }) => {
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
    pub(super) fn expire(&self) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Done) {
            return;
        }
        state.phase = Phase::Done;
        let waiting = std::mem::take(&mut state.items);
        let in_flight = std::mem::take(&mut state.in_flight);
        state.report.dropped.deadline += waiting.len() as u64;
        if self.handed.is_set() {
            state.report.unconfirmed += in_flight;
        } else {
            state.report.dropped.deadline += in_flight;
        }
        state.settled = state.entered;
        drop(state);
        self.progress.notify_all();
        self.wake.notify_one();
        // Outside of the lock: dropping thousands of spans takes a while.
        drop(waiting);
    }

    /// Resolves when there may be something to do.
    pub(super) fn woken(&self) -> impl Future<Output = ()> {
        self.wake.notified()
    }

    /// Resolves when the queue was told to end and the time for it is up.
    pub(super) async fn expired(&self) {
        loop {
            let phase = self.lock().phase;
            match phase {
                Phase::Done => return,
                Phase::Closing { deadline, .. } => {
                    return tokio::time::sleep_until(deadline.into()).await;
                }
                Phase::Open => self.wake.notified().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn queue(feed: Feed) -> Queue<u32> {
        Queue::new(feed, 4, 2, Handed::assumed(), Clock::default())
    }

    fn soon() -> Instant {
        Clock::default().now() + Duration::from_secs(60)
    }

    fn batch(queue: &Queue<u32>) -> Vec<u32> {
        match queue.next() {
            Next::Batch(batch) => batch,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let queue = queue(Feed::Pushed);
        (0..7).for_each(|n| queue.push(n));
        let report = queue.report();
        assert_eq!(
            (report.ended, report.dropped.queue_full, report.pending()),
            (7, 3, 4)
        );
    }

    #[test]
    fn a_part_of_a_batch_waits_until_a_flush_or_the_end() {
        let queue = queue(Feed::Pushed);
        (0..3).for_each(|n| queue.push(n));
        assert_eq!(batch(&queue), [0, 1]);
        queue.settle(&Sent::Acknowledged { rejected: 0 });
        assert!(matches!(queue.next(), Next::Wait));
        queue.request_flush();
        assert_eq!(batch(&queue), [2]);
        queue.settle(&Sent::Acknowledged { rejected: 0 });
        queue.push(3);
        assert!(matches!(queue.next(), Next::Wait));
        queue.close(soon());
        assert_eq!(batch(&queue), [3]);
        queue.settle(&Sent::Acknowledged { rejected: 1 });
        assert!(matches!(queue.next(), Next::Ended));
        let report = queue.report();
        assert_eq!(
            (report.ended, report.exported, report.dropped.rejected),
            (4, 3, 1)
        );
    }

    #[test]
    fn a_flush_waits_for_what_was_there_and_not_for_more() {
        let queue = queue(Feed::Pushed);
        queue.push(0);
        let target = queue.request_flush();
        assert_eq!(batch(&queue), [0]);
        queue.push(1);
        queue.settle(&Sent::Unreachable);
        assert!(queue.wait_flushed(target, soon()));
        assert!(matches!(queue.next(), Next::Wait));
    }

    #[test]
    fn the_deadline_books_what_is_left_and_a_late_result_changes_nothing() {
        let queue = queue(Feed::Pushed);
        (0..4).for_each(|n| queue.push(n));
        assert_eq!(batch(&queue).len(), 2);
        let now = Clock::default().now();
        queue.close(now);
        queue.wait_ended(now);
        queue.settle(&Sent::Acknowledged { rejected: 0 });
        queue.push(9);
        let report = queue.report();
        assert_eq!((report.unconfirmed, report.dropped.deadline), (2, 2));
        assert_eq!(
            (
                report.exported,
                report.dropped.after_shutdown,
                report.pending()
            ),
            (0, 1, 0)
        );
        assert!(matches!(queue.next(), Next::Ended));
    }

    #[test]
    fn a_batch_that_was_never_handed_over_is_not_called_unconfirmed() {
        let handed = Handed::default();
        let queue = Queue::new(Feed::Pushed, 4, 1, handed.clone(), Clock::default());
        queue.push(0);
        handed.set();
        assert!(matches!(queue.next(), Next::Batch(_)), "which begins anew");
        queue.close(soon());
        queue.expire();
        assert_eq!(
            (queue.report().unconfirmed, queue.report().dropped.deadline),
            (0, 1)
        );
    }

    #[test]
    fn metrics_are_collected_on_request_and_once_at_the_end() {
        let queue = queue(Feed::Collected);
        assert!(matches!(queue.next(), Next::Wait));
        let target = queue.request_flush();
        assert!(matches!(queue.next(), Next::Collect));
        queue.supply(Some(7));
        assert_eq!(batch(&queue), [7]);
        queue.settle(&Sent::Acknowledged { rejected: 3 });
        assert!(queue.wait_flushed(target, soon()));
        queue.close(soon());
        assert!(matches!(queue.next(), Next::Collect));
        queue.supply(None);
        assert!(matches!(queue.next(), Next::Ended));
        assert_eq!(
            (
                queue.report().ended,
                queue.report().exported,
                queue.rejected_parts()
            ),
            (1, 1, 3)
        );
    }
}
