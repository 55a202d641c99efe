use std::borrow::Cow;
use std::num::NonZeroU64;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use serde::Serialize;
use serde_json::{Map, Value};

/// The media type of a [`Problem`].
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What is not an extension: RFC 9457's own members, and those that the response gets by itself.
const RESERVED: [&str; 7] = [
    "type",
    "title",
    "status",
    "detail",
    "instance",
    "trace_id",
    "request_id",
];

/// Why a request was not answered with what it asked for, as `application/problem+json` (RFC 9457).
///
/// Meant for statuses of 400 and above. The response is never cached (`cache-control: no-store`) and
/// names what to look for in traces and logs: its members `trace_id` and `request_id` are those of
/// the request that is being answered when [`IntoResponse`] runs, and are left out where there is
/// none.
///
/// ```
/// use std::time::Duration;
///
/// use axum::body::to_bytes;
/// use axum::http::{StatusCode, header};
/// use axum::response::IntoResponse;
/// use bartizan::Problem;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let response = Problem::new(StatusCode::TOO_MANY_REQUESTS)
///     .with_detail("10 orders a minute are enough")
///     .with_extension("limit", 10)
///     .with_retry_after(Duration::from_millis(2_500))
///     .into_response();
///
/// assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
/// assert_eq!(response.headers()[header::RETRY_AFTER], "3");
/// let body = to_bytes(response.into_body(), 1_000).await?;
/// assert_eq!(
///     serde_json::from_slice::<serde_json::Value>(&body)?,
///     serde_json::json!({
///         "type": "about:blank",
///         "title": "Too Many Requests",
///         "status": 429,
///         "detail": "10 orders a minute are enough",
///         "limit": 10,
///     })
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a problem is told only when it is returned"]
pub struct Problem {
    status: StatusCode,
    kind: Cow<'static, str>,
    title: Option<Cow<'static, str>>,
    detail: Option<Cow<'static, str>>,
    instance: Option<Cow<'static, str>>,
    retry_after: Option<NonZeroU64>,
    /// Boxed, since few have any and the type is to be small.
    extensions: Option<Box<Map<String, Value>>>,
}

// Clippy warns whoever returns a larger error in a `Result`.
const _: () = assert!(size_of::<Problem>() < 128);

/// The members, in the order in which RFC 9457 has them.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(flatten)]
    extensions: Option<&'a Map<String, Value>>,
}

// === impl Problem ===

impl Problem {
    /// A problem that its status says all about: its type is `about:blank`, its title the status's
    /// reason phrase, or none where the status has none.
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            kind: Cow::Borrowed("about:blank"),
            title: status.canonical_reason().map(Cow::Borrowed),
            detail: None,
            instance: None,
            retry_after: None,
            extensions: None,
        }
    }

    /// A URI reference that names the kind of problem, which clients may tell problems apart by.
    /// Default: `about:blank`.
    pub fn with_type(mut self, uri: impl Into<Cow<'static, str>>) -> Self {
        self.kind = uri.into();
        self
    }

    /// What kind of problem it is, in a few words that are the same each time. Default: the status's
    /// reason phrase, as RFC 9457 wants it for `about:blank`.
    pub fn with_title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// What went wrong this time, for a person. Default: none.
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// A URI reference that names this occurrence. Default: none.
    pub fn with_instance(mut self, uri: impl Into<Cow<'static, str>>) -> Self {
        self.instance = Some(uri.into());
        self
    }

    /// A member of one's own, replacing an earlier one of the same name.
    ///
    /// Ignored if `key` is a member that this type writes itself (`type`, `title`, `status`,
    /// `detail`, `instance`, `trace_id`, `request_id`): a key from somewhere else can then never say
    /// another status or trace than the response has, nor a member twice.
    pub fn with_extension(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        let key = key.into();
        if !RESERVED.contains(&key.as_str()) {
            self.extensions
                .get_or_insert_default()
                .insert(key, value.into());
        }
        self
    }

    /// When to try again, as a `retry-after` header in whole seconds: rounded up, so that nobody
    /// comes too early, and at least 1, so that nobody comes at once. Default: no such header.
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        let up = u64::from(delay.subsec_nanos() > 0);
        let seconds = delay.as_secs().saturating_add(up);
        self.retry_after = Some(NonZeroU64::new(seconds).unwrap_or(NonZeroU64::MIN));
        self
    }

    /// Whether a response is one of these.
    pub(crate) fn is_told_by<B>(response: &Response<B>) -> bool {
        response.headers().get(header::CONTENT_TYPE) == Some(&MEDIA_TYPE)
    }

    fn body(&self) -> Vec<u8> {
        let trace_id = Context::map_current(|context| {
            let span = context.span();
            let span = span.span_context();
            span.is_valid().then(|| span.trace_id().to_string())
        });
        let request_id = crate::request_id();
        let body = Body {
            kind: &self.kind,
            title: self.title.as_deref(),
            status: self.status.as_u16(),
            detail: self.detail.as_deref(),
            instance: self.instance.as_deref(),
            trace_id,
            request_id: request_id.as_deref(),
            extensions: self.extensions.as_deref(),
        };
        // Text, numbers and JSON values, all keys being text: nothing that cannot be written.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, MEDIA_TYPE),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let mut response = (self.status, headers, self.body()).into_response();
        if let Some(seconds) = self.retry_after {
            let seconds = HeaderValue::from(seconds.get());
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use bartizan_task::{RequestId, Task};
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
    use serde_json::json;

    use super::*;

    async fn told(problem: Problem) -> Value {
        let body = problem.into_response().into_body();
        serde_json::from_slice(&to_bytes(body, 10_000).await.unwrap()).unwrap()
    }

    fn retry_after(delay: Duration) -> String {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE).with_retry_after(delay);
        let response = problem.into_response();
        let value = response.headers()[header::RETRY_AFTER].to_str();
        value.unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_status_alone_is_about_blank_with_its_reason_phrase() {
        assert_eq!(
            told(Problem::new(StatusCode::NOT_FOUND)).await,
            json!({"type": "about:blank", "title": "Not Found", "status": 404})
        );
        assert_eq!(
            told(Problem::new(StatusCode::from_u16(499).unwrap())).await,
            json!({"type": "about:blank", "status": 499})
        );
    }

    #[tokio::test]
    async fn every_member_can_be_set() {
        let problem = Problem::new(StatusCode::CONFLICT)
            .with_type("/problems/out-of-stock")
            .with_title("Out of stock")
            .with_detail(format!("only {} left", 2))
            .with_instance("/orders/7")
            .with_extension("left", 1)
            .with_extension("left", 2);
        let expected = json!({
            "type": "/problems/out-of-stock", "title": "Out of stock", "status": 409,
            "detail": "only 2 left", "instance": "/orders/7", "left": 2,
        });
        assert_eq!(told(problem).await, expected);
    }

    #[test]
    fn it_has_its_status_and_its_media_type_and_is_not_cached() {
        let response = Problem::new(StatusCode::BAD_GATEWAY).into_response();
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert!(!response.headers().contains_key(header::RETRY_AFTER));
    }

    #[test]
    fn retry_after_is_rounded_up_and_at_least_a_second() {
        for (delay, seconds) in [
            (Duration::ZERO, "1"),
            (Duration::from_nanos(1), "1"),
            (Duration::from_secs(1), "1"),
            (Duration::from_millis(1_001), "2"),
            (Duration::from_secs(60), "60"),
            (Duration::MAX, "18446744073709551615"),
        ] {
            assert_eq!(retry_after(delay), seconds, "{delay:?}");
        }
    }

    #[tokio::test]
    async fn an_extension_cannot_take_a_members_place() {
        let mut problem = Problem::new(StatusCode::NOT_FOUND);
        for key in RESERVED {
            problem = problem.with_extension(key, "forged");
        }
        assert_eq!(problem, Problem::new(StatusCode::NOT_FOUND));
    }

    #[tokio::test]
    async fn the_request_and_its_trace_are_named() {
        let span = SpanContext::new(
            TraceId::from(0xabc),
            SpanId::from(1),
            TraceFlags::NOT_SAMPLED,
            true,
            TraceState::NONE,
        );
        let context = Context::new().with_remote_span_context(span);
        let id = RequestId::try_from_bytes(b"r-1").ok();
        let body = {
            let _context = context.attach();
            let _task = Task::root("request", id).attach();
            Problem::new(StatusCode::NOT_FOUND)
                .into_response()
                .into_body()
        };
        let body = to_bytes(body, 10_000).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["trace_id"], format!("{:032x}", 0xabc));
        assert_eq!(body["request_id"], "r-1");
    }
}
