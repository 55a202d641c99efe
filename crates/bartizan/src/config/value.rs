use std::fmt::Display;
use std::ops::RangeInclusive;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a text and makes something of it, for a function of one's own and
/// `#[serde(deserialize_with)]`.
///
/// # Errors
///
/// What the deserializer says; where `parse` gives `None`, that the value is not what was
/// `expected`.
///
/// ```
/// use bartizan::config;
/// use serde::{Deserialize, Deserializer};
///
/// #[derive(Deserialize)]
/// struct Shop {
///     #[serde(deserialize_with = "currency")]
///     currency: [u8; 3],
/// }
///
/// fn currency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 3], D::Error> {
///     config::text(deserializer, "a currency such as EUR", |text| text.as_bytes().try_into().ok())
/// }
/// ```
pub fn text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(TextVisitor { expected, parse })
}

/// Reads a value that has to be within bounds, for a function of one's own and
/// `#[serde(deserialize_with)]`.
///
/// # Errors
///
/// What the deserializer says, and where the value is out of `range`.
///
/// ```
/// use bartizan::config;
/// use serde::{Deserialize, Deserializer};
///
/// #[derive(Deserialize)]
/// struct Pool {
///     #[serde(deserialize_with = "connections")]
///     connections: u32,
/// }
///
/// fn connections<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
///     config::within(deserializer, 1..=100)
/// }
/// ```
pub fn within<'de, D, T>(deserializer: D, range: RangeInclusive<T>) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + PartialOrd + Display,
{
    let value = T::deserialize(deserializer)?;
    if range.contains(&value) {
        return Ok(value);
    }
    let expected = format!("from {} to {}", range.start(), range.end());
    let value = value.to_string();
    Err(D::Error::invalid_value(
        Unexpected::Other(&value),
        &expected.as_str(),
    ))
}

struct TextVisitor<'a, F> {
    expected: &'a str,
    parse: F,
}

impl<T, F: FnOnce(&str) -> Option<T>> Visitor<'_> for TextVisitor<'_, F> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self.expected))
    }
}
