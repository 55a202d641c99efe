use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bartizan::Problem;
use bartizan::client::ClientWithMiddleware;
use bartizan::outbound::{Error, find_in_reqwest};
use reqwest::{Method, Url};

/// A service one hop away that does not accept within this is down, not slow.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// For a whole call; longer than the order service waits for its own services, so that its own
/// answer is heard.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest answer that is passed on, in bytes; the services' are a few hundred.
pub const MAX_BODY: usize = 1 << 20;

/// What of an answer's headers is passed on.
const PASSED_BACK: [HeaderName; 4] = [
    header::CACHE_CONTROL,
    header::CONTENT_TYPE,
    header::LOCATION,
    header::RETRY_AFTER,
];

/// A service, as the gateway sees it; clones share connections.
#[derive(Debug, Clone)]
pub struct Upstream {
    name: &'static str,
    client: ClientWithMiddleware,
    base: Url,
}

/// An answer to pass on: a success, or a problem of the client's own, or one that will be over soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why there is no answer to pass on.
#[derive(Debug, thiserror::Error)]
#[error("the {service} {what}")]
pub(crate) struct UpstreamError {
    service: &'static str,
    #[source]
    what: What,
}

#[derive(Debug, thiserror::Error)]
enum What {
    /// Its circuit is open; when it may be worth another try.
    #[error("is failing, and is left alone for a while")]
    LeftAlone(Option<Duration>),
    #[error("did not answer in time")]
    Timeout(#[source] reqwest_middleware::Error),
    #[error("cannot be reached")]
    Unreachable(#[source] reqwest_middleware::Error),
    #[error("answered {0}")]
    Status(StatusCode),
    #[error("has an answer that is longer than {MAX_BODY} bytes")]
    TooLong,
}

// === impl Upstream ===

impl Upstream {
    /// The service called `name` at `base`, which must be an `http` or `https` URL.
    #[must_use]
    pub const fn new(name: &'static str, client: ClientWithMiddleware, base: Url) -> Self {
        Self { name, client, base }
    }

    pub(crate) async fn get(&self, path: &[&str]) -> Result<Answer, UpstreamError> {
        self.forward(Method::GET, path, HeaderMap::new(), Bytes::new())
            .await
    }

    pub(crate) async fn post(
        &self,
        path: &[&str],
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, UpstreamError> {
        self.forward(Method::POST, path, headers, body).await
    }

    /// Passes a request on and its answer back.
    async fn forward(
        &self,
        method: Method,
        path: &[&str],
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, UpstreamError> {
        let has_body = !body.is_empty();
        let mut request = self.client.request(method, self.url(path)).headers(headers);
        if has_body {
            request = request.body(body);
        }
        let answer = request.send().await.map_err(|error| self.failed(error))?;
        let status = answer.status();
        let is_answer = status.is_success()
            || status.is_client_error()
            // Which says when to come again.
            || status == StatusCode::SERVICE_UNAVAILABLE;
        if !is_answer {
            return Err(self.error(What::Status(status)));
        }
        let headers: HeaderMap = PASSED_BACK
            .into_iter()
            .filter_map(|name| {
                // Answers are kept, and a clone would keep the connection's whole read buffer.
                let value = HeaderValue::from_bytes(answer.headers().get(&name)?.as_bytes());
                Some((name, value.ok()?))
            })
            .collect();
        Ok(Answer {
            status,
            headers,
            body: self.read(answer).await?,
        })
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Only URLs without an authority, such as `mailto:`, have no path to extend.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// Reads the whole body, but never more than [`MAX_BODY`].
    async fn read(&self, mut answer: reqwest::Response) -> Result<Bytes, UpstreamError> {
        let mut body = Vec::new();
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| self.failed(error.into()))?
        {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(self.error(What::TooLong));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.into())
    }

    fn failed(&self, error: reqwest_middleware::Error) -> UpstreamError {
        self.error(match find_in_reqwest(&error) {
            Some(Error::CircuitOpen(rejected)) => What::LeftAlone(rejected.retry_after()),
            Some(_) => What::Timeout(error),
            // A connection that could not be opened in time is still one that could not be opened.
            None if error.is_timeout() && !error.is_connect() => What::Timeout(error),
            None => What::Unreachable(error),
        })
    }

    const fn error(&self, what: What) -> UpstreamError {
        UpstreamError {
            service: self.name,
            what,
        }
    }
}

// === impl Answer ===

impl Answer {
    /// Whether asking again would be answered the same: it is neither a failure nor one that says
    /// when to come again.
    pub(crate) fn is_final(&self) -> bool {
        !self.status.is_server_error() && !self.headers.contains_key(header::RETRY_AFTER)
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        let header = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len();
        self.body.len() + self.headers.iter().map(header).sum::<usize>()
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, self.headers, self.body).into_response()
    }
}

// === impl UpstreamError ===

impl IntoResponse for UpstreamError {
    fn into_response(self) -> Response {
        let cause = std::error::Error::source(&self.what).map(tracing::field::display);
        tracing::warn!(cause, "{self}");
        let status = match self.what {
            What::LeftAlone(_) => StatusCode::SERVICE_UNAVAILABLE,
            What::Timeout(_) => StatusCode::GATEWAY_TIMEOUT,
            What::Unreachable(_) | What::Status(_) | What::TooLong => StatusCode::BAD_GATEWAY,
        };
        let problem = Problem::new(status).with_detail(self.to_string());
        match self.what {
            What::LeftAlone(Some(wait)) => problem.with_retry_after(wait),
            _ => problem,
        }
        .into_response()
    }
}
