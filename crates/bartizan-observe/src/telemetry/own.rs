//! The pipelines' books as metrics, so that a loss shows while the process runs.

use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};

use super::queue::Queue;
use super::report::SignalReport;
use super::shutdown::Queues;
use super::transport::Signal;
use crate::access_log::AccessLog;
use crate::names::attr::{TELEMETRY_RESULT, TELEMETRY_SIGNAL};
use crate::names::metric;

/// Where the figures of one signal come from.
type Books = Arc<dyn Fn() -> SignalReport + Send + Sync>;

/// Reads the books whenever metrics are collected; costs the pipelines nothing in between.
pub(super) fn register(meter: &Meter, queues: &Queues, log: Option<&AccessLog>) {
    let mut all: Vec<(Signal, Books)> = Vec::new();
    all.extend(books(Signal::Traces, queues.spans.as_ref()));
    all.extend(books(Signal::Logs, queues.logs.as_ref()));
    all.extend(books(Signal::Metrics, queues.metrics.as_ref()));
    let all = Arc::new(all);

    let items = metric::TELEMETRY_ITEMS;
    let read = Arc::clone(&all);
    meter
        .u64_observable_counter(items.name)
        .with_unit(items.unit)
        .with_description(items.help)
        .with_callback(move |counter| {
            for (signal, books) in read.iter() {
                observe_items(counter, *signal, &books());
            }
        })
        .build();

    let pending = metric::TELEMETRY_PENDING;
    meter
        .u64_observable_gauge(pending.name)
        .with_unit(pending.unit)
        .with_description(pending.help)
        .with_callback(move |gauge| {
            for (signal, books) in all.iter() {
                let signal = KeyValue::new(TELEMETRY_SIGNAL, signal.name());
                gauge.observe(books().pending(), &[signal]);
            }
        })
        .build();

    if let Some(log) = log.cloned() {
        let lines = metric::ACCESS_LOG_LINES;
        meter
            .u64_observable_counter(lines.name)
            .with_unit(lines.unit)
            .with_description(lines.help)
            .with_callback(move |counter| {
                let stats = log.stats();
                for (result, count) in [
                    ("written", stats.written),
                    ("dropped", stats.dropped),
                    ("failed", stats.write_errors),
                ] {
                    counter.observe(count, &[KeyValue::new(TELEMETRY_RESULT, result)]);
                }
            })
            .build();
    }
}

fn books<T: Send + 'static>(
    signal: Signal,
    queue: Option<&Arc<Queue<T>>>,
) -> Option<(Signal, Books)> {
    let queue = Arc::clone(queue?);
    Some((signal, Arc::new(move || queue.report())))
}

/// Every result is there from the start, with 0: an alert on a loss must not wait for the first one.
fn observe_items(counter: &dyn AsyncInstrument<u64>, signal: Signal, report: &SignalReport) {
    let results = [
        ("exported", report.exported),
        ("unconfirmed", report.unconfirmed),
    ];
    for (result, count) in results.into_iter().chain(report.dropped.by_reason()) {
        let attributes = [
            KeyValue::new(TELEMETRY_SIGNAL, signal.name()),
            KeyValue::new(TELEMETRY_RESULT, result.replace(' ', "_")),
        ];
        counter.observe(count, &attributes);
    }
}
