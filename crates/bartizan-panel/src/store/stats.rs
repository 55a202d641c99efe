//! The store's counters.

use std::collections::BTreeMap;

use serde::Serialize;

/// The most service names that are counted apart, so that a sender of random names cannot grow the
/// counters; the spans of further ones count under `_OTHER`.
pub const MAX_SERVICES: usize = 256;

/// The longest service name that is counted, in characters; the rest is cut.
const MAX_SERVICE_CHARS: usize = 128;

/// What the rest is counted under.
const OTHER: &str = "_OTHER";

/// What a store has received, kept and given up. All but `bytes` and `kept_*` only ever grow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes of what is kept.
    pub bytes: u64,
    /// Traces that are kept.
    pub kept_traces: u64,
    /// Metric series that are kept.
    pub kept_series: u64,
    /// Traces received, by their spans or log records. A trace of which more arrives after it has
    /// been given up counts again.
    pub traces: u64,
    /// Distinct spans received.
    pub spans: u64,
    /// Spans received again.
    pub duplicate_spans: u64,
    /// Spans whose ids are not valid, which are not kept.
    pub invalid_spans: u64,
    /// Log records received.
    pub log_records: u64,
    /// Metric points received.
    pub metric_points: u64,
    /// Requests refused whole, because they held more than [`MAX_RECORDS`](crate::MAX_RECORDS)
    /// records or [`MAX_PARTS`](crate::MAX_PARTS) parts.
    pub refused_requests: u64,
    /// Traces given up to make room.
    pub evicted_traces: u64,
    /// Those of them that were complete when they went.
    pub evicted_complete_traces: u64,
    /// Spans given up to make room.
    pub evicted_spans: u64,
    /// Log records given up to make room.
    pub evicted_log_records: u64,
    /// Metric points dropped for want of room.
    pub dropped_metric_points: u64,
    /// Distinct spans received, by `service.name`.
    pub services: BTreeMap<String, u64>,
}

// === impl Stats ===

impl Stats {
    pub(super) fn count_span(&mut self, service: &str) {
        self.spans += 1;
        let name = match service.char_indices().nth(MAX_SERVICE_CHARS) {
            Some((end, _)) => &service[..end],
            None => service,
        };
        if let Some(count) = self.services.get_mut(name) {
            *count += 1;
            return;
        }
        let name = if self.services.len() < MAX_SERVICES {
            name
        } else {
            OTHER
        };
        *self.services.entry(name.to_owned()).or_default() += 1;
    }
}
