//! OTLP/HTTP with protobuf, over HTTP/1.1.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Pooled;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::body::Noted;
use super::{Refusal, RefusedBy, Sent, Signal, Ticket, answer, headers};
use crate::telemetry::config::Destination;

/// An answer is a few bytes and perhaps a message for people; more than this is not read.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Shorter than the idle timeout of common proxies (60 s), so that a request seldom meets a
/// connection that is just being closed, which would leave it unconfirmed.
const IDLE: Duration = Duration::from_secs(45);

pub(super) struct Client {
    pool: Pooled<HttpsConnector<HttpConnector>, Noted>,
    signal: Signal,
    uri: Uri,
    headers: HeaderMap,
    gzip: bool,
}

impl Client {
    pub(super) fn new(
        signal: Signal,
        to: &Destination,
        connector: HttpsConnector<HttpConnector>,
    ) -> Self {
        let pool = Pooled::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        let mut headers = headers(to);
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-protobuf"),
        );
        if to.gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Self {
            pool,
            signal,
            uri: to.uri.clone(),
            headers,
            gzip: to.gzip,
        }
    }

    /// `None` when no answer came.
    pub(super) async fn send(&self, message: Bytes, ticket: Ticket) -> Option<Sent> {
        let message = if self.gzip {
            match gzip(&message) {
                Ok(small) => small,
                Err(_) => return Some(Sent::Encoding),
            }
        } else {
            message
        };
        let mut request = Request::new(Noted::new(message, ticket));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let response = self.pool.request(request).await.ok()?;
        let (parts, body) = response.into_parts();
        if !parts.status.is_success() {
            return Some(Sent::Refused(refusal(&Response::from_parts(parts, ()))));
        }
        if !is_otlp(&parts.headers) {
            return Some(Sent::Unreadable);
        }
        let body = Limited::new(body, ANSWER_LIMIT).collect().await.ok()?;
        Some(Sent::Acknowledged {
            rejected: answer::rejected(self.signal, body.to_bytes()),
        })
    }
}

/// Whether a success may be a collector's. A server of gRPC that is asked over HTTP/1.1 answers 200
/// and says that it failed in a header of its own, and a web server answers any path with a page.
/// Whatever else collectors send with their 200s is not held against them.
fn is_otlp(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(CONTENT_TYPE)
        .map_or(&b""[..], HeaderValue::as_bytes);
    let foreign = [&b"application/grpc"[..], b"text/html"];
    let is_foreign = |name: &[u8]| {
        let start = media_type.get(..name.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    !headers.contains_key("grpc-status") && !foreign.into_iter().any(is_foreign)
}

fn gzip(message: &[u8]) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(message)?;
    encoder.finish().map(Bytes::from)
}

/// OTLP 1.9, "Failures" and "OTLP/HTTP Throttling": these four may be sent again.
fn refusal(response: &Response<()>) -> Refusal {
    let retryable = matches!(
        response.status(),
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    );
    // The form in seconds only; a date would need the two clocks to agree.
    let seconds = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse().ok());
    Refusal {
        by: RefusedBy::Http(response.status().as_u16()),
        retryable,
        retry_after: seconds.map(Duration::from_secs),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    #[test]
    fn a_success_of_another_protocol_is_no_acknowledgement() {
        for (name, value, expected) in [
            ("content-type", "application/x-protobuf", true),
            ("content-type", "application/json; charset=utf-8", true),
            ("content-type", "text/plain", true),
            ("content-type", "application/grpc", false),
            ("content-type", "Application/gRPC+proto", false),
            ("content-type", "text/html; charset=utf-8", false),
            ("grpc-status", "12", false),
            ("server", "any", true),
        ] {
            let value = HeaderValue::from_static(value);
            let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value)]);
            assert_eq!(is_otlp(&headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn the_four_retryable_statuses_are_told_from_the_rest() {
        for (status, retryable) in [
            (400, false),
            (413, false),
            (429, true),
            (500, false),
            (502, true),
            (503, true),
            (504, true),
        ] {
            let response = Response::builder()
                .status(status)
                .header(RETRY_AFTER, " 7 ")
                .body(())
                .unwrap();
            let refusal = refusal(&response);
            assert_eq!(refusal.by, RefusedBy::Http(status));
            assert_eq!(refusal.retryable, retryable, "{status}");
            assert_eq!(refusal.retry_after, Some(Duration::from_secs(7)));
        }
    }
}
