//! What a message's head says of its body.

use http::{HeaderMap, header};

/// The length that `content-length` promises, in bytes; `None` where it is absent or no number.
#[must_use]
pub fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Whether a message is a stream of server-sent events, by its media type.
#[must_use]
pub fn is_event_stream(headers: &HeaderMap) -> bool {
    const EVENT_STREAM: &[u8] = b"text/event-stream";

    headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        let media_type = value
            .as_bytes()
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default();
        media_type.trim_ascii().eq_ignore_ascii_case(EVENT_STREAM)
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_length_is_a_number_or_none() {
        for (value, expected) in [("0", Some(0)), ("42", Some(42)), ("-1", None), ("x", None)] {
            let value = HeaderValue::from_static(value);
            let headers = HeaderMap::from_iter([(header::CONTENT_LENGTH, value)]);
            assert_eq!(content_length(&headers), expected, "{headers:?}");
        }
        assert_eq!(content_length(&HeaderMap::new()), None);
    }

    #[test]
    fn parameters_and_case_do_not_matter_and_a_longer_type_is_another() {
        for (value, expected) in [
            ("text/event-stream", true),
            ("Text/Event-Stream ; charset=utf-8", true),
            ("text/event-streaming", false),
            ("text/html", false),
        ] {
            let value = HeaderValue::from_static(value);
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value)]);
            assert_eq!(is_event_stream(&headers), expected, "{headers:?}");
        }
        assert!(!is_event_stream(&HeaderMap::new()));
    }
}
