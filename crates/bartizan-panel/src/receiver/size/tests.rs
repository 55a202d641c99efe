use std::mem::size_of;

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{
        AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
        any_value::Value,
    },
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    metrics::v1::{
        Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
        HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
        SummaryDataPoint, exponential_histogram_data_point::Buckets, metric::Data,
        summary_data_point::ValueAtQuantile,
    },
    resource::v1::Resource,
    trace::v1::{
        ResourceSpans, ScopeSpans, Span, Status,
        span::{Event, Link},
    },
};
use proptest::{collection::vec, option, prelude::*};
use prost::Message;

use super::*;

/// What the decoder made of a message: [`Size`] by looking at the result.
trait Unpacked {
    fn size(&self) -> Size;
}

fn record() -> Size {
    Size {
        records: 1,
        parts: 0,
    }
}

fn part() -> Size {
    Size {
        records: 0,
        parts: 1,
    }
}

fn sum(sizes: impl IntoIterator<Item = Size>) -> Size {
    let add = |a: Size, b: Size| Size {
        records: a.records + b.records,
        parts: a.parts + b.parts,
    };
    sizes.into_iter().fold(Size::default(), add)
}

impl<T: Unpacked> Unpacked for Option<T> {
    fn size(&self) -> Size {
        sum(self.iter().map(Unpacked::size))
    }
}

impl<T: Unpacked> Unpacked for Vec<T> {
    fn size(&self) -> Size {
        sum(self.iter().map(Unpacked::size))
    }
}

/// What a message counts itself, and those of its fields that hold messages.
macro_rules! unpacked {
    ($($message:ty: $own:expr, [$($field:ident),*];)*) => {
        $(impl Unpacked for $message {
            fn size(&self) -> Size {
                sum([$own, $(self.$field.size()),*])
            }
        })*
    };
}

unpacked! {
    ExportTraceServiceRequest: Size::default(), [resource_spans];
    ResourceSpans: record(), [resource, scope_spans];
    ScopeSpans: record(), [scope, spans];
    Span: record(), [attributes, events, links];
    Event: part(), [attributes];
    Link: part(), [attributes];
    ExportLogsServiceRequest: Size::default(), [resource_logs];
    ResourceLogs: record(), [resource, scope_logs];
    ScopeLogs: record(), [scope, log_records];
    LogRecord: record(), [body, attributes];
    ExportMetricsServiceRequest: Size::default(), [resource_metrics];
    ResourceMetrics: record(), [resource, scope_metrics];
    ScopeMetrics: record(), [scope, metrics];
    Metric: record(), [data, metadata];
    NumberDataPoint: record(), [attributes, exemplars];
    HistogramDataPoint: record(), [attributes, exemplars];
    ExponentialHistogramDataPoint: record(), [attributes, exemplars];
    SummaryDataPoint: record(), [attributes, quantile_values];
    ValueAtQuantile: part(), [];
    Exemplar: part(), [filtered_attributes];
    Resource: Size::default(), [attributes, entity_refs];
    EntityRef: part(), [];
    InstrumentationScope: Size::default(), [attributes];
    KeyValue: part(), [value];
    AnyValue: Size::default(), [value];
}

impl Unpacked for Data {
    fn size(&self) -> Size {
        match self {
            Self::Gauge(data) => data.data_points.size(),
            Self::Sum(data) => data.data_points.size(),
            Self::Histogram(data) => data.data_points.size(),
            Self::ExponentialHistogram(data) => data.data_points.size(),
            Self::Summary(data) => data.data_points.size(),
        }
    }
}

impl Unpacked for Value {
    fn size(&self) -> Size {
        match self {
            Self::ArrayValue(array) => sum([
                sum(array.values.iter().map(|_| part())),
                array.values.size(),
            ]),
            Self::KvlistValue(list) => list.values.size(),
            _ => Size::default(),
        }
    }
}

fn values() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        Just(AnyValue::default()),
        "[a-z]{0,3}".prop_map(|text| holding(Value::StringValue(text))),
        any::<i64>().prop_map(|number| holding(Value::IntValue(number))),
    ];
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3)
                .prop_map(|values| holding(Value::ArrayValue(ArrayValue { values }))),
            vec(inner, 0..3).prop_map(|values| {
                let values = values.into_iter().map(|value| attribute(Some(value)));
                holding(Value::KvlistValue(KeyValueList {
                    values: values.collect(),
                }))
            }),
        ]
    })
}

fn holding(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn attribute(value: Option<AnyValue>) -> KeyValue {
    KeyValue {
        key: "k".to_owned(),
        value,
        ..KeyValue::default()
    }
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec(option::of(values()).prop_map(attribute), 0..3)
}

/// Resource and scope.
fn origins() -> impl Strategy<Value = (Option<Resource>, Option<InstrumentationScope>)> {
    let resource = (attributes(), 0..2_usize).prop_map(|(attributes, entities)| Resource {
        attributes,
        entity_refs: std::vec![EntityRef::default(); entities],
        ..Resource::default()
    });
    let scope = attributes().prop_map(|attributes| InstrumentationScope {
        attributes,
        ..InstrumentationScope::default()
    });
    (option::of(resource), option::of(scope))
}

fn spans() -> impl Strategy<Value = Span> {
    let events = attributes().prop_map(|attributes| Event {
        attributes,
        ..Event::default()
    });
    let links = attributes().prop_map(|attributes| Link {
        attributes,
        ..Link::default()
    });
    (attributes(), vec(events, 0..3), vec(links, 0..3)).prop_map(|(attributes, events, links)| {
        Span {
            attributes,
            events,
            links,
            start_time_unix_nano: 1,
            status: Some(Status::default()),
            ..Span::default()
        }
    })
}

fn traces() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let resource_spans = (origins(), vec(vec(spans(), 0..3), 0..3));
    let resource_spans = resource_spans.prop_map(|((resource, scope), scopes)| ResourceSpans {
        resource,
        scope_spans: scopes
            .into_iter()
            .map(|spans| ScopeSpans {
                scope: scope.clone(),
                spans,
                ..ScopeSpans::default()
            })
            .collect(),
        ..ResourceSpans::default()
    });
    vec(resource_spans, 0..3)
        .prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

fn logs() -> impl Strategy<Value = ExportLogsServiceRequest> {
    let record = (option::of(values()), attributes());
    let record = record.prop_map(|(body, attributes)| LogRecord {
        body,
        attributes,
        ..LogRecord::default()
    });
    (origins(), vec(record, 0..4)).prop_map(|((resource, scope), log_records)| {
        ExportLogsServiceRequest {
            resource_logs: std::vec![ResourceLogs {
                resource,
                scope_logs: std::vec![ScopeLogs {
                    scope,
                    log_records,
                    ..ScopeLogs::default()
                }],
                ..ResourceLogs::default()
            }],
        }
    })
}

/// Points of one metric of each kind, with the same attributes and exemplars.
fn data() -> impl Strategy<Value = Vec<Data>> {
    let exemplar = attributes().prop_map(|filtered_attributes| Exemplar {
        filtered_attributes,
        ..Exemplar::default()
    });
    (attributes(), vec(exemplar, 0..3), 0..3_usize).prop_map(|(attributes, exemplars, points)| {
        let number = NumberDataPoint {
            attributes: attributes.clone(),
            exemplars: exemplars.clone(),
            ..NumberDataPoint::default()
        };
        let histogram = HistogramDataPoint {
            attributes: attributes.clone(),
            exemplars: exemplars.clone(),
            bucket_counts: std::vec![1, 2],
            ..HistogramDataPoint::default()
        };
        let exponential = ExponentialHistogramDataPoint {
            attributes: attributes.clone(),
            exemplars,
            positive: Some(Buckets::default()),
            negative: Some(Buckets::default()),
            ..ExponentialHistogramDataPoint::default()
        };
        let summary = SummaryDataPoint {
            attributes,
            quantile_values: std::vec![ValueAtQuantile::default(); 2],
            ..SummaryDataPoint::default()
        };
        std::vec![
            Data::Gauge(Gauge {
                data_points: std::vec![number.clone(); points],
            }),
            Data::Sum(Sum {
                data_points: std::vec![number; points],
                ..Sum::default()
            }),
            Data::Histogram(Histogram {
                data_points: std::vec![histogram; points],
                ..Histogram::default()
            }),
            Data::ExponentialHistogram(ExponentialHistogram {
                data_points: std::vec![exponential; points],
                ..ExponentialHistogram::default()
            }),
            Data::Summary(Summary {
                data_points: std::vec![summary; points],
            }),
        ]
    })
}

fn metrics() -> impl Strategy<Value = ExportMetricsServiceRequest> {
    let parts = (origins(), data(), attributes());
    parts.prop_map(|((resource, scope), data, metadata)| {
        let metric = |data| Metric {
            name: "m".to_owned(),
            metadata: metadata.clone(),
            data: Some(data),
            ..Metric::default()
        };
        ExportMetricsServiceRequest {
            resource_metrics: std::vec![ResourceMetrics {
                resource,
                scope_metrics: std::vec![ScopeMetrics {
                    scope,
                    metrics: data.into_iter().map(metric).collect(),
                    ..ScopeMetrics::default()
                }],
                ..ResourceMetrics::default()
            }],
        }
    })
}

proptest! {
    #[test]
    fn what_is_counted_is_what_the_decoder_makes(
        traces in traces(),
        logs in logs(),
        metrics in metrics(),
    ) {
        prop_assert_eq!(measure(&traces.encode_to_vec(), &TRACES), traces.size());
        prop_assert_eq!(measure(&logs.encode_to_vec(), &LOGS), logs.size());
        prop_assert_eq!(measure(&metrics.encode_to_vec(), &METRICS), metrics.size());
    }

    #[test]
    fn of_mangled_bytes_no_less_is_counted_than_the_decoder_makes(
        traces in traces(),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let mut bytes = traces.encode_to_vec();
        for (at, byte) in flips {
            if !bytes.is_empty() {
                *at.get_mut(&mut bytes) = byte;
            }
        }
        let size = measure(&bytes, &TRACES);
        if let Ok(made) = ExportTraceServiceRequest::decode(&*bytes) {
            let made = made.size();
            prop_assert!(size.records >= made.records && size.parts >= made.parts, "{size:?}, {made:?}");
        }
    }

    #[test]
    fn no_bytes_are_too_odd_to_count(bytes in vec(any::<u8>(), 0..64)) {
        let size = measure(&bytes, &TRACES);
        prop_assert!(size.records + size.parts <= bytes.len());
    }
}

/// A field that holds `inside`.
fn field(number: u8, inside: &[u8]) -> Vec<u8> {
    let mut bytes = std::vec![number << 3 | 2];
    prost::encoding::encode_varint(inside.len() as u64, &mut bytes);
    bytes.extend_from_slice(inside);
    bytes
}

/// As many spans as fit behind one another, in a resource and a scope.
fn empty_spans(count: usize) -> Vec<u8> {
    field(1, &field(2, &field(2, &[]).repeat(count)))
}

#[test]
fn a_message_is_counted_up_to_where_it_is_malformed() {
    let cases: [(&str, &[u8], usize); 13] = [
        ("nothing", &[], 0),
        ("two empty resources", &[0x0a, 0, 0x0a, 0], 2),
        ("a length without a message", &[0x0a, 0, 0x0a, 1], 1),
        ("a field without a value", &[0x0a, 0, 0x0a], 1),
        (
            "a message that is written as a number",
            &[0x0a, 0, 0x08, 1],
            1,
        ),
        ("field number 0", &[0x0a, 0, 0x02, 0, 0x0a, 0], 1),
        (
            "an unknown way to write a value",
            &[0x0a, 0, 0x0f, 0x0a, 0],
            1,
        ),
        ("a field that nobody knows", &[0x10, 0x80, 1, 0x0a, 0], 1),
        (
            "fixed numbers that nobody knows",
            &[0x15, 0, 0, 0, 0, 0x19, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0],
            1,
        ),
        (
            "a group that nobody knows",
            &[0x1b, 0x0a, 0, 0x1c, 0x0a, 0],
            1,
        ),
        ("a group that ends as another", &[0x1b, 0x24, 0x0a, 0], 0),
        ("the end of no group", &[0x0a, 0, 0x1c, 0x0a, 0], 1),
        (
            "a number of eleven bytes",
            &[
                0x10, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0x0a, 0,
            ],
            0,
        ),
    ];
    for (name, bytes, records) in cases {
        let size = measure(bytes, &TRACES);
        assert_eq!(size, Size { records, parts: 0 }, "{name}");
        // All that is left uncounted is what the decoder does not get to.
        if let Ok(made) = ExportTraceServiceRequest::decode(bytes) {
            assert_eq!(made.size(), size, "{name}");
        }
    }
}

#[test]
fn a_message_that_runs_over_the_one_around_it_is_counted_as_far_as_the_decoder_unpacks_it() {
    // A resource that says it is two bytes long, with a scope in it that goes on to the end.
    let scope = field(2, &field(2, &[]).repeat(100));
    let mut bytes = std::vec![0x0a, 2];
    bytes.extend_from_slice(&scope);
    assert!(ExportTraceServiceRequest::decode(&*bytes).is_err());
    assert_eq!(measure(&bytes, &TRACES).records, 102);
}

#[test]
fn nesting_ends_where_the_decoder_refuses_it() {
    // Resource, its attribute and that one's value are three levels; an array and its element are
    // two more each.
    let nested = |arrays: usize| {
        let inside = (0..arrays).fold(Vec::new(), |inside, _| field(5, &field(1, &inside)));
        field(1, &field(1, &field(1, &field(2, &inside))))
    };
    let deepest = ExportTraceServiceRequest::decode(&*nested(48)).unwrap();
    assert_eq!(measure(&nested(48), &TRACES), deepest.size());
    assert!(ExportTraceServiceRequest::decode(&*nested(49)).is_err());
    let deeper = measure(&nested(10_000), &TRACES);
    assert_eq!(deeper, measure(&nested(49), &TRACES));
}

#[test]
fn as_much_as_is_allowed_is_taken_and_one_more_is_not() {
    // A resource and a scope are records too.
    assert_eq!(check(&empty_spans(MAX_RECORDS - 2), &TRACES), Ok(()));
    let error = check(&empty_spans(MAX_RECORDS - 1), &TRACES).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the request holds 50001 records with 0 parts; at most 50000 with 500000 are taken"
    );

    let attributes = |count| field(1, &field(1, &field(1, &[]).repeat(count)));
    assert_eq!(check(&attributes(MAX_PARTS), &LOGS), Ok(()));
    let error = check(&attributes(MAX_PARTS + 1), &LOGS).unwrap_err();
    assert_eq!(
        error.0,
        Size {
            records: 1,
            parts: MAX_PARTS + 1
        }
    );
}

#[test]
fn what_is_taken_unpacks_to_a_bounded_amount() {
    let record = [
        size_of::<ResourceSpans>(),
        size_of::<ScopeSpans>(),
        size_of::<Span>(),
        size_of::<LogRecord>(),
        size_of::<Metric>(),
        size_of::<NumberDataPoint>(),
        size_of::<HistogramDataPoint>(),
        size_of::<ExponentialHistogramDataPoint>(),
        size_of::<SummaryDataPoint>(),
    ];
    let part = [
        size_of::<KeyValue>(),
        size_of::<AnyValue>(),
        size_of::<Event>(),
        size_of::<Link>(),
        size_of::<Exemplar>(),
        size_of::<EntityRef>(),
        size_of::<ValueAtQuantile>(),
    ];
    // Some 15 MB and some 50 MB, as the limits' docs say.
    assert!(record.iter().max() <= Some(&300), "{record:?}");
    assert!(part.iter().max() <= Some(&110), "{part:?}");
}
