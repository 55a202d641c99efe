//! `Retry-After` (RFC 9110, section 10.2.3).

use std::time::Duration;

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};

/// For how long a response asks to be left alone. `None` where it does not, or nobody can tell.
///
/// A date is compared with the response's own: no clock has to agree with the server's.
pub(crate) fn parse(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        return value.parse().ok().map(Duration::from_secs);
    }
    let date = |value: &str| httpdate::parse_http_date(value).ok();
    let now = headers.get(DATE).map(HeaderValue::to_str)?.ok()?;
    // A date that has passed asks for nothing more.
    let wait = date(value)?.duration_since(date(now)?);
    Some(wait.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_and_nonsense() {
        let noon = "Wed, 25 Nov 2026 12:00:00 GMT";
        let later = "Wed, 25 Nov 2026 12:01:30 GMT";
        for (retry_after, date, expected) in [
            ("0", None, Some(0)),
            ("120", None, Some(120)),
            (" 120 ", None, Some(120)),
            (later, Some(noon), Some(90)),
            (noon, Some(later), Some(0)),
            (later, None, None),
            (later, Some("today"), None),
            ("soon", Some(noon), None),
            ("-1", None, None),
            ("1.5", None, None),
            ("", None, None),
            ("99999999999999999999999999", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
            if let Some(date) = date {
                headers.insert(DATE, date.parse().unwrap());
            }
            let expected = expected.map(Duration::from_secs);
            assert_eq!(parse(&headers), expected, "{retry_after} at {date:?}");
        }
        assert_eq!(parse(&HeaderMap::new()), None);
    }
}
