//! An embedded OTLP receiver: gRPC and HTTP, on a listener each.

mod grpc;
mod http;
mod server;
mod signal;
mod size;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
    trace::v1::ExportTraceServiceRequest,
};

pub use self::size::{MAX_PARTS, MAX_RECORDS};

/// The longest message that is taken, in bytes, compressed or not: what gRPC servers (the
/// OpenTelemetry collector among them) take when nobody configures them.
pub const DEFAULT_MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// The most connections a listener serves at once; further ones wait in the kernel's backlog.
/// Exporters hold one each, so this is more process than a machine for development runs.
pub const MAX_CONNECTIONS: usize = 256;

/// How long [`Receiver::stop`] lets requests under way finish. Taking a message is a matter of
/// milliseconds; whoever has not sent one by then has stalled.
pub const STOP_GRACE: Duration = Duration::from_secs(2);

/// What takes the received requests.
///
/// Calls come from several tasks at once, in the order each connection sent them, and hold up the
/// answer to the sender: do not block. Implement it to keep OTLP data in a way of your own.
pub trait Sink: Send + Sync + 'static {
    /// Spans have arrived.
    fn on_traces(&self, request: ExportTraceServiceRequest);
    /// Metric points have arrived.
    fn on_metrics(&self, request: ExportMetricsServiceRequest);
    /// Log records have arrived.
    fn on_logs(&self, request: ExportLogsServiceRequest);
    /// A request was refused, and not unpacked, because it holds more than [`MAX_RECORDS`] records
    /// or [`MAX_PARTS`] parts. Unless it is implemented, nothing happens.
    fn on_refused(&self) {}
}

/// A running OTLP receiver. Dropping it ends it at once; [`stop`](Self::stop) ends it gracefully.
#[derive(Debug)]
pub struct Receiver {
    grpc: server::Server,
    http: server::Server,
}

/// A listener of the receiver could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot bind the OTLP/{listener} listener to {addr}: {source}")]
#[non_exhaustive]
pub struct BindError {
    /// Which listener: `gRPC` or `HTTP`.
    pub listener: &'static str,
    /// The address it was to be bound to.
    pub addr: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

// === impl Receiver ===

impl Receiver {
    /// Binds both listeners and serves them on the current tokio runtime. A port of 0 takes any
    /// that is free.
    ///
    /// # Errors
    ///
    /// Names the listener and the address that could not be bound; nothing is left running.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O and time enabled.
    pub async fn bind(
        grpc: SocketAddr,
        http: SocketAddr,
        sink: Arc<dyn Sink>,
    ) -> Result<Self, BindError> {
        // Both are bound before either serves, so that a failure leaves nothing behind.
        let grpc = server::Bound::new("gRPC", grpc).await?;
        let http = server::Bound::new("HTTP", http).await?;
        Ok(Self {
            grpc: grpc.serve(grpc::router(Arc::clone(&sink), DEFAULT_MAX_MESSAGE_BYTES)),
            http: http.serve(http::router(sink, DEFAULT_MAX_MESSAGE_BYTES)),
        })
    }

    /// Where OTLP/gRPC is taken.
    #[must_use]
    pub const fn grpc_addr(&self) -> SocketAddr {
        self.grpc.addr()
    }

    /// Where OTLP/HTTP is taken.
    #[must_use]
    pub const fn http_addr(&self) -> SocketAddr {
        self.http.addr()
    }

    /// Takes no new connections, lets requests under way finish for at most [`STOP_GRACE`], and
    /// returns when no task of the receiver is left.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the receiver at once.
    pub async fn stop(self) {
        tokio::join!(self.grpc.stop(), self.http.stop());
    }
}

#[cfg(test)]
mod tests;
