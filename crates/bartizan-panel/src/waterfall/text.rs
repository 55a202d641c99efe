//! Text for a terminal: escaped, cut, and in units a person reads.

use std::borrow::Cow;

use time::OffsetDateTime;

/// Escapes what a terminal would act on or hide, and cuts to `width` characters, the last being
/// `…` then. Characters that a terminal draws two columns wide count as one.
pub(super) fn clean(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for char in text.chars() {
        let shown: Cow<'_, str> = if is_hidden(char) {
            char.escape_default().to_string().into()
        } else {
            char.encode_utf8(&mut [0; 4]).to_owned().into()
        };
        length += shown.chars().count();
        out.push_str(&shown);
        if length > width {
            let end = out
                .char_indices()
                .nth(width.saturating_sub(1))
                .map_or(0, |(at, _)| at);
            out.truncate(end);
            out.push('…');
            break;
        }
    }
    out
}

/// Fills up with blanks.
pub(super) fn pad(text: &str, width: usize) -> String {
    format!("{text:<width$}")
}

/// `2 spans`, `1 span`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `870 ns`, `12.3 µs`, `12.3 ms`, `12.34 s`.
#[expect(
    clippy::cast_precision_loss,
    reason = "it is rounded to three or four digits anyway"
)]
pub(super) fn duration(nanos: u64) -> String {
    let float = nanos as f64;
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..999_950 => format!("{:.1} µs", float / 1e3),
        999_950..999_950_000 => format!("{:.1} ms", float / 1e6),
        _ => format!("{:.2} s", float / 1e9),
    }
}

/// A moment as a distance from the start, before or after it.
pub(super) fn signed(nanos: u64, start: u64) -> String {
    let sign = if nanos < start { '-' } else { '+' };
    format!("{sign}{}", duration(nanos.abs_diff(start)))
}

/// `2026-11-24 04:21:47.123 UTC`.
pub(super) fn date(unix_nanos: u64) -> String {
    match OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_nanos)) {
        Ok(at) => format!(
            "{} {:02}:{:02}:{:02}.{:03} UTC",
            at.date(),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        ),
        // Not reached: 64 bits of nanoseconds end in the year 2554.
        Err(_) => format!("{unix_nanos} ns"),
    }
}

/// Control characters, and those that change direction or have no width.
fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_escaped() {
        assert_eq!(
            clean("a\x1b[2Jb\nc\u{202e}d", 80),
            "a\\u{1b}[2Jb\\nc\\u{202e}d"
        );
    }

    #[test]
    fn long_text_is_cut_to_the_width() {
        assert_eq!(clean("abcdef", 6), "abcdef");
        assert_eq!(clean("abcdefg", 6), "abcde…");
        assert_eq!(clean("ab\x1b\x1b", 5), "ab\\u…");
        assert_eq!(clean("ééé", 2), "é…");
    }

    #[test]
    fn durations_have_the_unit_that_fits() {
        let cases = [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.0 µs"),
            (999_949, "999.9 µs"),
            (999_950, "1.0 ms"),
            (12_340_000, "12.3 ms"),
            (999_950_000, "1.00 s"),
            (61_000_000_000, "61.00 s"),
        ];
        for (nanos, text) in cases {
            assert_eq!(duration(nanos), text);
        }
    }

    #[test]
    fn a_date_is_in_utc_with_milliseconds() {
        assert_eq!(
            date(1_795_494_107_123_456_789),
            "2026-11-24 04:21:47.123 UTC"
        );
        assert_eq!(date(u64::MAX).len(), 27);
    }
}
