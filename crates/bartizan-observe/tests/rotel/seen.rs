use bartizan_testkit::{Attributes, LogView, OtlpSink, PointView, SpanView, Value};
use opentelemetry::trace::SpanId;

use super::load;

/// What a sink has, in an order of its own and without what is another each time.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) spans: Vec<SpanView>,
    pub(super) logs: Vec<LogView>,
    pub(super) points: Vec<PointView>,
}

impl Seen {
    pub(super) fn at(sink: &OtlpSink) -> Self {
        let (mut spans, mut logs) = (sink.spans(), sink.logs());
        spans.sort_by_key(|span| number(&span.attributes));
        logs.sort_by_key(|log| number(&log.attributes));
        for (span, log) in spans.iter().zip(&logs) {
            assert_eq!(log.span_id, Some(span.span_id), "it was written within it");
            assert!(span.start_unix_nanos <= span.events[0].unix_nanos);
            assert!(span.events[0].unix_nanos <= span.end_unix_nanos);
        }
        spans.iter_mut().for_each(forget_span);
        for log in &mut logs {
            log.span_id = None;
        }
        let mut points = [load::COUNTER, load::HISTOGRAM]
            .map(|name| sink.latest(name))
            .concat();
        points.sort_by_key(|point| (point.name.clone(), format!("{:?}", point.attributes)));
        for point in &mut points {
            (point.start_unix_nanos, point.unix_nanos) = (0, 0);
        }
        Self {
            spans,
            logs,
            points,
        }
    }
}

fn number(attributes: &Attributes) -> Option<i64> {
    attributes.get(load::NUMBER).and_then(Value::as_int)
}

fn forget_span(span: &mut SpanView) {
    span.span_id = SpanId::INVALID;
    (span.start_unix_nanos, span.end_unix_nanos) = (0, 0);
    for event in &mut span.events {
        event.unix_nanos = 0;
    }
}
