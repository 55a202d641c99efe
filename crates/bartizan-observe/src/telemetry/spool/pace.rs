//! When what is on disk may be sent. Pure: time and chance are arguments.

use std::time::{Duration, Instant};

use super::super::instant::after;
use super::super::retry::Backoff;

/// Pauses that grow with every failure, so that a far side that is away is asked about every few
/// seconds, by one request.
#[derive(Debug)]
pub(super) struct Pace {
    backoff: Backoff,
    /// The pause after the next failure, before chance shortens it.
    pause: Duration,
    rests_until: Option<Instant>,
}

impl Pace {
    /// The first attempt may begin at once.
    pub(super) const fn new(backoff: Backoff) -> Self {
        Self {
            backoff,
            pause: backoff.initial,
            rests_until: None,
        }
    }

    /// After a failure at `now`; the far side may have `asked` for a longer pause. `chance` is
    /// uniform in `0.0..1.0`: a pause is between half of its length and the whole.
    pub(super) fn failed(&mut self, now: Instant, asked: Option<Duration>, chance: f64) {
        let pause = self.backoff.pause(&mut self.pause, chance);
        let until = after(now, asked.map_or(pause, |asked| asked.max(pause)));
        self.rests_until = Some(self.rests_until.map_or(until, |before| before.max(until)));
    }

    /// The far side has answered, and not that it has no time.
    pub(super) const fn succeeded(&mut self) {
        self.pause = self.backoff.initial;
        self.rests_until = None;
    }

    /// When the next attempt may begin; `None` when it may at `now`.
    pub(super) fn rests_until(&self, now: Instant) -> Option<Instant> {
        self.rests_until.filter(|until| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn pauses_grow_up_to_the_most_and_begin_anew_after_a_success() {
        let mut now = start();
        let mut pace = Pace::new(Backoff::default());
        assert_eq!(pace.rests_until(now), None, "at the start");
        for seconds in [1, 2, 4, 5, 5] {
            pace.failed(now, None, 1.0);
            let until = now + seconds * SECOND;
            assert_eq!(pace.rests_until(now), Some(until));
            assert_eq!(pace.rests_until(until), None);
            now = until;
        }
        pace.succeeded();
        pace.failed(now, None, 0.0);
        assert_eq!(pace.rests_until(now), Some(now + SECOND / 2));
    }

    #[test]
    fn a_pause_beyond_what_the_clock_can_say_breaks_nothing() {
        let now = start();
        let mut pace = Pace::new(Backoff::default());
        pace.failed(now, Some(Duration::MAX), 1.0);
        assert!(pace.rests_until(now).is_some());
    }

    #[test]
    fn the_far_sides_word_is_a_lower_bound_and_no_later_failure_shortens_it() {
        let now = start();
        let mut pace = Pace::new(Backoff::default());
        pace.failed(now, Some(90 * SECOND), 1.0);
        pace.failed(now, None, 1.0);
        assert_eq!(pace.rests_until(now), Some(now + 90 * SECOND));
    }
}
