//! Pages as a whole: against text written by hand, for any data, and from requests.

mod conflicts;
mod end_to_end;
mod parser;
mod properties;
mod text;

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanId, TraceId};

use super::view::{
    Attribute, Data, Distribution, Exemplar, Instrument, Number, Point, Scope, Snapshot,
};
use super::{Format, Page};

fn attributes(all: &[(&'static str, &'static str)]) -> Vec<Attribute<'static>> {
    all.iter()
        .map(|(key, value)| (Cow::Borrowed(*key), Cow::Borrowed(*value)))
        .collect()
}

fn number(labels: &[(&'static str, &'static str)], value: Number) -> Point<'static, Number> {
    Point {
        attributes: attributes(labels),
        value,
    }
}

fn instrument(name: &'static str, unit: &'static str, data: Data<'static>) -> Instrument<'static> {
    Instrument {
        name,
        help: "",
        unit,
        data,
    }
}

/// In a scope without a name, whose labels are none.
fn snapshot(instruments: Vec<Instrument<'_>>) -> Snapshot<'_> {
    Snapshot {
        resource: Vec::new(),
        scopes: vec![Scope {
            instruments,
            ..Scope::default()
        }],
    }
}

fn exemplar(id: u64, value: f64) -> Exemplar {
    Exemplar {
        trace_id: TraceId::from(u128::from(id)),
        span_id: SpanId::from(id),
        value,
        at: SystemTime::UNIX_EPOCH + Duration::from_millis(id),
    }
}
