use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use std::{io, thread};

/// Something that has to be looked after from time to time.
pub(super) trait Due: Send + Sync + 'static {
    /// Does what is due, and says how long until there is more; `None` when nothing is pending.
    fn due(&self) -> Option<Duration>;
}

/// Looks after something on a thread that is there only while something is pending.
///
/// It needs no runtime and no export thread, of which there may be none. The thread holds on to
/// nothing: it ends when nothing is pending, and when the alarm is dropped.
#[derive(Debug)]
pub(super) struct Alarm {
    name: &'static str,
    shared: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Debug, Default)]
struct State {
    /// There is a thread, and it will look at [`Self::rung`] once more before it ends.
    running: bool,
    /// Something has become due earlier than the thread knows.
    rung: bool,
    dropped: bool,
    /// A test does the thread's work.
    #[cfg(test)]
    by_hand: bool,
}

// === impl Alarm ===

impl Alarm {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            shared: Arc::default(),
        }
    }

    /// One that starts no thread.
    #[cfg(test)]
    pub(super) fn by_hand() -> Self {
        let alarm = Self::new("");
        lock(&alarm.shared.0).by_hand = true;
        alarm
    }

    /// Has `work` looked after soon.
    pub(super) fn ring<W: Due>(&self, work: &Arc<W>) -> io::Result<()> {
        let mut state = lock(&self.shared.0);
        #[cfg(test)]
        if state.by_hand {
            return Ok(());
        }
        state.rung = true;
        if state.running {
            self.shared.1.notify_all();
            return Ok(());
        }
        let (shared, work) = (Arc::clone(&self.shared), Arc::downgrade(work));
        let run = move || run(&shared, &work);
        thread::Builder::new()
            .name(self.name.to_owned())
            .spawn(run)?;
        state.running = true;
        Ok(())
    }

    /// Waits until the thread has ended.
    #[cfg(test)]
    pub(super) fn wait_until_idle(&self) {
        let (state, changed) = &*self.shared;
        let _idle = changed.wait_while(lock(state), |state| state.running);
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        lock(&self.shared.0).dropped = true;
        self.shared.1.notify_all();
    }
}

fn run<W: Due>((state, changed): &(Mutex<State>, Condvar), work: &Weak<W>) {
    loop {
        lock(state).rung = false;
        // What is due may write events, and with them run the application's layers. The panic hook
        // has said what is to be said.
        let due = || work.upgrade()?.due();
        let pending = catch_unwind(AssertUnwindSafe(due)).unwrap_or(None);
        let mut state = lock(state);
        match pending {
            Some(wait) if !state.dropped => {
                let waits = |state: &mut State| !state.rung && !state.dropped;
                let _woken = changed.wait_timeout_while(state, wait, waits);
            }
            None if state.rung && !state.dropped => {}
            _ => {
                state.running = false;
                changed.notify_all();
                return;
            }
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
