//! When a batch is sent again, by the OTLP specification's rules for failures and throttling
//! (OTLP 1.9, "Failures" of OTLP/gRPC and OTLP/HTTP). Pure: time and chance are arguments.

use std::time::{Duration, Instant};

use super::instant::{DAY, after};
use super::transport::{Refusal, Sent};

/// How long it is at least before a batch is sent again. A collector that is being restarted is
/// back within seconds.
pub const DEFAULT_RETRY_INITIAL: Duration = Duration::from_secs(1);

/// How long it is at most, unless the far side asks for more: several attempts fit into the time
/// that one batch has.
pub const DEFAULT_RETRY_MAX: Duration = Duration::from_secs(5);

/// How the pauses between the attempts of one batch grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Backoff {
    pub(super) initial: Duration,
    pub(super) max: Duration,
}

/// The attempts at one batch.
#[derive(Debug)]
pub(super) struct Attempts {
    backoff: Backoff,
    /// The pause after the next failure, before chance shortens it.
    pause: Duration,
    /// No attempt begins at or after this.
    until: Instant,
    /// An attempt was sent and never answered, so the far side may have the batch.
    doubtful: bool,
    /// No connection took an attempt while the pipeline was closing.
    refused_at_the_end: bool,
}

/// What follows from the result of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// That is the batch's result.
    Final(Sent),
    /// Another attempt, after a pause.
    Again(Pause),
}

/// A time without attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pause {
    pub(super) until: Instant,
    /// Whether it was the far side that asked for it.
    pub(super) asked: bool,
}

/// Whether the pipeline is about to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    No,
    /// It ends at the latest then.
    By(Instant),
}

// === impl Backoff ===

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: DEFAULT_RETRY_INITIAL,
            max: DEFAULT_RETRY_MAX,
        }
    }
}

impl Backoff {
    /// A pause, between half of `next` and all of it by `chance`, which is uniform in `0.0..1.0`;
    /// `next` grows.
    pub(super) fn pause(&self, next: &mut Duration, chance: f64) -> Duration {
        let pause = (*next).min(DAY).mul_f64(chance.mul_add(0.5, 0.5));
        *next = next.saturating_mul(2).min(self.max);
        pause
    }
}

// === impl Attempts ===

impl Attempts {
    /// The first attempt begins at `now`; the last one ends within `timeout`.
    pub(super) fn new(backoff: Backoff, now: Instant, timeout: Duration) -> Self {
        Self {
            backoff,
            pause: backoff.initial,
            until: after(now, timeout),
            doubtful: false,
            refused_at_the_end: false,
        }
    }

    /// When the time for the batch is over.
    pub(super) const fn until(&self) -> Instant {
        self.until
    }

    /// Takes the result of an attempt. `chance` is uniform in `0.0..1.0`: a pause is between half
    /// of its length and the whole, so that clients that failed together do not come back together.
    ///
    /// While the pipeline is closing, the second refused connection is final: nobody is there, and
    /// people who end a program without a collector are not to wait for one.
    pub(super) fn judge(
        &mut self,
        sent: Sent,
        now: Instant,
        closing: Closing,
        chance: f64,
    ) -> Verdict {
        let asked = match sent {
            Sent::Acknowledged { rejected } if self.doubtful => {
                return Verdict::Final(Sent::Doubted { rejected });
            }
            Sent::Acknowledged { .. } | Sent::Doubted { .. } => return Verdict::Final(sent),
            Sent::Unreadable
            | Sent::Encoding
            | Sent::Failed
            | Sent::Refused(Refusal {
                retryable: false, ..
            }) => return Verdict::Final(self.give_up(sent)),
            Sent::Refused(Refusal { retry_after, .. }) => retry_after,
            Sent::Unreachable if closing != Closing::No => {
                // Once more and at once: it may have been an idle connection of before that broke,
                // and a collector that was restarted takes the next one.
                if std::mem::replace(&mut self.refused_at_the_end, true) {
                    return Verdict::Final(self.give_up(sent));
                }
                return Verdict::Again(Pause {
                    until: now,
                    asked: false,
                });
            }
            Sent::Unreachable => None,
            Sent::Unconfirmed => {
                self.doubtful = true;
                None
            }
        };
        let pause = self.backoff.pause(&mut self.pause, chance);
        let until = after(now, asked.map_or(pause, |asked| asked.max(pause)));
        if asked.is_none() && self.is_over_by(until, closing) {
            return Verdict::Final(self.give_up(sent));
        }
        Verdict::Again(Pause {
            until,
            asked: asked.is_some(),
        })
    }

    /// Whether an attempt at `at` comes too late for this batch.
    pub(super) fn is_over_by(&self, at: Instant, closing: Closing) -> bool {
        at >= self.until || matches!(closing, Closing::By(end) if at >= end)
    }

    /// What `sent`, as the result of the last attempt, makes of the batch.
    pub(super) const fn give_up(&self, sent: Sent) -> Sent {
        if self.doubtful {
            Sent::Unconfirmed
        } else {
            sent
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::transport::RefusedBy;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn refused(retryable: bool, retry_after: Option<u64>) -> Sent {
        Sent::Refused(Refusal {
            by: RefusedBy::Http(503),
            retryable,
            retry_after: retry_after.map(Duration::from_secs),
        })
    }

    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    fn start() -> Instant {
        Instant::now()
    }

    fn attempts(now: Instant) -> Attempts {
        Attempts::new(Backoff::default(), now, 30 * SECOND)
    }

    #[test]
    fn what_the_specification_lets_be_sent_again_is_and_nothing_else() {
        let now = start();
        for (sent, again) in [
            (Sent::Acknowledged { rejected: 1 }, false),
            (Sent::Unreadable, false),
            (Sent::Encoding, false),
            (Sent::Failed, false),
            (refused(false, Some(1)), false),
            (refused(true, None), true),
            (Sent::Unreachable, true),
            (Sent::Unconfirmed, true),
        ] {
            let verdict = attempts(now).judge(sent, now, Closing::No, 0.0);
            if again {
                assert!(
                    matches!(verdict, Verdict::Again(Pause { asked: false, .. })),
                    "{sent:?}"
                );
            } else {
                assert_eq!(verdict, Verdict::Final(sent));
            }
        }
    }

    #[test]
    fn pauses_double_up_to_the_most() {
        let now = start();
        let mut attempts = attempts(now);
        for seconds in [1, 2, 4, 5, 5] {
            let verdict = attempts.judge(Sent::Unreachable, now, Closing::No, 1.0);
            let until = now + seconds * SECOND;
            assert_eq!(
                verdict,
                Verdict::Again(Pause {
                    until,
                    asked: false
                })
            );
        }
    }

    #[test]
    fn the_far_sides_word_is_a_lower_bound_even_beyond_the_batchs_time() {
        let now = start();
        for (asked, seconds) in [(0, 1), (3, 3), (90, 90)] {
            let verdict = attempts(now).judge(refused(true, Some(asked)), now, Closing::No, 1.0);
            let until = now + seconds * SECOND;
            assert_eq!(verdict, Verdict::Again(Pause { until, asked: true }));
        }
    }

    #[test]
    fn a_batch_that_may_have_arrived_is_unconfirmed_whatever_comes_after() {
        let now = start();
        let late = now + 30 * SECOND;
        for last in [Sent::Unreachable, refused(false, None), refused(true, None)] {
            let mut attempts = attempts(now);
            attempts.judge(Sent::Unconfirmed, now, Closing::No, 0.5);
            let verdict = attempts.judge(last, late, Closing::No, 0.5);
            assert_eq!(verdict, Verdict::Final(Sent::Unconfirmed), "{last:?}");
        }
        let mut attempts = attempts(now);
        attempts.judge(Sent::Unconfirmed, now, Closing::No, 0.5);
        let acknowledged = Sent::Acknowledged { rejected: 1 };
        let verdict = attempts.judge(acknowledged, now, Closing::No, 0.5);
        let doubted = Sent::Doubted { rejected: 1 };
        assert_eq!(verdict, Verdict::Final(doubted), "but for what was taken");
    }

    #[test]
    fn nobody_waits_for_a_collector_that_is_not_there() {
        let now = start();
        let closing = Closing::By(now + 3 * SECOND);
        let mut gone = attempts(now);
        let at_once = Pause {
            until: now,
            asked: false,
        };
        let verdict = gone.judge(Sent::Unreachable, now, closing, 0.5);
        assert_eq!(
            verdict,
            Verdict::Again(at_once),
            "an idle connection may break"
        );
        let verdict = gone.judge(Sent::Unreachable, now, closing, 0.5);
        assert_eq!(verdict, Verdict::Final(Sent::Unreachable));
        let verdict = attempts(now).judge(refused(true, None), now, closing, 0.5);
        assert!(matches!(verdict, Verdict::Again(_)), "one that answers is");
    }

    #[test]
    fn times_beyond_what_the_clock_can_say_break_nothing() {
        let (now, ever) = (start(), Duration::MAX);
        let backoff = Backoff {
            initial: ever,
            max: ever,
        };
        let mut attempts = Attempts::new(backoff, now, ever);
        for chance in [0.0, 1.0] {
            let verdict = attempts.judge(refused(true, Some(u64::MAX)), now, Closing::No, chance);
            assert!(matches!(verdict, Verdict::Again(_)));
        }
    }

    proptest! {
        #[test]
        fn no_attempt_of_its_own_accord_begins_after_the_end(
            elapsed in 0_u64..40_000,
            failures in 0_usize..6,
            chance in 0.0..1.0,
        ) {
            let begin = start();
            let now = begin + Duration::from_millis(elapsed);
            let mut attempts = attempts(begin);
            for _ in 0..failures {
                attempts.judge(Sent::Unreachable, begin, Closing::No, chance);
            }
            if let Verdict::Again(pause) =
                attempts.judge(Sent::Unreachable, now, Closing::No, chance)
            {
                prop_assert!(pause.until < attempts.until());
                prop_assert!(pause.until >= now + DEFAULT_RETRY_INITIAL / 2);
            }
        }
    }
}
