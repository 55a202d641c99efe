use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::uri::{Authority, Scheme};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Whoever answers the requests.
pub trait Target: Clone + Send + Sync + 'static {
    /// Sends a request, whose URI is a path, and gives its whole answer, or says why there is none.
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Answer, String>> + Send + 'static;
}

/// An answer, read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a target of one's own makes it")]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// When to ask again, if it says so in seconds.
    pub retry_after: Option<Duration>,
    /// Its body.
    pub body: Bytes,
}

/// A server, over plain HTTP; clones share connections. Not traced: every trace begins in the
/// server.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    authority: Authority,
}

/// Whether a server that is not on this machine may be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it may or it may not")]
pub enum Remote {
    /// Only loopback.
    Refused,
    /// Whatever was named: somebody said so.
    Allowed,
}

/// A target that cannot or may not be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTarget {
    /// It is no URL of a server.
    #[error("`{0}` is not a plain URL of a server such as http://127.0.0.1:8080")]
    Url(String),
    /// It is another machine.
    #[error("`{0}` is not on this machine; --remote loads it all the same")]
    Remote(String),
}

// === impl Http ===

impl Http {
    /// The server at `url`: `http`, a host and perhaps a port.
    ///
    /// # Errors
    ///
    /// When it is anything else, or another machine and that is refused.
    pub fn new(url: &str, remote: Remote) -> Result<Self, InvalidTarget> {
        let invalid = || InvalidTarget::Url(url.to_owned());
        let parts = url.parse::<Uri>().map_err(|_| invalid())?.into_parts();
        let is_root = parts.path_and_query.is_none_or(|path| path == "/");
        let authority = parts.authority.ok_or_else(invalid)?;
        if parts.scheme != Some(Scheme::HTTP) || !is_root || authority.as_str().contains('@') {
            return Err(invalid());
        }
        if remote == Remote::Refused && !is_loopback(authority.host()) {
            return Err(InvalidTarget::Remote(url.to_owned()));
        }
        Ok(Self::of(authority))
    }

    /// The server at this address.
    #[expect(
        clippy::missing_panics_doc,
        reason = "an address is written the way an authority has it"
    )]
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        let authority = Authority::try_from(address.to_string());
        Self::of(authority.expect("an address is an authority"))
    }

    fn of(authority: Authority) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            authority,
        }
    }
}

impl Target for Http {
    fn send(
        &self,
        mut request: Request<Bytes>,
    ) -> impl Future<Output = Result<Answer, String>> + Send + 'static {
        let (client, authority) = (self.client.clone(), self.authority.clone());
        async move {
            let path = request.uri().path_and_query().cloned();
            let mut uri = Uri::builder().scheme(Scheme::HTTP).authority(authority);
            if let Some(path) = path {
                uri = uri.path_and_query(path);
            }
            *request.uri_mut() = uri.build().map_err(|error| error.to_string())?;
            let request = request.map(Full::new);
            let answer = client.request(request).await;
            let (head, body) = answer.map_err(|error| said(&error))?.into_parts();
            let retry_after = head.headers.get(RETRY_AFTER);
            let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
            let body = body.collect().await.map_err(|error| said(&error))?;
            Ok(Answer {
                status: head.status,
                retry_after: retry_after.map(Duration::from_secs),
                body: body.to_bytes(),
            })
        }
    }
}

/// The error with its causes: hyper's own words alone say little.
fn said(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said.push_str(": ");
        said.push_str(&error.to_string());
        cause = error.source();
    }
    said
}

/// By its name alone: a name that resolves to loopback today may not tomorrow.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loaded_unless_somebody_says_so() {
        for url in [
            "http://127.0.0.1:8080",
            "http://127.1.2.3",
            "http://localhost:80/",
            "http://[::1]:8080",
        ] {
            assert!(Http::new(url, Remote::Refused).is_ok(), "{url}");
        }
        for url in [
            "http://10.0.0.1:8080",
            "http://localhost.example.org",
            "http://[::2]",
        ] {
            let error = Http::new(url, Remote::Refused).unwrap_err();
            assert_eq!(error, InvalidTarget::Remote(url.to_owned()));
            assert!(Http::new(url, Remote::Allowed).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_target_is_a_plain_url_of_a_server() {
        for url in [
            "",
            "localhost:8080",
            "/orders",
            "https://localhost",
            "http://localhost/orders",
            "http://localhost/?a",
            "http://user@localhost",
        ] {
            let error = Http::new(url, Remote::Allowed).unwrap_err();
            assert_eq!(error, InvalidTarget::Url(url.to_owned()));
        }
    }
}
