use std::time::Duration;

use axum::http::{StatusCode, header};
use bartizan::client::ClientWithMiddleware;
use bartizan::outbound::{Error, find_in_reqwest};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A service one hop away that does not accept within this is down, not slow.
pub const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// For a whole call. Placing an order takes three calls and undoing it a fourth, and all of them have
/// to fit into the time that the gateway waits.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(1);

/// The longest answer that is read, in bytes; those of the services are a few hundred.
pub const MAX_ANSWER: usize = 64 << 10;

/// The kinds of problem that are the client's to know about.
const REFUSALS: [&str; 3] = [
    "/problems/out-of-stock",
    "/problems/payment-declined",
    "/problems/unknown-product",
];

/// A service that an order needs; clones share connections.
#[derive(Debug, Clone)]
pub struct Upstream {
    name: &'static str,
    client: ClientWithMiddleware,
    base: Url,
}

/// A call has not done what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The service understood and said no, so nothing was done.
    #[error("{}", .0.detail)]
    Refused(Box<Refusal>),
    /// It is failing, and was not asked, or not again. Whether it was done is not known.
    #[error("{service} is failing, and is left alone for a while")]
    LeftAlone {
        /// Who.
        service: &'static str,
        /// When it may be worth another try.
        retry_after: Option<Duration>,
    },
    /// There is no answer in time. Whether it was done is not known.
    #[error("{service} did not answer in time")]
    Timeout {
        /// Who.
        service: &'static str,
        /// What the client said.
        source: reqwest_middleware::Error,
    },
    /// There is no answer, or not all of it. Whether it was done is not known.
    #[error("{service} cannot be reached")]
    Unreachable {
        /// Who.
        service: &'static str,
        /// What the client said.
        source: reqwest_middleware::Error,
    },
    /// The answer is none that makes sense here. Whether it was done is not known.
    #[error("{service} answered {status}{}", if .status.is_success() { " and no sense" } else { "" })]
    Status {
        /// Who.
        service: &'static str,
        /// What it answered with.
        status: StatusCode,
    },
}

/// Why a service said no, as it put it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The status it said it with.
    pub status: StatusCode,
    /// The kind of problem.
    pub kind: String,
    /// What kind that is, for a person.
    pub title: String,
    /// What was wrong this time.
    pub detail: String,
    /// How many there are left, of what is out of stock.
    pub left: Option<i64>,
}

/// What is read of a problem.
#[derive(Deserialize)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    detail: String,
    left: Option<i64>,
}

// === impl Upstream ===

impl Upstream {
    /// The service called `name` at `base`, which must be an `http` or `https` URL.
    #[must_use]
    pub const fn new(name: &'static str, client: ClientWithMiddleware, base: Url) -> Self {
        Self { name, client, base }
    }

    /// Calls it and reads what it answers.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: &Value,
    ) -> Result<T, CallError> {
        let (status, answer) = self.send(method, path, Some(body)).await?;
        serde_json::from_slice(&answer).map_err(|_| self.nonsense(status))
    }

    /// Calls it with what has no answer but that it is done.
    pub(crate) async fn tell(&self, method: Method, path: &[&str]) -> Result<(), CallError> {
        self.send(method, path, None).await.map(drop)
    }

    async fn send(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> Result<(StatusCode, Vec<u8>), CallError> {
        let mut url = self.base.clone();
        // Only URLs without an authority, such as `mailto:`, have no path to extend.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let mut request = self.client.request(method, url);
        if let Some(body) = body {
            let json = (header::CONTENT_TYPE, "application/json");
            request = request.header(json.0, json.1).body(body.to_string());
        }
        let answer = request.send().await.map_err(|error| self.failed(error))?;
        let status = answer.status();
        let body = self.read(answer).await?;
        if status.is_success() {
            return Ok((status, body));
        }
        Err(match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) if REFUSALS.contains(&problem.kind.as_str()) => {
                CallError::Refused(Box::new(Refusal {
                    status,
                    kind: problem.kind,
                    title: problem.title,
                    detail: problem.detail,
                    left: problem.left,
                }))
            }
            _ => self.nonsense(status),
        })
    }

    /// Reads the whole body, but never more than [`MAX_ANSWER`].
    async fn read(&self, mut answer: reqwest::Response) -> Result<Vec<u8>, CallError> {
        let mut body = Vec::new();
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| self.failed(error.into()))?
        {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(self.nonsense(answer.status()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    const fn nonsense(&self, status: StatusCode) -> CallError {
        CallError::Status {
            service: self.name,
            status,
        }
    }

    fn failed(&self, source: reqwest_middleware::Error) -> CallError {
        let service = self.name;
        match find_in_reqwest(&source) {
            Some(Error::CircuitOpen(rejected)) => CallError::LeftAlone {
                service,
                retry_after: rejected.retry_after(),
            },
            Some(_) => CallError::Timeout { service, source },
            // A connection that could not be opened in time is still one that could not be opened.
            None if source.is_timeout() && !source.is_connect() => {
                CallError::Timeout { service, source }
            }
            None => CallError::Unreachable { service, source },
        }
    }
}
