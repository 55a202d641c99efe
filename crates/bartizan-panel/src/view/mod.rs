//! OTLP data flattened to one record per span, log record and metric point.
//!
//! The wire format nests records under scopes under resources and leaves ids as bytes of any
//! length. A view is one record with all of that resolved: what queries, tests and drawings want.
//! Views serialise to compact JSON: ids as hex, nanoseconds as strings (they do not fit into a
//! JavaScript number), attributes as a plain object.

pub(crate) mod footprint;
mod log;
mod metric;
mod span;
mod value;

use std::sync::Arc;

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_proto::tonic::{common::v1::InstrumentationScope, resource::v1};
use serde::{Serialize, Serializer};

pub use log::{LogView, logs};
pub use metric::{HistogramView, MetricKind, PointValue, PointView, Temporality, points};
pub use span::{EventView, LinkView, SpanKind, SpanView, StatusCode, spans};
pub use value::{Attributes, Value};

/// What a resource is called that does not say: the name the OpenTelemetry specification gives.
pub const UNKNOWN_SERVICE: &str = "unknown_service";

/// The entity that reported a record.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ResourceView {
    /// `service.name`, or [`UNKNOWN_SERVICE`].
    pub service: String,
    /// All attributes, `service.name` among them.
    pub attributes: Attributes,
}

/// The library that made a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ScopeView {
    /// Its name; empty if unknown.
    pub name: String,
    /// Its version; empty if unknown.
    pub version: String,
    /// The schema its attributes follow; empty if unknown.
    pub schema_url: String,
}

/// The usable records of one export request.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Unpacked<T> {
    /// The records, in the order they were sent.
    pub records: Vec<T>,
    /// How many records had ids that the specification forbids.
    pub invalid: u64,
}

// === impl ResourceView ===

impl ResourceView {
    /// A resource that says its service's name and nothing else.
    #[must_use]
    pub fn of_service(name: &str) -> Self {
        let attributes = Attributes::from([("service.name".to_owned(), Value::from(name))]);
        Self {
            service: name.to_owned(),
            attributes,
        }
    }

    fn new(resource: Option<v1::Resource>) -> Arc<Self> {
        let (attributes, _) = value::attributes(
            resource
                .map(|resource| resource.attributes)
                .unwrap_or_default(),
        );
        let service = match attributes.get("service.name") {
            Some(Value::Str(name)) if !name.is_empty() => name.clone(),
            _ => UNKNOWN_SERVICE.to_owned(),
        };
        Arc::new(Self {
            service,
            attributes,
        })
    }
}

// === impl ScopeView ===

impl ScopeView {
    fn new(scope: Option<InstrumentationScope>, schema_url: String) -> Arc<Self> {
        let InstrumentationScope { name, version, .. } = scope.unwrap_or_default();
        Arc::new(Self {
            name,
            version,
            schema_url,
        })
    }
}

// === impl Unpacked ===

impl<T> Unpacked<T> {
    fn collect(records: impl Iterator<Item = Option<T>>) -> Self {
        let mut unpacked = Self {
            records: Vec::new(),
            invalid: 0,
        };
        for record in records {
            match record {
                Some(record) => unpacked.records.push(record),
                None => unpacked.invalid += 1,
            }
        }
        unpacked
    }
}

/// `None` unless there are 16 bytes, not all zero.
fn trace_id(bytes: &[u8]) -> Option<TraceId> {
    let id = TraceId::from_bytes(bytes.try_into().ok()?);
    (id != TraceId::INVALID).then_some(id)
}

/// `None` unless there are 8 bytes, not all zero.
fn span_id(bytes: &[u8]) -> Option<SpanId> {
    let id = SpanId::from_bytes(bytes.try_into().ok()?);
    (id != SpanId::INVALID).then_some(id)
}

pub(crate) fn as_string<S: Serializer>(
    value: &impl std::fmt::Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn as_optional_string<S: Serializer>(
    value: &Option<impl std::fmt::Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests;
