//! A circuit as one would write it who has all the time and memory: lists of what has happened, gone
//! through anew for every question.

use std::time::Duration;

use crate::breaker::circuit::News;
use crate::breaker::config::{Rate, Window};
use crate::breaker::{CancelPolicy, Change, Command, Config, Outcome, Reason, State};

/// The most calls that were counted of a kind, by when.
type Counted = Vec<(u64, bool)>;

#[derive(Debug)]
pub(super) struct Model {
    pub(super) config: Config,
    pub(super) now: u64,
    pub(super) state: State,
    pub(super) generation: u32,
    pub(super) openings: u32,
    pub(super) rejected: u64,
    pub(super) stale: u64,
    open_until: u64,
    closed_since: u64,
    asked_until: u64,
    would_open: bool,
    /// Whether they failed, and whether they were slow, of this generation.
    ends: Counted,
    slowness: Counted,
    /// When those started that wait.
    waiting: Vec<(usize, u64)>,
    next_call: usize,
    probes: Vec<Probe>,
}

#[derive(Debug)]
struct Probe {
    call: usize,
    until: u64,
    said: Said,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Well,
    Ill,
    Expired,
}

/// A call as the model knows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admitted {
    number: usize,
    started: u64,
    generation: u32,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counted { waits: bool },
    Probe,
    Uncounted,
}

/// What has become of a call that has ended.
#[derive(Debug, PartialEq)]
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) stale: bool,
    pub(super) news: Option<News>,
}

// === impl Model ===

impl Model {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            now: 0,
            state: State::Closed,
            generation: 0,
            openings: 0,
            rejected: 0,
            stale: 0,
            open_until: 0,
            closed_since: 0,
            asked_until: 0,
            would_open: false,
            ends: Vec::new(),
            slowness: Vec::new(),
            waiting: Vec::new(),
            next_call: 0,
            probes: Vec::new(),
        }
    }

    pub(super) fn admit(&mut self) -> (Result<Admitted, Option<u64>>, Option<News>) {
        let mut news = None;
        if self.state == State::Open && self.now >= self.open_until {
            news = Some(self.change(State::HalfOpen, Reason::OpenTimeOver, None));
        }
        if self.state == State::HalfOpen {
            self.expire();
            news = self.conclude().or(news);
        }
        if self.serves()
            && self
                .waiting
                .iter()
                .any(|(_, started)| self.is_overdue(*started))
        {
            self.sweep();
            news = self.judge().or(news);
        }
        let kind = match self.state {
            State::Closed | State::MetricsOnly => Kind::Counted { waits: false },
            State::Disabled => Kind::Uncounted,
            State::HalfOpen if self.free() > 0 => Kind::Probe,
            State::HalfOpen | State::Open | State::ForcedOpen => {
                self.rejected += 1;
                return (Err(self.retry_after()), news);
            }
        };
        let number = self.next_call;
        self.next_call += 1;
        if kind == Kind::Probe {
            self.probes.push(Probe {
                call: number,
                until: self.now + millis(self.config.probe_lease),
                said: Said::Nothing,
            });
        }
        let call = Admitted {
            number,
            started: self.now,
            generation: self.generation,
            kind,
        };
        (Ok(call), news)
    }

    pub(super) fn wait(&mut self, call: &mut Admitted) -> Option<News> {
        let is_new = call.kind == Kind::Counted { waits: false };
        if !is_new || call.generation != self.generation || self.config.slow_rate.is_none() {
            return None;
        }
        call.kind = Kind::Counted { waits: true };
        self.waiting.push((call.number, call.started));
        self.sweep();
        self.judge()
    }

    pub(super) fn end(&mut self, call: Admitted, end: Outcome) -> Ended {
        let slow = self.now - call.started >= millis(self.config.slow_threshold);
        let outcome = self.outcome(end, slow);
        let mut news = None;
        let is_current = call.generation == self.generation;
        let counted = match call.kind {
            Kind::Uncounted => true,
            Kind::Counted { waits } if is_current => {
                let place = self
                    .waiting
                    .iter()
                    .position(|(number, _)| *number == call.number);
                if let Some(place) = place {
                    self.waiting.remove(place);
                }
                self.listen(outcome);
                if outcome != Outcome::Ignored {
                    self.ends.push((self.now, outcome.is_failure()));
                    let was_counted = waits && place.is_none();
                    if !was_counted && self.config.slow_rate.is_some() {
                        self.slowness
                            .push((self.now, slow || outcome == Outcome::Slow));
                    }
                }
                news = self.judge();
                true
            }
            Kind::Probe if is_current => {
                self.expire();
                let counted = self.hear(call.number, outcome);
                news = self.conclude();
                counted
            }
            Kind::Counted { .. } | Kind::Probe => false,
        };
        self.stale += u64::from(!counted);
        Ended {
            outcome,
            stale: !counted,
            news,
        }
    }

    pub(super) fn obey(&mut self, command: Command) -> Option<News> {
        let to = match command {
            Command::ForceOpen => State::ForcedOpen,
            Command::Disable => State::Disabled,
            Command::MeasureOnly => State::MetricsOnly,
            Command::Release if self.state.is_an_operators() => State::Closed,
            Command::Release => return None,
            Command::Reset => State::Closed,
        };
        if command == Command::Reset {
            self.openings = 0;
        } else if to == self.state {
            return None;
        }
        Some(self.change(to, Reason::Operator, None))
    }

    pub(super) fn update(&mut self, config: Config) {
        let same = self.config.window == config.window
            && self.config.slow_threshold == config.slow_threshold
            && self.config.slow_rate.is_some() == config.slow_rate.is_some();
        self.config = config;
        if self.serves() && !same {
            let since = self.closed_since;
            self.go_on_as(self.state);
            self.closed_since = since;
        }
    }

    pub(super) fn retry_after(&self) -> Option<u64> {
        let until = match self.state {
            State::Open => self.open_until,
            State::HalfOpen if self.free() == 0 && self.verdict().is_none() => {
                let out = self.probes.iter().filter(|it| it.said == Said::Nothing);
                out.map(|probe| probe.until).min()?
            }
            _ => return None,
        };
        (until > self.now).then(|| until - self.now)
    }

    pub(super) fn probes_out(&self) -> usize {
        let out = self.probes.iter().filter(|it| it.said == Said::Nothing);
        out.count()
    }

    /// Failures, calls, and slow calls in the window, and failures in a row.
    pub(super) fn seen(&self) -> (u64, u64, u64, u32) {
        if !self.serves() {
            return (0, 0, 0, 0);
        }
        let (failed, calls) = self.in_window(&self.ends);
        (
            failed,
            calls,
            self.in_window(&self.slowness).0,
            self.in_a_row(),
        )
    }

    fn serves(&self) -> bool {
        matches!(self.state, State::Closed | State::MetricsOnly)
    }

    fn outcome(&self, end: Outcome, slow: bool) -> Outcome {
        match end {
            Outcome::Success if slow => Outcome::Slow,
            Outcome::Cancelled => match self.config.cancelled {
                CancelPolicy::Failure => Outcome::Failure,
                CancelPolicy::SlowIsFailure if slow => Outcome::Failure,
                CancelPolicy::SlowIsFailure | CancelPolicy::Ignore => Outcome::Ignored,
            },
            outcome => outcome,
        }
    }

    fn listen(&mut self, outcome: Outcome) {
        if let Outcome::Backpressure(Some(pause)) = outcome {
            let until = self.now + millis(pause.min(self.config.max_open_time));
            self.asked_until = self.asked_until.max(until);
        }
    }

    /// Those that wait are looked at in eighths of the threshold.
    fn is_overdue(&self, started: u64) -> bool {
        let threshold = millis(self.config.slow_threshold);
        let eighth = threshold.div_ceil(8);
        self.now >= (started / eighth + 1) * eighth - 1 + threshold
    }

    fn sweep(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        for (number, started) in waiting {
            if self.is_overdue(started) {
                self.slowness.push((self.now, true));
            } else {
                self.waiting.push((number, started));
            }
        }
    }

    fn in_window(&self, counted: &Counted) -> (u64, u64) {
        let all = counted.iter().rev();
        let seen: Vec<bool> = match self.config.window {
            Window::Count(calls) => all.take(calls as usize).map(|(_, bad)| *bad).collect(),
            Window::Time { length, buckets } => {
                let width = length.as_millis() as u64 / u64::from(buckets);
                all.filter(|(at, _)| at / width + u64::from(buckets) > self.now / width)
                    .map(|(_, bad)| *bad)
                    .collect()
            }
        };
        let bad = seen.iter().filter(|bad| **bad).count() as u64;
        (bad, seen.len() as u64)
    }

    fn in_a_row(&self) -> u32 {
        self.ends
            .iter()
            .rev()
            .take_while(|(_, failed)| *failed)
            .count() as u32
    }

    fn reason(&self) -> Option<Reason> {
        let in_a_row = self.in_a_row();
        if self.config.consecutive.is_some_and(|most| in_a_row >= most) {
            return Some(Reason::ConsecutiveFailures(in_a_row));
        }
        let exceeds = |rate: Option<Rate>, bad: u64, calls: u64| {
            rate.is_some_and(|rate| {
                calls >= rate.min_calls && bad as f64 >= rate.threshold as f64 / 1e6 * calls as f64
            })
        };
        let (failed, calls) = self.in_window(&self.ends);
        if exceeds(self.config.failure_rate, failed, calls) {
            return Some(Reason::FailureRate { failed, calls });
        }
        let (slow, calls) = self.in_window(&self.slowness);
        exceeds(self.config.slow_rate, slow, calls).then_some(Reason::SlowRate { slow, calls })
    }

    fn judge(&mut self) -> Option<News> {
        let reason = self.reason();
        if self.state == State::MetricsOnly {
            let before = std::mem::replace(&mut self.would_open, reason.is_some());
            return reason.filter(|_| !before).map(News::WouldOpen);
        }
        Some(self.open(reason?))
    }

    fn open(&mut self, reason: Reason) -> News {
        let stable = millis(self.config.stable_after);
        if self.serves() && self.now - self.closed_since >= stable {
            self.openings = 0;
        }
        let first = millis(self.config.open_time);
        let longest = millis(self.config.max_open_time);
        // Factors here are whole numbers.
        let factor = self.config.open_factor as u64;
        let grown = (0..self.openings).fold(first, |time, _| (time * factor).min(longest));
        let asked = self.asked_until.saturating_sub(self.now);
        let open_for = grown.max(asked).min(longest);
        self.openings += 1;
        self.open_until = self.now + open_for;
        self.change(State::Open, reason, Some(Duration::from_millis(open_for)))
    }

    fn expire(&mut self) {
        for probe in &mut self.probes {
            if probe.said == Said::Nothing && self.now >= probe.until {
                probe.said = Said::Expired;
            }
        }
    }

    fn hear(&mut self, call: usize, outcome: Outcome) -> bool {
        let out = |probe: &&mut Probe| probe.call == call && probe.said == Said::Nothing;
        let Some(probe) = self.probes.iter_mut().find(out) else {
            return false;
        };
        match outcome {
            Outcome::Ignored | Outcome::Cancelled => self.probes.retain(|probe| probe.call != call),
            Outcome::Success => probe.said = Said::Well,
            Outcome::Slow if self.config.slow_rate.is_none() => probe.said = Said::Well,
            Outcome::Slow | Outcome::Failure | Outcome::Backpressure(_) => probe.said = Said::Ill,
        }
        self.listen(outcome);
        true
    }

    fn said(&self, said: Said) -> u32 {
        self.probes
            .iter()
            .filter(|probe| probe.said == said)
            .count() as u32
    }

    fn free(&self) -> u32 {
        self.config.probes.saturating_sub(self.probes.len() as u32)
    }

    /// To what it changes, and why.
    fn verdict(&self) -> Option<(State, Reason)> {
        let expired = self.said(Said::Expired);
        let failed = self.said(Said::Ill) + expired;
        let enough = self.config.probes - self.config.tolerated;
        if failed > self.config.tolerated && expired > 0 {
            Some((State::Open, Reason::ProbesExpired(failed)))
        } else if failed > self.config.tolerated {
            Some((State::Open, Reason::ProbesFailed(failed)))
        } else if self.said(Said::Well) >= enough {
            Some((State::Closed, Reason::ProbesSucceeded))
        } else {
            None
        }
    }

    fn conclude(&mut self) -> Option<News> {
        let (to, reason) = self.verdict()?;
        Some(if to == State::Open {
            self.open(reason)
        } else {
            self.change(to, reason, None)
        })
    }

    fn change(&mut self, to: State, reason: Reason, open_for: Option<Duration>) -> News {
        let from = self.state;
        self.go_on_as(to);
        News::Changed(Change {
            from,
            to,
            reason,
            open_for,
            generation: self.generation,
        })
    }

    fn go_on_as(&mut self, state: State) {
        self.state = state;
        self.generation += 1;
        self.closed_since = self.now;
        self.would_open = false;
        self.ends.clear();
        self.slowness.clear();
        self.waiting.clear();
        self.probes.clear();
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
