//! What is known of one call site.

use std::time::{Duration, Instant};

use super::limit::Quota;

/// After how long without a word what a call site has left out is told on its own. At the lowest
/// rate there is, one a second, a site that goes on has an event let through before.
pub(super) const QUIET: Duration = Duration::from_secs(1);

/// The limit and the books of one call site.
///
/// The limit is the generic cell rate algorithm in its virtual-scheduling form (ITU-T I.371, Annex
/// A): one instant says by when the site will have paid for all that passed. In any window of time
/// `t` no more than `burst + rate * t` events pass, in whatever order the instants come.
#[derive(Debug, Default)]
pub(super) struct Site {
    /// The theoretical arrival time of the next event.
    paid_by: Option<Instant>,
    /// How many were left out and not told yet.
    untold: u64,
    /// How many were ever left out.
    suppressed: u64,
    /// When [`Self::untold`] is to be told though no event passes. Cleared when that was tried once:
    /// where levels hide the site, trying again is of no use until it speaks again.
    tell_at: Option<Instant>,
}

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is written, and tells how many were left out before.
    Pass { suppressed: u64 },
    /// It is not written.
    Suppress {
        /// Nobody knows yet that something will have to be told at [`Site::tell_at`].
        first: bool,
    },
}

impl Site {
    pub(super) fn decide(&mut self, quota: Quota, now: Instant) -> Decision {
        let paid_by = self.paid_by.map_or(now, |paid_by| paid_by.max(now));
        if paid_by.duration_since(now) <= quota.tolerance {
            self.paid_by = Some(paid_by + quota.interval);
            return Decision::Pass {
                suppressed: self.tell(),
            };
        }
        self.untold += 1;
        self.suppressed += 1;
        let first = self.tell_at.replace(now + QUIET).is_none();
        Decision::Suppress { first }
    }

    /// Gives out what was left out, for the caller to tell.
    pub(super) const fn tell(&mut self) -> u64 {
        self.tell_at = None;
        std::mem::replace(&mut self.untold, 0)
    }

    /// Whether it is time to tell what was left out. Says so once.
    pub(super) fn falls_quiet(&mut self, now: Instant) -> bool {
        self.tell_at.take_if(|at| *at <= now).is_some()
    }

    /// When [`Self::falls_quiet`] may say yes.
    pub(super) const fn tell_at(&self) -> Option<Instant> {
        self.tell_at
    }

    pub(super) const fn untold(&self) -> u64 {
        self.untold
    }

    pub(super) const fn suppressed(&self) -> u64 {
        self.suppressed
    }
}
