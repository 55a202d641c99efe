//! Makes values of a configuration, and knows for each of them where it comes from.
//!
//! serde ends at the first error, since there is no value to go on with. So it is run again
//! without the value that failed, until nothing fails any more: each run finds one mistake, and
//! nothing but mistakes costs a run.

mod access;
mod error;
mod scalar;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde::de::value::StrDeserializer;
use serde::de::{self, Visitor};
use serde::forward_to_deserialize_any;

use self::access::{Elements, Entries, OneEntry};
use self::error::{Error, Place, one_of};
use super::secret;
use super::tree::{FileValue, Kind, Node};
use super::{ConfigProblem, Source};

pub(super) use self::error::{Found, join};

/// What one run knows and finds.
#[derive(Debug)]
pub(super) struct Run<'c> {
    pub(super) path: Option<&'c Arc<Path>>,
    /// The values that are left out.
    pub(super) excluded: &'c BTreeSet<String>,
    /// Keys that nobody knows.
    pub(super) unknown: RefCell<Vec<ConfigProblem>>,
    /// Where each value comes from, by key.
    pub(super) sources: RefCell<BTreeMap<String, Source>>,
}

/// A place that a value is made of.
#[derive(Debug, Clone)]
pub(super) struct At<'t, 'c> {
    node: Node<'t>,
    path: String,
    is_secret: bool,
    run: &'c Run<'c>,
}

/// Makes the value, or says the first thing that is wrong.
pub(super) fn make<T: de::DeserializeOwned>(node: Node<'_>, run: &Run<'_>) -> Result<T, Error> {
    let root = At {
        node,
        path: String::new(),
        is_secret: false,
        run,
    };
    T::deserialize(root.clone()).map_err(|error| error.or_at(|| root.place()))
}

// === impl At ===

impl<'t, 'c> At<'t, 'c> {
    fn child(&self, key: &str, node: Node<'t>) -> Self {
        Self {
            node,
            path: join(&self.path, key),
            is_secret: self.is_secret || secret::is_name_of_one(key),
            run: self.run,
        }
    }

    fn element(&self, index: usize, node: Node<'t>) -> Self {
        Self {
            node,
            path: format!("{}[{index}]", self.path),
            ..self.clone()
        }
    }

    fn file_source(&self, line: usize) -> Source {
        match self.run.path {
            Some(path) if line > 0 => Source::file(path, line),
            _ => Source::Default,
        }
    }

    fn source(&self) -> Source {
        match (self.node, self.node.kind()) {
            (
                _,
                Kind::Env {
                    name: Some(name), ..
                },
            ) => Source::env(name),
            (Node::Text { line, .. }, _) => self.file_source(line),
            (Node::Merged(Some(file), _), _) => self.file_source(file.line),
            (Node::Merged(None, env), _) => match env.and_then(|env| env.first_name()) {
                Some(name) => Source::env(name),
                None => Source::Default,
            },
        }
    }

    fn place(&self) -> Place {
        let value = match self.node.kind() {
            Kind::Table(..) => None,
            Kind::File(node) => Some(node.text.clone()),
            Kind::Env { text, .. } => Some(text.to_owned()),
        };
        Place {
            path: self.path.clone(),
            source: self.source(),
            value: value.filter(|_| !self.is_secret),
            is_secret: self.is_secret,
        }
    }

    fn not(&self, expected: impl Into<String>) -> Error {
        Error::not(expected, self.place())
    }

    /// This place was asked for a value.
    fn used(&self) {
        let mut sources = self.run.sources.borrow_mut();
        sources.insert(self.path.clone(), self.source());
    }

    fn entries(&self, fields: Option<&'static [&'static str]>) -> Result<Entries<'t, 'c>, Error> {
        match self.node.kind() {
            Kind::Table(file, env) => Ok(Entries::new(self, file, env, fields)),
            Kind::File(_) | Kind::Env { .. } => Err(self.not("a table")),
        }
    }

    fn elements(&self) -> Result<Elements<'t, 'c>, Error> {
        self.used();
        match self.node.kind() {
            Kind::File(node) => match &node.value {
                FileValue::Array(nodes) => {
                    let nodes = nodes.iter().map(|node| Node::Merged(Some(node), None));
                    Ok(Elements::new(self, nodes.collect()))
                }
                _ => Err(self.not("a list")),
            },
            Kind::Env { name, text } => {
                let parts = text.split(',').map(|part| Node::Text {
                    name,
                    text: part.trim(),
                    line: 0,
                });
                Ok(Elements::new(self, parts.collect()))
            }
            Kind::Table(..) => Err(self.not("a list")),
        }
    }
}

impl<'de> de::Deserializer<'de> for At<'_, '_> {
    type Error = Error;

    scalar::methods!();

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.kind() {
            Kind::Table(..) => self.deserialize_map(visitor),
            Kind::File(node) if matches!(node.value, FileValue::Array(_)) => {
                self.deserialize_seq(visitor)
            }
            _ => self.visit_scalar(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.is_secret |= name == secret::NAME;
        let place = self.clone();
        let made = visitor.visit_newtype_struct(self);
        made.map_err(|error| error.or_at(|| place.place()))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(self.elements()?)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self.entries(None)?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(self.entries(Some(fields))?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if let Kind::Table(..) = self.node.kind() {
            let entry = self.entries(None)?.only();
            let (key, at) = entry.ok_or_else(|| self.not(one_of(variants)))?;
            return visitor.visit_enum(OneEntry { key, at });
        }
        let Some(text) = self.text() else {
            return Err(self.not(one_of(variants)));
        };
        self.used();
        let made = visitor.visit_enum(StrDeserializer::new(text));
        made.map_err(|error: Error| error.or_at(|| self.place()))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { unit unit_struct }
}
