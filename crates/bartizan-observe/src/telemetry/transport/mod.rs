//! What carries the exporters' bytes: OTLP over HTTP/1.1 or gRPC, with a typed result.
//!
//! `opentelemetry-otlp` encodes; its own transports tell the outcome as text at best. Ours takes
//! the place of its HTTP client, speaks either protocol, and leaves a [`Sent`] behind for the
//! pipeline to count.

mod answer;
mod body;
mod grpc;
mod http;
mod sent;
mod signal;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::{HeaderMap, Request, Response};
use bytes::Bytes;
use opentelemetry_http::{HttpClient, HttpError};

use super::config::{Destination, OtlpProtocol};
pub(super) use sent::{Handed, Refusal, RefusedBy, Sent};
pub(super) use signal::Signal;

/// The connection to the far side for one signal.
#[derive(Debug)]
pub(super) struct Transport {
    wire: Wire,
    timeout: Duration,
    handed: Handed,
    sent: Mutex<Option<Sent>>,
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
    pub(super) fn new(signal: Signal, to: &Destination) -> Arc<Self> {
        let wire = match to.protocol {
            OtlpProtocol::HttpProtobuf => Wire::Http(Box::new(http::Client::new(signal, to))),
            OtlpProtocol::Grpc => Wire::Grpc(Box::new(grpc::Client::new(signal, to))),
        };
        Arc::new(Self {
            wire,
            timeout: to.timeout,
            handed: Handed::default(),
            sent: Mutex::default(),
        })
    }

    /// Says whether the batch that is being sent has been given to a connection.
    pub(super) fn handed(&self) -> Handed {
        self.handed.clone()
    }

    /// Takes the result of the last request; `None` when the exporter has sent none.
    pub(super) fn take(&self) -> Option<Sent> {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    async fn send(&self, message: Bytes) -> Sent {
        let answer = async {
            match &self.wire {
                Wire::Http(client) => client.send(message, &self.handed).await,
                Wire::Grpc(client) => client.send(message, self.timeout, &self.handed).await,
            }
        };
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(Some(sent)) => sent,
            // No answer: it depends on how far the request had come.
            Ok(None) | Err(_) if self.handed.is_set() => Sent::Unconfirmed,
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
            let sent = self.send(request.into_body()).await;
            let acknowledged = matches!(sent, Sent::Acknowledged { .. });
            *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
            if acknowledged {
                Ok(Response::new(Bytes::new()))
            } else {
                Err(ExportFailed.into())
            }
        })
    }
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
