//! An OTLP receiver that keeps everything.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bartizan_panel::{
    BindError, Receiver, Sink,
    view::{self, LogView, PointView, SpanView},
};
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
    trace::v1::ExportTraceServiceRequest,
};
use tokio::{sync::watch, time::timeout};

/// An in-process OTLP receiver on loopback, gRPC and HTTP, that keeps everything it is sent, in
/// the order of arrival and unbounded: for tests, not for services.
///
/// ```
/// use std::time::Duration;
///
/// use bartizan_testkit::OtlpSink;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let sink = OtlpSink::start().await?;
/// // ... point an exporter at `sink.endpoint_grpc()` or `sink.endpoint_http()`, make spans ...
/// # let due = Duration::from_millis(1);
/// let missing = sink.wait_for(|sink| sink.spans().len() == 1, due).await.unwrap_err();
/// assert_eq!(missing.to_string(), "not met within 1ms: 0 spans, 0 log records, 0 metric points");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct OtlpSink {
    receiver: Receiver,
    shared: Arc<Shared>,
}

/// What was waited for did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not met within {limit:?}: {spans} spans, {logs} log records, {points} metric points")]
#[non_exhaustive]
pub struct WaitError {
    /// How long it was waited for.
    pub limit: Duration,
    /// How many spans had arrived.
    pub spans: usize,
    /// How many log records had arrived.
    pub logs: usize,
    /// How many metric points had arrived.
    pub points: usize,
}

struct Shared {
    kept: Mutex<Kept>,
    /// Counts deliveries, to wake who waits for them.
    deliveries: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    spans: Vec<SpanView>,
    logs: Vec<LogView>,
    points: Vec<PointView>,
    invalid: u64,
}

// === impl OtlpSink ===

impl OtlpSink {
    /// Listens on two free ports of `127.0.0.1`, on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// The system has no port or handle left.
    pub async fn start() -> Result<Self, BindError> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let shared = Arc::new(Shared {
            kept: Mutex::default(),
            deliveries: watch::Sender::new(0),
        });
        let receiver = Receiver::bind(any, any, shared.clone()).await?;
        Ok(Self { receiver, shared })
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` is to say for OTLP/gRPC.
    #[must_use]
    pub fn endpoint_grpc(&self) -> String {
        format!("http://{}", self.receiver.grpc_addr())
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` is to say for OTLP/HTTP; exporters add `/v1/traces` and so on.
    #[must_use]
    pub fn endpoint_http(&self) -> String {
        format!("http://{}", self.receiver.http_addr())
    }

    /// All spans so far. A span that was sent twice is here twice.
    #[must_use]
    pub fn spans(&self) -> Vec<SpanView> {
        self.shared.lock().spans.clone()
    }

    /// All log records so far.
    #[must_use]
    pub fn logs(&self) -> Vec<LogView> {
        self.shared.lock().logs.clone()
    }

    /// All metric points so far, those of every export.
    #[must_use]
    pub fn metrics(&self) -> Vec<PointView> {
        self.shared.lock().points.clone()
    }

    /// The latest point of each series of a metric, in no particular order.
    #[must_use]
    pub fn latest(&self, metric: &str) -> Vec<PointView> {
        let mut latest: Vec<PointView> = Vec::new();
        for point in self
            .shared
            .lock()
            .points
            .iter()
            .filter(|point| point.name == metric)
        {
            let same = |known: &&mut PointView| {
                known.attributes == point.attributes && known.resource == point.resource
            };
            match latest.iter_mut().find(same) {
                Some(known) => known.clone_from(point),
                None => latest.push(point.clone()),
            }
        }
        latest
    }

    /// How many spans came with ids that the specification forbids; they are not among the spans.
    #[must_use]
    pub fn invalid(&self) -> u64 {
        self.shared.lock().invalid
    }

    /// Returns as soon as `condition` holds, which is asked anew after each delivery.
    ///
    /// With tokio's clock paused the limit passes at once while data is still on the network, so
    /// leave the clock running.
    ///
    /// # Errors
    ///
    /// It did not hold within `limit`; the error says what had arrived.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn wait_for(
        &self,
        mut condition: impl FnMut(&Self) -> bool,
        limit: Duration,
    ) -> Result<(), WaitError> {
        let mut deliveries = self.shared.deliveries.subscribe();
        let met = async {
            while !condition(self) {
                // The sender lives in `self`, so this is a delivery.
                let _delivery = deliveries.changed().await;
            }
        };
        timeout(limit, met).await.map_err(|_| {
            let kept = self.shared.lock();
            let (spans, logs, points) = (kept.spans.len(), kept.logs.len(), kept.points.len());
            WaitError {
                limit,
                spans,
                logs,
                points,
            }
        })
    }

    /// Ends the receiver gracefully and gives up the ports. Dropping the sink ends it at once.
    pub async fn stop(self) {
        self.receiver.stop().await;
    }
}

// === impl Shared ===

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn delivered(&self) {
        self.deliveries
            .send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.lock();
        f.debug_struct("Shared")
            .field("spans", &kept.spans.len())
            .field("logs", &kept.logs.len())
            .field("points", &kept.points.len())
            .finish_non_exhaustive()
    }
}

impl Sink for Shared {
    fn on_traces(&self, request: ExportTraceServiceRequest) {
        let spans = view::spans(request);
        {
            let mut kept = self.lock();
            kept.spans.extend(spans.records);
            kept.invalid += spans.invalid;
        }
        self.delivered();
    }

    fn on_metrics(&self, request: ExportMetricsServiceRequest) {
        self.lock().points.extend(view::points(request).records);
        self.delivered();
    }

    fn on_logs(&self, request: ExportLogsServiceRequest) {
        self.lock().logs.extend(view::logs(request).records);
        self.delivered();
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::{
        collector::trace::v1::trace_service_client::TraceServiceClient,
        trace::v1::{ResourceSpans, ScopeSpans, Span},
    };

    use super::*;

    #[test]
    fn a_sink_can_be_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<OtlpSink>();
        shared::<WaitError>();
    }

    #[tokio::test]
    async fn who_waits_for_a_span_is_woken_by_it() {
        let sink = OtlpSink::start().await.unwrap();
        let mut client = TraceServiceClient::connect(sink.endpoint_grpc())
            .await
            .unwrap();
        let span = Span {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            name: "GET".to_owned(),
            ..Span::default()
        };
        let scope_spans = vec![ScopeSpans {
            spans: vec![span],
            ..ScopeSpans::default()
        }];
        let resource_spans = vec![ResourceSpans {
            scope_spans,
            ..ResourceSpans::default()
        }];
        let arrived = sink.wait_for(|sink| !sink.spans().is_empty(), Duration::from_secs(30));
        let sent = client.export(ExportTraceServiceRequest { resource_spans });
        let (arrived, sent) = tokio::join!(arrived, sent);
        arrived.unwrap();
        sent.unwrap();
        assert_eq!(sink.spans()[0].name, "GET");
        assert_eq!(sink.spans()[0].service(), "unknown_service");
        drop(client);
        sink.stop().await;
    }
}
