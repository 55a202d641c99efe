//! Text into a byte buffer: escaped, and without allocating.

use std::fmt;
use std::time::Duration;

/// Appends what is written to it, escaped so that it can neither end the line nor steer a terminal.
pub(crate) struct Escaped<'a> {
    out: &'a mut Vec<u8>,
    quotes: Quotes,
}

/// Whether quotation marks are escaped too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quotes {
    Escape,
    Keep,
}

impl<'a> Escaped<'a> {
    pub(crate) const fn new(out: &'a mut Vec<u8>, quotes: Quotes) -> Self {
        Self { out, quotes }
    }
}

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        push_escaped(self.out, text, self.quotes);
        Ok(())
    }
}

/// A JSON string, quotation marks included.
pub(crate) fn push_json(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    push_escaped(out, text, Quotes::Escape);
    out.push(b'"');
}

/// `text` inside a JSON string or a line for people.
pub(crate) fn push_escaped(out: &mut Vec<u8>, text: &str, quotes: Quotes) {
    if text
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
    {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for c in text.chars() {
        match c {
            '"' if quotes == Quotes::Escape => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            c if steers(c) => push_unicode_escape(out, c),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// A value of a `key=value` pair for people: quoted where it would not read as one word.
pub(crate) fn push_word(out: &mut Vec<u8>, text: &str) {
    if text.is_empty() || text.contains([' ', '=', '"']) {
        push_json(out, text);
    } else {
        push_escaped(out, text, Quotes::Keep);
    }
}

/// Decimal digits.
pub(crate) fn push_u64(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// The last `width` decimal digits of `number`, zeros in front.
pub(crate) fn push_padded(out: &mut Vec<u8>, number: u64, width: u32) {
    for place in (0..width).rev() {
        out.push(b'0' + (number / 10_u64.pow(place) % 10) as u8);
    }
}

/// Milliseconds with three decimals; what is below a microsecond is cut off.
pub(crate) fn push_millis(out: &mut Vec<u8>, duration: Duration) {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    push_u64(out, micros / 1000);
    out.push(b'.');
    push_padded(out, micros % 1000, 3);
}

/// Lower-case hexadecimal, two digits a byte.
pub(crate) fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        out.extend_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
    }
}

const fn hex_digit(nibble: u8) -> u8 {
    b"0123456789abcdef"[nibble as usize]
}

/// Characters that end a line, move a cursor or turn the direction of text around.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}'
        )
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// JSON's `\uXXXX`; all that [`steers`] names lies in the first 16 bits.
fn push_unicode_escape(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(b"\\u");
    let code = u32::from(c).to_be_bytes();
    push_hex(out, &code[2..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_have_all_their_digits() {
        for number in [0, 7, 10, 999, u64::MAX] {
            assert_eq!(text(|out| push_u64(out, number)), number.to_string());
        }
        assert_eq!(text(|out| push_padded(out, 7, 3)), "007");
        assert_eq!(text(|out| push_hex(out, &[0, 0xab, 0x1f])), "00ab1f");
    }

    #[test]
    fn durations_are_milliseconds_with_three_decimals() {
        for (nanos, expected) in [
            (0, "0.000"),
            (999, "0.000"),
            (1_234_999, "1.234"),
            (60_000_000_000, "60000.000"),
        ] {
            assert_eq!(
                text(|out| push_millis(out, Duration::from_nanos(nanos))),
                expected
            );
        }
    }

    #[test]
    fn what_could_forge_a_line_is_escaped() {
        let hostile = "a\"b\\c\n\r\t\u{1b}[2J\u{7f}\u{9b}\u{2028}\u{202e}é🦀";
        let json = text(|out| push_json(out, hostile));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
        assert_eq!(
            text(|out| push_escaped(out, hostile, Quotes::Keep)),
            r#"a"b\\c\n\r\t\u001b[2J\u007f\u009b\u2028\u202eé🦀"#
        );
    }

    #[test]
    fn words_are_quoted_only_where_needed() {
        for (value, expected) in [
            ("plain", "plain"),
            ("", r#""""#),
            ("a b", r#""a b""#),
            ("k=v", r#""k=v""#),
            ("a\nb", r"a\nb"),
        ] {
            assert_eq!(text(|out| push_word(out, value)), expected);
        }
    }
}
