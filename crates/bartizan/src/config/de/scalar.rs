//! Single values. A text of the environment becomes what is wanted; a value of the file has the
//! type that it was written with.

use std::ops::RangeInclusive;

use serde::de::Visitor;

use super::{At, Error};
use crate::config::tree::{FileValue, Kind};

/// The methods of a deserializer that are all alike.
macro_rules! methods {
    () => {
        $crate::config::de::scalar::methods! {
            @integers
            deserialize_i8 i8, deserialize_i16 i16, deserialize_i32 i32, deserialize_i64 i64,
            deserialize_u8 u8, deserialize_u16 u16, deserialize_u32 u32, deserialize_u64 u64
        }
        $crate::config::de::scalar::methods! {
            @texts
            deserialize_char, deserialize_str, deserialize_string, deserialize_identifier,
            deserialize_bytes, deserialize_byte_buf
        }

        fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.visit_integer(i128::MIN..=i128::MAX, visitor)
        }

        fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.visit_integer(0..=i128::MAX, visitor)
        }

        fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.used();
            visitor.visit_bool(self.bool()?)
        }

        fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.deserialize_f64(visitor)
        }

        fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.used();
            let number = self.number()?;
            let made = visitor.visit_f64(number);
            made.map_err(|error: Error| error.or_at(|| self.place()))
        }
    };
    (@integers $($method:ident $type:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.visit_integer(i128::from($type::MIN)..=i128::from($type::MAX), visitor)
        }
    )*};
    (@texts $($method:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.visit_text(visitor)
        }
    )*};
}
pub(super) use methods;

impl<'t> At<'t, '_> {
    /// A text, or a time as it was written.
    pub(super) fn text(&self) -> Option<&'t str> {
        match self.node.kind() {
            Kind::Env { text, .. } => Some(text),
            Kind::File(node) => match &node.value {
                FileValue::Text(text) => Some(text),
                FileValue::Time => Some(&node.text),
                _ => None,
            },
            Kind::Table(..) => None,
        }
    }

    pub(super) fn visit_text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.used();
        // The visitor knows best what the text is for.
        let Some(text) = self.text() else {
            let expected = (&visitor as &dyn serde::de::Expected).to_string();
            return Err(self.not(expected));
        };
        let made = visitor.visit_str(text);
        made.map_err(|error: Error| error.or_at(|| self.place()))
    }

    pub(super) fn visit_integer<'de, V: Visitor<'de>>(
        self,
        range: RangeInclusive<i128>,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.used();
        let integer = match self.node.kind() {
            Kind::Env { text, .. } => text.trim().parse().ok(),
            Kind::File(node) => match node.value {
                FileValue::Integer(integer) => integer,
                _ => None,
            },
            Kind::Table(..) => None,
        };
        let Some(integer) = integer.filter(|integer| range.contains(integer)) else {
            let (min, max) = range.into_inner();
            return Err(self.not(format!("an integer from {min} to {max}")));
        };
        let made = visit(integer, visitor);
        made.map_err(|error| error.or_at(|| self.place()))
    }

    pub(super) fn bool(&self) -> Result<bool, Error> {
        let bool = match self.node.kind() {
            Kind::Env { text, .. } => text.trim().parse().ok(),
            Kind::File(node) => match node.value {
                FileValue::Bool(bool) => Some(bool),
                _ => None,
            },
            Kind::Table(..) => None,
        };
        bool.ok_or_else(|| self.not("true or false"))
    }

    pub(super) fn number(&self) -> Result<f64, Error> {
        let number = match self.node.kind() {
            Kind::Env { text, .. } => text.trim().parse().ok(),
            Kind::File(node) => match node.value {
                FileValue::Float(float) => Some(float),
                #[expect(clippy::cast_precision_loss, reason = "a number was asked for")]
                FileValue::Integer(integer) => integer.map(|integer| integer as f64),
                _ => None,
            },
            Kind::Table(..) => None,
        };
        number.ok_or_else(|| self.not("a number"))
    }

    /// Where nobody says what is wanted, a text of the environment is what TOML would take it for.
    pub(super) fn visit_scalar<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.used();
        let made = match self.node.kind() {
            Kind::File(node) => match &node.value {
                FileValue::Integer(Some(integer)) => visit(*integer, visitor),
                FileValue::Float(float) => visitor.visit_f64(*float),
                FileValue::Bool(bool) => visitor.visit_bool(*bool),
                _ => return self.visit_text(visitor),
            },
            Kind::Env { text, .. } => {
                if let Ok(bool) = text.parse() {
                    visitor.visit_bool(bool)
                } else if let Ok(integer) = text.parse() {
                    visit(integer, visitor)
                } else if let Ok(float) = text.parse::<f64>() {
                    visitor.visit_f64(float)
                } else {
                    visitor.visit_str(text)
                }
            }
            Kind::Table(..) => return Err(self.not("a single value")),
        };
        made.map_err(|error: Error| error.or_at(|| self.place()))
    }
}

/// In the smallest type that takes it, which visitors know best.
fn visit<'de, V: Visitor<'de>>(integer: i128, visitor: V) -> Result<V::Value, Error> {
    if let Ok(integer) = u64::try_from(integer) {
        visitor.visit_u64(integer)
    } else if let Ok(integer) = i64::try_from(integer) {
        visitor.visit_i64(integer)
    } else {
        visitor.visit_i128(integer)
    }
}
