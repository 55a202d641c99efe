//! Attribute values.

use std::{collections::BTreeMap, fmt};

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use serde::Serialize;

/// Attributes by key.
pub type Attributes = BTreeMap<String, Value>;

/// An attribute's value, or a log record's body.
///
/// `Display` writes it as a person would: strings bare, lists in brackets, maps as `key=value`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Value {
    /// No value was sent.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Text.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    Array(Vec<Self>),
    /// A map.
    Map(BTreeMap<String, Self>),
}

// === impl Value ===

impl Value {
    /// The text, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if it is one.
    #[must_use]
    pub const fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    // The decoder's recursion limit (100) bounds the depth.
    pub(super) fn new(value: Option<AnyValue>) -> Self {
        match value.and_then(|value| value.value) {
            None => Self::Null,
            Some(any_value::Value::StringValue(text)) => Self::Str(text),
            Some(any_value::Value::BoolValue(value)) => Self::Bool(value),
            Some(any_value::Value::IntValue(value)) => Self::Int(value),
            Some(any_value::Value::DoubleValue(value)) => Self::Double(value),
            Some(any_value::Value::BytesValue(bytes)) => Self::Bytes(bytes),
            Some(any_value::Value::ArrayValue(list)) => Self::Array(
                list.values
                    .into_iter()
                    .map(|value| Self::new(Some(value)))
                    .collect(),
            ),
            Some(any_value::Value::KvlistValue(map)) => Self::Map(attributes(map.values).0),
            // An index into a profile's string table: means nothing in a span, log or metric.
            Some(any_value::Value::StringValueStrindex(_)) => Self::Null,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Double(value) => value.fmt(f),
            Self::Str(text) => f.write_str(text),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::Array(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Map(entries) => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    write!(f, "{}{key}={value}", if index == 0 { "" } else { " " })?;
                }
                Ok(())
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

/// The attributes as a map (the last of a repeated key wins), and the keys that were repeated.
pub(super) fn attributes(list: Vec<KeyValue>) -> (Attributes, Vec<String>) {
    let mut repeated = Vec::new();
    let mut attributes = Attributes::new();
    for KeyValue { key, value, .. } in list {
        let value = Value::new(value);
        if attributes.contains_key(&key) {
            repeated.push(key.clone());
        }
        attributes.insert(key, value);
    }
    (attributes, repeated)
}
