//! What is exposed, as plain data.
//!
//! The SDK's own types can be read and not built, so what is written from this can be tested with
//! any data, and what reads the SDK is one file.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{SpanId, TraceId};

/// All metrics at one moment.
#[derive(Debug, Default)]
pub(super) struct Snapshot<'a> {
    pub(super) resource: Vec<Attribute<'a>>,
    pub(super) scopes: Vec<Scope<'a>>,
}

/// A key and its value as text.
pub(super) type Attribute<'a> = (Cow<'a, str>, Cow<'a, str>);

#[derive(Debug, Default)]
pub(super) struct Scope<'a> {
    pub(super) name: &'a str,
    pub(super) version: Option<&'a str>,
    pub(super) attributes: Vec<Attribute<'a>>,
    pub(super) instruments: Vec<Instrument<'a>>,
}

#[derive(Debug)]
pub(super) struct Instrument<'a> {
    pub(super) name: &'a str,
    pub(super) help: &'a str,
    /// In UCUM.
    pub(super) unit: &'a str,
    pub(super) data: Data<'a>,
}

/// Cumulative data, by the kind of instrument.
#[derive(Debug)]
pub(super) enum Data<'a> {
    Gauge(Vec<Point<'a, Number>>),
    /// A sum that can sink.
    UpDown(Vec<Point<'a, Number>>),
    Counter(Vec<Point<'a, Number>>),
    Histogram(Vec<Point<'a, Distribution>>),
    /// What the text formats have no form for.
    Unsupported {
        series: usize,
    },
}

#[derive(Debug)]
pub(super) struct Point<'a, V> {
    pub(super) attributes: Vec<Attribute<'a>>,
    pub(super) value: V,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Float(f64),
    Unsigned(u64),
    Signed(i64),
}

#[derive(Debug, Default)]
pub(super) struct Distribution {
    /// The buckets' upper bounds, inclusive and rising; the last bucket has none.
    pub(super) bounds: Vec<f64>,
    /// How many values are in each bucket alone: one more than there are bounds.
    pub(super) counts: Vec<u64>,
    /// `None` when it can sink, because values may be negative.
    pub(super) sum: Option<Number>,
    /// In any order; they find their buckets by their value.
    pub(super) exemplars: Vec<Exemplar>,
}

/// One measurement, and the span in which it was made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exemplar {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) value: f64,
    pub(crate) at: SystemTime,
}

// === impl Data ===

impl Data<'_> {
    /// How many series there are.
    pub(super) fn series(&self) -> usize {
        match self {
            Self::Gauge(points) | Self::UpDown(points) | Self::Counter(points) => points.len(),
            Self::Histogram(points) => points.len(),
            Self::Unsupported { series } => *series,
        }
    }
}

// === impl Number ===

impl Number {
    /// Whether it can be a counter's value or a histogram's sum: not negative, and a number.
    pub(super) fn is_countable(self) -> bool {
        match self {
            Self::Float(value) => value >= 0.0,
            Self::Unsigned(_) => true,
            Self::Signed(value) => value >= 0,
        }
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::Unsigned(value)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::Signed(value)
    }
}
