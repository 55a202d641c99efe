use std::time::Duration;

use http::{HeaderMap, HeaderName, Response, StatusCode};

use super::http::by_status;
use super::{Classify, Verdict};
use crate::Rejection;
use crate::breaker::Outcome;

/// Where a gRPC server says how the call went, in the trailers or, without a body, in the headers.
const STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// After how many milliseconds a server wants to be asked again; negative for never (gRFC A6).
const PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// The table for gRPC, by `grpc-status` in the trailers, or in the headers of a response without a
/// body.
///
/// | status | counts as |
/// |---|---|
/// | 1 `CANCELLED` | ignored: it was the caller |
/// | 2 `UNKNOWN`, 4 `DEADLINE_EXCEEDED`, 13 `INTERNAL`, 14 `UNAVAILABLE`, 15 `DATA_LOSS` | failure |
/// | 8 `RESOURCE_EXHAUSTED` | back-pressure, for as long as `grpc-retry-pushback-ms` says |
/// | any other | success |
/// | none, or no number | failure |
///
/// A response that is not 200 never came to gRPC; [`HttpClassifier`](super::HttpClassifier)'s table
/// holds for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct GrpcClassifier;

// === impl GrpcClassifier ===

impl GrpcClassifier {
    /// The table.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Classify for GrpcClassifier {
    fn head<B>(&self, response: &Response<B>) -> Verdict {
        let headers = response.headers();
        if response.extensions().get::<Rejection>().is_some() {
            Verdict::Now(Outcome::Ignored)
        } else if response.status() != StatusCode::OK {
            Verdict::Now(by_status(response.status(), headers))
        } else if headers.contains_key(STATUS) {
            Verdict::Now(by_code(headers))
        } else {
            Verdict::AtEnd
        }
    }

    fn end(&self, trailers: Option<&HeaderMap>) -> Outcome {
        trailers.map_or(Outcome::Failure, by_code)
    }
}

fn by_code(headers: &HeaderMap) -> Outcome {
    let code = headers.get(STATUS).map(|code| code.as_bytes());
    match code {
        Some(b"1") => Outcome::Ignored,
        Some(b"2" | b"4" | b"13" | b"14" | b"15") | None => Outcome::Failure,
        Some(b"8") => Outcome::Backpressure(pushback(headers)),
        Some(code) if code.iter().all(u8::is_ascii_digit) && !code.is_empty() => Outcome::Success,
        Some(_) => Outcome::Failure,
    }
}

fn pushback(headers: &HeaderMap) -> Option<Duration> {
    let millis = headers.get(PUSHBACK)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trailers(fields: &[(HeaderName, &str)]) -> HeaderMap {
        let field = |(name, value): &(HeaderName, &str)| (name.clone(), value.parse().unwrap());
        fields.iter().map(field).collect()
    }

    #[test]
    fn the_code_tells() {
        let pushed = Outcome::Backpressure(Some(Duration::from_millis(250)));
        for (fields, outcome) in [
            (&[(STATUS, "0")][..], Outcome::Success),
            (&[(STATUS, "1")], Outcome::Ignored),
            (&[(STATUS, "2")], Outcome::Failure),
            (&[(STATUS, "4")], Outcome::Failure),
            (&[(STATUS, "5")], Outcome::Success),
            (&[(STATUS, "8")], Outcome::Backpressure(None)),
            (&[(STATUS, "8"), (PUSHBACK, "250")], pushed),
            (
                &[(STATUS, "8"), (PUSHBACK, "-1")],
                Outcome::Backpressure(None),
            ),
            (&[(STATUS, "13")], Outcome::Failure),
            (&[(STATUS, "14")], Outcome::Failure),
            (&[(STATUS, "15")], Outcome::Failure),
            (&[(STATUS, "16")], Outcome::Success),
            (&[(STATUS, "")], Outcome::Failure),
            (&[(STATUS, "fine")], Outcome::Failure),
            (&[], Outcome::Failure),
        ] {
            let trailers = trailers(fields);
            assert_eq!(GrpcClassifier.end(Some(&trailers)), outcome, "{fields:?}");
        }
        assert_eq!(GrpcClassifier.end(None), Outcome::Failure);
    }

    #[test]
    fn a_response_without_a_body_tells_at_once() {
        let response = |status: u16| Response::builder().status(status);
        let only_head = response(200).header(STATUS, "14").body(()).unwrap();
        let with_body = response(200).body(()).unwrap();
        let never_there = response(502).body(()).unwrap();
        for (response, verdict) in [
            (only_head, Verdict::Now(Outcome::Failure)),
            (with_body, Verdict::AtEnd),
            (never_there, Verdict::Now(Outcome::Failure)),
        ] {
            assert_eq!(GrpcClassifier.head(&response), verdict);
        }
    }
}
