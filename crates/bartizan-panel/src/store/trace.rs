//! A snapshot of a trace, and what can be asked about it.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use opentelemetry::trace::{SpanId, TraceId};
use serde::Serialize;

use crate::view::{LogView, SpanView, StatusCode};

/// The spans and log records of a trace, from all services, as far as they have arrived.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Trace {
    /// The id.
    #[serde(serialize_with = "crate::view::as_string")]
    pub id: TraceId,
    /// The spans, by start time.
    pub spans: Vec<Arc<SpanView>>,
    /// The log records, by time.
    pub logs: Vec<Arc<LogView>>,
}

// === impl Trace ===

impl Trace {
    /// A trace of these spans and log records, in any order.
    #[must_use]
    pub fn new(id: TraceId, mut spans: Vec<Arc<SpanView>>, mut logs: Vec<Arc<LogView>>) -> Self {
        spans.sort_by_key(|span| span.start_unix_nanos);
        logs.sort_by_key(|log| log.unix_nanos);
        Self { id, spans, logs }
    }

    /// The span without a parent; the earliest if there are several.
    #[must_use]
    pub fn root(&self) -> Option<&SpanView> {
        self.spans
            .iter()
            .map(Arc::as_ref)
            .find(|span| span.parent_span_id.is_none())
    }

    /// Whether the whole trace is here: exactly one span without a parent, every other span below
    /// it, and every span ended. A trace that a caller began who does not report here never is.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let roots = self
            .spans
            .iter()
            .filter(|span| span.parent_span_id.is_none())
            .count();
        let ended = self.spans.iter().all(|span| span.end_unix_nanos != 0);
        roots == 1 && ended && self.reachable() == self.spans.len()
    }

    /// The names of the services that reported spans, sorted.
    #[must_use]
    pub fn services(&self) -> Vec<&str> {
        let names: BTreeSet<_> = self.spans.iter().map(|span| span.service()).collect();
        names.into_iter().collect()
    }

    /// The start of the first span, in nanoseconds since the Unix epoch; of the first log record
    /// if there are no spans.
    #[must_use]
    pub fn start_unix_nanos(&self) -> u64 {
        let span = self.spans.iter().map(|span| span.start_unix_nanos).min();
        let log = || self.logs.iter().map(|log| log.unix_nanos).min();
        span.or_else(log).unwrap_or(0)
    }

    /// From the start of the first span to the end of the last.
    #[must_use]
    pub fn duration(&self) -> Duration {
        let end = self
            .spans
            .iter()
            .map(|span| span.end_unix_nanos)
            .max()
            .unwrap_or(0);
        Duration::from_nanos(end.saturating_sub(self.start_unix_nanos()))
    }

    /// Whether any span ended in an error.
    #[must_use]
    pub fn has_error(&self) -> bool {
        self.spans
            .iter()
            .any(|span| span.status == StatusCode::Error)
    }

    /// How many spans hang under a root.
    fn reachable(&self) -> usize {
        let children = self.children();
        let mut reached = HashSet::new();
        let mut next: Vec<_> = children.get(&None).into_iter().flatten().copied().collect();
        while let Some(index) = next.pop() {
            if reached.insert(index) {
                let id = Some(self.spans[index].span_id);
                next.extend(children.get(&id).into_iter().flatten());
            }
        }
        reached.len()
    }

    /// Indices of spans by parent, in the order of their starts.
    pub(crate) fn children(&self) -> HashMap<Option<SpanId>, Vec<usize>> {
        let mut children = HashMap::<_, Vec<_>>::with_capacity(self.spans.len());
        for (index, span) in self.spans.iter().enumerate() {
            children.entry(span.parent_span_id).or_default().push(index);
        }
        children
    }
}
