//! Which fields of OTLP's messages hold messages.

use self::What::{Inline, Part, Record};

/// A message type: its fields that hold messages, by number. All others are passed over.
#[derive(Debug)]
pub(in crate::receiver) struct Shape(&'static [(u32, What, &'static Self)]);

/// What a message in a field is.
#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    /// A span, log record or data point, or what groups them.
    Record,
    /// One of the many things that a record may hold many of.
    Part,
    /// One of its kind, and unpacked in place.
    Inline,
}

// === impl Shape ===

impl Shape {
    pub(super) fn field(&self, number: u32) -> Option<(What, &'static Self)> {
        let field = self.0.iter().find(|(field, ..)| *field == number);
        field.map(|(_, what, shape)| (*what, *shape))
    }
}

/// `ExportTraceServiceRequest`.
pub(in crate::receiver) static TRACES: Shape = Shape(&[(1, Record, &RESOURCE_SPANS)]);
static RESOURCE_SPANS: Shape = Shape(&[(1, Inline, &RESOURCE), (2, Record, &SCOPE_SPANS)]);
static SCOPE_SPANS: Shape = Shape(&[(1, Inline, &SCOPE), (2, Record, &SPAN)]);
static SPAN: Shape = Shape(&[
    (9, Part, &KEY_VALUE),
    (11, Part, &EVENT),
    (13, Part, &LINK),
    (15, Inline, &LEAF),
]);
static EVENT: Shape = Shape(&[(3, Part, &KEY_VALUE)]);
static LINK: Shape = Shape(&[(4, Part, &KEY_VALUE)]);

/// `ExportLogsServiceRequest`.
pub(in crate::receiver) static LOGS: Shape = Shape(&[(1, Record, &RESOURCE_LOGS)]);
static RESOURCE_LOGS: Shape = Shape(&[(1, Inline, &RESOURCE), (2, Record, &SCOPE_LOGS)]);
static SCOPE_LOGS: Shape = Shape(&[(1, Inline, &SCOPE), (2, Record, &LOG_RECORD)]);
static LOG_RECORD: Shape = Shape(&[(5, Inline, &ANY_VALUE), (6, Part, &KEY_VALUE)]);

/// `ExportMetricsServiceRequest`.
pub(in crate::receiver) static METRICS: Shape = Shape(&[(1, Record, &RESOURCE_METRICS)]);
static RESOURCE_METRICS: Shape = Shape(&[(1, Inline, &RESOURCE), (2, Record, &SCOPE_METRICS)]);
static SCOPE_METRICS: Shape = Shape(&[(1, Inline, &SCOPE), (2, Record, &METRIC)]);
static METRIC: Shape = Shape(&[
    // Gauge, sum, histogram, exponential histogram, summary.
    (5, Inline, &NUMBERS),
    (7, Inline, &NUMBERS),
    (9, Inline, &HISTOGRAM),
    (10, Inline, &EXPONENTIAL_HISTOGRAM),
    (11, Inline, &SUMMARY),
    (12, Part, &KEY_VALUE),
]);
static NUMBERS: Shape = Shape(&[(1, Record, &NUMBER)]);
static NUMBER: Shape = Shape(&[(5, Part, &EXEMPLAR), (7, Part, &KEY_VALUE)]);
static HISTOGRAM: Shape = Shape(&[(1, Record, &HISTOGRAM_POINT)]);
static HISTOGRAM_POINT: Shape = Shape(&[(8, Part, &EXEMPLAR), (9, Part, &KEY_VALUE)]);
static EXPONENTIAL_HISTOGRAM: Shape = Shape(&[(1, Record, &EXPONENTIAL_POINT)]);
static EXPONENTIAL_POINT: Shape = Shape(&[
    (1, Part, &KEY_VALUE),
    (8, Inline, &LEAF),
    (9, Inline, &LEAF),
    (11, Part, &EXEMPLAR),
]);
static SUMMARY: Shape = Shape(&[(1, Record, &SUMMARY_POINT)]);
static SUMMARY_POINT: Shape = Shape(&[(6, Part, &LEAF), (7, Part, &KEY_VALUE)]);
static EXEMPLAR: Shape = Shape(&[(7, Part, &KEY_VALUE)]);

// What all signals share.
static RESOURCE: Shape = Shape(&[(1, Part, &KEY_VALUE), (3, Part, &LEAF)]);
static SCOPE: Shape = Shape(&[(3, Part, &KEY_VALUE)]);
static KEY_VALUE: Shape = Shape(&[(2, Inline, &ANY_VALUE)]);
static ANY_VALUE: Shape = Shape(&[(5, Inline, &ARRAY), (6, Inline, &KEY_VALUES)]);
static ARRAY: Shape = Shape(&[(1, Part, &ANY_VALUE)]);
static KEY_VALUES: Shape = Shape(&[(1, Part, &KEY_VALUE)]);
/// Holds no messages.
static LEAF: Shape = Shape(&[]);
