//! The `Accept` header field (RFC 9110, section 12.5.1), as far as it is needed here.

use std::borrow::Cow;

/// One element of the list.
#[derive(Debug)]
pub(super) struct MediaRange<'a> {
    pub(super) kind: &'a str,
    pub(super) subtype: &'a str,
    pub(super) version: Option<Cow<'a, str>>,
    pub(super) charset: Option<Cow<'a, str>>,
    pub(super) quality: Quality,
}

/// A weight, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Quality(u16);

// === impl MediaRange ===

impl<'a> MediaRange<'a> {
    /// The ranges of a field's value. One that is malformed is left out.
    pub(super) fn list(field: &'a str) -> impl Iterator<Item = Self> {
        split(field, b',').filter_map(Self::parse)
    }

    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = split(text, b';');
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let mut range = Self {
            kind,
            subtype,
            version: None,
            charset: None,
            quality: Quality::ONE,
        };
        for parameter in parts {
            let Some((name, value)) = parameter.split_once('=') else {
                continue;
            };
            if name.eq_ignore_ascii_case("q") {
                range.quality = Quality::parse(value)?;
            } else if name.eq_ignore_ascii_case("version") {
                range.version = Some(unquoted(value));
            } else if name.eq_ignore_ascii_case("charset") {
                range.charset = Some(unquoted(value));
            }
        }
        Some(range)
    }
}

// === impl Quality ===

impl Quality {
    pub(super) const ZERO: Self = Self(0);
    const ONE: Self = Self(1000);

    /// `0` or `1` with up to three decimals, and at most 1.
    fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        if !["0", "1"].contains(&whole)
            || decimals.len() > 3
            || !decimals.bytes().all(|next| next.is_ascii_digit())
        {
            return None;
        }
        let thousandths = format!("{whole}{decimals:0<3}").parse().ok()?;
        (thousandths <= Self::ONE.0).then_some(Self(thousandths))
    }
}

/// The parts between separators that are not in a quoted string, without the blanks around.
fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (part, after) = match position(text, separator) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        rest = after;
        Some(part.trim_matches([' ', '\t']))
    })
}

fn position(text: &str, separator: u8) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.bytes().position(|next| {
        let was_escaped = std::mem::take(&mut escaped);
        match next {
            _ if was_escaped => false,
            b'\\' if quoted => {
                escaped = true;
                false
            }
            b'"' => {
                quoted = !quoted;
                false
            }
            next => !quoted && next == separator,
        }
    })
}

fn unquoted(value: &str) -> Cow<'_, str> {
    let quoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    match quoted {
        None => value.into(),
        Some(plain) if !plain.contains('\\') => plain.into(),
        Some(escaped) => {
            let mut escaping = false;
            escaped
                .chars()
                .filter(|next| {
                    escaping = *next == '\\' && !escaping;
                    !escaping
                })
                .collect::<String>()
                .into()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn weights_have_up_to_three_decimals() {
        let cases = [
            ("0", Some(0)),
            ("1", Some(1000)),
            ("0.", Some(0)),
            ("1.", Some(1000)),
            ("0.5", Some(500)),
            ("0.001", Some(1)),
            ("1.000", Some(1000)),
            ("1.001", None),
            ("0.0001", None),
            ("2", None),
            ("-0.5", None),
            ("+1", None),
            (".5", None),
            ("00", None),
            ("", None),
            ("NaN", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Quality::parse(text).map(|q| q.0), expected, "{text}");
        }
    }

    #[test]
    fn quoted_strings_are_unquoted() {
        for (text, expected) in [
            (r#""a""#, "a"),
            (r#""a\"\\b""#, r#"a"\b"#),
            ("a", "a"),
            ("\"", "\""),
        ] {
            assert_eq!(unquoted(text), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_without_a_panic(text in "\\PC*|([a-z*/;,=\"\\\\ q01.]{0,40})") {
            for range in MediaRange::list(&text) {
                prop_assert!(range.quality <= Quality::ONE);
            }
        }
    }
}
