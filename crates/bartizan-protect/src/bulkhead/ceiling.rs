use std::time::{Duration, Instant};

use super::adaptive::Gradient;
use super::{Cause, Limit};

/// How many calls there may be.
#[derive(Debug)]
pub(super) enum Ceiling {
    Fixed(usize),
    /// In a box, as it is much larger.
    Adaptive(Box<Gradient>),
}

/// The limit is another one now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) cause: Cause,
}

/// How long a call took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// The number that the limit had when the call was admitted.
    pub(super) epoch: u64,
    pub(super) elapsed: Duration,
    /// Of how many it was one when it ended.
    pub(super) in_flight: usize,
}

// === impl Ceiling ===

impl Ceiling {
    pub(super) fn new(limit: &Limit, seed: u64, now: Instant) -> Self {
        match limit {
            Limit::Fixed(limit) => Self::Fixed(*limit),
            Limit::Adaptive(settings) => {
                Self::Adaptive(Box::new(Gradient::new(*settings, seed, now)))
            }
        }
    }

    pub(super) const fn limit(&self) -> usize {
        match self {
            Self::Fixed(limit) => *limit,
            Self::Adaptive(gradient) => gradient.limit(),
        }
    }

    /// The same without what is measured at the moment.
    pub(super) const fn found(&self) -> usize {
        match self {
            Self::Fixed(limit) => *limit,
            Self::Adaptive(gradient) => gradient.found(),
        }
    }

    /// The number of what is measured.
    pub(super) const fn epoch(&self) -> u64 {
        match self {
            Self::Fixed(_) => 0,
            Self::Adaptive(gradient) => gradient.epoch(),
        }
    }

    /// How long calls take with little to do.
    pub(super) fn unloaded(&self) -> Option<Duration> {
        match self {
            Self::Fixed(_) => None,
            Self::Adaptive(gradient) => gradient.unloaded(),
        }
    }

    /// A call was served.
    pub(super) fn sample(&mut self, sample: Sample, now: Instant) -> Option<Moved> {
        let Self::Adaptive(gradient) = self else {
            return None;
        };
        let from = gradient.limit();
        gradient.sample(sample, now);
        let cause = if gradient.is_probing() {
            Cause::Probe
        } else {
            Cause::Measured
        };
        self.moved(from, cause)
    }

    /// A call finds no place.
    pub(super) fn refused(&mut self, now: Instant) -> Option<Moved> {
        let Self::Adaptive(gradient) = self else {
            return None;
        };
        let from = gradient.limit();
        gradient.refused(now);
        self.moved(from, Cause::Measured)
    }

    pub(super) fn update(&mut self, limit: &Limit, seed: u64, now: Instant) -> Option<Moved> {
        let from = self.limit();
        match (&mut *self, limit) {
            // What it has found out still holds.
            (Self::Adaptive(gradient), Limit::Adaptive(settings)) => {
                gradient.update(*settings, now);
            }
            (this, other) => *this = Self::new(other, seed, now),
        }
        self.moved(from, Cause::Operator)
    }

    fn moved(&self, from: usize, cause: Cause) -> Option<Moved> {
        let to = self.limit();
        (to != from).then_some(Moved { from, to, cause })
    }
}
