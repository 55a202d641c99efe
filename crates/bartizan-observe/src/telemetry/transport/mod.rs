//! What carries the exporters' bytes: OTLP over HTTP/1.1 or gRPC, with a typed result.
//!
//! `opentelemetry-otlp` encodes; its own transports tell the outcome as text at best. Ours takes
//! the place of its HTTP client, speaks either protocol, and leaves a [`Sent`] behind for the
//! pipeline to count.

mod answer;
mod body;
mod grpc;
mod handed;
mod heard;
mod http;
mod sent;
mod signal;
mod sync;

use std::fmt;
use std::future::Future;
use std::io::Read;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::header::CONTENT_ENCODING;
use ::http::{HeaderMap, Request, Response};
use bytes::Bytes;
use flate2::read::GzDecoder;
use opentelemetry_http::{HttpClient, HttpError};

use super::config::{Destination, OtlpProtocol};
use super::tls::{self, TlsError};
pub(super) use handed::{Handed, Ticket};
pub(super) use sent::{Refusal, RefusedBy, Sent};
pub(super) use signal::Signal;

/// The connection to the far side for one signal.
#[derive(Debug)]
pub(super) struct Transport {
    wire: Wire,
    timeout: Duration,
    handed: Handed,
    sent: Mutex<Option<Sent>>,
    /// What was sent last, in case it is to be sent again.
    message: Mutex<Option<Bytes>>,
    /// Messages are taken and not sent.
    holding: Mutex<bool>,
}

enum Wire {
    Http(Box<http::Client>),
    Grpc(Box<grpc::Client>),
}

/// The exporter is told only that it failed; what happened is in [`Sent`].
#[derive(Debug, thiserror::Error)]
#[error("the export failed")]
struct ExportFailed;

// === impl Transport ===

impl Transport {
    pub(super) fn new(signal: Signal, to: &Destination) -> Result<Arc<Self>, TlsError> {
        let connector = tls::connector(to)?;
        let wire = match to.protocol {
            OtlpProtocol::HttpProtobuf => {
                Wire::Http(Box::new(http::Client::new(signal, to, connector)))
            }
            OtlpProtocol::Grpc => Wire::Grpc(Box::new(grpc::Client::new(signal, to, connector))),
        };
        Ok(Arc::new(Self {
            wire,
            timeout: to.timeout,
            handed: Handed::new(),
            sent: Mutex::default(),
            message: Mutex::default(),
            holding: Mutex::default(),
        }))
    }

    /// Says whether the request that is being sent has been given to a connection.
    pub(super) fn handed(&self) -> Handed {
        self.handed.clone()
    }

    /// Takes the result of the last request; `None` when the exporter has sent none.
    pub(super) fn take(&self) -> Option<Sent> {
        lock(&self.sent).take()
    }

    /// Sends the last message again.
    pub(super) async fn resend(&self) -> Sent {
        let message = lock(&self.message).clone();
        match message {
            Some(message) => self.send(message).await,
            None => Sent::Encoding,
        }
    }

    /// The last message, as long as it is not [forgotten](Self::forget).
    pub(super) fn message(&self) -> Option<Bytes> {
        lock(&self.message).clone()
    }

    /// Keeps what the exporter gives it from now on, and sends nothing.
    pub(super) fn hold(&self) {
        *lock(&self.holding) = true;
    }

    /// Sends again.
    pub(super) fn release(&self) {
        *lock(&self.holding) = false;
    }

    /// Gives the memory of the last message back.
    pub(super) fn forget(&self) {
        drop(lock(&self.message).take());
    }

    /// Sends a message that comes from elsewhere.
    pub(super) async fn send(&self, message: Bytes) -> Sent {
        let ticket = self.handed.begin();
        let answer = async {
            match &self.wire {
                Wire::Http(client) => client.send(message, ticket).await,
                Wire::Grpc(client) => client.send(message, self.timeout, ticket).await,
            }
        };
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(Some(sent)) => sent,
            // No answer: it depends on how far the request had come.
            Ok(None) | Err(_) if self.handed.revoke_request() => Sent::Unconfirmed,
            Ok(None) | Err(_) => Sent::Unreachable,
        }
    }
}

impl HttpClient for Transport {
    /// Sends the body alone: address, headers and compression are those of our own configuration,
    /// because the exporter reads some from the environment by itself.
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let sent = match plain(request) {
                Some(message) => {
                    *lock(&self.message) = Some(message.clone());
                    if *lock(&self.holding) {
                        return Ok(Response::new(Bytes::new()));
                    }
                    self.send(message).await
                }
                None => Sent::Encoding,
            };
            let acknowledged = matches!(sent, Sent::Acknowledged { .. });
            *lock(&self.sent) = Some(sent);
            if acknowledged {
                Ok(Response::new(Bytes::new()))
            } else {
                Err(ExportFailed.into())
            }
        })
    }
}

/// Nothing panics half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The message as it was before the exporter compressed it, which it does where some crate has
/// switched its compression on and the environment asks for it.
fn plain(request: Request<Bytes>) -> Option<Bytes> {
    let Some(encoding) = request.headers().get(CONTENT_ENCODING) else {
        return Some(request.into_body());
    };
    if encoding != "gzip" {
        return None;
    }
    let mut message = Vec::new();
    GzDecoder::new(&request.body()[..])
        .read_to_end(&mut message)
        .ok()?;
    Some(message.into())
}

// === impl Wire ===

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the headers: they hold credentials.
        f.write_str(match self {
            Self::Http(_) => "Http",
            Self::Grpc(_) => "Grpc",
        })
    }
}

/// How every request of ours introduces itself, as the specification of OTLP exporters asks.
const USER_AGENT: &str = concat!(
    "OTel-OTLP-Exporter-Rust/0.33 bartizan/",
    env!("CARGO_PKG_VERSION")
);

fn headers(to: &Destination) -> HeaderMap {
    let mut headers = to.headers.clone();
    headers
        .entry(::http::header::USER_AGENT)
        .or_insert(::http::HeaderValue::from_static(USER_AGENT));
    headers
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn what_the_exporter_compressed_is_taken_out_again() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(b"spans").unwrap();
        let gzip = Bytes::from(gzip.finish().unwrap());
        for (encoding, body, expected) in [
            (None, Bytes::from_static(b"spans"), Some("spans")),
            (Some("gzip"), gzip, Some("spans")),
            (Some("gzip"), Bytes::from_static(b"spans"), None),
            (Some("zstd"), Bytes::from_static(b"spans"), None),
        ] {
            let mut request = Request::new(body);
            if let Some(encoding) = encoding {
                let encoding = ::http::HeaderValue::from_static(encoding);
                request.headers_mut().insert(CONTENT_ENCODING, encoding);
            }
            let expected = expected.map(|text| Bytes::from_static(text.as_bytes()));
            assert_eq!(plain(request), expected, "{encoding:?}");
        }
    }
}
