//! What of a circuit is behind its lock. Pure: it knows neither the word's atomic nor the lock.

use std::sync::Arc;
use std::time::Duration;

use crate::breaker::closed::{Closed, Ended, Seen};
use crate::breaker::in_flight::Cell;
use crate::breaker::open_time::OpenTime;
use crate::breaker::probation::{Probation, Probe, Verdict};
use crate::breaker::word::{NEVER, Word};
use crate::breaker::{CancelPolicy, Config, Outcome, Reason, State};
use crate::chance::Chance;
use crate::window::Tick;

#[derive(Debug)]
pub(super) struct Parts {
    pub(super) config: Arc<Config>,
    /// The generation that the phase is of.
    generation: u32,
    phase: Phase,
    pub(super) open_time: OpenTime,
    /// Since when it has been closed, of a circuit that is.
    closed_since: Tick,
    /// Until when the service has asked to be left alone.
    asked_until: Tick,
    /// When a call was last seen by more than the word.
    touched: Tick,
    chance: Chance,
}

#[derive(Debug)]
enum Phase {
    /// Closed, or metrics only.
    Serving(Closed),
    HalfOpen(Probation),
    /// Nothing is counted.
    Still,
}

// === impl Parts ===

impl Parts {
    /// Those of a new circuit.
    pub(super) fn new(config: Arc<Config>, seed: u64) -> Self {
        Self {
            generation: Word::CLOSED.generation(),
            phase: Phase::Serving(Closed::new(&config)),
            config,
            open_time: OpenTime::default(),
            closed_since: 0,
            asked_until: 0,
            touched: 0,
            chance: Chance::new(seed),
        }
    }

    /// Makes the phase that of `word`.
    pub(super) fn enter(&mut self, word: Word, now: Tick) {
        if self.generation == word.generation() {
            return;
        }
        self.generation = word.generation();
        self.phase = match word.state() {
            State::Closed | State::MetricsOnly => {
                self.closed_since = now;
                Phase::Serving(Closed::new(&self.config))
            }
            State::HalfOpen => Phase::HalfOpen(Probation::default()),
            State::Open | State::ForcedOpen | State::Disabled => Phase::Still,
        };
    }

    /// Makes the phase that of `next`, which goes on as `word` did and counts anew. The phase of
    /// another one has not come to `word` yet, and comes to `next` when it [does](Self::enter).
    pub(super) fn count_anew(&mut self, word: Word, next: Word) {
        if self.generation == word.generation() {
            self.generation = next.generation();
            self.phase = Phase::Serving(Closed::new(&self.config));
        }
    }

    /// A call was there.
    pub(super) const fn touch(&mut self, now: Tick) {
        self.touched = now;
    }

    /// What a call counts as that ended like this; never [`Outcome::Cancelled`].
    pub(super) fn outcome(&self, end: Outcome, elapsed: Duration) -> Outcome {
        let slow = elapsed >= self.config.slow_threshold;
        match (end, self.config.cancelled) {
            (Outcome::Success, _) if slow => Outcome::Slow,
            (Outcome::Cancelled, CancelPolicy::Failure) => Outcome::Failure,
            (Outcome::Cancelled, CancelPolicy::SlowIsFailure) if slow => Outcome::Failure,
            (Outcome::Cancelled, CancelPolicy::SlowIsFailure | CancelPolicy::Ignore) => {
                Outcome::Ignored
            }
            (outcome, _) => outcome,
        }
    }

    /// Counts a call.
    pub(super) fn count(
        &mut self,
        outcome: Outcome,
        elapsed: Duration,
        cell: Option<Cell>,
        now: Tick,
    ) {
        self.listen(outcome, now);
        let Phase::Serving(closed) = &mut self.phase else {
            return;
        };
        if outcome == Outcome::Ignored {
            closed.leave(cell);
            return;
        }
        let ended = Ended {
            failed: outcome.is_failure(),
            slow: outcome == Outcome::Slow || elapsed >= self.config.slow_threshold,
            cell,
        };
        closed.record(ended, now);
    }

    /// Takes a probe's word. False if its lease was over.
    pub(super) fn probed(&mut self, probe: Probe, outcome: Outcome, now: Tick) -> bool {
        let Phase::HalfOpen(probation) = &mut self.phase else {
            return false;
        };
        probation.expire(now);
        let counted = match outcome {
            Outcome::Ignored | Outcome::Cancelled => probation.give_back(probe),
            Outcome::Success => probation.settle(probe, true),
            // Where nothing opens for being slow, nothing stays open for it.
            Outcome::Slow => probation.settle(probe, self.config.slow_rate.is_none()),
            Outcome::Failure | Outcome::Backpressure(_) => probation.settle(probe, false),
        };
        if counted {
            self.listen(outcome, now);
        }
        counted
    }

    fn listen(&mut self, outcome: Outcome, now: Tick) {
        if let Outcome::Backpressure(Some(pause)) = outcome {
            let pause = pause.min(self.config.max_open_time);
            self.asked_until = self.asked_until.max(now.saturating_add(ticks_up(pause)));
        }
    }

    /// Ends the leases that are over.
    pub(super) fn expire(&mut self, now: Tick) {
        if let Phase::HalfOpen(probation) = &mut self.phase {
            probation.expire(now);
        }
    }

    /// A slot for a probe, or else when there may be one.
    pub(super) fn lease(&mut self, now: Tick) -> Result<Probe, Tick> {
        match &mut self.phase {
            Phase::HalfOpen(probation) => probation.lease(&self.config, now),
            Phase::Serving(_) | Phase::Still => Err(now),
        }
    }

    /// What the probes have said, and why it opens again if it does.
    pub(super) fn verdict(&self) -> Option<(Verdict, Reason)> {
        let Phase::HalfOpen(probation) = &self.phase else {
            return None;
        };
        probation.verdict(&self.config)
    }

    /// Until when the word alone can tell, of a state that depends on it.
    pub(super) fn until(&self) -> Tick {
        match &self.phase {
            Phase::Serving(closed) => closed.next_sweep(),
            Phase::HalfOpen(probation) => probation.full_until(&self.config),
            Phase::Still => NEVER,
        }
    }

    /// Calls slow what has become it by now.
    pub(super) fn sweep(&mut self, now: Tick) {
        if let Phase::Serving(closed) = &mut self.phase {
            closed.sweep(now);
        }
    }

    /// A call waits since `started`.
    pub(super) fn wait(&mut self, started: Tick, now: Tick) -> Option<Cell> {
        match &mut self.phase {
            Phase::Serving(closed) => closed.wait(started, now),
            Phase::HalfOpen(_) | Phase::Still => None,
        }
    }

    /// Why it is to open, if it is.
    pub(super) fn reason(&mut self, now: Tick) -> Option<Reason> {
        match &mut self.phase {
            Phase::Serving(closed) => closed.reason(&self.config, now),
            Phase::HalfOpen(_) | Phase::Still => None,
        }
    }

    /// Whether that it would open is news, for a circuit that only says so.
    pub(super) const fn announces(&mut self, would_open: bool) -> bool {
        match &mut self.phase {
            Phase::Serving(closed) => closed.announces(would_open),
            Phase::HalfOpen(_) | Phase::Still => false,
        }
    }

    /// For how long it opens now, and what that makes of the openings in a row.
    pub(super) fn next_open_time(&mut self, now: Tick) -> (Duration, OpenTime) {
        let mut open_time = self.open_time;
        if self.is_stable(now) {
            open_time.settle();
        }
        let hint = Duration::from_millis(self.asked_until.saturating_sub(now));
        let open_for = open_time.next(&self.config, self.chance.next(), hint);
        (open_for, open_time)
    }

    /// Whether the openings so far are forgotten.
    fn is_stable(&self, now: Tick) -> bool {
        let stable = ticks_up(self.config.stable_after);
        self.open_time.streak() == 0
            || matches!(self.phase, Phase::Serving(_))
                && now.saturating_sub(self.closed_since) >= stable
    }

    /// What it has counted, and how many probes are out.
    pub(super) fn seen(&mut self, now: Tick) -> (Seen, usize) {
        match &mut self.phase {
            Phase::Serving(closed) => (closed.seen(now), 0),
            Phase::HalfOpen(probation) => (Seen::default(), probation.out()),
            Phase::Still => (Seen::default(), 0),
        }
    }

    /// Whether nothing bad is known.
    pub(super) fn is_spotless(&mut self, now: Tick) -> bool {
        let is_stable = self.is_stable(now);
        match &mut self.phase {
            Phase::Serving(closed) => {
                let seen = closed.seen(now);
                let is_good = seen.failures.bad == 0 && seen.slow.bad == 0;
                is_stable && is_good && seen.consecutive == 0
            }
            Phase::HalfOpen(_) | Phase::Still => false,
        }
    }

    /// Whether nobody has called since `at` the latest, for so long that a failure means nothing any
    /// more.
    pub(super) fn is_idle(&self, at: Tick, now: Tick) -> bool {
        now.saturating_sub(self.touched.max(at)) >= ticks_up(self.config.stable_after)
    }
}

/// In whole milliseconds, rounded up; of a day at most.
pub(super) const fn ticks_up(duration: Duration) -> Tick {
    duration.as_nanos().div_ceil(1_000_000) as Tick
}
