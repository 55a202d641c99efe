//! Rules on the instrument: its name, kind, unit and buckets.

use bartizan_panel::view::{MetricKind, PointView, Temporality};

use super::spec::find;

/// Seconds.
const BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

pub(super) fn name(point: &PointView) -> Option<String> {
    find(point).is_none().then(|| point.name.clone())
}

pub(super) fn kind(point: &PointView) -> Option<String> {
    let spec = find(point)?;
    // A wider histogram is the same instrument under another aggregation.
    let exponential =
        spec.kind == MetricKind::Histogram && point.kind == MetricKind::ExponentialHistogram;
    let wrong = spec.kind != point.kind && !exponential;
    let untimed = point.temporality == Temporality::Unspecified;
    (wrong || untimed).then(|| format!("{:?}, {:?}", point.kind, point.temporality))
}

pub(super) fn unit(point: &PointView) -> Option<String> {
    (find(point)?.unit != point.unit).then(|| format!("{:?}", point.unit))
}

pub(super) fn buckets(point: &PointView) -> Option<String> {
    let spec = find(point)?;
    let applies = spec.name.ends_with(".request.duration") && point.kind == MetricKind::Histogram;
    let histogram = point.histogram()?;
    (applies && histogram.bounds != BUCKETS).then(|| format!("{:?}", histogram.bounds))
}

pub(super) fn counts(point: &PointView) -> Option<String> {
    let histogram = point.histogram()?;
    let sum: u64 = histogram.buckets.iter().sum();
    let shaped = histogram.buckets.len() == histogram.bounds.len() + 1 && sum == histogram.count;
    (point.kind == MetricKind::Histogram && !shaped)
        .then(|| format!("count {} in {:?}", histogram.count, histogram.buckets))
}
