//! Durations as people write them: whole numbers with their units, such as `250ms`, `15s` or
//! `1h30m`. For fields: `#[serde(with = "bartizan::config::duration")]`.

use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserializer, Serializer};

use super::value;

/// Largest first, as they are written.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a duration.
///
/// ```
/// use std::time::Duration;
///
/// use bartizan::config::duration;
///
/// assert_eq!(duration::parse("1m30s"), Some(Duration::from_secs(90)));
/// assert_eq!(duration::parse("90"), None);
/// ```
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let (mut rest, mut total, mut units) = (text, 0_u64, UNITS.iter());
    while !rest.is_empty() {
        let end = rest.find(|char: char| !char.is_ascii_digit())?;
        let (digits, after) = rest.split_at(end);
        let end = after
            .find(|char: char| char.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        // Each one once and in order: `30s1m` is a mistake more often than a duration.
        let (_, millis) = units.find(|(name, _)| *name == unit)?;
        let part = digits.parse::<u64>().ok()?.checked_mul(*millis)?;
        total = total.checked_add(part)?;
        rest = after;
    }
    (!text.is_empty()).then_some(Duration::from_millis(total))
}

/// Writes a duration the way [`parse`] reads it, down to milliseconds.
#[must_use]
pub fn format(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (name, millis) in UNITS {
        if rest >= millis {
            // Writing to a string succeeds.
            let _written = write!(text, "{}{name}", rest / millis);
            rest %= millis;
        }
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    text
}

/// For `#[serde(with)]`.
///
/// # Errors
///
/// What the deserializer says, and where the text is no duration.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    value::text(
        deserializer,
        "a duration such as 250ms, 15s or 1h30m",
        parse,
    )
}

/// A duration within bounds, for a function of one's own and `#[serde(deserialize_with)]`.
///
/// # Errors
///
/// As [`deserialize`], and where it is out of `range`.
pub fn within<'de, D: Deserializer<'de>>(
    deserializer: D,
    range: RangeInclusive<Duration>,
) -> Result<Duration, D::Error> {
    let expected = format!(
        "a duration such as 250ms, 15s or 1h30m, from {} to {}",
        format(*range.start()),
        format(*range.end())
    );
    value::text(deserializer, &expected, |text| {
        parse(text).filter(|duration| range.contains(duration))
    })
}

/// For `#[serde(with)]`.
///
/// # Errors
///
/// What the serializer says.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for (millis, text) in [
            (0, "0s"),
            (1, "1ms"),
            (250, "250ms"),
            (1_500, "1s500ms"),
            (90_000, "1m30s"),
            (3_600_000, "1h"),
            (90 * 3_600_000, "90h"),
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(format(duration), text);
            assert_eq!(parse(text), Some(duration), "{text}");
        }
        assert_eq!(parse("90s"), Some(Duration::from_secs(90)));
        assert_eq!(parse("0ms"), Some(Duration::ZERO));
    }

    #[test]
    fn what_could_mean_something_else_is_no_duration() {
        let texts = [
            "", "15", "s", "15 s", "1.5s", "-1s", "30s1m", "1s1s", "1sm", "1S", "1d",
        ];
        for text in texts
            .into_iter()
            .chain(["99999999999999999999h", "9999999999999999h"])
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
