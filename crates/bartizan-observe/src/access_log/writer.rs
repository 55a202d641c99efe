//! The queue between threads, and the thread that empties it.

use std::borrow::Cow;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use http::uri::PathAndQuery;

use super::output::Output;
use super::queue::{Batch, Queue, Writer};
use super::{AccessLogStats, AccessRecord};

/// How often a writer that has been active looks at the queue. Waking it for every line would cost
/// each request a system call; 50 looks a second cost next to nothing, and nobody reads a log
/// faster.
const PERIOD: Duration = Duration::from_millis(20);

/// After how many looks at an empty queue the writer waits to be woken instead: a second, so that
/// an idle process has no timer running.
const IDLE_PERIODS: u32 = 50;

/// What the request path and the writer's thread share. The lock is held for a move or a swap,
/// never while anything is formatted or written.
pub(super) struct Shared {
    queue: Mutex<Queue>,
    /// Only the writer waits for this.
    wake: Condvar,
    /// Whoever flushes waits for this.
    done: Condvar,
    writer: OnceLock<ThreadId>,
}

/// The body of the writer's thread.
pub(super) fn run(shared: &Shared, mut output: Output) {
    shared.writer.get_or_init(|| thread::current().id());
    let mut batch = Batch::with_capacity(shared.lock().capacity());
    let _gone = Gone(shared);
    let mut idle = 0;
    while shared.next(&mut batch, &mut idle) {
        let tally = output.write(&batch);
        batch.clear();
        shared.finish(tally);
    }
}

/// Sets things straight when the writer's thread ends, also when its sink panics: what it had taken
/// is counted, and nobody waits for it.
struct Gone<'a>(&'a Shared);

// === impl Shared ===

impl Shared {
    pub(super) const fn new(queue: Queue) -> Self {
        Self {
            queue: Mutex::new(queue),
            wake: Condvar::new(),
            done: Condvar::new(),
            writer: OnceLock::new(),
        }
    }

    pub(super) fn push_record(&self, mut record: AccessRecord) {
        let path = record.path.take();
        let method = match record.method {
            Cow::Borrowed(_) => None,
            Cow::Owned(ref mut method) => Some(mem::take(method)),
        };
        let path_text = path.as_ref().map(PathAndQuery::path);
        let mut queue = self.lock();
        let refused = queue.push_record(record, method.as_deref(), path_text);
        self.unlock_and_wake(queue);
        // Freed outside of the lock.
        drop(refused);
    }

    pub(super) fn push_line(&self, line: &[u8]) {
        let mut queue = self.lock();
        queue.push_line(line);
        self.unlock_and_wake(queue);
    }

    pub(super) fn is_written_here(&self) -> bool {
        self.writer.get() == Some(&thread::current().id())
    }

    pub(super) fn flush(&self, deadline: Duration) -> bool {
        // The writer would wait for itself.
        let deadline = if self.is_written_here() {
            Duration::ZERO
        } else {
            deadline
        };
        let mut queue = self.lock();
        let target = queue.pushed;
        queue.flush_to = target;
        if queue.needs_wake() {
            self.wake.notify_one();
        }
        let (queue, _) = self
            .done
            .wait_timeout_while(queue, deadline, |queue| queue.done < target)
            .unwrap_or_else(PoisonError::into_inner);
        queue.done >= target && queue.writer != Writer::Gone
    }

    pub(super) fn stats(&self) -> AccessLogStats {
        self.lock().stats
    }

    pub(super) fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        self.unlock_and_wake(queue);
    }

    /// Waits for lines; `false` when there will be no more.
    fn next(&self, batch: &mut Batch, idle: &mut u32) -> bool {
        let mut queue = self.lock();
        loop {
            if !queue.is_urgent() {
                queue = if *idle < IDLE_PERIODS {
                    self.poll(queue)
                } else {
                    self.park(queue)
                };
                queue.writer = Writer::Busy;
            }
            if queue.take(batch) {
                *idle = 0;
                return true;
            }
            if queue.closed {
                return false;
            }
            *idle = idle.saturating_add(1);
        }
    }

    fn poll<'a>(&self, mut queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        queue.writer = Writer::Polling;
        let waited = self
            .wake
            .wait_timeout_while(queue, PERIOD, |queue| !queue.is_urgent());
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn park<'a>(&self, mut queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        queue.writer = Writer::Parked;
        let idle = |queue: &mut Queue| queue.is_empty() && !queue.is_urgent();
        self.wake
            .wait_while(queue, idle)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, tally: AccessLogStats) {
        let mut queue = self.lock();
        queue.stats.written += tally.written;
        queue.stats.write_errors += tally.write_errors;
        queue.done += tally.written + tally.write_errors;
        drop(queue);
        self.done.notify_all();
    }

    fn unlock_and_wake(&self, mut queue: MutexGuard<'_, Queue>) {
        let wake = queue.needs_wake();
        drop(queue);
        if wake {
            self.wake.notify_one();
        }
    }

    /// No code that can panic runs under the lock, and the queue is whole after every step.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Gone ===

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.writer = Writer::Gone;
        queue.stats.dropped += queue.pushed - queue.done;
        queue.done = queue.pushed;
        queue.discard();
        drop(queue);
        self.0.done.notify_all();
    }
}
