//! How much memory a view holds.
//!
//! The encoded size would do for honest senders, but two encoded bytes can become a value of
//! thirty-two, so the store's bound is counted on what is really kept. Map nodes and allocator
//! slack are estimated.

use std::mem::size_of;

use super::{Attributes, LogView, PointView, ResourceView, ScopeView, SpanView, Value};

/// A map entry's share of a B-tree node that is about two thirds full.
const ENTRY: usize = (size_of::<String>() + size_of::<Value>()) * 3 / 2;

impl SpanView {
    /// Bytes held by this span alone, its resource and scope not included.
    pub(crate) fn footprint(&self) -> usize {
        size_of::<Self>()
            + self.name.len()
            + self.trace_state.len()
            + self.status_message.len()
            + attributes(&self.attributes)
            + self
                .repeated_keys
                .iter()
                .map(|key| size_of::<String>() + key.len())
                .sum::<usize>()
            + self
                .events
                .iter()
                .map(|event| size_of_val(event) + event.name.len() + attributes(&event.attributes))
                .sum::<usize>()
            + self
                .links
                .iter()
                .map(|link| {
                    size_of_val(link) + link.trace_state.len() + attributes(&link.attributes)
                })
                .sum::<usize>()
    }
}

impl LogView {
    /// Bytes held by this record alone, its resource and scope not included.
    pub(crate) fn footprint(&self) -> usize {
        size_of::<Self>()
            + self.severity_text.len()
            + self.event_name.len()
            + value(&self.body)
            + attributes(&self.attributes)
    }
}

impl PointView {
    /// Bytes held by this point, its resource and scope included: series rarely share them.
    pub(crate) fn footprint(&self) -> usize {
        let buckets = self.histogram().map_or(0, |histogram| {
            8 * (histogram.bounds.len() + histogram.buckets.len())
        });
        size_of::<Self>()
            + self.name.len()
            + self.unit.len()
            + self.description.len()
            + buckets
            + attributes(&self.attributes)
            + shared(&self.resource, &self.scope)
    }
}

/// Bytes held by what records share.
pub(crate) fn shared(resource: &ResourceView, scope: &ScopeView) -> usize {
    size_of_val(resource)
        + resource.service.len()
        + attributes(&resource.attributes)
        + size_of_val(scope)
        + scope.name.len()
        + scope.version.len()
        + scope.schema_url.len()
}

fn attributes(map: &Attributes) -> usize {
    map.iter()
        .map(|(key, held)| ENTRY + key.len() + value(held))
        .sum()
}

/// Bytes on the heap, the value itself not included.
fn value(held: &Value) -> usize {
    match held {
        Value::Str(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Array(values) => values
            .iter()
            .map(|inner| size_of::<Value>() + value(inner))
            .sum(),
        Value::Map(map) => attributes(map),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Double(_) => 0,
    }
}
