use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::super::ids;
use super::super::queue::{Fate, Queue};
use super::super::retry::Backoff;
use super::super::transport::{Sent, Signal};
use super::directory::{Directory, Unread};
use super::format::{self, HEADER};
use super::index::{Bound, Entry, Index, Origin};
use super::pace::Pace;
use super::report::SpoolReport;

/// One signal's part of the directory: what the pipeline writes and [`Replay`] sends.
///
/// Both run on the export thread, and so does the work with files: it holds up exports for as long
/// as the disk takes, and nobody else. The lock is for the types alone, and not held across an
/// await.
///
/// [`Replay`]: super::Replay
#[derive(Debug)]
pub(in crate::telemetry) struct Spool {
    directory: Arc<Directory>,
    signal: Signal,
    state: Mutex<State>,
    /// Wakes the replay: there is something to send, or something has become due.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    index: Index,
    pace: Pace,
    next: u64,
    /// Set by a batch that could not be sent, cleared by a file that could: in between, batches go
    /// to the directory without an attempt, and one file at a time asks after the far side.
    away: bool,
    /// Somebody was told that files can't be written.
    told: bool,
}

/// What there is to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Send(Entry),
    At(Instant),
    Nothing,
}

// === impl Spool ===

impl Spool {
    /// Takes over what earlier runs have left; says what that is.
    pub(super) fn open(
        directory: &Arc<Directory>,
        signal: Signal,
        bound: Bound,
        backoff: Backoff,
    ) -> std::io::Result<(Self, SpoolReport)> {
        let scan = directory.scan(signal)?;
        let mut report = SpoolReport {
            torn_files: scan.torn,
            foreign_files: scan.foreign,
            unreadable_files: scan.unreadable,
            ..SpoolReport::default()
        };
        let entries = scan.files.into_iter().map(|found| Entry {
            sequence: found.sequence,
            bytes: found.bytes,
            items: found.items,
            origin: Origin::Earlier,
            failures: 0,
            sending: false,
        });
        let mut index = Index::new(bound, entries.collect());
        report.found = index.items();
        for entry in index.enforce() {
            remove(directory, signal, entry.sequence);
            report.dropped += entry.items;
        }
        let spool = Self {
            directory: Arc::clone(directory),
            signal,
            state: Mutex::new(State {
                index,
                pace: Pace::new(backoff),
                next: scan.next,
                away: false,
                told: false,
            }),
            changed: Notify::new(),
        };
        Ok((spool, report))
    }

    /// Whether attempts are useless for now.
    pub(in crate::telemetry) fn is_away(&self) -> bool {
        let state = self.lock();
        // Without a file nobody would find out when it is back.
        state.away && !state.index.is_empty()
    }

    /// Keeps a batch that was not delivered, and books that. `false` when it can't be kept: it is
    /// then the caller's as before.
    pub(in crate::telemetry) fn keep<T>(
        &self,
        queue: &Queue<T>,
        message: &[u8],
        items: u64,
        sent: &Sent,
    ) -> bool {
        let mut state = self.lock();
        // Until the file is booked or gone again.
        let Some(held) = self.directory.hold() else {
            return self.cannot(&mut state, queue, &"the directory was given back");
        };
        let Some(head) = format::head(self.signal, items, message) else {
            return self.cannot(&mut state, queue, &"a batch is too large for a file");
        };
        let bytes = (HEADER + message.len()) as u64;
        let gone = match state.index.make_room(bytes) {
            Ok(gone) => gone,
            Err(too_large) => return self.cannot(&mut state, queue, &too_large),
        };
        for entry in gone {
            self.directory.remove(&held, self.signal, entry.sequence);
            queue.rebook(entry.origin, entry.items, Fate::Dropped);
        }
        let sequence = state.next;
        state.next += 1;
        if let Err(error) = self
            .directory
            .write(&held, self.signal, sequence, [&head, message])
        {
            return self.cannot(&mut state, queue, &error);
        }
        state.told = false;
        let origin = match sent {
            Sent::Unconfirmed => Origin::Doubtful,
            _ => Origin::Own,
        };
        if !queue.stow(origin) {
            // The deadline came first, and has counted the batch.
            self.directory.remove(&held, self.signal, sequence);
            return true;
        }
        state.index.push(Entry {
            sequence,
            bytes,
            items,
            origin,
            failures: 0,
            sending: false,
        });
        drop(state);
        self.changed.notify_one();
        true
    }

    fn cannot<T>(&self, state: &mut State, queue: &Queue<T>, why: &dyn std::fmt::Display) -> bool {
        queue.count_write_error();
        if !std::mem::replace(&mut state.told, true) {
            tracing::warn!(signal = self.signal.name(), %why, "the spool cannot be written");
        }
        false
    }

    /// An attempt at a batch has failed at `now`, and the batch is kept: others need not try.
    pub(in crate::telemetry) fn miss(&self, sent: &Sent, now: Instant) {
        let mut state = self.lock();
        state.away = true;
        state.pace.failed(now, asked(sent), ids::random_fraction());
        drop(state);
        self.changed.notify_one();
    }

    /// What there is to send at `now`; a file that is given out is [returned](Self::settle).
    pub(super) fn turn(&self, now: Instant) -> Turn {
        let mut state = self.lock();
        let rests_until = state.pace.rests_until(now);
        match (state.index.candidate(), rests_until) {
            (None, _) => Turn::Nothing,
            (Some(_), Some(until)) => Turn::At(until),
            (Some(entry), None) => {
                entry.sending = true;
                Turn::Send(*entry)
            }
        }
    }

    /// Resolves when [`Self::turn`] may have another answer.
    pub(super) fn changed(&self) -> impl Future<Output = ()> {
        self.changed.notified()
    }

    /// Reads a file's message at `now`. `None` when there is nothing to send: the file is gone when
    /// it is not what was written, and tried again later when it could not be read.
    pub(super) fn load<T>(&self, entry: &Entry, queue: &Queue<T>, now: Instant) -> Option<Vec<u8>> {
        let signal = self.signal.name();
        let Entry {
            sequence,
            bytes,
            items,
            ..
        } = *entry;
        match self.directory.read(self.signal, sequence, bytes, items) {
            Ok(message) => return Some(message),
            Err(Unread::Lost(why)) => {
                tracing::warn!(signal, why, items, "a spooled batch is lost");
                self.remove(sequence);
                queue.rebook(entry.origin, items, Fate::Torn);
            }
            Err(Unread::Unreadable(why)) => {
                if entry.failures == 0 {
                    tracing::warn!(signal, %why, items, "a spooled batch cannot be read");
                }
                self.put_back(sequence, None, Fate::Kept, now);
            }
        }
        None
    }

    /// A file that was given out is not sent after all.
    pub(super) fn give_back(&self, entry: &Entry) {
        if let Some(kept) = self.lock().index.get_mut(entry.sequence) {
            kept.sending = false;
        }
    }

    /// Takes the result of sending a file at `now`; says what became of its items.
    pub(super) fn settle(&self, entry: &Entry, sent: &Sent, now: Instant) -> Fate {
        let fate = Fate::of(sent);
        if fate == Fate::Kept || fate == Fate::Doubted {
            self.put_back(entry.sequence, asked(sent), fate, now);
        } else {
            self.remove(entry.sequence);
            let mut state = self.lock();
            state.pace.succeeded();
            state.away = false;
            if state.index.is_empty() {
                tracing::info!(signal = self.signal.name(), "the spool is empty again");
            }
        }
        fate
    }

    /// A file that was given out could not be sent.
    fn put_back(&self, sequence: u64, asked: Option<Duration>, fate: Fate, now: Instant) {
        let mut state = self.lock();
        state.pace.failed(now, asked, ids::random_fraction());
        if let Some(kept) = state.index.get_mut(sequence) {
            kept.sending = false;
            kept.failures = kept.failures.saturating_add(1);
            if (fate, kept.origin) == (Fate::Doubted, Origin::Own) {
                kept.origin = Origin::Doubtful;
            }
        }
    }

    fn remove(&self, sequence: u64) {
        remove(&self.directory, self.signal, sequence);
        self.lock().index.remove(sequence);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Once the directory was given back, its files are not ours to remove.
fn remove(directory: &Directory, signal: Signal, sequence: u64) {
    if let Some(held) = directory.hold() {
        directory.remove(&held, signal, sequence);
    }
}

const fn asked(sent: &Sent) -> Option<Duration> {
    match sent {
        Sent::Refused(refusal) => refusal.retry_after,
        _ => None,
    }
}
