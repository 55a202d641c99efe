//! From what the SDK has collected to what is exposed.

use std::borrow::Cow;

use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, HistogramDataPoint, Metric, MetricData, ResourceMetrics,
};

use super::exemplars::Exemplars;
use super::view::{Attribute, Data, Distribution, Instrument, Number, Point, Scope, Snapshot};
use crate::names::{self, metric};

pub(super) fn snapshot<'a>(all: &'a ResourceMetrics, exemplars: &Exemplars) -> Snapshot<'a> {
    let resource = all.resource().iter();
    Snapshot {
        resource: resource
            .map(|(key, value)| (Cow::Borrowed(key.as_str()), value.as_str()))
            .collect(),
        scopes: all
            .scope_metrics()
            .map(|metrics| Scope {
                name: metrics.scope().name(),
                version: metrics.scope().version(),
                attributes: attributes(metrics.scope().attributes()),
                instruments: metrics
                    .metrics()
                    .map(|metric| instrument(metrics.scope(), metric, exemplars))
                    .collect(),
            })
            .collect(),
    }
}

fn instrument<'a>(
    scope: &InstrumentationScope,
    metric: &'a Metric,
    exemplars: &Exemplars,
) -> Instrument<'a> {
    let carries_exemplars =
        scope.name() == names::SCOPE && metric.name() == metric::SERVER_REQUEST_DURATION.name;
    let exemplars = carries_exemplars.then_some(exemplars);
    Instrument {
        name: metric.name(),
        help: metric.description(),
        unit: metric.unit(),
        data: match metric.data() {
            AggregatedMetrics::F64(data) => of_kind(data, exemplars),
            AggregatedMetrics::U64(data) => of_kind(data, exemplars),
            AggregatedMetrics::I64(data) => of_kind(data, exemplars),
        },
    }
}

fn of_kind<'a, T: Copy + Into<Number>>(
    data: &'a MetricData<T>,
    exemplars: Option<&Exemplars>,
) -> Data<'a> {
    match data {
        MetricData::Gauge(gauge) => Data::Gauge(
            gauge
                .data_points()
                .map(|point| number(point.attributes(), point.value()))
                .collect(),
        ),
        MetricData::Sum(sum) if sum.temporality() == Temporality::Cumulative => {
            let points = sum
                .data_points()
                .map(|point| number(point.attributes(), point.value()))
                .collect();
            match sum.is_monotonic() {
                true => Data::Counter(points),
                false => Data::UpDown(points),
            }
        }
        MetricData::Histogram(histogram) if histogram.temporality() == Temporality::Cumulative => {
            Data::Histogram(
                histogram
                    .data_points()
                    .map(|point| Point {
                        attributes: attributes(point.attributes()),
                        value: distribution(point, exemplars),
                    })
                    .collect(),
            )
        }
        MetricData::Sum(sum) => Data::Unsupported {
            series: sum.data_points().count(),
        },
        MetricData::Histogram(histogram) => Data::Unsupported {
            series: histogram.data_points().count(),
        },
        MetricData::ExponentialHistogram(histogram) => Data::Unsupported {
            series: histogram.data_points().count(),
        },
    }
}

fn number<'a, T: Into<Number>>(
    attributes_of: impl Iterator<Item = &'a KeyValue>,
    value: T,
) -> Point<'a, Number> {
    Point {
        attributes: attributes(attributes_of),
        value: value.into(),
    }
}

fn distribution<T: Copy + Into<Number>>(
    point: &HistogramDataPoint<T>,
    exemplars: Option<&Exemplars>,
) -> Distribution {
    let mut counts: Vec<u64> = point.bucket_counts().collect();
    if counts.is_empty() {
        // Without bounds there is one bucket, which the SDK does not count apart.
        counts.push(point.count());
    }
    let rises = point
        .min()
        .is_none_or(|least| Into::<Number>::into(least).is_countable());
    let sum = rises
        .then(|| point.sum().into())
        .filter(|sum: &Number| sum.is_countable());
    Distribution {
        bounds: point.bounds().collect(),
        counts,
        sum,
        exemplars: exemplars.map_or_else(Vec::new, |all| all.of(point.attributes())),
    }
}

fn attributes<'a>(all: impl Iterator<Item = &'a KeyValue>) -> Vec<Attribute<'a>> {
    all.map(|attribute| {
        (
            Cow::Borrowed(attribute.key.as_str()),
            attribute.value.as_str(),
        )
    })
    .collect()
}
