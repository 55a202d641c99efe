//! What was received, within a fixed number of bytes.

mod state;
mod stats;
mod trace;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use opentelemetry::trace::TraceId;
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
    trace::v1::ExportTraceServiceRequest,
};
use tokio::{sync::watch, time::timeout};

use crate::{
    receiver::Sink,
    view::{self, LogView, PointView},
};

pub use state::MAX_SERIES;
pub use stats::{MAX_SERVICES, Stats};
pub use trace::Trace;

/// How much memory a store takes: some tens of thousands of spans with their log lines, minutes of
/// a demo's traffic, and still nothing a developer's machine would notice.
pub const DEFAULT_MAX_BYTES: usize = 64 * 1024 * 1024;

/// Traces, log records and metric series, the newest that fit.
///
/// The bound is counted on the memory of what is kept (names, attributes, bodies; map and
/// allocator overhead are estimated). When it is reached, whole traces and log records without a
/// trace go, in the order they first arrived, and are counted. Metrics keep the latest point of
/// each series in at most a quarter of the bytes and [`MAX_SERIES`] series; points that would need
/// more are dropped and counted.
///
/// A span id that arrives twice for a trace is kept and counted once, for as long as the trace is
/// kept: what [`Stats::spans`] says is exact until a span is sent again after its trace has gone.
#[derive(Debug)]
pub struct Store {
    state: Mutex<state::State>,
    /// Counts deliveries, to wake who waits for them.
    deliveries: watch::Sender<u64>,
}

// === impl Store ===

impl Store {
    /// An empty store that keeps at most `max_bytes`.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self {
            state: Mutex::new(state::State::new(max_bytes)),
            deliveries: watch::Sender::new(0),
        }
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.lock().stats()
    }

    /// All traces, the one that began to arrive last first.
    #[must_use]
    pub fn traces(&self) -> Vec<Trace> {
        self.recent(usize::MAX)
    }

    /// At most `limit` traces, the one that began to arrive last first.
    #[must_use]
    pub fn recent(&self, limit: usize) -> Vec<Trace> {
        self.lock().recent(limit)
    }

    /// A trace.
    #[must_use]
    pub fn trace(&self, id: TraceId) -> Option<Trace> {
        self.lock().trace(id)
    }

    /// How many complete traces there have been: those that are kept, and those that were complete
    /// when they were given up.
    #[must_use]
    pub fn complete_traces(&self) -> u64 {
        self.lock().complete_traces()
    }

    /// Log records that belong to no trace, oldest first.
    #[must_use]
    pub fn loose_logs(&self) -> Vec<LogView> {
        self.lock().loose_logs()
    }

    /// The latest point of each metric series, in no particular order.
    #[must_use]
    pub fn metrics(&self) -> Vec<PointView> {
        self.lock().metrics()
    }

    /// Waits until `condition` holds for the counters; `false` if it does not within `limit`.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn wait_for(
        &self,
        mut condition: impl FnMut(&Stats) -> bool,
        limit: Duration,
    ) -> bool {
        let mut deliveries = self.deliveries.subscribe();
        let met = async {
            while !condition(&self.stats()) {
                if deliveries.changed().await.is_err() {
                    return false;
                }
            }
            true
        };
        timeout(limit, met).await.unwrap_or(false)
    }

    fn lock(&self) -> MutexGuard<'_, state::State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn delivered(&self) {
        self.deliveries
            .send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Default for Store {
    /// A store of [`DEFAULT_MAX_BYTES`].
    fn default() -> Self {
        Self::new(DEFAULT_MAX_BYTES)
    }
}

impl Sink for Store {
    fn on_traces(&self, request: ExportTraceServiceRequest) {
        let spans = view::spans(request);
        self.lock().add_spans(spans);
        self.delivered();
    }

    fn on_metrics(&self, request: ExportMetricsServiceRequest) {
        let points = view::points(request);
        self.lock().add_points(points.records);
        self.delivered();
    }

    fn on_logs(&self, request: ExportLogsServiceRequest) {
        let logs = view::logs(request);
        self.lock().add_logs(logs.records);
        self.delivered();
    }

    fn on_refused(&self) {
        self.lock().count_refused();
        self.delivered();
    }
}

#[cfg(test)]
mod tests;
