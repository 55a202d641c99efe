use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};

use super::*;
use crate::propagation::server_timing;

fn span(trace_id: TraceId, flags: u8, state: TraceState) -> SpanContext {
    SpanContext::new(
        trace_id,
        SpanId::from(2),
        TraceFlags::new(flags),
        false,
        state,
    )
}

fn sent(cx: &Context) -> HeaderMap {
    let mut headers = HeaderMap::new();
    inject(cx, &mut headers);
    headers
}

/// The lines of `headers` in a context that then works under another span.
fn under(lines: &[(&str, &str)], span: impl FnOnce(&SpanContext) -> SpanContext) -> Option<String> {
    let remote = Remote::extract(&headers(lines.iter().copied()), Trust::Trust);
    let cx = remote.into_context(&Context::new());
    let span = span(cx.span().span_context());
    let headers = sent(&cx.with_remote_span_context(span));
    headers
        .get("tracestate")
        .map(|line| line.to_str().unwrap().to_owned())
}

#[test]
fn stale_lines_are_replaced() {
    let stale = [
        ("traceparent", PARENT),
        ("traceparent", PARENT),
        ("tracestate", "old=1"),
        ("tracestate", "old=2"),
        ("baggage", "old=1"),
        ("baggage", "older=1"),
        ("accept", "*/*"),
    ];
    let mut lines = headers(stale);
    let state = TraceState::from_key_value([("new", "1")]).unwrap();
    let cx = Context::new().with_remote_span_context(span(TraceId::from(1), 3, state));
    inject(
        &cx.with_baggage([opentelemetry::KeyValue::new("new", "2")]),
        &mut lines,
    );
    let new = "00-00000000000000000000000000000001-0000000000000002-03";
    let expected = [
        ("accept", "*/*"),
        ("traceparent", new),
        ("tracestate", "new=1"),
        ("baggage", "new=2"),
    ];
    assert_eq!(lines, headers(expected));

    let mut lines = headers(stale);
    inject(
        &Context::new().with_remote_span_context(span(TraceId::from(1), 3, TraceState::NONE)),
        &mut lines,
    );
    assert_eq!(lines, headers([("accept", "*/*"), ("traceparent", new)]));

    let mut lines = headers(stale);
    inject(&Context::new(), &mut lines);
    assert_eq!(lines, headers([("accept", "*/*")]));
}

#[test]
fn reserved_flags_of_a_local_span_are_not_sent() {
    let cx =
        Context::new().with_remote_span_context(span(TraceId::from(1), 0xff, TraceState::NONE));
    assert!(sent(&cx)["traceparent"].as_bytes().ends_with(b"-03"));
}

#[test]
fn a_state_that_a_sampler_made_is_sent_as_far_as_it_is_valid() {
    // The API's type takes all of these.
    let state = [
        ("a", "1"),
        ("", "x"),
        ("b", ""),
        ("c", "é"),
        ("d", "x\r\ny"),
        ("e", "2 "),
        ("a", "3"),
    ];
    let state = TraceState::from_key_value(state).unwrap();
    let cx = Context::new().with_remote_span_context(span(TraceId::from(1), 0, state));
    assert_eq!(sent(&cx)["tracestate"], "a=1,e=2");
}

#[test]
fn refused_members_survive_a_change_of_the_others() {
    let lines = [
        ("traceparent", PARENT),
        ("tracestate", "a=1,x@@y=2,b=3,z@@=4,c=5"),
    ];
    let same = |parent: &SpanContext| span(parent.trace_id(), 1, parent.trace_state().clone());
    assert_eq!(under(&lines, same).unwrap(), "a=1,x@@y=2,b=3,z@@=4,c=5");
    let changed = |parent: &SpanContext| {
        let state = parent.trace_state().insert("new", "0").unwrap();
        let state = state.insert("b", "9").unwrap().delete("c").unwrap();
        span(parent.trace_id(), 1, state)
    };
    assert_eq!(
        under(&lines, changed).unwrap(),
        "b=9,new=0,a=1,x@@y=2,z@@=4"
    );
    let other_trace = |_: &SpanContext| span(TraceId::from(1), 1, TraceState::NONE);
    assert_eq!(under(&lines, other_trace), None);
}

#[test]
fn a_response_can_name_its_trace() {
    let line = server_timing(&span(TraceId::from(0xab), 0xfd, TraceState::NONE));
    assert_eq!(
        line,
        "trace;desc=00-000000000000000000000000000000ab-0000000000000002-01"
    );
    assert_eq!(server_timing(&SpanContext::NONE), "trace");
}

#[test]
fn the_propagator_names_its_fields() {
    let propagator = W3cPropagator::new();
    assert!(
        propagator
            .fields()
            .eq(["traceparent", "tracestate", "baggage"])
    );
}

#[test]
fn the_propagator_keeps_the_context_it_was_given_where_nothing_valid_comes() {
    let span = span(TraceId::from(1), 1, TraceState::NONE);
    let cx = Context::new().with_remote_span_context(span.clone());
    let lines = headers([
        ("traceparent", "malformed"),
        ("tracestate", "a=1"),
        ("baggage", "?"),
    ]);
    let cx = W3cPropagator::new().extract_with_context(&cx, &HeaderExtractor(&lines));
    assert_eq!(cx.span().span_context(), &span);
    assert!(cx.baggage().is_empty());
}
