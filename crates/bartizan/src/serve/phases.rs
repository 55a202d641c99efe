//! What a server goes through, as plain values: no clock, no runtime.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

/// Where a server is in its life. Later ones are greater, and a server only moves forward; it may
/// skip some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// It does not accept yet. Not ready.
    Starting,
    /// It serves, and may be sent requests.
    Ready,
    /// It was asked to stop and still serves all that comes, while load balancers find out: no
    /// longer ready, and HTTP/1 answers carry `Connection: close`.
    Grace,
    /// It accepts nothing more. Idle connections are closed, requests under way may finish, event
    /// streams are ended.
    Draining,
    /// What has not finished in time is being cut off.
    Cancelling,
    /// All is over but the telemetry, which is being sent.
    Flushing,
    /// It has ended.
    Stopped,
}

/// A phase that a server went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PhaseEntry {
    /// Which.
    pub phase: Phase,
    /// When it began.
    pub at: SystemTime,
    /// How long it lasted; zero for [`Phase::Stopped`].
    pub lasted: Duration,
}

/// When each phase began.
#[derive(Debug)]
pub(super) struct Timeline(Vec<(Phase, Instant)>);

// === impl Phase ===

impl Phase {
    /// The phase in one lower-case word, as in lines and probes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Grace => "grace",
            Self::Draining => "draining",
            Self::Cancelling => "cancelling",
            Self::Flushing => "flushing",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

// === impl Timeline ===

impl Timeline {
    pub(super) fn new(now: Instant) -> Self {
        Self(vec![(Phase::Starting, now)])
    }

    /// Begins a phase. Says whether it is a new one: there is no way back, and a phase begins once.
    pub(super) fn enter(&mut self, phase: Phase, now: Instant) -> bool {
        let is_later = self.0.last().is_none_or(|(last, _)| *last < phase);
        if is_later {
            self.0.push((phase, now));
        }
        is_later
    }

    /// The phases in order, each lasting until the next began; `wall` tells the time of day.
    pub(super) fn entries(&self, wall: impl Fn(Instant) -> SystemTime) -> Vec<PhaseEntry> {
        let ends = self.0.iter().skip(1).map(|(_, at)| *at);
        let last = self.0.last().map(|(_, at)| *at);
        self.0
            .iter()
            .zip(ends.chain(last))
            .map(|((phase, at), end)| PhaseEntry {
                phase: *phase,
                at: wall(*at),
                lasted: end.saturating_duration_since(*at),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[expect(clippy::disallowed_methods, reason = "a base to count from")]
    fn base() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_phase_lasts_until_the_next_one_and_skipped_ones_are_not_told() {
        let base = base();
        let mut timeline = Timeline::new(base);
        assert!(timeline.enter(Phase::Ready, base + SECOND));
        assert!(timeline.enter(Phase::Draining, base + 10 * SECOND));
        assert!(timeline.enter(Phase::Stopped, base + 12 * SECOND));
        let entries = timeline.entries(|at| UNIX_EPOCH + (at - base));
        let told: Vec<_> = entries
            .iter()
            .map(|entry| (entry.phase, entry.at, entry.lasted))
            .collect();
        assert_eq!(
            told,
            [
                (Phase::Starting, UNIX_EPOCH, SECOND),
                (Phase::Ready, UNIX_EPOCH + SECOND, 9 * SECOND),
                (Phase::Draining, UNIX_EPOCH + 10 * SECOND, 2 * SECOND),
                (Phase::Stopped, UNIX_EPOCH + 12 * SECOND, Duration::ZERO),
            ]
        );
    }

    #[test]
    fn there_is_no_way_back_and_no_phase_begins_twice() {
        let base = base();
        let mut timeline = Timeline::new(base);
        assert!(timeline.enter(Phase::Draining, base));
        for phase in [Phase::Draining, Phase::Ready, Phase::Starting] {
            assert!(!timeline.enter(phase, base + SECOND), "{phase}");
        }
        assert_eq!(timeline.entries(|_| UNIX_EPOCH).len(), 2);
    }
}
