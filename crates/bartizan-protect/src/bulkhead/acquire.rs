use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use hyper::rt::Sleep;

use super::queue::Place;
use super::{Bulkhead, Observer, Permit, Rejected};

/// Waits for a place in a bulkhead; made by [`Bulkhead::acquire`].
///
/// It must not be polled again after it was ready.
#[must_use = "a place that nobody waits for is in others' way until it is dropped"]
pub struct Acquire<O: Observer = ()>(State<O>);

enum State<O: Observer> {
    Ready(Result<Permit<O>, Rejected>),
    Queued(Queued<O>),
    Done,
}

struct Queued<O: Observer> {
    bulkhead: Bulkhead<O>,
    place: Place,
    since: Instant,
    deadline: Instant,
    /// `None` before it has been polled.
    sleep: Option<Pin<Box<dyn Sleep>>>,
}

// === impl Acquire ===

impl<O: Observer> Acquire<O> {
    pub(super) const fn ready(result: Result<Permit<O>, Rejected>) -> Self {
        Self(State::Ready(result))
    }

    pub(super) const fn queued(
        bulkhead: Bulkhead<O>,
        place: Place,
        since: Instant,
        deadline: Instant,
    ) -> Self {
        Self(State::Queued(Queued {
            bulkhead,
            place,
            since,
            deadline,
            sleep: None,
        }))
    }
}

impl<O: Observer> Future for Acquire<O> {
    type Output = Result<Permit<O>, Rejected>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Queued(queued) = &mut self.0 {
            let result = ready!(queued.poll(cx));
            self.0 = State::Done;
            return Poll::Ready(result);
        }
        match std::mem::replace(&mut self.0, State::Done) {
            State::Ready(result) => Poll::Ready(result),
            State::Queued(_) | State::Done => panic!("polled after it was ready"),
        }
    }
}

impl<O: Observer> Drop for Acquire<O> {
    fn drop(&mut self) {
        if let State::Queued(queued) = &self.0 {
            queued.bulkhead.leave(queued.place, queued.since);
        }
    }
}

impl<O: Observer> fmt::Debug for Acquire<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").finish_non_exhaustive()
    }
}

// === impl Queued ===

impl<O: Observer> Queued<O> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Permit<O>, Rejected>> {
        let Self {
            bulkhead,
            place,
            since,
            deadline,
            sleep,
        } = self;
        let timer = bulkhead.timer();
        if let Some(result) = bulkhead.poll(*place, *since, timer.now(), cx.waker()) {
            return Poll::Ready(result);
        }
        let sleep = sleep.get_or_insert_with(|| timer.sleep_until(*deadline));
        ready!(sleep.as_mut().poll(cx));
        // Its turn may have come in the meantime, which counts.
        match bulkhead.poll(*place, *since, (*deadline).max(timer.now()), cx.waker()) {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        }
    }
}
