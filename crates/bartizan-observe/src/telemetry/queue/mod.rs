//! A bounded queue that also keeps the books: every item that enters is accounted for once.

mod drain;
mod spooled;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

use tokio::sync::Notify;

use super::report::SignalReport;
use super::spool::{self, SpoolReport};
use super::transport::Handed;
use crate::Clock;
pub(super) use spooled::Fate;
use spooled::Replayed;

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
    /// Tells everybody who waits for the end that the phase has changed. Not [`Self::wake`], which
    /// wakes one waiter: the pipeline waits for its work and for its end side by side, and must not
    /// take a wake-up from itself.
    turned: Notify,
    /// Wakes threads that wait for a flush or for the end.
    progress: Condvar,
    /// The thread that exports.
    exporter: OnceLock<ThreadId>,
    feed: Feed,
    bounds: Bounds,
    /// How many bytes go out in one request, unless it is a single item: as the default batch is
    /// of the default queue, a quarter. Collectors take requests of 4 MiB at most by default.
    portion: usize,
    handed: Handed,
    clock: Clock,
}

/// How much there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Items that wait.
    pub(super) items: usize,
    /// Bytes of those that wait and those that are under way.
    pub(super) bytes: usize,
    /// Items in one request.
    pub(super) batch: usize,
}

/// How many places are allocated at the start; a queue that was given more grows when it needs them.
const MAX_RESERVED: usize = 16_384;

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
    items: VecDeque<Queued<T>>,
    /// What these take.
    bytes: usize,
    /// How many have entered the queue, and how many of these have their result. Both only grow,
    /// so that a flush waits for a number and not for a moment when the queue happens to be empty.
    entered: u64,
    settled: u64,
    /// Everything up to this number goes out without waiting for a full batch.
    flush_to: u64,
    in_flight: InFlight,
    phase: Phase,
    report: SignalReport,
    /// Of a collected item, the far side rejects parts.
    rejected_parts: u64,
    /// Of the spooled items, those that the far side may have.
    doubtful: u64,
    replayed: Option<Replayed>,
    spool: SpoolReport,
}

#[derive(Debug)]
struct Queued<T> {
    item: T,
    bytes: usize,
}

/// The batch that was given out.
#[derive(Debug, Default)]
struct InFlight {
    items: u64,
    bytes: usize,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Open,
    /// Nothing more comes in; what is there goes out until the deadline. `collected` says that
    /// the last item of a [`Feed::Collected`] has been asked for, and with `cut_off` what goes to a
    /// spool has to.
    Closing {
        deadline: Instant,
        cut_off: Instant,
        collected: bool,
    },
    Done,
}

// === impl Queue ===

impl<T> Queue<T> {
    pub(super) fn new(feed: Feed, bounds: Bounds, handed: Handed, clock: Clock) -> Self {
        Self {
            state: Mutex::new(State {
                items: VecDeque::with_capacity(bounds.items.min(MAX_RESERVED)),
                bytes: 0,
                entered: 0,
                settled: 0,
                flush_to: 0,
                in_flight: InFlight::default(),
                phase: Phase::Open,
                report: SignalReport::default(),
                rejected_parts: 0,
                doubtful: 0,
                replayed: None,
                spool: SpoolReport::default(),
            }),
            wake: Notify::new(),
            turned: Notify::new(),
            progress: Condvar::new(),
            exporter: OnceLock::new(),
            feed,
            bounds: Bounds {
                batch: bounds.batch.clamp(1, bounds.items.max(1)),
                ..bounds
            },
            portion: bounds.bytes / 4,
            handed,
            clock,
        }
    }

    /// Takes an item that takes so many bytes, or drops and counts it. Never waits for the exporter.
    pub(super) fn push(&self, item: T, bytes: usize) {
        let mut state = self.lock();
        state.report.ended += 1;
        if !matches!(state.phase, Phase::Open) {
            state.report.dropped.after_shutdown += 1;
            return;
        }
        let held = state.bytes + state.in_flight.bytes;
        if state.items.len() >= self.bounds.items || bytes > self.bounds.bytes.saturating_sub(held)
        {
            state.report.dropped.queue_full += 1;
            return;
        }
        let was_full = self.fills_batch(&state);
        state.bytes += bytes;
        state.items.push_back(Queued { item, bytes });
        state.entered += 1;
        // Only here: a wake-up for every item would cost more than the item, and until a batch is
        // full the pipeline's own timer is soon enough.
        let full = self.fills_batch(&state);
        drop(state);
        if full && !was_full {
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

    /// Waits until everything up to `target` has its result. `false` when the deadline came first,
    /// and at once on the thread that exports.
    pub(super) fn wait_flushed(&self, target: u64, deadline: Instant) -> bool {
        self.wait(deadline, |state| {
            state.settled >= target || matches!(state.phase, Phase::Done)
        })
    }

    /// Lets nothing more in, and has what is there sent until `deadline`.
    pub(super) fn close(&self, deadline: Instant) {
        let left = deadline.saturating_duration_since(self.clock.now());
        let cut_off = deadline
            .checked_sub((left / 4).min(spool::RESERVE))
            .unwrap_or(deadline);
        let mut state = self.lock();
        state.phase = match state.phase {
            Phase::Open => Phase::Closing {
                deadline,
                cut_off,
                collected: false,
            },
            // The earliest deadline counts: nobody is to wait longer than they asked for.
            Phase::Closing {
                deadline: before,
                cut_off: cut_before,
                collected,
            } => Phase::Closing {
                deadline: before.min(deadline),
                cut_off: cut_before.min(cut_off),
                collected,
            },
            Phase::Done => Phase::Done,
        };
        drop(state);
        self.wake.notify_one();
        self.turned.notify_waiters();
    }

    /// Waits for the pipeline's end after [`Self::close`]; at `deadline` ends the books itself.
    /// `false` when they are still open, which is on the thread that exports: it goes on later.
    pub(super) fn wait_ended(&self, deadline: Instant) -> bool {
        let ended = self.wait(deadline, |state| matches!(state.phase, Phase::Done));
        if !ended && !self.is_exported_here() {
            self.expire();
            return true;
        }
        ended
    }

    /// Whether this is the thread that exports.
    pub(super) fn is_exported_here(&self) -> bool {
        self.exporter.get() == Some(&thread::current().id())
    }

    fn fills_batch(&self, state: &State<T>) -> bool {
        state.items.len() >= self.bounds.batch || state.bytes > self.portion
    }

    fn wait(&self, deadline: Instant, until: impl Fn(&State<T>) -> bool) -> bool {
        // Whatever is waited for would have to be done by the same thread.
        let futile = self.is_exported_here();
        let mut state = self.lock();
        while !until(&state) {
            let left = deadline.saturating_duration_since(self.clock.now());
            if futile || left.is_zero() {
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
