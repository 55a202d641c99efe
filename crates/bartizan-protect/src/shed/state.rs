use std::time::{Duration, Instant};

use super::{Config, Load, Priority};

/// How much has to be shed, and what has been.
///
/// Whether it is too much is asked as in `CoDel` (RFC 8289): not by how long calls wait, but by how
/// long they have waited at the least over an interval. A burst makes a queue that goes away, and
/// overload one that stays. How much is shed then goes up and down as in DAGOR (Zhou et al.,
/// "Overload Control for Scaling WeChat Microservices", SoCC 2018), in steps, so that it comes to
/// rest near what is too much, and is not all or nothing by turns.
#[derive(Debug)]
pub(super) struct State {
    config: Config,
    /// 0 to 1 is the part that is shed of what is sheddable, 1 to 2 that and the part that is of the
    /// rest.
    pressure: f64,
    /// When the interval is over.
    until: Instant,
    /// The least there was to do in the interval. `None` before there was a call in it.
    least: Option<Load>,
    /// For how long calls waited at the least in the interval before.
    waited: Duration,
    /// What is owed of each priority's calls, of which every whole one is shed.
    owed: [f64; SHED],
    counts: [Counts; Priority::ALL.len()],
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Decision {
    /// `None` if it is let through, else when it may be worth another try.
    pub(super) shed: Option<Duration>,
    pub(super) pressure: f64,
    /// The pressure before, if it is another one now.
    pub(super) before: Option<f64>,
}

/// What has become of the calls of a priority so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) admitted: u64,
    pub(super) shed: u64,
}

/// How many priorities are ever shed.
const SHED: usize = 2;

/// So many times the target is as much too much as can be; what is less is met with smaller steps,
/// so that what is only just too much is not met with far too much.
const FAR: f64 = 5.0;

/// A wait that is this part of what it was before, or less, is on its way to be over.
const FALLING: f64 = 0.9;

/// More than anybody will wait for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// How much there is to do, compared with a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
    Calm,
    Between,
    TooMuch,
}

// === impl State ===

impl State {
    pub(super) fn new(config: Config, now: Instant) -> Self {
        Self {
            config,
            pressure: 0.0,
            until: now + config.interval,
            least: None,
            waited: Duration::ZERO,
            owed: [0.0; SHED],
            counts: [Counts::default(); Priority::ALL.len()],
        }
    }

    /// A call comes.
    pub(super) fn arrive(&mut self, priority: Priority, load: Load, now: Instant) -> Decision {
        let before = self.pressure;
        self.elapse(now);
        self.see(load);
        let counts = &mut self.counts[priority as usize];
        let part = part(self.pressure, priority);
        let shed = match self.owed.get_mut(priority as usize) {
            Some(owed) if part > 0.0 => {
                *owed += part;
                let shed = *owed >= 1.0;
                *owed -= f64::from(shed);
                shed
            }
            _ => false,
        };
        if shed {
            counts.shed += 1;
        } else {
            counts.admitted += 1;
        }
        Decision {
            shed: shed.then(|| self.retry_after(part)),
            pressure: self.pressure,
            before: (before != self.pressure).then_some(before),
        }
    }

    pub(super) const fn pressure(&self) -> f64 {
        self.pressure
    }

    pub(super) const fn counts(&self, priority: Priority) -> Counts {
        self.counts[priority as usize]
    }

    /// Goes on by another configuration.
    pub(super) fn update(&mut self, config: Config, now: Instant) {
        self.config = config;
        self.until = self.until.min(now + config.interval);
    }

    /// Goes by the intervals that are over.
    fn elapse(&mut self, now: Instant) {
        let Some(over) = now.checked_duration_since(self.until) else {
            return;
        };
        let least = self.least.take().unwrap_or_default();
        let goal = self.goal(least);
        let Config {
            target,
            interval,
            rise,
            fall,
            ..
        } = self.config;
        let times = least.queue_wait.as_secs_f64() / target.as_secs_f64();
        let rise = rise * (times / FAR).clamp(1.0 / FAR, 1.0);
        self.waited = least.queue_wait;
        self.pressure = goal.clamp(self.pressure - fall, self.pressure + rise);
        // Nobody has come since, so there was nothing too much.
        let idle = (over.as_nanos() / interval.as_nanos()) as f64;
        self.pressure = (self.pressure - idle * fall).max(0.0);
        self.until = now + interval;
    }

    fn see(&mut self, load: Load) {
        self.least = Some(match self.least {
            None => load,
            Some(least) => Load {
                saturation: least.saturation.min(load.saturation),
                queue_wait: least.queue_wait.min(load.queue_wait),
            },
        });
    }

    /// What the pressure should come to. That all places are taken is no reason to shed what others
    /// wait for, as long as they need not wait.
    fn goal(&self, least: Load) -> f64 {
        let Config {
            target,
            saturation,
            calm,
            ..
        } = self.config;
        let wait = compare(least.queue_wait.as_secs_f64(), target.as_secs_f64(), calm);
        let full = compare(least.saturation, saturation, calm);
        match (wait, full) {
            // What is shed is enough, and what is still there is what came before.
            (Compared::TooMuch, _) if least.queue_wait <= self.waited.mul_f64(FALLING) => {
                self.pressure
            }
            (Compared::TooMuch, _) => 2.0,
            (Compared::Between, Compared::TooMuch) => self.pressure.max(1.0),
            (Compared::Between, _) => self.pressure,
            (Compared::Calm, Compared::TooMuch) => 1.0,
            (Compared::Calm, Compared::Between) => self.pressure.min(1.0),
            (Compared::Calm, Compared::Calm) => 0.0,
        }
    }

    /// How long it takes to shed nothing of a priority any more of which `part` is shed.
    fn retry_after(&self, part: f64) -> Duration {
        let intervals = (part / self.config.fall).ceil();
        self.config
            .interval
            .mul_f64(intervals.max(1.0))
            .min(MAX_RETRY_AFTER)
    }
}

/// Which part of a priority's calls is shed.
const fn part(pressure: f64, priority: Priority) -> f64 {
    match priority {
        Priority::Sheddable => pressure.clamp(0.0, 1.0),
        Priority::Default => (pressure - 1.0).clamp(0.0, 1.0),
        Priority::Critical => 0.0,
    }
}

fn compare(value: f64, bound: f64, calm: f64) -> Compared {
    if value >= bound {
        Compared::TooMuch
    } else if value >= calm * bound {
        Compared::Between
    } else {
        Compared::Calm
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::DEFAULT_RISE;
    use super::*;
    use crate::Timer;

    const MS: Duration = Duration::from_millis(1);
    const ZERO: Duration = Duration::ZERO;
    /// Of the default configuration.
    const INTERVAL: Duration = Duration::from_millis(100);

    const CALM: Load = load(0.5, ZERO);
    const FULL: Load = load(1.0, ZERO);
    const LATE: Load = load(1.0, Duration::from_millis(100));
    /// Only just.
    const BEHIND: Load = load(1.0, Duration::from_millis(20));

    const fn load(saturation: f64, queue_wait: Duration) -> Load {
        Load {
            saturation,
            queue_wait,
        }
    }

    /// Calls that come ten to an interval.
    struct Hand {
        state: State,
        now: Instant,
    }

    impl Hand {
        fn new() -> Self {
            let now = Timer::default().now();
            Self {
                state: State::new(Config::default(), now),
                now,
            }
        }

        fn call(&mut self, priority: Priority, load: Load) -> Decision {
            self.now += 10 * MS;
            self.state.arrive(priority, load, self.now)
        }

        /// Gives how many of ten calls are shed, over an interval each.
        fn shed(&mut self, priority: Priority, load: Load, intervals: usize) -> Vec<usize> {
            let calls = |hand: &mut Self| {
                let shed = |_: &usize| hand.call(priority, load).shed.is_some();
                (0..10).filter(shed).count()
            };
            (0..intervals).map(|_| calls(self)).collect()
        }
    }

    #[test]
    fn what_is_too_much_sheds_more_and_more_of_what_matters_least() {
        for (load, priority, expected) in [
            (CALM, Priority::Sheddable, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            (BEHIND, Priority::Sheddable, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]),
            (FULL, Priority::Sheddable, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]),
            (
                LATE,
                Priority::Sheddable,
                [0, 2, 5, 7, 10, 10, 10, 10, 10, 10],
            ),
            // Nobody has to wait.
            (FULL, Priority::Default, [0; 10]),
            (LATE, Priority::Default, [0, 0, 0, 0, 0, 2, 5, 7, 10, 10]),
            (LATE, Priority::Critical, [0; 10]),
        ] {
            let mut hand = Hand::new();
            let mut shed = Vec::new();
            // The interval is over with the first call after its end.
            hand.now -= 5 * MS;
            for _ in 0..10 {
                shed.extend(hand.shed(priority, load, 1));
            }
            for (seen, expected) in shed.iter().zip(expected) {
                assert!(
                    seen.abs_diff(expected) <= 2,
                    "{load:?}, {priority}: {shed:?}"
                );
            }
        }
    }

    #[test]
    fn a_burst_that_goes_away_within_an_interval_sheds_nothing() {
        let mut hand = Hand::new();
        for _ in 0..100 {
            for call in 0..10 {
                let load = if call == 4 { CALM } else { LATE };
                assert_eq!(hand.call(Priority::Sheddable, load).shed, None);
            }
        }
    }

    #[test]
    fn it_goes_down_more_slowly_than_up_and_stays_in_between() {
        let mut hand = Hand::new();
        hand.shed(Priority::Critical, LATE, 20);
        assert_eq!(hand.state.pressure(), 2.0);
        // Below the target, and not calm.
        for saturation in [1.0, 0.5] {
            hand.shed(Priority::Critical, load(saturation, 17 * MS), 20);
            assert_eq!(hand.state.pressure(), 2.0);
        }
        hand.shed(Priority::Critical, CALM, 11);
        let falling = hand.state.pressure();
        assert!((1.4..=1.6).contains(&falling), "{falling}");
        hand.shed(Priority::Critical, CALM, 50);
        assert_eq!(hand.state.pressure(), 0.0);
    }

    #[test]
    fn all_places_taken_is_no_reason_to_shed_what_need_not_wait() {
        let mut hand = Hand::new();
        hand.shed(Priority::Critical, LATE, 20);
        hand.shed(Priority::Critical, FULL, 50);
        assert_eq!(hand.state.pressure(), 1.0);
    }

    #[test]
    fn time_without_calls_is_calm() {
        let mut hand = Hand::new();
        hand.shed(Priority::Critical, LATE, 20);
        hand.now += 20 * INTERVAL;
        hand.call(Priority::Critical, LATE);
        let pressure = hand.state.pressure();
        assert!((0.9..=1.1).contains(&pressure), "{pressure}");
        hand.now += 1_000_000 * INTERVAL;
        hand.call(Priority::Critical, LATE);
        assert_eq!(hand.state.pressure(), 0.0);
    }

    #[test]
    fn whoever_is_shed_learns_when_it_is_over() {
        let mut hand = Hand::new();
        hand.shed(Priority::Critical, LATE, 20);
        let retry_after = |hand: &mut Hand, priority| {
            std::iter::repeat_with(|| hand.call(priority, LATE).shed)
                .take(10)
                .find_map(|shed| shed)
        };
        // Twenty intervals to shed nothing of it, at a twentieth each.
        assert_eq!(
            retry_after(&mut hand, Priority::Default),
            Some(20 * INTERVAL)
        );
        let config = Config {
            fall: 0.001,
            ..Config::default()
        };
        hand.state.update(config, hand.now);
        let after = retry_after(&mut hand, Priority::Default);
        assert_eq!(after, Some(MAX_RETRY_AFTER));
    }

    /// A service of a fixed pace behind a queue, at twice what it can serve: what is shed comes to
    /// rest near half, and does not flap between all and nothing.
    #[test]
    fn it_comes_to_rest_and_does_not_flap() {
        let mut state = State::new(Config::default(), Timer::default().now());
        let start = Timer::default().now();
        // In milliseconds of work; a call is a millisecond of it, and two come in each.
        let mut backlog = 0.0_f64;
        let mut per_second = Vec::new();
        for second in 0_u32..60 {
            let mut admitted = 0;
            for call in 0_u32..2_000 {
                let now = start + second * Duration::from_secs(1) + call * MS / 2;
                backlog = (backlog - 0.5).max(0.0);
                let load = load(1.0, MS.mul_f64(backlog));
                if state.arrive(Priority::Default, load, now).shed.is_none() {
                    backlog += 1.0;
                    admitted += 1;
                }
            }
            per_second.push(admitted);
        }
        let rest = &per_second[10..];
        assert!(
            rest.iter().all(|served| (600..=1_400).contains(served)),
            "{rest:?}"
        );
        let mean = rest.iter().sum::<i32>() / 50;
        assert!((900..=1_010).contains(&mean), "{mean}");
    }

    proptest! {
        #[test]
        fn what_matters_more_is_never_shed_before_what_matters_less(
            calls in proptest::collection::vec(
                (0_usize..3, 0.0_f64..1.5, 0_u64..60, 0_u64..300),
                1..500,
            ),
        ) {
            let mut state = State::new(Config::default(), Timer::default().now());
            let mut now = Timer::default().now();
            let mut pressure = 0.0;
            for (priority, saturation, wait, pause) in calls {
                now += Duration::from_millis(pause);
                let priority = Priority::ALL[priority];
                let load = load(saturation, Duration::from_millis(wait));
                let decision = state.arrive(priority, load, now);
                prop_assert!((0.0..=2.0).contains(&decision.pressure));
                // One step at a time.
                prop_assert!(decision.pressure <= pressure + DEFAULT_RISE);
                prop_assert_eq!(decision.before.unwrap_or(decision.pressure), pressure);
                pressure = decision.pressure;
                match (priority, decision.shed) {
                    (_, None) => {}
                    (Priority::Sheddable, Some(_)) => prop_assert!(pressure > 0.0),
                    (Priority::Default, Some(_)) => prop_assert!(pressure > 1.0),
                    (Priority::Critical, Some(_)) => prop_assert!(false, "critical was shed"),
                }
            }
        }
    }
}
