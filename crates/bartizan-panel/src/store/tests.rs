use std::sync::Arc;

use super::*;
use crate::{
    fixture::{gauge, log, logs, span, trace_id, traces},
    view::PointValue,
};

/// A store with one complete trace of two services and a log line.
fn two_services() -> Store {
    let store = Store::default();
    store.on_traces(traces(
        "gateway",
        vec![
            span(1, 1, 0, "GET /a", (0, 10)),
            span(1, 2, 1, "GET", (1, 9)),
        ],
    ));
    store.on_traces(traces("orders", vec![span(1, 3, 2, "GET /b", (2, 8))]));
    store.on_logs(logs("orders", vec![log(1, 3, 4, "hello")]));
    store
}

#[test]
fn a_trace_is_put_together_from_all_services() {
    let store = two_services();
    let trace = store.trace(trace_id(1)).unwrap();
    assert!(trace.is_complete());
    assert_eq!(trace.services(), ["gateway", "orders"]);
    assert_eq!(trace.duration(), Duration::from_millis(10));
    assert_eq!(trace.root().unwrap().name, "GET /a");
    assert_eq!(trace.spans.len(), 3);
    assert_eq!(trace.logs.len(), 1);
    let stats = store.stats();
    assert_eq!((stats.spans, stats.traces, stats.log_records), (3, 1, 1));
    assert_eq!(
        stats.services,
        [("gateway".to_owned(), 2), ("orders".to_owned(), 1)].into()
    );
}

#[test]
fn a_span_that_arrives_twice_is_kept_and_counted_once() {
    let store = two_services();
    store.on_traces(traces(
        "gateway",
        vec![span(1, 1, 0, "GET /a", (0, 10)), span(1, 4, 1, "x", (3, 4))],
    ));
    let stats = store.stats();
    assert_eq!((stats.spans, stats.duplicate_spans), (4, 1));
    assert_eq!(store.trace(trace_id(1)).unwrap().spans.len(), 4);
}

#[test]
fn the_same_span_id_in_another_trace_is_another_span() {
    let store = two_services();
    store.on_traces(traces("gateway", vec![span(2, 1, 0, "GET /a", (0, 10))]));
    assert_eq!((store.stats().spans, store.stats().duplicate_spans), (4, 0));
}

#[test]
fn a_span_with_an_invalid_id_is_counted_and_not_kept() {
    let store = Store::default();
    let mut short = span(1, 1, 0, "short", (0, 1));
    short.span_id.pop();
    let mut zero = span(1, 1, 0, "zero", (0, 1));
    zero.trace_id.fill(0);
    let mut odd_parent = span(1, 1, 0, "odd", (0, 1));
    odd_parent.parent_span_id = vec![1, 2, 3];
    store.on_traces(traces("s", vec![short, zero, odd_parent]));
    assert_eq!((store.stats().spans, store.stats().invalid_spans), (0, 3));
    assert!(store.traces().is_empty());
}

#[test]
fn only_a_whole_and_ended_trace_under_one_root_is_complete() {
    type Case = (&'static str, &'static [(u64, u64)], bool);
    let cases: [Case; 7] = [
        ("root alone", &[(1, 0)], true),
        ("root and children", &[(1, 0), (2, 1), (3, 2)], true),
        ("no root", &[(2, 1)], false),
        ("two roots", &[(1, 0), (2, 0)], false),
        ("a parent is missing", &[(1, 0), (3, 2)], false),
        ("a circle beside the root", &[(1, 0), (2, 3), (3, 2)], false),
        ("its own parent", &[(1, 0), (2, 2)], false),
    ];
    for (name, spans, complete) in cases {
        let store = Store::default();
        let spans = spans
            .iter()
            .map(|(id, parent)| span(1, *id, *parent, "s", (0, 1)));
        store.on_traces(traces("s", spans.collect()));
        assert_eq!(
            store.trace(trace_id(1)).unwrap().is_complete(),
            complete,
            "{name}"
        );
    }
    let store = Store::default();
    let mut open = span(1, 1, 0, "open", (0, 0));
    open.end_time_unix_nano = 0;
    store.on_traces(traces("s", vec![open]));
    assert!(!store.trace(trace_id(1)).unwrap().is_complete());
}

#[test]
fn the_oldest_go_first_and_are_counted() {
    const BOUND: u64 = 64 * 1024;
    let store = Store::new(BOUND as usize);
    store.on_logs(logs("s", vec![log(0, 0, 0, "loose")]));
    for number in 1..=1000 {
        store.on_traces(traces(
            "s",
            vec![
                span(number, 1, 0, "root", (0, 1)),
                span(number, 2, 1, "c", (0, 1)),
            ],
        ));
        assert!(store.stats().bytes <= BOUND);
    }
    let stats = store.stats();
    assert_eq!(stats.spans, 2000);
    assert_eq!(stats.traces, 1000);
    assert_eq!(stats.evicted_traces + stats.kept_traces, 1000);
    assert_eq!(stats.evicted_spans + 2 * stats.kept_traces, 2000);
    assert_eq!(stats.evicted_log_records, 1);
    assert_eq!(stats.evicted_complete_traces, stats.evicted_traces);
    assert_eq!(store.complete_traces(), 1000);
    let kept: Vec<_> = store.traces().iter().map(|trace| trace.id).collect();
    let newest: Vec<_> = (1..=1000).rev().take(kept.len()).map(trace_id).collect();
    assert_eq!(kept, newest);
    assert!(kept.len() > 10, "the bound leaves room for {}", kept.len());
}

#[test]
fn a_record_larger_than_the_store_leaves_it_empty() {
    let store = Store::new(16 * 1024);
    store.on_traces(traces(
        "s",
        vec![span(1, 1, 0, &"x".repeat(20_000), (0, 1))],
    ));
    store.on_logs(logs("s", vec![log(0, 0, 0, &"x".repeat(20_000))]));
    let stats = store.stats();
    assert_eq!((stats.bytes, stats.kept_traces), (0, 0));
    assert_eq!((stats.evicted_spans, stats.evicted_log_records), (1, 1));
}

#[test]
fn the_bytes_return_to_zero_when_all_is_evicted() {
    let store = Store::new(8 * 1024);
    for number in 1..50 {
        store.on_traces(traces("a", vec![span(number, 1, 0, "r", (0, 1))]));
        store.on_logs(logs(
            "b",
            vec![log(number, 1, 0, "body"), log(0, 0, 0, "loose")],
        ));
    }
    store.on_traces(traces(
        "s",
        vec![span(99, 1, 0, &"x".repeat(10_000), (0, 1))],
    ));
    assert_eq!(store.stats().bytes, 0);
    assert!(store.loose_logs().is_empty());
}

#[test]
fn log_records_without_a_trace_are_kept_apart() {
    let store = two_services();
    store.on_logs(logs("orders", vec![log(0, 0, 1, "started")]));
    let loose = store.loose_logs();
    assert_eq!(loose.len(), 1);
    assert_eq!(loose[0].body.as_str(), Some("started"));
    assert_eq!(store.traces().len(), 1);
}

#[test]
fn a_series_keeps_its_latest_point() {
    let store = Store::default();
    store.on_metrics(gauge("g", &[("a", 1), ("b", 2)]));
    store.on_metrics(gauge("g", &[("a", 3)]));
    let mut values: Vec<_> = store
        .metrics()
        .into_iter()
        .map(|point| point.value)
        .collect();
    values.sort_by_key(|value| format!("{value:?}"));
    assert_eq!(values, [PointValue::Int(2), PointValue::Int(3)]);
    assert_eq!(
        (store.stats().metric_points, store.stats().kept_series),
        (3, 2)
    );
}

#[test]
fn series_are_bounded_in_number_and_bytes() {
    let store = Store::default();
    for number in 0..=MAX_SERIES {
        store.on_metrics(gauge("g", &[(&number.to_string(), 1)]));
    }
    assert_eq!(store.stats().kept_series, MAX_SERIES as u64);
    assert_eq!(store.stats().dropped_metric_points, 1);
    store.on_metrics(gauge("g", &[("0", 7)]));
    assert_eq!(
        store.stats().dropped_metric_points,
        1,
        "a known series still goes on"
    );

    let small = Store::new(16 * 1024);
    for number in 0..100 {
        small.on_metrics(gauge("g", &[(&number.to_string(), 1)]));
    }
    assert!(small.stats().bytes <= 4 * 1024);
    assert_eq!(
        small.stats().kept_series + small.stats().dropped_metric_points,
        100
    );
}

#[test]
fn service_names_cannot_grow_the_counters() {
    let store = Store::default();
    for number in 0..=2 * MAX_SERVICES {
        let name = format!("{number}{}", "x".repeat(1000));
        store.on_traces(traces(
            &name,
            vec![span(1, number as u64 + 1, 0, "s", (0, 1))],
        ));
    }
    let services = store.stats().services;
    assert_eq!(services.len(), MAX_SERVICES + 1);
    assert_eq!(services["_OTHER"], MAX_SERVICES as u64 + 1);
    assert!(services.keys().all(|name| name.len() <= 128));
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_woken_by_a_delivery() {
    let store = Arc::new(Store::default());
    let minute = Duration::from_secs(60);
    let waiter = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.wait_for(|stats| stats.spans == 1, minute).await }
    });
    tokio::task::yield_now().await;
    store.on_traces(traces("s", vec![span(1, 1, 0, "s", (0, 1))]));
    assert!(waiter.await.unwrap());
    assert!(!store.wait_for(|stats| stats.spans == 2, minute).await);
}
