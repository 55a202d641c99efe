use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bartizan_observe::Outcome as Ended;
use bartizan_observe::names::{attr, error_type};
use bartizan_observe::telemetry::Telemetry;
use bartizan_protect::guard::{self, Error};
use bartizan_task::{Scope, Task};
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer};
use pin_project_lite::pin_project;

use super::Seen;
use crate::breaker::Outcome;

pin_project! {
    /// A guarded call; made by [`Guard::run`](super::Guard::run).
    ///
    /// Dropping it drops the work, and gives back all that it holds. It must not be polled again
    /// after it was ready.
    #[must_use = "futures do nothing unless polled"]
    pub struct Run<F, C> {
        // `None` once ready.
        #[pin]
        inner: Option<guard::Run<F, C, Seen>>,
        // Of whoever made the call, and from the first poll on the call's own.
        scope: Scope,
        progress: Progress,
        // Empty once it is the task's.
        name: Cow<'static, str>,
        telemetry: Telemetry,
    }

    impl<F, C> PinnedDrop for Run<F, C> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // Nothing is left after the last poll.
            if this.inner.is_none() {
                return;
            }
            let entered = this.scope.lend();
            this.inner.set(None);
            drop(entered);
            match this.progress {
                Progress::New => {}
                Progress::Waiting => end(this.scope, Ended::Cancelled, None),
                Progress::Polled => end(this.scope, Ended::Panicked, Some(error_type::PANIC)),
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    New,
    /// Set while the work runs; an unwind leaves it set.
    Polled,
    Waiting,
}

// === impl Run ===

impl<F, C> Run<F, C> {
    pub(super) fn new(
        telemetry: &Telemetry,
        name: Cow<'static, str>,
        inner: guard::Run<F, C, Seen>,
    ) -> Self {
        let scope = Scope::capture();
        let inner = match scope.task().and_then(Task::deadline) {
            Some(deadline) => inner.with_deadline(deadline),
            None => inner,
        };
        Self {
            inner: Some(inner),
            scope,
            progress: Progress::New,
            name,
            telemetry: telemetry.clone(),
        }
    }

    /// What the result says of how the work went, for the breaker; an adaptive bulkhead goes by the
    /// time of successes only. Default: `Ok` is a success, `Err` a failure unless it is a rejection
    /// by one of our own layers.
    pub fn with_classify<T, E, D>(mut self, classify: D) -> Run<F, D>
    where
        F: Future<Output = Result<T, E>>,
        D: FnOnce(&Result<T, E>) -> Outcome,
    {
        let inner = self.inner.take();
        Run {
            inner: inner.map(|inner| inner.with_classify(classify)),
            scope: std::mem::take(&mut self.scope),
            progress: self.progress,
            name: std::mem::take(&mut self.name),
            telemetry: self.telemetry.clone(),
        }
    }

    /// How many units of the rate limit's quota it costs. Default: 1.
    pub fn with_cost(mut self, cost: u32) -> Self {
        self.inner = self.inner.take().map(|inner| inner.with_cost(cost));
        self
    }
}

impl<F, C, T, E> Future for Run<F, C>
where
    F: Future<Output = Result<T, E>>,
    C: FnOnce(&Result<T, E>) -> Outcome,
{
    type Output = Result<T, Error<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            panic!("polled after it was ready");
        };
        if *this.progress == Progress::New {
            *this.scope = begin(this.telemetry, this.scope, std::mem::take(this.name));
        }
        *this.progress = Progress::Polled;
        let entered = this.scope.lend();
        let polled = inner.poll(cx);
        if polled.is_ready() {
            this.inner.set(None);
        }
        drop(entered);
        *this.progress = Progress::Waiting;
        match &polled {
            Poll::Ready(Ok(_)) => end(this.scope, Ended::Completed, None),
            Poll::Ready(Err(error)) => end(this.scope, Ended::Error, Some(name(error))),
            Poll::Pending => {}
        }
        polled
    }
}

/// The call's own scope: a child of its maker's task and span.
fn begin(telemetry: &Telemetry, scope: &Scope, name: Cow<'static, str>) -> Scope {
    let tracer = telemetry.tracer();
    let span = tracer
        .span_builder(name.clone())
        .with_kind(SpanKind::Internal)
        .start_with_context(tracer, scope.context());
    let child = scope.child(name);
    Scope::new(child.task().cloned(), scope.context().with_span(span))
}

fn end(scope: &Scope, ended: Ended, error: Option<&'static str>) {
    let span = scope.context().span();
    if span.is_recording() {
        span.set_attribute(KeyValue::new(attr::OUTCOME, ended.as_str()));
        if let Some(error) = error {
            // No description: an error's text may hold what is secret.
            span.set_status(Status::error(""));
            span.set_attribute(KeyValue::new(attr::ERROR_TYPE, error));
        }
    }
    span.end();
}

const fn name<E>(error: &Error<E>) -> &'static str {
    match error {
        Error::TimedOut(_) => error_type::TIMEOUT,
        Error::Failed(_) => error_type::OTHER,
        rejection => rejection.name(),
    }
}

impl<F, C> fmt::Debug for Run<F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("name", &self.name)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
