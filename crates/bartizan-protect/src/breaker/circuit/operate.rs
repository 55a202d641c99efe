//! A circuit as an operator sees it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Circuit;
use super::call::{News, Standing};
use crate::breaker::sync::Ordering;
use crate::breaker::word::NEVER;
use crate::breaker::{Command, Config, Reason, State};

// === impl Circuit ===

impl Circuit {
    /// Does as an operator wants. Says what has changed.
    pub(in crate::breaker) fn obey(&self, command: Command, now: Instant) -> Option<News> {
        let news = self.put(command)?;
        let mut parts = self.lock();
        // A circuit is closed since now, and not since the next call.
        parts.enter(self.word(), self.tick(now));
        if command == Command::Reset {
            parts.open_time.settle();
        }
        Some(news)
    }

    fn put(&self, command: Command) -> Option<News> {
        loop {
            let word = self.word();
            let to = match command {
                Command::ForceOpen => State::ForcedOpen,
                Command::Disable => State::Disabled,
                Command::MeasureOnly => State::MetricsOnly,
                Command::Release if !word.state().is_an_operators() => return None,
                Command::Release | Command::Reset => State::Closed,
            };
            if to == word.state() && command != Command::Reset {
                return None;
            }
            let next = word.next(to, NEVER);
            // Goes round again when a call was faster.
            if let Some(news) = self.change(word, next, Reason::Operator, None) {
                return Some(news);
            }
        }
    }

    /// Goes on with another configuration.
    ///
    /// What was counted is kept unless the windows are other ones; then what is under way does not
    /// count any more either.
    pub(in crate::breaker) fn update(&self, config: Arc<Config>) {
        let mut parts = self.lock();
        let same = parts.config.counts_like(&config);
        self.watches
            .store(config.slow_rate.is_some(), Ordering::Relaxed);
        parts.config = config;
        let mut word = self.word();
        while !same && matches!(word.state(), State::Closed | State::MetricsOnly) {
            let next = word.next(word.state(), NEVER);
            match self.swap(word, next) {
                Ok(()) => return parts.count_anew(word, next),
                Err(now) => word = now,
            }
        }
        if word.state() == State::HalfOpen {
            // There may be more probes now.
            self.publish(word, &parts);
        }
    }

    pub(in crate::breaker) fn standing(&self, now: Instant) -> Standing {
        let tick = self.tick(now);
        let mut parts = self.lock();
        let word = self.word();
        parts.enter(word, tick);
        let wait = word.until().saturating_sub(tick);
        let rejects = matches!(word.state(), State::Open | State::HalfOpen) && wait > 0;
        let (seen, probes_out) = parts.seen(tick);
        Standing {
            state: word.state(),
            generation: word.generation(),
            retry_after: rejects.then(|| Duration::from_millis(wait)),
            seen,
            probes_out,
            streak: parts.open_time.streak(),
            rejected: self.rejected.load(Ordering::Relaxed),
            stale: self.stale.load(Ordering::Relaxed),
        }
    }

    /// Whether a new circuit would do nearly the same from now on: this one is closed and knows
    /// nothing bad, or what it knows is from so long ago that it would be
    /// [stable](crate::breaker::ConfigBuilder::with_stable_after) since.
    pub(in crate::breaker) fn is_as_new(&self, now: Instant) -> bool {
        let tick = self.tick(now);
        let mut parts = self.lock();
        let word = self.word();
        parts.enter(word, tick);
        match word.state() {
            State::Closed => parts.is_spotless(tick) || parts.is_idle(0, tick),
            // Nobody has called since then, or it would not be open any more.
            State::Open => parts.is_idle(word.until(), tick),
            State::HalfOpen => parts.is_idle(0, tick),
            State::ForcedOpen | State::Disabled | State::MetricsOnly => false,
        }
    }
}
