use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value},
    metrics::v1::{
        ExponentialHistogram, ExponentialHistogramDataPoint, Histogram, HistogramDataPoint, Metric,
        NumberDataPoint, Sum, metric::Data, number_data_point,
    },
    trace::v1::span,
};

use super::*;
use crate::fixture::{attribute, failed, gauge, log, span as proto_span, text, traces};

fn any(value: any_value::Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

#[test]
fn a_span_keeps_all_that_was_sent() {
    let mut sent = proto_span(1, 2, 3, "GET", (0, 5));
    sent.kind = 2;
    sent.flags = 0x301;
    sent.trace_state = "a=b".to_owned();
    sent.attributes = vec![attribute("k", "first"), attribute("k", "second")];
    sent.status = failed("no");
    sent.dropped_events_count = 2;
    sent.events = vec![span::Event {
        name: "retry".to_owned(),
        time_unix_nano: 7,
        ..span::Event::default()
    }];
    let link = |bytes: usize| span::Link {
        trace_id: vec![1; bytes],
        span_id: vec![2; 8],
        ..span::Link::default()
    };
    sent.links = vec![link(16), link(15)];
    let mut request = traces("shop", vec![sent]);
    request.resource_spans[0].scope_spans[0].scope = Some(InstrumentationScope {
        name: "lib".to_owned(),
        ..InstrumentationScope::default()
    });

    let unpacked = spans(request);
    let span = &unpacked.records[0];
    assert_eq!((span.service(), span.scope.name.as_str()), ("shop", "lib"));
    assert_eq!(
        (span.kind, span.flags, span.trace_state.as_str()),
        (SpanKind::Server, 0x301, "a=b")
    );
    assert_eq!(
        span.parent_span_id,
        Some(SpanId::from_bytes(3_u64.to_be_bytes()))
    );
    assert_eq!(span.attributes["k"], Value::from("second"));
    assert_eq!(span.repeated_keys, ["k"]);
    assert_eq!(
        (span.status, span.status_message.as_str()),
        (StatusCode::Error, "no")
    );
    assert_eq!(
        (span.events[0].name.as_str(), span.events[0].unix_nanos),
        ("retry", 7)
    );
    assert_eq!(span.links.len(), 1, "a link with an invalid id is none");
    assert_eq!((span.dropped, span.duration().as_millis()), (2, 5));
}

#[test]
fn a_parent_of_zeros_is_no_parent() {
    let mut root = proto_span(1, 2, 0, "root", (0, 1));
    root.parent_span_id = vec![0; 8];
    assert_eq!(
        spans(traces("s", vec![root])).records[0].parent_span_id,
        None
    );
}

#[test]
fn a_resource_without_a_name_is_an_unknown_service() {
    let mut request = traces("s", vec![proto_span(1, 2, 0, "root", (0, 1))]);
    request.resource_spans[0].resource = None;
    assert_eq!(spans(request).records[0].service(), UNKNOWN_SERVICE);
}

#[test]
fn values_of_all_kinds_are_shown() {
    let list = ArrayValue {
        values: vec![any(any_value::Value::IntValue(1)), text("b")],
    };
    let map = KeyValueList {
        values: vec![attribute("k", "v"), attribute("l", "w")],
    };
    let cases = [
        (any_value::Value::BoolValue(true), "true", "true"),
        (any_value::Value::IntValue(-1), "-1", "-1"),
        (any_value::Value::DoubleValue(0.5), "0.5", "0.5"),
        (
            any_value::Value::StringValue("a b".to_owned()),
            "a b",
            "\"a b\"",
        ),
        (
            any_value::Value::BytesValue(vec![1, 255]),
            "01ff",
            "[1,255]",
        ),
        (any_value::Value::ArrayValue(list), "[1, b]", "[1,\"b\"]"),
        (
            any_value::Value::KvlistValue(map),
            "k=v l=w",
            "{\"k\":\"v\",\"l\":\"w\"}",
        ),
        (any_value::Value::StringValueStrindex(1), "null", "null"),
    ];
    for (sent, shown, json) in cases {
        let value = Value::new(Some(any(sent)));
        assert_eq!(value.to_string(), shown);
        assert_eq!(serde_json::to_string(&value).unwrap(), json);
    }
}

#[test]
fn a_log_record_falls_back_to_the_observed_time_and_the_severity_number() {
    let mut record = log(1, 2, 0, "hello");
    record.time_unix_nano = 0;
    record.observed_time_unix_nano = 9;
    record.severity_number = 17;
    let unpacked = logs(crate::fixture::logs("s", vec![record]));
    assert_eq!(unpacked.records[0].unix_nanos, 9);
    assert_eq!(unpacked.records[0].level(), "ERROR");
}

#[test]
fn metrics_of_all_kinds_become_points() {
    let labels = || -> Vec<KeyValue> { vec![attribute("route", "/a")] };
    let number = NumberDataPoint {
        attributes: labels(),
        value: Some(number_data_point::Value::AsDouble(1.5)),
        ..NumberDataPoint::default()
    };
    let sum = |is_monotonic| {
        Data::Sum(Sum {
            data_points: vec![number.clone()],
            aggregation_temporality: 2,
            is_monotonic,
        })
    };
    let histogram = Data::Histogram(Histogram {
        data_points: vec![HistogramDataPoint {
            count: 3,
            sum: Some(4.0),
            bucket_counts: vec![1, 2],
            explicit_bounds: vec![1.0],
            ..HistogramDataPoint::default()
        }],
        aggregation_temporality: 1,
    });
    let exponential = Data::ExponentialHistogram(ExponentialHistogram {
        data_points: vec![ExponentialHistogramDataPoint {
            count: 5,
            ..Default::default()
        }],
        aggregation_temporality: 2,
    });
    let mut request = gauge("g", &[("a", 1)]);
    let metrics = &mut request.resource_metrics[0].scope_metrics[0].metrics;
    for data in [sum(true), sum(false), histogram, exponential] {
        metrics.push(Metric {
            unit: "s".to_owned(),
            data: Some(data),
            ..Metric::default()
        });
    }

    let points = points(request).records;
    let kinds: Vec<_> = points
        .iter()
        .map(|point| (point.kind, point.temporality))
        .collect();
    let expected = [
        (MetricKind::Gauge, Temporality::Unspecified),
        (MetricKind::Counter, Temporality::Cumulative),
        (MetricKind::UpDownCounter, Temporality::Cumulative),
        (MetricKind::Histogram, Temporality::Delta),
        (MetricKind::ExponentialHistogram, Temporality::Cumulative),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(points[0].value, PointValue::Int(1));
    assert_eq!(points[1].value, PointValue::Double(1.5));
    assert_eq!(points[1].attributes["route"].as_str(), Some("/a"));
    let histogram = points[3].histogram().unwrap();
    assert_eq!(
        (
            histogram.count,
            &histogram.bounds[..],
            &histogram.buckets[..]
        ),
        (3, &[1.0][..], &[1, 2][..])
    );
    assert_eq!(points[4].histogram().unwrap().count, 5);
}

#[test]
fn public_types_can_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<crate::Store>();
    shared::<crate::Receiver>();
    shared::<crate::Trace>();
    shared::<crate::Stats>();
    shared::<crate::BindError>();
    shared::<(SpanView, LogView, PointView)>();
}
