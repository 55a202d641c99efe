//! A circuit while it is half-open: its probes, and what they say.

use super::{Config, Reason};
use crate::window::Tick;

/// The probes of one generation.
///
/// Each has a lease. One that has not come back by its end has failed, so that no probe, hung or
/// lost, can keep the circuit half-open. A probe that says nothing gives its slot back.
#[derive(Debug, Default)]
pub(super) struct Probation {
    out: Vec<Lease>,
    /// The number of the next probe.
    next: u32,
    succeeded: u32,
    failed: u32,
    /// Of those that failed, the ones that did so by not coming back.
    expired: u32,
}

#[derive(Debug)]
struct Lease {
    probe: Probe,
    until: Tick,
}

/// A call that may pass, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Probe(u32);

/// What the probes have said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Close,
    Reopen,
}

// === impl Probation ===

impl Probation {
    /// A slot for a probe, or else when there may be one.
    ///
    /// Leases that are over have to be [ended](Self::expire) before.
    pub(super) fn lease(&mut self, config: &Config, now: Tick) -> Result<Probe, Tick> {
        // The verdict comes before the sum exceeds the probes, so there is a lease to wait for.
        if self.taken() >= config.probes {
            return Err(self
                .out
                .iter()
                .map(|lease| lease.until)
                .min()
                .unwrap_or(now));
        }
        let probe = Probe(self.next);
        self.next = self.next.wrapping_add(1);
        // A day at most.
        let until = now.saturating_add(config.probe_lease.as_millis() as Tick);
        self.out.push(Lease { probe, until });
        Ok(probe)
    }

    /// A probe is back, and the service was well or was not. False if its lease was over.
    pub(super) fn settle(&mut self, probe: Probe, well: bool) -> bool {
        if !self.give_back(probe) {
            return false;
        }
        if well {
            self.succeeded += 1;
        } else {
            self.failed += 1;
        }
        true
    }

    /// A probe is back and says nothing. False if its lease was over.
    pub(super) fn give_back(&mut self, probe: Probe) -> bool {
        let place = self.out.iter().position(|lease| lease.probe == probe);
        if let Some(place) = place {
            self.out.swap_remove(place);
        }
        place.is_some()
    }

    /// Ends the leases that are over.
    pub(super) fn expire(&mut self, now: Tick) {
        let before = self.out.len();
        self.out.retain(|lease| now < lease.until);
        // At most as many as there are probes.
        let expired = (before - self.out.len()) as u32;
        self.failed += expired;
        self.expired += expired;
    }

    /// What is decided and why, as soon as no probe can change it any more.
    pub(super) const fn verdict(&self, config: &Config) -> Option<(Verdict, Reason)> {
        if self.failed > config.tolerated {
            let reason = if self.expired > 0 {
                Reason::ProbesExpired(self.failed)
            } else {
                Reason::ProbesFailed(self.failed)
            };
            Some((Verdict::Reopen, reason))
        } else if self.succeeded >= config.probes - config.tolerated {
            Some((Verdict::Close, Reason::ProbesSucceeded))
        } else {
            None
        }
    }

    /// Until when there is no slot for another probe; 0 if there is one, or none is needed any more,
    /// as may be under another configuration.
    pub(super) fn full_until(&self, config: &Config) -> Tick {
        if self.taken() < config.probes || self.verdict(config).is_some() {
            return 0;
        }
        self.out.iter().map(|lease| lease.until).min().unwrap_or(0)
    }

    fn taken(&self) -> u32 {
        self.out.len() as u32 + self.succeeded + self.failed
    }

    pub(super) const fn out(&self) -> usize {
        self.out.len()
    }
}
