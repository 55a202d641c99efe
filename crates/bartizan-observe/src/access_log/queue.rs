//! What waits to be written: no threads, no clock, no I/O.

use std::mem;
use std::num::NonZeroUsize;
use std::ops::Range;

use super::{AccessLogStats, AccessRecord};

/// Room for text that is set aside at the start; more is taken under load and kept.
const TEXT_AT_START: usize = 64 * 1024;

/// Lines in the order in which they came.
pub(super) struct Batch {
    entries: Vec<Entry>,
    /// Methods, paths and ready lines, one after the other. Copied here rather than kept where they
    /// are, because a path that is kept alive keeps the buffer of the whole request head alive.
    text: Vec<u8>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "boxing would cost an allocation per request"
)]
enum Entry {
    Record {
        record: AccessRecord,
        method: Option<Range<usize>>,
        path: Option<Range<usize>>,
    },
    Line(Range<usize>),
}

/// One line of a [`Batch`].
pub(super) enum Queued<'a> {
    Record(RecordLine<'a>),
    Line(&'a [u8]),
}

/// A record whose texts lie elsewhere.
#[derive(Clone, Copy)]
pub(super) struct RecordLine<'a> {
    pub(super) record: &'a AccessRecord,
    pub(super) method: &'a str,
    pub(super) path: Option<&'a str>,
}

/// The bounded queue and its counters.
pub(super) struct Queue {
    batch: Batch,
    capacity: usize,
    max_bytes: usize,
    /// Bytes of baggage in the queued records, which count like text.
    baggage: usize,
    /// What the writer does; it sets all but `Busy` itself.
    pub(super) writer: Writer,
    /// Set when the last handle is gone.
    pub(super) closed: bool,
    /// Lines taken in, and of these the ones that are done with, one way or another.
    pub(super) pushed: u64,
    pub(super) done: u64,
    /// Someone waits until `done` is at least this.
    pub(super) flush_to: u64,
    pub(super) stats: AccessLogStats,
}

/// What the writer's thread does, which decides whether a new line wakes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// It writes, or has been woken: it will look at the queue by itself.
    Busy,
    /// It looks at the end of its period; only urgent things wake it.
    Polling,
    /// It looks when it is woken.
    Parked,
    /// Its sink panicked: whatever comes is dropped.
    Gone,
}

// === impl Batch ===

impl Batch {
    pub(super) fn with_capacity(lines: usize) -> Self {
        Self {
            entries: Vec::with_capacity(lines),
            text: Vec::with_capacity(TEXT_AT_START),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Queued<'_>> {
        let text = |range: &Range<usize>| str::from_utf8(&self.text[range.clone()]).unwrap_or("");
        self.entries.iter().map(move |entry| match entry {
            Entry::Record {
                record,
                method,
                path,
            } => Queued::Record(RecordLine {
                record,
                method: method.as_ref().map_or(&record.method, text),
                path: path.as_ref().map(text),
            }),
            Entry::Line(line) => Queued::Line(&self.text[line.clone()]),
        })
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
    }

    fn keep(&mut self, text: &[u8]) -> Range<usize> {
        let start = self.text.len();
        self.text.extend_from_slice(text);
        start..self.text.len()
    }
}

// === impl RecordLine ===

impl<'a> RecordLine<'a> {
    #[cfg(test)]
    pub(super) fn of(record: &'a AccessRecord) -> Self {
        Self {
            record,
            method: &record.method,
            path: record.path.as_ref().map(|path| path.path()),
        }
    }
}

// === impl Queue ===

impl Queue {
    pub(super) fn new(capacity: NonZeroUsize, max_bytes: NonZeroUsize) -> Self {
        Self {
            batch: Batch::with_capacity(capacity.get()),
            capacity: capacity.get(),
            max_bytes: max_bytes.get(),
            baggage: 0,
            writer: Writer::Busy,
            closed: false,
            pushed: 0,
            done: 0,
            flush_to: 0,
            stats: AccessLogStats::default(),
        }
    }

    /// Takes a record in, and a method and a path that it does not hold itself; gives it back when
    /// there is no room.
    #[must_use = "a refused record is freed outside of the lock"]
    pub(super) fn push_record(
        &mut self,
        record: AccessRecord,
        method: Option<&str>,
        path: Option<&str>,
    ) -> Option<AccessRecord> {
        let baggage = record
            .baggage
            .iter()
            .map(|(k, v)| k.as_str().len() + v.as_str().len())
            .sum();
        let text = method.map_or(0, str::len) + path.map_or(0, str::len);
        if !self.has_room(text.saturating_add(baggage)) {
            return Some(record);
        }
        self.baggage += baggage;
        let method = method.map(|method| self.batch.keep(method.as_bytes()));
        let path = path.map(|path| self.batch.keep(path.as_bytes()));
        self.batch.entries.push(Entry::Record {
            record,
            method,
            path,
        });
        self.pushed += 1;
        None
    }

    /// Takes a ready line in, if there is room.
    pub(super) fn push_line(&mut self, line: &[u8]) {
        if self.has_room(line.len()) {
            let line = self.batch.keep(line);
            self.batch.entries.push(Entry::Line(line));
            self.pushed += 1;
        }
    }

    /// Swaps what is queued for `empty`; `false` when nothing is.
    pub(super) fn take(&mut self, empty: &mut Batch) -> bool {
        self.baggage = 0;
        mem::swap(&mut self.batch, empty);
        !empty.entries.is_empty()
    }

    /// Throws away what is queued.
    pub(super) fn discard(&mut self) {
        self.baggage = 0;
        self.batch.clear();
    }

    pub(super) const fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.batch.entries.is_empty()
    }

    /// Whether the writer should look before its period is over.
    pub(super) const fn is_urgent(&self) -> bool {
        self.closed
            || self.done < self.flush_to
            || self.batch.entries.len() * 2 >= self.capacity
            || self.bytes() * 2 >= self.max_bytes
    }

    /// Whether the writer has to be woken now; says so once.
    pub(super) fn needs_wake(&mut self) -> bool {
        let wake = match self.writer {
            Writer::Busy | Writer::Gone => false,
            Writer::Polling => self.is_urgent(),
            Writer::Parked => !self.is_empty() || self.is_urgent(),
        };
        if wake {
            self.writer = Writer::Busy;
        }
        wake
    }

    const fn bytes(&self) -> usize {
        self.batch.text.len() + self.baggage
    }

    /// Counts the line as dropped when there is no room for it.
    fn has_room(&mut self, bytes: usize) -> bool {
        let room = self.writer != Writer::Gone
            && self.batch.entries.len() < self.capacity
            && bytes <= self.max_bytes - self.bytes();
        if !room {
            self.stats.dropped += 1;
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(writer: Writer) -> Queue {
        let [lines, bytes] = [4, 100].map(|limit| NonZeroUsize::new(limit).unwrap());
        Queue {
            writer,
            ..Queue::new(lines, bytes)
        }
    }

    fn wakes(queue: &mut Queue, line: &[u8]) -> bool {
        queue.push_line(line);
        queue.needs_wake()
    }

    #[test]
    fn a_parked_writer_is_woken_by_the_first_line_and_once() {
        let mut queue = queue(Writer::Parked);
        assert!(wakes(&mut queue, b"a"));
        assert!(!wakes(&mut queue, b"b"));
    }

    #[test]
    fn a_polling_writer_is_woken_when_the_queue_is_half_full() {
        let mut by_lines = queue(Writer::Polling);
        assert!(!wakes(&mut by_lines, b"a"));
        assert!(wakes(&mut by_lines, b"b"));
        assert!(!wakes(&mut by_lines, b"c"));
        assert!(
            wakes(&mut queue(Writer::Polling), &[b'x'; 50]),
            "half of the bytes"
        );
    }

    #[test]
    fn a_busy_writer_is_never_woken() {
        let mut queue = queue(Writer::Busy);
        for _ in 0..5 {
            assert!(!wakes(&mut queue, b"a"));
        }
        assert_eq!(queue.stats.dropped, 1);
    }
}
