use std::cell::RefCell;
use std::marker::PhantomData;

use crate::Task;

thread_local! {
    static CURRENT: RefCell<Option<Task>> = const { RefCell::new(None) };
}

/// Keeps a task current on this thread; dropping it brings back the one before.
///
/// Guards must be dropped in the reverse order of their making, which scopes do by themselves.
#[must_use = "the task is current only while the guard lives"]
#[derive(Debug)]
pub struct Attached {
    before: Option<Task>,
    /// The thread-local belongs to this thread, so the guard must stay on it.
    _not_send: PhantomData<*const ()>,
}

impl Task {
    /// The task that is running on this thread, if any.
    #[must_use]
    pub fn current() -> Option<Self> {
        Self::with_current(|task| task.cloned())
    }

    /// Looks at the running task without cloning its handle.
    ///
    /// `look` must not attach another task. Gives `None` to `look` while the thread is being torn
    /// down, when a logger may still run in some thread-local's destructor.
    pub fn with_current<R>(look: impl FnOnce(Option<&Self>) -> R) -> R {
        let mut look = Some(look);
        let seen = CURRENT
            .try_with(|current| look.take().map(|look| look(current.borrow().as_ref())))
            .ok()
            .flatten();
        // `look` is still there exactly when it was not called.
        seen.or_else(|| look.take().map(|look| look(None)))
            .unwrap_or_else(|| unreachable!("one of the two calls has run"))
    }

    /// Makes this the running task of this thread until the guard is dropped.
    pub fn attach(&self) -> Attached {
        Attached::swap(Some(self.clone()))
    }
}

impl Attached {
    pub(crate) fn swap(task: Option<Task>) -> Self {
        let before = CURRENT.with(|current| current.replace(task));
        Self {
            before,
            _not_send: PhantomData,
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let before = self.before.take();
        // The replaced handle is dropped outside of the borrow: it may be a task's last one.
        let ours = CURRENT.try_with(|current| current.replace(before));
        drop(ours);
    }
}

/// Lends a task to this thread for as long as the guard lives: what [`Attached`] does, without
/// touching the task's reference count, which is most of what a poll would cost.
pub(crate) struct Lent<'a>(&'a mut Option<Task>);

impl<'a> Lent<'a> {
    pub(crate) fn new(task: &'a mut Option<Task>) -> Self {
        exchange(task);
        Self(task)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        exchange(self.0);
    }
}

/// Swaps the running task with the one given. Leaves both where they are while the thread is being
/// torn down, which a guard's two calls see alike, since no guard outlives a poll.
fn exchange(task: &mut Option<Task>) {
    // No one to tell: a thread that ends runs nothing that could be attributed.
    CURRENT
        .try_with(|current| std::mem::swap(&mut *current.borrow_mut(), task))
        .unwrap_or_default();
}
