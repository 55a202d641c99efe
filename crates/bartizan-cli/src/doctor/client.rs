//! How others are asked: without a proxy, without following redirects, and within bounds.

use std::error::Error;
use std::time::Duration;

use http::{HeaderMap, HeaderName, StatusCode};

use crate::url::Url;

/// How much of a body is read: a trace or a page of metrics is smaller.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Asks; clones share connections.
#[derive(Debug, Clone)]
pub(super) struct Client(reqwest::Client);

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

// === impl Client ===

impl Client {
    /// One whose answers take no longer than `timeout`.
    pub(super) fn new(timeout: Duration) -> Result<Self, String> {
        // Fails only where there is one already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .user_agent(concat!("bartizan/", env!("CARGO_PKG_VERSION")))
            .build();
        client.map(Self).map_err(|error| with_causes(&error))
    }

    /// What `url` answers to a GET, or why it does not.
    pub(super) async fn get(
        &self,
        url: &Url,
        header: Option<(HeaderName, &str)>,
    ) -> Result<Answer, String> {
        let mut request = self.0.get(url.as_ref().clone());
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let answer = async {
            let mut response = request.send().await?;
            let mut answer = Answer {
                status: response.status(),
                headers: std::mem::take(response.headers_mut()),
                body: Vec::new(),
            };
            while let Some(chunk) = response.chunk().await? {
                if answer.body.len() + chunk.len() > MAX_BODY {
                    return Ok(Err(format!("an answer of more than {MAX_BODY} bytes")));
                }
                answer.body.extend_from_slice(&chunk);
            }
            Ok(Ok(answer))
        };
        answer
            .await
            .unwrap_or_else(|error: reqwest::Error| Err(with_causes(&error.without_url())))
    }
}

/// An error alone often says no more than that something failed.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
