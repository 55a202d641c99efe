//! Metric points.

use std::sync::Arc;

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    metrics::v1::{self, metric::Data, number_data_point},
};
use serde::Serialize;

use super::{Attributes, ResourceView, ScopeView, Unpacked, as_string, value::attributes};

/// One data point of one series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PointView {
    /// Who reported it.
    pub resource: Arc<ResourceView>,
    /// The library that made it.
    pub scope: Arc<ScopeView>,
    /// The metric's name.
    pub name: String,
    /// The metric's unit, in UCUM.
    pub unit: String,
    /// The metric's description.
    pub description: String,
    /// What the metric is.
    pub kind: MetricKind,
    /// Whether points say the change or the sum so far.
    pub temporality: Temporality,
    /// The attributes that tell the series apart.
    pub attributes: Attributes,
    /// Since when, in nanoseconds since the Unix epoch; 0 if unknown.
    #[serde(serialize_with = "as_string")]
    pub start_unix_nanos: u64,
    /// When, in nanoseconds since the Unix epoch.
    #[serde(serialize_with = "as_string")]
    pub unix_nanos: u64,
    /// What was measured.
    pub value: PointValue,
}

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MetricKind {
    /// A value at a moment.
    Gauge,
    /// A sum that only grows.
    Counter,
    /// A sum that may fall.
    UpDownCounter,
    /// Counts per bucket with explicit bounds.
    Histogram,
    /// Counts per bucket with exponential bounds.
    ExponentialHistogram,
    /// Quantiles, from systems older than OpenTelemetry.
    Summary,
}

/// What a sum or histogram counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Temporality {
    /// Not said, or it does not apply.
    Unspecified,
    /// Since the last point.
    Delta,
    /// Since the start.
    Cumulative,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PointValue {
    /// The point says that there is no value.
    None,
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// A distribution. Exponential histograms and summaries come without bounds and buckets.
    Histogram(HistogramView),
}

/// A distribution.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct HistogramView {
    /// How many values.
    pub count: u64,
    /// Their sum.
    pub sum: Option<f64>,
    /// The least.
    pub min: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
    /// The upper bounds of all buckets but the last, which has none.
    pub bounds: Vec<f64>,
    /// The values in each bucket, one more than there are bounds.
    pub buckets: Vec<u64>,
}

// === impl PointView ===

impl PointView {
    /// The name of the service that reported it.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.resource.service
    }

    /// The distribution, if it is one.
    #[must_use]
    pub const fn histogram(&self) -> Option<&HistogramView> {
        match &self.value {
            PointValue::Histogram(histogram) => Some(histogram),
            _ => None,
        }
    }
}

// === impl Temporality ===

impl Temporality {
    fn new(number: i32) -> Self {
        match v1::AggregationTemporality::try_from(number) {
            Ok(v1::AggregationTemporality::Delta) => Self::Delta,
            Ok(v1::AggregationTemporality::Cumulative) => Self::Cumulative,
            _ => Self::Unspecified,
        }
    }
}

/// The points of an export request.
#[must_use]
pub fn points(request: ExportMetricsServiceRequest) -> Unpacked<PointView> {
    let mut points = Vec::new();
    for group in request.resource_metrics {
        let resource = ResourceView::new(group.resource);
        for group in group.scope_metrics {
            let scope = ScopeView::new(group.scope, group.schema_url);
            for metric in group.metrics {
                unpack(metric, &resource, &scope, &mut points);
            }
        }
    }
    Unpacked {
        records: points,
        invalid: 0,
    }
}

fn unpack(
    metric: v1::Metric,
    resource: &Arc<ResourceView>,
    scope: &Arc<ScopeView>,
    points: &mut Vec<PointView>,
) {
    let Some(data) = metric.data else { return };
    let (kind, temporality, bare) = bare_points(data);
    points.extend(bare.into_iter().map(|point| PointView {
        resource: Arc::clone(resource),
        scope: Arc::clone(scope),
        name: metric.name.clone(),
        unit: metric.unit.clone(),
        description: metric.description.clone(),
        kind,
        temporality,
        attributes: attributes(point.attributes).0,
        start_unix_nanos: point.start,
        unix_nanos: point.time,
        value: point.value,
    }));
}

/// What all kinds of points have in common.
struct Bare {
    attributes: Vec<opentelemetry_proto::tonic::common::v1::KeyValue>,
    start: u64,
    time: u64,
    value: PointValue,
}

fn bare_points(data: Data) -> (MetricKind, Temporality, Vec<Bare>) {
    match data {
        Data::Gauge(gauge) => {
            let points = gauge.data_points.into_iter().map(Bare::from).collect();
            (MetricKind::Gauge, Temporality::Unspecified, points)
        }
        Data::Sum(sum) => {
            let kind = if sum.is_monotonic {
                MetricKind::Counter
            } else {
                MetricKind::UpDownCounter
            };
            let points = sum.data_points.into_iter().map(Bare::from).collect();
            (kind, Temporality::new(sum.aggregation_temporality), points)
        }
        Data::Histogram(histogram) => {
            let temporality = Temporality::new(histogram.aggregation_temporality);
            let points = histogram.data_points.into_iter().map(Bare::from).collect();
            (MetricKind::Histogram, temporality, points)
        }
        Data::ExponentialHistogram(histogram) => {
            let temporality = Temporality::new(histogram.aggregation_temporality);
            let points = histogram.data_points.into_iter().map(Bare::from).collect();
            (MetricKind::ExponentialHistogram, temporality, points)
        }
        Data::Summary(summary) => {
            let points = summary.data_points.into_iter().map(Bare::from).collect();
            (MetricKind::Summary, Temporality::Unspecified, points)
        }
    }
}

impl From<v1::NumberDataPoint> for Bare {
    fn from(point: v1::NumberDataPoint) -> Self {
        Self {
            attributes: point.attributes,
            start: point.start_time_unix_nano,
            time: point.time_unix_nano,
            value: match point.value {
                None => PointValue::None,
                Some(number_data_point::Value::AsInt(value)) => PointValue::Int(value),
                Some(number_data_point::Value::AsDouble(value)) => PointValue::Double(value),
            },
        }
    }
}

impl From<v1::HistogramDataPoint> for Bare {
    fn from(point: v1::HistogramDataPoint) -> Self {
        Self {
            attributes: point.attributes,
            start: point.start_time_unix_nano,
            time: point.time_unix_nano,
            value: PointValue::Histogram(HistogramView {
                count: point.count,
                sum: point.sum,
                min: point.min,
                max: point.max,
                bounds: point.explicit_bounds,
                buckets: point.bucket_counts,
            }),
        }
    }
}

impl From<v1::ExponentialHistogramDataPoint> for Bare {
    fn from(point: v1::ExponentialHistogramDataPoint) -> Self {
        Self {
            attributes: point.attributes,
            start: point.start_time_unix_nano,
            time: point.time_unix_nano,
            value: PointValue::Histogram(HistogramView {
                count: point.count,
                sum: point.sum,
                min: point.min,
                max: point.max,
                ..HistogramView::default()
            }),
        }
    }
}

impl From<v1::SummaryDataPoint> for Bare {
    fn from(point: v1::SummaryDataPoint) -> Self {
        Self {
            attributes: point.attributes,
            start: point.start_time_unix_nano,
            time: point.time_unix_nano,
            value: PointValue::Histogram(HistogramView {
                count: point.count,
                sum: Some(point.sum),
                ..HistogramView::default()
            }),
        }
    }
}
