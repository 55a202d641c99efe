use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bartizan::Problem;
use bartizan::client::ClientWithMiddleware;
use reqwest::{Method, Url};

/// A service one hop away that does not accept within this is down, not slow.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// From sending to the end of the answer; longer than the order service waits for its database, so
/// that its own answer is heard.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest answer that is passed on, in bytes; the order service's are a few hundred.
pub const MAX_BODY: usize = 1 << 20;

/// What of an answer's headers is passed on.
const PASSED_BACK: [HeaderName; 4] = [
    header::CACHE_CONTROL,
    header::CONTENT_TYPE,
    header::LOCATION,
    header::RETRY_AFTER,
];

/// The order service, as the gateway sees it; clones share connections.
#[derive(Debug, Clone)]
pub struct Upstream {
    client: ClientWithMiddleware,
    base: Url,
}

/// Why there is no answer to pass on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("the order service did not answer in time")]
    Timeout(#[source] reqwest_middleware::Error),
    #[error("the order service cannot be reached")]
    Unreachable(#[source] reqwest_middleware::Error),
    #[error("the order service answered {0}")]
    Status(StatusCode),
    #[error("the order service's answer is longer than {MAX_BODY} bytes")]
    TooLong,
}

// === impl Upstream ===

impl Upstream {
    /// The order service at `base`, which must be an `http` or `https` URL.
    #[must_use]
    pub const fn new(client: ClientWithMiddleware, base: Url) -> Self {
        Self { client, base }
    }

    pub(crate) async fn get(&self, path: &[&str]) -> Result<Response, UpstreamError> {
        self.forward(Method::GET, path, None).await
    }

    pub(crate) async fn post(
        &self,
        path: &[&str],
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Response, UpstreamError> {
        self.forward(Method::POST, path, Some((headers, body)))
            .await
    }

    /// Passes a request on and its answer back, if it is one for the client: a success, or a
    /// problem of the client's own.
    async fn forward(
        &self,
        method: Method,
        path: &[&str],
        body: Option<(&HeaderMap, Bytes)>,
    ) -> Result<Response, UpstreamError> {
        let mut request = self.client.request(method, self.url(path));
        if let Some((headers, body)) = body {
            if let Some(kind) = headers.get(header::CONTENT_TYPE) {
                request = request.header(header::CONTENT_TYPE, kind);
            }
            request = request.body(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        if !status.is_success() && !status.is_client_error() {
            return Err(UpstreamError::Status(status));
        }
        let headers: HeaderMap = PASSED_BACK
            .into_iter()
            .filter_map(|name| Some((name.clone(), answer.headers().get(name)?.clone())))
            .collect();
        let body = read(answer).await?;
        Ok((status, headers, body).into_response())
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Only URLs without an authority, such as `mailto:`, have no path to extend.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}

/// Reads the whole body, but never more than [`MAX_BODY`].
async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>, UpstreamError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(reqwest_middleware::Error::from)?
    {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(UpstreamError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

// === impl UpstreamError ===

impl From<reqwest_middleware::Error> for UpstreamError {
    fn from(error: reqwest_middleware::Error) -> Self {
        // A connection that could not be opened in time is still one that could not be opened.
        if error.is_timeout() && !error.is_connect() {
            Self::Timeout(error)
        } else {
            Self::Unreachable(error)
        }
    }
}

impl IntoResponse for UpstreamError {
    fn into_response(self) -> Response {
        let cause = std::error::Error::source(&self).map(tracing::field::display);
        tracing::warn!(cause, "{self}");
        let status = match self {
            Self::Timeout(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Unreachable(_) | Self::Status(_) | Self::TooLong => StatusCode::BAD_GATEWAY,
        };
        Problem::new(status)
            .with_detail(self.to_string())
            .into_response()
    }
}
