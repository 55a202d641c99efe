//! Text of others, made fit to be printed.

/// What a person reads of an answer's body.
const MAX_SHOWN: usize = 200;

/// The beginning of a body on one line, and nothing that moves a terminal's cursor.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let words: Vec<_> = text.split_whitespace().collect();
    let line = words.join(" ");
    let shown = line.chars().filter(|char| !char.is_control());
    shown.take(MAX_SHOWN).collect()
}

/// An answer that is not as it should be, with what its body says.
pub(crate) fn answered(status: http::StatusCode, body: &[u8]) -> String {
    let said = excerpt(body);
    let colon = if said.is_empty() { "" } else { ": " };
    format!("answered {status}{colon}{said}")
}

/// What stands before the `@` of addresses in `text` is replaced.
pub(crate) fn without_credentials(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let end = after.find(['/', ' ', '`']).unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(at) => {
                shown.push_str("***");
                &after[at..]
            }
            None => after,
        };
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_a_short_line() {
        for (body, shown) in [
            (&b""[..], ""),
            (b" not\r\n  ready\x1b[2J\x00 ", "not ready[2J"),
            (b"\xff", "\u{fffd}"),
        ] {
            assert_eq!(excerpt(body), shown);
        }
        assert_eq!(excerpt(&[b'x'; 999]).len(), MAX_SHOWN);
    }

    #[test]
    fn credentials_are_not_shown() {
        for (text, shown) in [
            ("A: `ftp://u:p@h/x@y` is not", "A: `ftp://***@h/x@y` is not"),
            ("http://h/ and http://a@b@c", "http://h/ and http://***@c"),
            ("mail me@home", "mail me@home"),
        ] {
            assert_eq!(without_credentials(text), shown);
        }
    }
}
