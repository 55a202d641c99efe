//! By when the caller wants its answer, and how one service tells the next.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Extensions, HeaderName, HeaderValue};

/// By when the caller wants its answer: an extension of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline(pub Instant);

/// Says by when the current caller wants its answer, where that is not on the request: a task's
/// deadline, say. Asked once for each call, on the caller's thread.
///
/// Default: knows of none.
#[derive(Clone, Default)]
pub struct DeadlineSource(Option<Arc<Source>>);

type Source = dyn Fn() -> Option<Instant> + Send + Sync;

/// How much time is left for a request, in whole milliseconds and rounded down.
///
/// A duration, as no two machines have the same clock; what the request takes on its way is lost.
pub const REQUEST_TIMEOUT_MS: HeaderName = HeaderName::from_static("x-request-timeout-ms");

/// The most that [`parse_remaining`] believes: an hour, beyond which nobody waits for an answer.
pub const MAX_REMAINING: Duration = Duration::from_secs(60 * 60);

/// What nothing can be done in, as timers go by the millisecond.
pub(crate) const LEAST: Duration = Duration::from_millis(1);

/// The time that a [`REQUEST_TIMEOUT_MS`] header grants, at most [`MAX_REMAINING`].
///
/// Nothing but digits, and no more than 20 of them; `None` for everything else.
#[must_use]
pub fn parse_remaining(value: &HeaderValue) -> Option<Duration> {
    let digits = value.as_bytes();
    if digits.is_empty() || digits.len() > 20 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Only the longest can be too long, and they are all beyond the most.
    let ms = value.to_str().ok()?.parse().unwrap_or(u64::MAX);
    Some(Duration::from_millis(ms).min(MAX_REMAINING))
}

// === impl DeadlineSource ===

impl DeadlineSource {
    /// Asks `source`.
    #[must_use]
    pub fn new(source: impl Fn() -> Option<Instant> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(source)))
    }

    /// The earlier one of what the source says and what a request does.
    pub(crate) fn earliest(&self, extensions: &Extensions) -> Option<Instant> {
        let of_caller = self.0.as_ref().and_then(|source| source());
        let of_request = extensions.get().map(|Deadline(instant)| *instant);
        match (of_caller, of_request) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }
}

impl fmt::Debug for DeadlineSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Some(_) => "DeadlineSource::Some",
            None => "DeadlineSource::None",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(value: &[u8]) -> Option<u128> {
        let remaining = parse_remaining(&HeaderValue::from_bytes(value).unwrap())?;
        Some(remaining.as_millis())
    }

    #[test]
    fn digits_and_nothing_else() {
        for (value, expected) in [
            ("0", Some(0)),
            ("1", Some(1)),
            ("0250", Some(250)),
            ("3600000", Some(3_600_000)),
            ("3600001", Some(3_600_000)),
            ("18446744073709551615", Some(3_600_000)),
            ("99999999999999999999", Some(3_600_000)),
            ("000000000000000000000", None),
            ("", None),
            (" 1", None),
            ("+1", None),
            ("-1", None),
            ("1.5", None),
            ("1s", None),
            ("0x10", None),
            ("\u{661}", None),
        ] {
            assert_eq!(parse(value.as_bytes()), expected, "{value:?}");
        }
    }

    #[test]
    fn the_earlier_deadline_is_the_one() {
        let (source, timer) = (DeadlineSource::new, crate::Timer::default());
        let early = timer.now();
        let late = early + MAX_REMAINING;
        let on_request = |deadline: Option<Instant>| {
            let mut extensions = Extensions::new();
            if let Some(deadline) = deadline {
                extensions.insert(Deadline(deadline));
            }
            extensions
        };
        for (of_source, of_request, expected) in [
            (None, None, None),
            (Some(late), None, Some(late)),
            (None, Some(late), Some(late)),
            (Some(early), Some(late), Some(early)),
            (Some(late), Some(early), Some(early)),
        ] {
            let source = source(move || of_source);
            assert_eq!(source.earliest(&on_request(of_request)), expected);
        }
        let none = DeadlineSource::default();
        assert_eq!(none.earliest(&on_request(Some(late))), Some(late));
    }

    proptest! {
        #[test]
        fn what_it_believes_is_bounded(bytes in proptest::collection::vec(32_u8..127, 0..40)) {
            let remaining = parse_remaining(&HeaderValue::from_bytes(&bytes).unwrap());
            let all_digits = !bytes.is_empty() && bytes.len() <= 20
                && bytes.iter().all(u8::is_ascii_digit);
            prop_assert_eq!(remaining.is_some(), all_digits);
            prop_assert!(remaining.unwrap_or_default() <= MAX_REMAINING);
        }

        #[test]
        fn what_was_written_is_read(ms in 0_u64..=3_600_000) {
            let remaining = parse_remaining(&HeaderValue::from(ms));
            prop_assert_eq!(remaining, Some(Duration::from_millis(ms)));
        }
    }
}
