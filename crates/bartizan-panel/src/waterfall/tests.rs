use std::fmt::Write;

use opentelemetry_proto::tonic::trace::v1::span;

use super::*;
use crate::{
    Sink, Store,
    fixture::{self, MS, START, attribute, failed, log, logs, trace_id, traces},
};

fn draw(store: &Store) -> String {
    waterfall(&store.trace(trace_id(1)).unwrap())
}

#[track_caller]
fn assert_drawn(drawn: &str, golden: &str) {
    assert!(drawn == golden, "drawn:\n{drawn}\nexpected:\n{golden}");
}

#[test]
fn a_trace_of_two_services_with_its_log_lines_in_place() {
    let store = Store::default();
    let mut root = fixture::span(1, 1, 0, "POST /orders", (0, 12));
    root.attributes = vec![
        attribute("http.response.status_code", "500"),
        attribute("other", "x"),
    ];
    root.status = failed("");
    let client = fixture::span(1, 2, 1, "POST", (2, 10));
    let mut insert = fixture::span(1, 4, 3, "INSERT orders", (4, 5));
    insert.attributes = vec![attribute("db.system.name", "sqlite")];
    insert.status = failed("disk full");
    insert.events = vec![span::Event {
        time_unix_nano: START + 4 * MS + MS / 2,
        name: "retry".to_owned(),
        attributes: vec![attribute("attempt", "2")],
        ..span::Event::default()
    }];
    let late = fixture::span(1, 5, 1, "notify", (11, 12));
    store.on_traces(traces("gateway", vec![late, client, root]));
    store.on_traces(traces(
        "orders",
        vec![insert, fixture::span(1, 3, 2, "POST /orders", (3, 9))],
    ));
    store.on_logs(logs(
        "gateway",
        vec![log(1, 1, 11, "second"), log(1, 1, 1, "first")],
    ));
    let mut failure = log(1, 4, 5, "could not write");
    failure.attributes = vec![
        attribute("bartizan.task.id", "7"),
        attribute("order.id", "26"),
    ];
    store.on_logs(logs("orders", vec![failure, log(1, 99, 6, "elsewhere")]));
    assert_drawn(&draw(&store), include_str!("golden/two_services.txt"));
}

#[test]
fn hostile_names_are_escaped_and_cut() {
    let store = Store::default();
    let long = "x".repeat(500);
    let mut root = fixture::span(1, 1, 0, "\x1b[31mred\r\n\u{202e}", (0, 1));
    root.attributes = vec![attribute("error.type", &long)];
    store.on_traces(traces(
        "ev\x07il",
        vec![root, fixture::span(1, 2, 1, &long, (0, 0))],
    ));
    store.on_logs(logs(
        "evil",
        vec![log(1, 1, 0, "line one\nline two"), log(1, 2, 0, &long)],
    ));
    assert_drawn(&draw(&store), include_str!("golden/hostile.txt"));
}

#[test]
fn no_line_is_wider_than_asked() {
    let store = Store::default();
    let mut spans = Vec::new();
    for id in 1..40 {
        let mut span = fixture::span(1, id, id - 1, &"n".repeat(80), (id, 200 - id));
        span.attributes = vec![attribute("db.query.text", &"q".repeat(200))];
        spans.push(span);
    }
    store.on_traces(traces(&"s".repeat(200), spans));
    store.on_logs(logs(
        "s",
        (1..40).map(|id| log(1, id, id, &"l".repeat(200))).collect(),
    ));
    for width in [0, 72, 80, 100, 200] {
        let drawn = waterfall_with_width(&store.trace(trace_id(1)).unwrap(), width);
        for line in drawn.lines() {
            assert!(
                line.chars().count() <= width.max(MIN_WIDTH),
                "{width}: {line}"
            );
        }
    }
}

#[test]
fn spans_without_a_parent_here_and_circles_are_drawn_too() {
    let store = Store::default();
    let parents = [(1, 77), (2, 3), (3, 2), (4, 4)];
    let spans = parents.map(|(id, parent)| fixture::span(1, id, parent, &format!("n{id}"), (0, 1)));
    store.on_traces(traces("s", spans.to_vec()));
    let drawn = draw(&store);
    for name in ["n1", "n2", "n3", "n4"] {
        assert_eq!(drawn.matches(name).count(), 1, "{name} in\n{drawn}");
    }
}

#[test]
fn an_enormous_and_deep_trace_is_drawn_to_the_bound() {
    let store = Store::default();
    let spans = (1..=20_000).map(|id| fixture::span(1, id, id - 1, "deep", (0, 1)));
    store.on_traces(traces("s", spans.collect()));
    let drawn = draw(&store);
    assert_eq!(drawn.lines().count(), MAX_LINES + 1);
    assert!(
        drawn.ends_with("… and 18003 more lines\n"),
        "{}",
        &drawn[drawn.len() - 40..]
    );
}

#[test]
fn log_lines_alone_are_a_drawing() {
    let store = Store::default();
    store.on_logs(logs(
        "s",
        vec![log(1, 1, 0, "early"), log(1, 1, 3, "later")],
    ));
    let mut golden = format!("trace {}  2026-11-24 04:21:47.000 UTC\n", trace_id(1));
    let _written = writeln!(
        golden,
        " · 0 spans · 2 log lines · 0 ns\n{}",
        "─".repeat(100)
    );
    golden.push_str("outside these spans:\n  +0 ns INFO  early\n  +3.0 ms INFO  later\n");
    assert_drawn(&draw(&store), &golden);
}
