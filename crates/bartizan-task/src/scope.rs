use std::future::Future;
use std::pin::Pin;
use std::task::{Context as PollContext, Poll};

use opentelemetry::{Context, ContextGuard};
use pin_project_lite::pin_project;

use crate::current::Lent;
use crate::{Attached, Task};

/// What must travel with a piece of work: the task, and the OpenTelemetry context with its span and
/// baggage.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    task: Option<Task>,
    context: Context,
}

/// Keeps a [`Scope`] current on this thread; dropping it brings back what was there before.
#[must_use = "the scope is current only while the guard lives"]
pub struct InScope {
    // Dropped in this order: the reverse of entering.
    _context: ContextGuard,
    _task: Attached,
}

/// Keeps a [`Scope`] current on this thread while it is borrowed; made by [`Scope::lend`].
#[must_use = "the scope is current only while the guard lives"]
pub struct Lending<'a> {
    // Dropped in this order: the reverse of entering.
    _context: ContextGuard,
    _task: Lent<'a>,
}

pin_project! {
    /// A future that is polled inside a [`Scope`].
    ///
    /// The scope is entered for each poll and for the drop of the future, so what runs in a
    /// destructor still logs for the right request. Cancel safe where the inner future is.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Scoped<F> {
        // `Some` until it has ended or is dropped; pinned, so emptied only in place.
        #[pin]
        future: Option<F>,
        scope: Scope,
    }

    impl<F> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // Nothing is left after the last poll.
            if this.future.is_some() {
                let _entered = this.scope.lend();
                this.future.set(None);
            }
        }
    }
}

// === impl Scope ===

impl Scope {
    /// The scope of whatever runs on this thread now.
    #[must_use]
    pub fn capture() -> Self {
        Self {
            task: Task::current(),
            context: Context::current(),
        }
    }

    /// A scope put together by hand.
    #[must_use]
    pub const fn new(task: Option<Task>, context: Context) -> Self {
        Self { task, context }
    }

    /// The same scope with a new child of its task in the task's place, or a new root where it has
    /// none.
    #[must_use]
    pub fn child(&self, name: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        let task = match &self.task {
            Some(task) => task.child(name),
            None => Task::root(name, None),
        };
        Self {
            task: Some(task),
            context: self.context.clone(),
        }
    }

    /// The task, if there is one.
    #[must_use]
    pub const fn task(&self) -> Option<&Task> {
        self.task.as_ref()
    }

    /// The OpenTelemetry context.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Makes this the scope of this thread until the guard is dropped.
    pub fn enter(&self) -> InScope {
        let task = Attached::swap(self.task.clone());
        let context = self.context.clone().attach();
        InScope {
            _context: context,
            _task: task,
        }
    }

    /// [`Self::enter`] for an owner who polls: as cheap as it gets, since nothing is cloned but the
    /// handle to the span.
    pub fn lend(&mut self) -> Lending<'_> {
        // Cloned first, so that a panic would leave nothing half done.
        let context = self.context.clone();
        let task = Lent::new(&mut self.task);
        Lending {
            _context: context.attach(),
            _task: task,
        }
    }

    /// Runs a closure inside the scope; what a blocking pool is given.
    pub fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        let _entered = self.enter();
        work()
    }

    /// Wraps a future so that it runs inside the scope on whichever executor polls it.
    pub const fn wrap<F>(self, future: F) -> Scoped<F> {
        Scoped {
            future: Some(future),
            scope: self,
        }
    }
}

impl std::fmt::Debug for InScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InScope").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Lending<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lending").finish_non_exhaustive()
    }
}

// === impl Scoped ===

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut PollContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let _entered = this.scope.lend();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            // Polled again after its end, which no executor does.
            return Poll::Pending;
        };
        let polled = future.poll(cx);
        if polled.is_ready() {
            // Here, where the scope is entered anyway.
            this.future.set(None);
        }
        polled
    }
}
