use std::time::Duration;

use super::Grant;
use super::clock::nanos;
use crate::rate_limit::{Quota, gcra};

/// What is known of a key here: the units that a store has given for it and nobody has used yet, and
/// what it has said of the others. Times are nanoseconds since the limiter was made.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lease {
    units: u32,
    /// When the units are void.
    until: u64,
    /// The most units that were given back at once, of those that are here.
    largest: u32,
    /// How many units were asked for last.
    asked: u32,
    /// How many units were used that were not here: the next that come go there.
    debt: u32,
    /// How many units those want who wait for what is being asked for.
    waiting: u32,
    /// When the store's budget is full, if nobody else uses any of it.
    full: u64,
    /// The same, and not a moment too late: what it has no room for is not asked for.
    full_at_least: u64,
}

/// How large a lease may be, and for how many nanoseconds it is good.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) most: u32,
    pub(super) time: u64,
}

/// What becomes of a request that wants some units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    /// They are good until then.
    Taken { until: u64 },
    /// The store gives none before that is over.
    Refused(Duration),
    /// The store has to be asked.
    Empty(Want),
}

/// How many units the store is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Want {
    pub(super) least: u32,
    pub(super) most: u32,
}

/// What a key has left, as far as it is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) units: u32,
    /// When there is one more.
    pub(super) next: Option<Duration>,
}

// === impl Lease ===

impl Lease {
    pub(super) fn take(&mut self, cost: u32, now: u64, quota: &Quota, terms: Terms) -> Take {
        let is_good = now < self.until;
        if !is_good {
            self.clear();
        }
        let Some(least) = cost.checked_sub(self.units).filter(|least| *least > 0) else {
            self.units -= cost;
            return Take::Taken { until: self.until };
        };
        let needed = self
            .full_at_least
            .saturating_add(u64::from(least) * quota.unit());
        match needed.saturating_sub(now.saturating_add(quota.full())) {
            0 => {}
            wait => return Take::Refused(Duration::from_nanos(wait)),
        }
        // Twice as many as last time if those were used up in time: who seldom comes does not lose
        // what they do not use, and who is busy asks for all at once before long.
        let most = match is_good {
            true => self.asked.saturating_mul(2),
            false => 1,
        };
        let most = most.clamp(1, terms.most).saturating_sub(self.units);
        // For those that wait as well, who would have to ask one after the other.
        let needed = least.saturating_add(self.debt).saturating_add(self.waiting);
        Take::Empty(Want {
            least,
            most: most.max(needed),
        })
    }

    /// Somebody waits for what is being asked for, and wants this of it.
    pub(super) fn wait(&mut self, units: u32) {
        self.waiting = self.waiting.saturating_add(units);
    }

    /// They do not wait any more, and take what is here for them.
    pub(super) fn leave(&mut self, units: u32) {
        self.waiting = self.waiting.saturating_sub(units);
    }

    /// They have gone, and what is here for them does not stay.
    pub(super) fn forsake(&mut self, units: u32, terms: Terms) {
        self.leave(units);
        self.units = self.units.min(self.most(terms));
    }

    /// All of its units, and until when they are good: for whoever has not found enough, and asks
    /// the store for the others.
    pub(super) fn empty(&mut self) -> (u32, u64) {
        (std::mem::take(&mut self.units), self.until)
    }

    /// The store was asked at `asked`, and has answered. The least is the asker's, if it was given.
    pub(super) fn fill(
        &mut self,
        asked: u64,
        want: Want,
        grant: &Grant,
        quota: &Quota,
        terms: Terms,
    ) {
        self.asked = want.most;
        if asked >= self.until {
            self.clear();
        }
        match grant.granted.checked_sub(want.least) {
            Some(ahead) => {
                let paid = ahead.min(self.debt);
                self.debt -= paid;
                self.until = asked.saturating_add(terms.time);
                self.units = self
                    .units
                    .saturating_add(ahead - paid)
                    .min(self.most(terms));
                let used = quota.burst().saturating_sub(grant.remaining);
                self.full = asked.saturating_add(u64::from(used) * quota.unit());
            }
            None => {
                // The store has counted from a moment after `asked`, so it may be asked a bit too
                // early, and never later than need be.
                let room = u64::from(want.least) * quota.unit();
                let wait = asked.saturating_add(nanos(grant.retry_after));
                self.full = wait.saturating_add(quota.full()).saturating_sub(room);
                self.full_at_least = self.full;
            }
        }
    }

    /// Gives back units that were taken, and are good until then. What is owed is paid first.
    pub(super) fn give_back(&mut self, units: u32, until: u64, terms: Terms) {
        // Whatever is here is good for as long at least: it has come later.
        self.until = self.until.max(until);
        let paid = units.min(self.debt);
        self.debt -= paid;
        self.put(units - paid, terms);
    }

    /// Charges for units that were used, and answers how many it does.
    pub(super) fn charge(&mut self, units: u32, now: u64, quota: &Quota) -> u32 {
        if now >= self.until {
            self.clear();
        }
        let paid = units.min(self.units);
        self.units -= paid;
        // Nobody owes more than a burst.
        let owed = (units - paid).min(quota.burst().saturating_sub(self.debt));
        self.debt += owed;
        paid + owed
    }

    fn put(&mut self, units: u32, terms: Terms) {
        self.largest = self.largest.max(units);
        self.units = self.units.saturating_add(units).min(self.most(terms));
    }

    /// There is never more in a lease than it may have, or one request has taken, or those want who
    /// wait for it.
    fn most(&self, terms: Terms) -> u32 {
        terms.most.max(self.largest).max(self.waiting)
    }

    const fn clear(&mut self) {
        self.units = 0;
        self.largest = 0;
    }

    pub(super) fn left(&self, now: u64, quota: &Quota) -> Left {
        let here = match now < self.until {
            true => self.units,
            false => 0,
        };
        let there = gcra::remaining(quota, self.full, now);
        Left {
            units: there.saturating_add(here).min(quota.burst()),
            next: gcra::until_next(quota, self.full, now).map(Duration::from_nanos),
        }
    }

    /// Whether nothing is lost by forgetting it.
    pub(super) fn is_spent(&self, now: u64, quota: &Quota) -> bool {
        let is_refused =
            self.full_at_least.saturating_add(quota.unit()) > now.saturating_add(quota.full());
        (self.units == 0 || now >= self.until) && self.debt == 0 && !is_refused
    }
}

#[cfg(test)]
mod tests;
