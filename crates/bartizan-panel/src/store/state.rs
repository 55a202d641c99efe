//! The store's contents, without lock or clock.

use std::{
    collections::{HashMap, HashSet, VecDeque, hash_map},
    mem::size_of,
    sync::Arc,
};

use opentelemetry::trace::{SpanId, TraceId};

use super::{Stats, Trace};
use crate::view::{LogView, PointView, ResourceView, ScopeView, SpanView, Unpacked, footprint};

/// The most metric series that are kept: far above what bounded instruments make.
pub const MAX_SERIES: usize = 4096;

/// The share of the bytes that metrics may take is one in this many.
const METRIC_SHARE: usize = 4;

/// What a trace costs by itself: its entries in the map and in the queue.
const TRACE_OVERHEAD: usize = size_of::<Entry>() + size_of::<Item>() + 2 * size_of::<TraceId>();

/// What a span or record costs beside its view: pointers to it, and its id in a set.
const RECORD_OVERHEAD: usize = 64;

#[derive(Debug)]
pub(super) struct State {
    max_bytes: usize,
    /// Of traces and loose records.
    bytes: usize,
    metric_bytes: usize,
    traces: HashMap<TraceId, Entry>,
    /// In the order of first arrival: the front goes first.
    order: VecDeque<Item>,
    series: HashMap<String, (PointView, usize)>,
    stats: Stats,
}

#[derive(Debug, Default)]
struct Entry {
    spans: Vec<Arc<SpanView>>,
    ids: HashSet<SpanId>,
    logs: Vec<Arc<LogView>>,
    bytes: usize,
}

#[derive(Debug)]
enum Item {
    Trace(TraceId),
    Log(Box<LogView>, usize),
}

// === impl State ===

impl State {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            bytes: 0,
            metric_bytes: 0,
            traces: HashMap::new(),
            order: VecDeque::new(),
            series: HashMap::new(),
            stats: Stats::default(),
        }
    }

    pub(super) fn add_spans(&mut self, spans: Unpacked<SpanView>) {
        self.stats.invalid_spans += spans.invalid;
        for span in spans.records {
            let entry = self.entry(span.trace_id);
            if !entry.ids.insert(span.span_id) {
                self.stats.duplicate_spans += 1;
                continue;
            }
            let last = entry.spans.last().map(|last| (&last.resource, &last.scope));
            let shared = shared(last, (&span.resource, &span.scope));
            let bytes = span.footprint() + RECORD_OVERHEAD + shared;
            let span = Arc::new(span);
            entry.bytes += bytes;
            entry.spans.push(Arc::clone(&span));
            self.bytes += bytes;
            self.stats.count_span(span.service());
            self.make_room();
        }
    }

    pub(super) fn add_logs(&mut self, logs: Vec<LogView>) {
        for log in logs {
            self.stats.log_records += 1;
            let mut bytes = log.footprint() + RECORD_OVERHEAD;
            if let Some(id) = log.trace_id {
                let entry = self.entry(id);
                let last = entry.logs.last().map(|last| (&last.resource, &last.scope));
                bytes += shared(last, (&log.resource, &log.scope));
                entry.bytes += bytes;
                entry.logs.push(Arc::new(log));
            } else {
                bytes += footprint::shared(&log.resource, &log.scope);
                self.order.push_back(Item::Log(Box::new(log), bytes));
            }
            self.bytes += bytes;
            self.make_room();
        }
    }

    pub(super) fn add_points(&mut self, points: Vec<PointView>) {
        for point in points {
            self.stats.metric_points += 1;
            let key = series_key(&point);
            let bytes = point.footprint() + key.len() + RECORD_OVERHEAD;
            let before = self.series.get(&key).map(|(_, bytes)| *bytes);
            let total = self.metric_bytes - before.unwrap_or(0) + bytes;
            let full = before.is_none() && self.series.len() >= MAX_SERIES;
            if full || total > self.max_bytes / METRIC_SHARE {
                self.stats.dropped_metric_points += 1;
                continue;
            }
            self.metric_bytes = total;
            self.series.insert(key, (point, bytes));
            self.make_room();
        }
    }

    pub(super) const fn count_refused(&mut self) {
        self.stats.refused_requests += 1;
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            bytes: (self.bytes + self.metric_bytes) as u64,
            kept_traces: self.traces.len() as u64,
            kept_series: self.series.len() as u64,
            ..self.stats.clone()
        }
    }

    pub(super) fn recent(&self, limit: usize) -> Vec<Trace> {
        let ids = self.order.iter().rev().filter_map(|item| match item {
            Item::Trace(id) => Some(*id),
            Item::Log(..) => None,
        });
        ids.take(limit).filter_map(|id| self.trace(id)).collect()
    }

    pub(super) fn trace(&self, id: TraceId) -> Option<Trace> {
        self.traces.get(&id).map(|entry| entry.snapshot(id))
    }

    pub(super) fn complete_traces(&self) -> u64 {
        let complete = |(id, entry): &(&TraceId, &Entry)| entry.snapshot(**id).is_complete();
        self.traces.iter().filter(complete).count() as u64 + self.stats.evicted_complete_traces
    }

    pub(super) fn loose_logs(&self) -> Vec<LogView> {
        let logs = self.order.iter().filter_map(|item| match item {
            Item::Trace(_) => None,
            Item::Log(log, _) => Some((**log).clone()),
        });
        logs.collect()
    }

    pub(super) fn metrics(&self) -> Vec<PointView> {
        self.series
            .values()
            .map(|(point, _)| point.clone())
            .collect()
    }

    fn entry(&mut self, id: TraceId) -> &mut Entry {
        match self.traces.entry(id) {
            hash_map::Entry::Occupied(entry) => entry.into_mut(),
            hash_map::Entry::Vacant(entry) => {
                self.order.push_back(Item::Trace(id));
                self.bytes += TRACE_OVERHEAD;
                self.stats.traces += 1;
                entry.insert(Entry {
                    bytes: TRACE_OVERHEAD,
                    ..Entry::default()
                })
            }
        }
    }

    fn make_room(&mut self) {
        while self.bytes + self.metric_bytes > self.max_bytes {
            match self.order.pop_front() {
                Some(Item::Log(_, bytes)) => {
                    self.bytes -= bytes;
                    self.stats.evicted_log_records += 1;
                }
                Some(Item::Trace(id)) => {
                    let Some(entry) = self.traces.remove(&id) else {
                        continue;
                    };
                    self.bytes -= entry.bytes;
                    self.stats.evicted_traces += 1;
                    self.stats.evicted_spans += entry.spans.len() as u64;
                    self.stats.evicted_log_records += entry.logs.len() as u64;
                    let complete = entry.snapshot(id).is_complete();
                    self.stats.evicted_complete_traces += u64::from(complete);
                }
                None => return,
            }
        }
    }
}

// === impl Entry ===

impl Entry {
    fn snapshot(&self, id: TraceId) -> Trace {
        Trace::new(id, self.spans.clone(), self.logs.clone())
    }
}

type Shared<'a> = (&'a Arc<ResourceView>, &'a Arc<ScopeView>);

/// What a record's resource and scope add to a trace: nothing if the record before it in the trace
/// holds the same, which is the rule within an export request.
fn shared(last: Option<Shared<'_>>, new: Shared<'_>) -> usize {
    match last {
        Some(last) if Arc::ptr_eq(last.0, new.0) && Arc::ptr_eq(last.1, new.1) => 0,
        _ => footprint::shared(new.0, new.1),
    }
}

/// Tells series apart: who reported, which metric, which attributes.
fn series_key(point: &PointView) -> String {
    format!(
        "{:?} {:?} {:?} {:?}",
        point.resource.attributes, point.scope.name, point.name, point.attributes
    )
}
