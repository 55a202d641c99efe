//! Sizes as people write them: a number of bytes, or one with a unit, such as `64KiB` or `10MB`.
//! For fields: `#[serde(with = "bartizan::config::size")]`.

use std::ops::RangeInclusive;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserializer, Serializer};

/// Those of 1024 first, in which sizes are written.
const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

/// Reads a size, in bytes. The case of units does not matter; `K` alone is no unit, since it would
/// mean 1000 to some and 1024 to others.
///
/// ```
/// use bartizan::config::size;
///
/// assert_eq!(size::parse("1MiB"), Some(1_048_576));
/// assert_eq!(size::parse("512"), Some(512));
/// ```
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let end = text
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let bytes = if unit.is_empty() {
        1
    } else {
        let known = UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit));
        known?.1
    };
    digits.parse::<u64>().ok()?.checked_mul(bytes)
}

/// Writes a size the way [`parse`] reads it, in the largest unit that leaves no fraction.
#[must_use]
pub fn format(bytes: u64) -> String {
    let mut binary = UNITS.iter().take(3);
    match binary.find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

/// For `#[serde(with)]`.
///
/// # Errors
///
/// What the deserializer says, and where it is no size.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, 0..=u64::MAX)
}

/// A size within bounds, for a function of one's own and `#[serde(deserialize_with)]`.
///
/// # Errors
///
/// As [`deserialize`], and where it is out of `range`.
pub fn within<'de, D: Deserializer<'de>>(
    deserializer: D,
    range: RangeInclusive<u64>,
) -> Result<u64, D::Error> {
    deserializer.deserialize_any(SizeVisitor(range))
}

/// For `#[serde(with)]`.
///
/// # Errors
///
/// What the serializer says.
pub fn serialize<S: Serializer>(bytes: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*bytes))
}

/// Takes a text, and a number as one of bytes.
struct SizeVisitor(RangeInclusive<u64>);

impl SizeVisitor {
    fn check<E: Error>(&self, bytes: Option<u64>, unexpected: Unexpected<'_>) -> Result<u64, E> {
        bytes
            .filter(|bytes| self.0.contains(bytes))
            .ok_or_else(|| E::invalid_value(unexpected, self))
    }
}

impl Visitor<'_> for SizeVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a size such as 512, 64KiB or 10MB")?;
        if self.0 != (0..=u64::MAX) {
            write!(
                f,
                ", from {} to {}",
                format(*self.0.start()),
                format(*self.0.end())
            )?;
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        self.check(parse(text), Unexpected::Str(text))
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<u64, E> {
        self.check(Some(bytes), Unexpected::Unsigned(bytes))
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<u64, E> {
        self.check(u64::try_from(bytes).ok(), Unexpected::Signed(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for (bytes, text) in [
            (0, "0B"),
            (1, "1B"),
            (1_000, "1000B"),
            (1_024, "1KiB"),
            (1_536, "1536B"),
            (3 << 20, "3MiB"),
            (1 << 30, "1GiB"),
            (u64::MAX, "18446744073709551615B"),
        ] {
            assert_eq!(format(bytes), text);
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
        for (text, bytes) in [("10MB", 10_000_000), ("10mb", 10_000_000), ("7", 7)] {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
    }

    #[test]
    fn what_could_mean_something_else_is_no_size() {
        for text in [
            "",
            "MiB",
            "1K",
            "1.5MiB",
            "-1",
            "1 MiB",
            "1TiB",
            "99999999999GiB",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
