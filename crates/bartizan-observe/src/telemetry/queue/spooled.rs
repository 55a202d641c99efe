//! The books of what is on disk: counted as spooled until something becomes of it.

use super::{Phase, Queue, State};
use crate::telemetry::spool::{Origin, SpoolReport};
use crate::telemetry::transport::{Handed, Refusal, Sent};

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::telemetry) enum Fate {
    /// The far side has it, but for this many items.
    Acknowledged(u64),
    /// The far side does not take it.
    Rejected,
    /// It was sent, and what came back nobody can read.
    Unreadable,
    /// Newer ones needed the room.
    Dropped,
    /// It is not what was written.
    Torn,
    /// It is still there.
    Kept,
    /// It is still there, and the far side may have it.
    Doubted,
}

/// A file that is being sent.
#[derive(Debug)]
pub(super) struct Replayed {
    origin: Origin,
    items: u64,
    handed: Handed,
}

// === impl Fate ===

impl Fate {
    pub(in crate::telemetry) const fn of(sent: &Sent) -> Self {
        match sent {
            Sent::Acknowledged { rejected } | Sent::Doubted { rejected } => {
                Self::Acknowledged(*rejected)
            }
            Sent::Refused(Refusal {
                retryable: true, ..
            })
            | Sent::Unreachable => Self::Kept,
            Sent::Refused(_) | Sent::Failed | Sent::Encoding => Self::Rejected,
            Sent::Unconfirmed => Self::Doubted,
            Sent::Unreadable => Self::Unreadable,
        }
    }
}

// === impl Queue ===

impl<T> Queue<T> {
    /// Begins the books of a directory with what it held at the start.
    pub(in crate::telemetry) fn found(&self, report: SpoolReport) {
        self.lock().spool = report;
    }

    /// What became of the items of earlier runs.
    pub(in crate::telemetry) fn spool_report(&self) -> SpoolReport {
        self.lock().spool
    }

    /// Books the batch that [`Self::next`] gave out as being on disk. `false` when the deadline has
    /// booked it already.
    pub(in crate::telemetry) fn stow(&self, origin: Origin) -> bool {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Done) {
            return false;
        }
        let count = std::mem::take(&mut state.in_flight).items;
        state.report.spooled += count;
        if origin == Origin::Doubtful {
            state.doubtful += count;
        }
        state.settled += count;
        drop(state);
        self.progress.notify_all();
        true
    }

    /// Books what became of a file without its being sent.
    pub(in crate::telemetry) fn rebook(&self, origin: Origin, items: u64, fate: Fate) {
        self.lock().rebook(origin, items, fate);
        self.progress.notify_all();
    }

    pub(in crate::telemetry) fn count_write_error(&self) {
        self.lock().spool.write_errors += 1;
    }

    /// Notes that a file is being sent. `false` when the end is near.
    pub(in crate::telemetry) fn begin_replay(
        &self,
        origin: Origin,
        items: u64,
        handed: Handed,
    ) -> bool {
        let mut state = self.lock();
        let open = matches!(state.phase, Phase::Open);
        if open {
            state.replayed = Some(Replayed {
                origin,
                items,
                handed,
            });
        }
        open
    }

    /// Books what became of the file that was being sent, unless the end has done that already.
    pub(in crate::telemetry) fn end_replay(&self, fate: Fate) {
        let mut state = self.lock();
        if let Some(Replayed { origin, items, .. }) = state.replayed.take() {
            state.rebook(origin, items, fate);
        }
        drop(state);
        self.progress.notify_all();
        self.wake.notify_one();
    }

    /// Does not wait for the file that is being sent; gives whatever waits for that its answer.
    pub(in crate::telemetry) fn abandon_replay(&self) {
        self.lock().abandon_replay();
    }

    /// Waits until nothing of this run is on disk.
    #[cfg(test)]
    pub(in crate::telemetry) fn wait_replayed(&self, deadline: std::time::Instant) -> bool {
        self.wait(deadline, |state| {
            state.report.spooled == 0 && state.spool.waiting() == 0
        })
    }
}

// === impl State ===

impl<T> State<T> {
    fn rebook(&mut self, origin: Origin, items: u64, fate: Fate) {
        // The end has said what is on disk.
        if matches!(self.phase, Phase::Done) {
            return;
        }
        if fate == Fate::Torn {
            self.spool.torn_files += 1;
        }
        match (origin, fate) {
            (Origin::Earlier, _) => self.rebook_earlier(items, fate),
            (_, Fate::Kept) | (Origin::Doubtful, Fate::Doubted) => {}
            (Origin::Own, Fate::Doubted) => self.doubtful += items,
            (origin, fate) => {
                self.report.spooled -= items;
                if origin == Origin::Doubtful {
                    self.doubtful -= items;
                }
                self.resolve(origin, items, fate);
            }
        }
    }

    fn resolve(&mut self, origin: Origin, items: u64, fate: Fate) {
        match fate {
            Fate::Acknowledged(rejected) if origin == Origin::Doubtful => {
                self.report.settle(items, &Sent::Doubted { rejected });
            }
            Fate::Acknowledged(rejected) => {
                self.report.settle(items, &Sent::Acknowledged { rejected });
            }
            Fate::Unreadable => self.report.unconfirmed += items,
            // It may have come the first time.
            _ if origin == Origin::Doubtful => self.report.unconfirmed += items,
            Fate::Rejected => self.report.dropped.rejected += items,
            _ => self.report.dropped.spool += items,
        }
    }

    fn rebook_earlier(&mut self, items: u64, fate: Fate) {
        match fate {
            Fate::Acknowledged(rejected) => {
                let rejected = rejected.min(items);
                self.spool.exported += items - rejected;
                self.spool.rejected += rejected;
            }
            Fate::Rejected => self.spool.rejected += items,
            Fate::Unreadable => self.spool.unconfirmed += items,
            Fate::Dropped => self.spool.dropped += items,
            Fate::Torn => self.spool.torn += items,
            Fate::Kept | Fate::Doubted => {}
        }
    }

    fn abandon_replay(&mut self) {
        if let Some(replayed) = self.replayed.take() {
            let fate = if replayed.handed.revoke() {
                Fate::Doubted
            } else {
                Fate::Kept
            };
            self.rebook(replayed.origin, replayed.items, fate);
        }
    }

    /// At the end, what is on disk and may have arrived is unconfirmed, and only the rest is
    /// certainly there and nowhere else.
    pub(super) fn end_spooled(&mut self) {
        self.abandon_replay();
        let doubtful = std::mem::take(&mut self.doubtful);
        self.report.spooled -= doubtful;
        self.report.unconfirmed += doubtful;
    }
}
