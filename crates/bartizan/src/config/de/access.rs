//! What tables and lists are made of.

use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::de::{Deserializer as _, value::StrDeserializer};

use super::At;
use super::error::{Error, one_of};
use crate::config::tree::{EnvNode, FileEntry, Node, part_of};
use crate::config::{ConfigProblem, Source};

/// The entries of a table that are known and not left out.
pub(super) struct Entries<'t, 'c> {
    rest: std::vec::IntoIter<Entry<'t, 'c>>,
    value: Option<At<'t, 'c>>,
}

struct Entry<'t, 'c> {
    key: String,
    /// Where the key stands, for keys that are more than names.
    line: usize,
    at: At<'t, 'c>,
}

/// The elements of a list.
pub(super) struct Elements<'t, 'c> {
    list: At<'t, 'c>,
    rest: std::iter::Enumerate<std::vec::IntoIter<Node<'t>>>,
}

/// An enum's variant that has more than its name.
pub(super) struct OneEntry<'t, 'c> {
    pub(super) key: String,
    pub(super) at: At<'t, 'c>,
}

// === impl Entries ===

impl<'t, 'c> Entries<'t, 'c> {
    /// With `fields`, every other key is a mistake.
    pub(super) fn new(
        table: &At<'t, 'c>,
        file: Option<&'t [FileEntry]>,
        env: Option<&'t EnvNode>,
        fields: Option<&'static [&'static str]>,
    ) -> Self {
        let mut found: Vec<(String, usize, Node<'t>)> = Vec::new();
        let mut from_env: Vec<_> = env.iter().flat_map(|env| &env.children).collect();
        for entry in file.unwrap_or_default() {
            let part = part_of(&entry.key);
            let env = from_env.iter().position(|(name, _)| **name == part);
            let env = env.map(|at| from_env.swap_remove(at).1);
            let node = Node::Merged(Some(&entry.node), env);
            found.push((entry.key.clone(), entry.line, node));
        }
        for (part, env) in from_env {
            let fields = fields.unwrap_or_default();
            let field = fields.iter().find(|field| part_of(field) == **part);
            let key = field.map_or_else(|| part.clone(), |field| (*field).to_owned());
            found.push((key, 0, Node::Merged(None, Some(env))));
        }

        let is_known = |key: &str| fields.is_none_or(|fields| fields.contains(&key));
        let mut rest = Vec::new();
        for (key, line, node) in found {
            let at = table.child(&key, node);
            if !is_known(&key) {
                let source = match node {
                    Node::Merged(None, _) => at.source(),
                    _ => at.file_source(line),
                };
                at.unknown(source, fields.unwrap_or_default());
            } else if !at.run.excluded.contains(&at.path) {
                rest.push(Entry { key, line, at });
            }
        }
        Self {
            rest: rest.into_iter(),
            value: None,
        }
    }

    /// The entry, if there is one and no other.
    pub(super) fn only(mut self) -> Option<(String, At<'t, 'c>)> {
        let entry = self.rest.next()?;
        self.rest.next().is_none().then_some((entry.key, entry.at))
    }
}

impl At<'_, '_> {
    /// The value is not told: it may be a secret whose key has a typing error.
    fn unknown(&self, source: Source, fields: &[&str]) {
        self.run.unknown.borrow_mut().push(ConfigProblem {
            source,
            key: self.path.clone(),
            value: None,
            wrong: format!("unknown key, expected {}", one_of(fields)),
        });
    }
}

impl<'de> MapAccess<'de> for Entries<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some(Entry { key, line, at }) = self.rest.next() else {
            return Ok(None);
        };
        let name = match at.source() {
            Source::Env { name } if line == 0 => Some(name),
            _ => None,
        };
        let node = Node::Text {
            name: name.as_deref(),
            text: &key,
            line,
        };
        // Keys of maps may be numbers, too.
        let place = At {
            node,
            path: at.path.clone(),
            is_secret: false,
            run: at.run,
        };
        let made = seed.deserialize(place.clone());
        let made = made.map_err(|error| error.or_at(|| place.place()))?;
        // A key is no value of its own.
        at.run.sources.borrow_mut().remove(&at.path);
        self.value = Some(at);
        Ok(Some(made))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some(at) = self.value.take() else {
            return Err(serde::de::Error::custom(
                "a value was asked for before its key",
            ));
        };
        let made = seed.deserialize(at.clone());
        made.map_err(|error| error.or_at(|| at.place()))
    }
}

// === impl Elements ===

impl<'t, 'c> Elements<'t, 'c> {
    pub(super) fn new(list: &At<'t, 'c>, nodes: Vec<Node<'t>>) -> Self {
        Self {
            list: list.clone(),
            rest: nodes.into_iter().enumerate(),
        }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        loop {
            let Some((index, node)) = self.rest.next() else {
                return Ok(None);
            };
            let at = self.list.element(index, node);
            if !at.run.excluded.contains(&at.path) {
                let made = seed.deserialize(at.clone());
                return made.map(Some).map_err(|error| error.or_at(|| at.place()));
            }
        }
    }
}

// === impl OneEntry ===

impl<'de> EnumAccess<'de> for OneEntry<'_, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let variant = seed.deserialize(StrDeserializer::<Error>::new(&self.key));
        let variant = variant.map_err(|error| error.or_at(|| self.at.place()))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for OneEntry<'_, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Err(self.at.not(format!("{:?} alone", self.key)))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        let made = seed.deserialize(self.at.clone());
        made.map_err(|error| error.or_at(|| self.at.place()))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.at.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.at.deserialize_struct("", fields, visitor)
    }
}
