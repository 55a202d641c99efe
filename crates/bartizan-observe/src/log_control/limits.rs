use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use opentelemetry::Context;
use rustc_hash::FxBuildHasher;
use tracing::callsite::Identifier;
use tracing::dispatcher::Dispatch;
use tracing::field::{Field, Value};
use tracing::{Event, Level, Metadata};

use super::alarm::{Alarm, Due};
use super::dispatches::Dispatches;
use super::limit::{LogLimit, Quota};
use super::site::{Decision, Site};
use super::told::Summary;
use crate::Clock;

/// What the call sites of a telemetry handle have left out; clones are the same.
#[derive(Debug, Clone)]
pub struct LogLimits(Option<Arc<Limits>>);

/// The figures of [`LogLimits::stats`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LogLimitStats {
    /// Events that were left out since the start.
    pub suppressed: u64,
    /// Those of them that no line or record has told of yet.
    pub untold: u64,
    /// Call sites that have logged something.
    pub call_sites: usize,
}

#[derive(Debug)]
struct Limits {
    ordinary: Quota,
    severe: Quota,
    clock: Clock,
    /// As many as there are in the program. After the first event of each there are only readers.
    sites: RwLock<Sites>,
    dispatches: Dispatches,
    alarm: Alarm,
}

type Sites = HashMap<Identifier, Entry, FxBuildHasher>;

#[derive(Debug)]
struct Entry {
    metadata: &'static Metadata<'static>,
    site: Mutex<Site>,
}

/// The thread that tells what was left out when a call site falls quiet.
const THREAD: &str = "bartizan-limits";

const SUMMARY: &str = "further events of this call site were left out";

// === impl LogLimits ===

impl LogLimits {
    pub(super) fn new(limit: LogLimit) -> Self {
        Self::with(limit, Clock::default(), Alarm::new(THREAD))
    }

    pub(super) fn with(limit: LogLimit, clock: Clock, alarm: Alarm) -> Self {
        Self(limit.quotas().map(|(ordinary, severe)| {
            Arc::new(Limits {
                ordinary,
                severe,
                clock,
                sites: RwLock::default(),
                dispatches: Dispatches::default(),
                alarm,
            })
        }))
    }

    /// How much was left out. Zeros where there is no limit.
    #[must_use]
    pub fn stats(&self) -> LogLimitStats {
        let Some(limits) = &self.0 else {
            return LogLimitStats::default();
        };
        let sites = limits.sites();
        let mut stats = LogLimitStats {
            call_sites: sites.len(),
            ..LogLimitStats::default()
        };
        for entry in sites.values() {
            let site = entry.site();
            stats.suppressed += site.suppressed();
            stats.untold += site.untold();
        }
        stats
    }

    /// What becomes of an event: `None` if it is left out, or else how many were before it.
    pub(super) fn decide(&self, metadata: &'static Metadata<'static>) -> Option<u64> {
        let Some(limits) = &self.0 else {
            return Some(0);
        };
        if Summary::is_of(metadata) {
            let untold = limits.with_site(metadata, Site::tell);
            return (untold > 0).then_some(untold);
        }
        let quota = limits.quota(*metadata.level());
        let now = limits.clock.now();
        match limits.with_site(metadata, |site| site.decide(quota, now)) {
            Decision::Pass { suppressed } => Some(suppressed),
            Decision::Suppress { first } => {
                if first {
                    // Without a thread it is told by the next event, or at the flush.
                    let _ = limits.alarm.ring(limits);
                }
                None
            }
        }
    }

    /// Tells now whatever is untold, for a flush.
    pub(crate) fn tell(&self) {
        if let Some(limits) = &self.0 {
            limits.tell(|site| site.untold() > 0);
        }
    }

    pub(super) fn add(&self, dispatch: &Dispatch) {
        if let Some(limits) = &self.0 {
            limits.dispatches.add(dispatch);
        }
    }

    /// Does what the thread would.
    #[cfg(test)]
    pub(super) fn due(&self) -> Option<Duration> {
        self.0.as_ref()?.due()
    }
}

// === impl Limits ===

impl Limits {
    const fn quota(&self, level: Level) -> Quota {
        match level {
            Level::WARN | Level::ERROR => self.severe,
            _ => self.ordinary,
        }
    }

    fn sites(&self) -> RwLockReadGuard<'_, Sites> {
        self.sites.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Allocates for the first event of a call site only.
    fn with_site<T>(
        &self,
        metadata: &'static Metadata<'static>,
        work: impl FnOnce(&mut Site) -> T,
    ) -> T {
        let id = metadata.callsite();
        if let Some(entry) = self.sites().get(&id) {
            return work(&mut entry.site());
        }
        let mut sites = self.sites.write().unwrap_or_else(PoisonError::into_inner);
        let entry = sites.entry(id).or_insert_with(|| Entry {
            metadata,
            site: Mutex::default(),
        });
        work(&mut entry.site())
    }

    /// Has each call site that `which` picks tell what it has left out.
    ///
    /// By an event of that very site, so that the same filters let it through. Where they do not,
    /// or nothing of ours listens, it stays untold. What is told is taken by the layer that tells
    /// it, and so told once.
    fn tell(&self, mut which: impl FnMut(&mut Site) -> bool) {
        let chosen: Vec<_> = self
            .sites()
            .values()
            .filter(|entry| which(&mut entry.site()))
            .map(|entry| entry.metadata)
            .collect();
        if chosen.is_empty() {
            return;
        }
        // It is not part of what the thread that flushes happens to be doing.
        let _nothing = Context::new().attach();
        self.dispatches.each(|dispatch| {
            for site in &chosen {
                summarise(dispatch, site);
            }
        });
    }
}

impl Due for Limits {
    fn due(&self) -> Option<Duration> {
        let now = self.clock.now();
        self.tell(|site| site.falls_quiet(now));
        let next: Option<Instant> = self
            .sites()
            .values()
            .filter_map(|entry| entry.site().tell_at())
            .min();
        next.map(|at| at.saturating_duration_since(now))
    }
}

// === impl Entry ===

impl Entry {
    fn site(&self) -> MutexGuard<'_, Site> {
        self.site.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn summarise(dispatch: &Dispatch, site: &'static Metadata<'static>) {
    let _summary = Summary::of(site);
    // As the macros do: the per-layer filters decide here.
    if !dispatch.enabled(site) {
        return;
    }
    let fields = site.fields();
    match fields.field("message") {
        Some(field) => {
            // As the macros give it; plain text would be shown in quotation marks.
            let message = format_args!("{SUMMARY}");
            let message = [(&field, Some(&message as &dyn Value))];
            Event::child_of(None, site, &fields.value_set(&message));
        }
        // A site without a message has no place for ours; the number is told all the same.
        None => {
            let nothing: [(&Field, Option<&dyn Value>); 0] = [];
            Event::child_of(None, site, &fields.value_set(&nothing));
        }
    }
}
