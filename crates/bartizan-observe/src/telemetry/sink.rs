//! Exporters of any kind behind one face, with a typed result.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::logs::{LogBatch, LogExporter, SdkLogRecord};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::transport::{Handed, Sent, Transport};

/// A log record as it waits for its export.
pub(super) type LogItem = (SdkLogRecord, InstrumentationScope);

/// What is the same whatever the batches are of: the last one as it was encoded, where the transport
/// is ours and keeps it.
pub(super) trait Outlet: Send {
    /// Whether a batch can be sent again, which takes a transport of ours.
    fn can_resend(&self) -> bool;

    /// Sends the last batch again.
    fn resend(&mut self) -> Sending<'_>;

    /// What the last batch was encoded to, if that is known.
    fn message(&self) -> Option<Bytes>;

    /// The last batch is settled and is not sent again.
    fn forget(&mut self);

    /// Tells whether the current batch has left.
    fn handed(&self) -> Handed;
}

/// Where a pipeline's batches go.
pub(super) trait Sink<T>: Outlet {
    /// Sends one batch. Dropping the future gives the batch up.
    fn send(&mut self, batch: Vec<T>) -> Sending<'_>;

    /// Encodes a batch without sending it; it is then the last one. Where that cannot be done,
    /// there is no [message](Outlet::message) afterwards.
    fn encode(&mut self, _batch: Vec<T>) -> Encoding<'_> {
        Box::pin(std::future::ready(()))
    }

    /// Describes the service that the items come from.
    fn set_resource(&mut self, resource: &Resource);

    /// Metrics only: sums since the start, or since the last collection.
    fn temporality(&self) -> Temporality {
        Temporality::default()
    }
}

/// Encoding has no result but [`Outlet::message`].
pub(super) type Encoding<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

pub(super) type Sending<'a> = Pin<Box<dyn Future<Output = Sent> + Send + 'a>>;

/// An exporter, and the transport beneath it when that is ours.
pub(super) struct Exporting<E> {
    exporter: E,
    transport: Option<Arc<Transport>>,
}

// === impl Exporting ===

impl<E> Exporting<E> {
    /// An exporter about which nothing is known but what it returns.
    pub(super) const fn foreign(exporter: E) -> Self {
        Self {
            exporter,
            transport: None,
        }
    }

    pub(super) const fn over(transport: Arc<Transport>, exporter: E) -> Self {
        Self {
            exporter,
            transport: Some(transport),
        }
    }
}

impl<E: Send + Sync> Outlet for Exporting<E> {
    fn can_resend(&self) -> bool {
        self.transport.is_some()
    }

    fn resend(&mut self) -> Sending<'_> {
        match self.transport.as_deref() {
            Some(transport) => Box::pin(async move {
                match caught(transport.resend()).await {
                    Some(sent) => sent,
                    None => unanswered(transport),
                }
            }),
            None => Box::pin(std::future::ready(Sent::Failed)),
        }
    }

    fn message(&self) -> Option<Bytes> {
        self.transport.as_ref()?.message()
    }

    fn forget(&mut self) {
        self.transport
            .iter()
            .for_each(|transport| transport.forget());
    }

    fn handed(&self) -> Handed {
        self.transport
            .as_ref()
            .map_or_else(Handed::assumed, |transport| transport.handed())
    }
}

impl<E: SpanExporter> Sink<SpanData> for Exporting<E> {
    fn send(&mut self, batch: Vec<SpanData>) -> Sending<'_> {
        let transport = self.transport.as_deref();
        Box::pin(typed(transport, self.exporter.export(batch)))
    }

    fn encode(&mut self, batch: Vec<SpanData>) -> Encoding<'_> {
        let transport = self.transport.as_deref();
        Box::pin(encoded(transport, || self.exporter.export(batch)))
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: LogExporter> Sink<LogItem> for Exporting<E> {
    fn send(&mut self, batch: Vec<LogItem>) -> Sending<'_> {
        let (exporter, transport) = (&self.exporter, self.transport.as_deref());
        Box::pin(async move {
            let refs: Vec<_> = batch
                .iter()
                .map(|(record, scope)| (record, scope))
                .collect();
            typed(transport, exporter.export(LogBatch::new(&refs))).await
        })
    }

    fn encode(&mut self, batch: Vec<LogItem>) -> Encoding<'_> {
        let (exporter, transport) = (&self.exporter, self.transport.as_deref());
        Box::pin(async move {
            let refs: Vec<_> = batch
                .iter()
                .map(|(record, scope)| (record, scope))
                .collect();
            encoded(transport, || exporter.export(LogBatch::new(&refs))).await;
        })
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: PushMetricExporter> Sink<ResourceMetrics> for Exporting<E> {
    fn send(&mut self, batch: Vec<ResourceMetrics>) -> Sending<'_> {
        let (exporter, transport) = (&self.exporter, self.transport.as_deref());
        Box::pin(async move {
            let mut sent = Sent::Acknowledged { rejected: 0 };
            // The queue gives collections out one by one.
            for metrics in &batch {
                sent = typed(transport, exporter.export(metrics)).await;
            }
            sent
        })
    }

    /// Collections carry it already.
    fn set_resource(&mut self, _resource: &Resource) {}

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

/// Runs an export and says what became of it.
async fn typed(transport: Option<&Transport>, export: impl Future<Output = OTelSdkResult>) -> Sent {
    let result = caught(export).await;
    match (transport, result) {
        // No result: the exporter failed before it got to its transport, which is at encoding, or
        // the transport panicked over the answer.
        (Some(transport), _) => transport.take().unwrap_or_else(|| unanswered(transport)),
        (None, Some(Ok(()))) => Sent::Acknowledged { rejected: 0 },
        (None, Some(Err(OTelSdkError::Timeout(_))) | None) => Sent::Unconfirmed,
        (None, Some(Err(_))) => Sent::Failed,
    }
}

/// Runs an export up to where its bytes would be sent, and leaves these with the transport.
async fn encoded<F: Future>(transport: Option<&Transport>, export: impl FnOnce() -> F) {
    let Some(transport) = transport else { return };
    // So that a batch that cannot be encoded does not pass for the one before.
    transport.forget();
    transport.hold();
    let _taken = caught(export()).await;
    transport.release();
}

fn unanswered(transport: &Transport) -> Sent {
    if transport.handed().revoke_request() {
        Sent::Unreadable
    } else {
        Sent::Encoding
    }
}

/// `None` when `future` panics: one bad batch must not end the pipeline.
pub(super) async fn caught<F: Future>(future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| {
        // A panicked future is not polled again, so nothing sees it half-changed.
        match std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}
