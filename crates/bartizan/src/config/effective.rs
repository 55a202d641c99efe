use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Source;
use super::secret::{MASK, is_name_of_one};

/// A configuration as it is in effect, for a person: each value with where it comes from, secrets
/// masked.
///
/// Masked are values of type [`Secret`](super::Secret), those under keys that sound like one
/// (`..._password`, `..._token`, `..._secret`, `..._api_key` and such), and the user part of URLs.
/// Serialized, it is a map from key to `value` and `source`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effective(BTreeMap<String, EffectiveValue>);

/// One value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EffectiveValue {
    /// The value; lists are whole.
    pub value: Value,
    /// Where it comes from.
    #[serde(serialize_with = "as_text")]
    pub source: Source,
}

// === impl Effective ===

impl Effective {
    pub(super) fn new(value: &Value, sources: &BTreeMap<String, Source>) -> Self {
        let mut all = Self::default();
        all.add("", value, sources);
        all
    }

    /// The values by key, such as `server.bind`.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &EffectiveValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&EffectiveValue> {
        self.0.get(key)
    }

    fn add(&mut self, key: &str, value: &Value, sources: &BTreeMap<String, Source>) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (name, value) in map {
                    let key = super::de::join(key, name);
                    if is_name_of_one(name) && !value.is_null() {
                        self.add(&key, &Value::from(MASK), sources);
                    } else {
                        self.add(&key, value, sources);
                    }
                }
            }
            value => {
                let value = EffectiveValue {
                    value: without_users(value),
                    source: source(key, sources),
                };
                self.0.insert(key.to_owned(), value);
            }
        }
    }
}

impl Serialize for Effective {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// That of the value or, where it is told as one and was read in parts, of the first of them.
fn source(key: &str, sources: &BTreeMap<String, Source>) -> Source {
    let own = sources.get(key);
    let inner = || {
        let below = format!("{key}.");
        let mut rest = sources.range(below.clone()..);
        let (found, source) = rest.next()?;
        found.starts_with(&below).then_some(source)
    };
    own.or_else(inner).cloned().unwrap_or(Source::Default)
}

fn as_text<S: Serializer>(source: &Source, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(source)
}

/// URLs without their user and password.
fn without_users(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::from(without_user(text)),
        Value::Array(list) => list.iter().map(without_users).collect(),
        other => other.clone(),
    }
}

fn without_user(text: &str) -> String {
    let user = text.split_once("://").and_then(|(scheme, rest)| {
        let authority = rest.split(['/', '?', '#']).next()?;
        let end = authority.rfind('@')?;
        Some((scheme, &rest[end..]))
    });
    match user {
        Some((scheme, rest)) => format!("{scheme}://{MASK}{rest}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_told_without_its_user() {
        for (url, told) in [
            ("postgres://shop:hunter2@db/shop", "postgres://***@db/shop"),
            ("postgres://shop@db", "postgres://***@db"),
            ("https://a/b@c", "https://a/b@c"),
            ("someone@example.com", "someone@example.com"),
        ] {
            assert_eq!(without_user(url), told);
        }
    }

    #[test]
    fn keys_that_sound_like_secrets_are_masked_whatever_they_hold() {
        for (key, is_one) in [
            ("password", true),
            ("db_password", true),
            ("API-KEY", true),
            ("auth-token", true),
            ("credentials", true),
            ("idempotency_key", false),
            ("max_tokens", false),
            ("token_bucket", false),
        ] {
            let value = serde_json::json!({ key: { "inner": "hunter2" } });
            let all = Effective::new(&value, &BTreeMap::new());
            let told = serde_json::to_string(&all).unwrap();
            assert_eq!(told.contains("hunter2"), !is_one, "{told}");
        }
    }
}
