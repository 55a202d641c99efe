use std::time::{Duration, Instant};

use super::state::Ticket;

/// Calls that wait, first come, first served, and those whose turn it is and who do not know yet.
///
/// A list through a slab: whoever gives up in the middle is out of it at once, and there is nothing
/// to allocate as long as there are not more than there ever were.
#[derive(Debug)]
pub(super) struct Queue<W> {
    slots: Vec<Slot<W>>,
    /// The first of those that are free.
    free: Option<usize>,
    first: Option<usize>,
    last: Option<usize>,
    waiting: usize,
    /// How many have ever been put in.
    count: u64,
}

/// A place in the queue, for its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    index: usize,
    /// Tells whose turn has been missed from whoever has the slot now.
    number: u64,
}

/// A call that waits.
#[derive(Debug)]
pub(super) struct Waiting<W> {
    pub(super) since: Instant,
    pub(super) deadline: Instant,
    /// Who is to be woken. `None` before it has been polled for the first time.
    pub(super) waker: Option<W>,
}

/// What is in a slot.
#[derive(Debug)]
pub(super) enum Content<W> {
    /// Nothing, or nothing of whoever asks: its deadline has passed.
    Gone,
    Waiting(Waiting<W>),
    /// It is its turn, for which it has waited so long.
    Granted(Ticket, Duration),
}

#[derive(Debug)]
struct Slot<W> {
    number: u64,
    content: Content<W>,
    /// Its neighbours among those that wait.
    before: Option<usize>,
    /// Of one that is free, the next that is.
    after: Option<usize>,
}

// === impl Queue ===

impl<W> Queue<W> {
    pub(super) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: None,
            first: None,
            last: None,
            waiting: 0,
            count: 0,
        }
    }

    /// How many wait.
    pub(super) const fn len(&self) -> usize {
        self.waiting
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// The one whose turn is next.
    pub(super) fn front(&self) -> Option<&Waiting<W>> {
        match &self.slots[self.first?].content {
            Content::Waiting(call) => Some(call),
            Content::Granted(..) | Content::Gone => None,
        }
    }

    pub(super) fn push(&mut self, call: Waiting<W>) -> Place {
        let number = self.count;
        self.count += 1;
        let slot = Slot {
            number,
            content: Content::Waiting(call),
            before: self.last,
            after: None,
        };
        let index = match self.free {
            Some(index) => {
                self.free = self.slots[index].after;
                self.slots[index] = slot;
                index
            }
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        };
        match self.last.replace(index) {
            Some(before) => self.slots[before].after = Some(index),
            None => self.first = Some(index),
        }
        self.waiting += 1;
        Place { index, number }
    }

    /// It is the turn of the one at the front: its owner finds the ticket. Gives its waker.
    pub(super) fn grant(&mut self, ticket: Ticket) -> Option<W> {
        let index = self.first?;
        let since = self.front()?.since;
        let waited = ticket.started.saturating_duration_since(since);
        self.unlink(index);
        let granted = Content::Granted(ticket, waited);
        std::mem::replace(&mut self.slots[index].content, granted).into_waker()
    }

    /// The one at the front has waited for too long. Gives its waker.
    pub(super) fn expire(&mut self) -> Option<W> {
        let index = self.first?;
        self.unlink(index);
        self.vacate(index).into_waker()
    }

    /// A call, as long as it waits.
    pub(super) fn waiting(&mut self, place: Place) -> Option<&mut Waiting<W>> {
        let slot = self.slots.get_mut(place.index)?;
        match &mut slot.content {
            Content::Waiting(call) if slot.number == place.number => Some(call),
            _ => None,
        }
    }

    /// A call does not wait any more, or has been told that it is its turn.
    pub(super) fn remove(&mut self, Place { index, number }: Place) -> Content<W> {
        let Some(slot) = self.slots.get(index).filter(|slot| slot.number == number) else {
            return Content::Gone;
        };
        match slot.content {
            Content::Gone => return Content::Gone,
            Content::Waiting(_) => self.unlink(index),
            Content::Granted(..) => {}
        }
        self.vacate(index)
    }

    /// Takes a call out of the list of those that wait.
    fn unlink(&mut self, index: usize) {
        let Slot { before, after, .. } = self.slots[index];
        match before {
            Some(before) => self.slots[before].after = after,
            None => self.first = after,
        }
        match after {
            Some(after) => self.slots[after].before = before,
            None => self.last = before,
        }
        self.waiting -= 1;
    }

    /// Nobody has the slot any more. Gives what was in it.
    fn vacate(&mut self, index: usize) -> Content<W> {
        let slot = &mut self.slots[index];
        slot.after = self.free.replace(index);
        std::mem::replace(&mut slot.content, Content::Gone)
    }
}

// === impl Place ===

#[cfg(test)]
impl Place {
    pub(super) const fn index(self) -> usize {
        self.index
    }
}

// === impl Content ===

impl<W> Content<W> {
    /// Who would have been woken.
    pub(super) fn into_waker(self) -> Option<W> {
        match self {
            Self::Waiting(call) => call.waker,
            Self::Granted(..) | Self::Gone => None,
        }
    }
}
