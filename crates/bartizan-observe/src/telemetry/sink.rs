//! Exporters of any kind behind one face, with a typed result.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

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

/// Where a pipeline's batches go.
pub(super) trait Sink<T>: Send {
    /// Sends one batch. Dropping the future gives the batch up.
    fn send(&mut self, batch: Vec<T>) -> Sending<'_>;

    /// Describes the service that the items come from.
    fn set_resource(&mut self, resource: &Resource);

    /// Tells whether the current batch has left.
    fn handed(&self) -> Handed;

    /// Metrics only: sums since the start, or since the last collection.
    fn temporality(&self) -> Temporality {
        Temporality::default()
    }
}

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

    fn noted(&self) -> Handed {
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

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }

    fn handed(&self) -> Handed {
        self.noted()
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

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }

    fn handed(&self) -> Handed {
        self.noted()
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

    fn handed(&self) -> Handed {
        self.noted()
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

/// Runs an export and says what became of it.
async fn typed(transport: Option<&Transport>, export: impl Future<Output = OTelSdkResult>) -> Sent {
    let result = caught(export).await;
    match (transport, result) {
        (Some(transport), _) => transport.take().unwrap_or_else(|| {
            // No result: the exporter failed before it got to its transport, which is at encoding,
            // or the transport panicked over the answer.
            if transport.handed().is_set() {
                Sent::Unconfirmed
            } else {
                Sent::Encoding
            }
        }),
        (None, Some(Ok(()))) => Sent::Acknowledged { rejected: 0 },
        (None, Some(Err(OTelSdkError::Timeout(_))) | None) => Sent::Unconfirmed,
        (None, Some(Err(_))) => Sent::Failed,
    }
}

/// `None` when `future` panics: one bad batch must not end the pipeline.
async fn caught<F: Future>(future: F) -> Option<F::Output> {
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
