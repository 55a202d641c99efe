use std::error::Error as _;

use async_trait::async_trait;
use h2::Reason;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next};

/// How often one request is sent again, which is as often as `reqwest` does it by itself.
pub const DEFAULT_MAX_REFUSED: usize = 2;

/// Middleware that sends a request again which the server says it has not touched: a stream that
/// it refused, or one beyond the last when it is going away (RFC 9113, section 8.7).
///
/// Safe for every method, and what makes the restart of a server behind HTTP/2 go unnoticed. At
/// once, without a pause, since the next attempt goes over another connection. A request whose body
/// is a stream can't be sent again.
#[derive(Debug, Clone)]
pub struct RetryRefused {
    max: usize,
}

// === impl RetryRefused ===

impl RetryRefused {
    /// How often one request is sent again. Default: [`DEFAULT_MAX_REFUSED`].
    #[must_use]
    pub const fn with_max(mut self, max: usize) -> Self {
        self.max = max;
        self
    }
}

impl Default for RetryRefused {
    fn default() -> Self {
        Self {
            max: DEFAULT_MAX_REFUSED,
        }
    }
}

#[async_trait]
impl Middleware for RetryRefused {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        for _ in 0..self.max {
            let Some(again) = request.try_clone() else {
                break;
            };
            match next.clone().run(request, extensions).await {
                Err(error) if is_refused(&error) => request = again,
                result => return result,
            }
        }
        next.run(request, extensions).await
    }
}

fn is_refused(error: &Error) -> bool {
    let Error::Reqwest(error) = error else {
        return false;
    };
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(error) = cause.downcast_ref::<h2::Error>() {
            let reason = error.reason();
            return error.is_remote()
                && (error.is_go_away() && reason == Some(Reason::NO_ERROR)
                    || error.is_reset() && reason == Some(Reason::REFUSED_STREAM));
        }
        next = cause.source();
    }
    false
}
