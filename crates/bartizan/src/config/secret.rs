use std::fmt;
use std::marker::PhantomData;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What stands for a value that is not told.
pub(crate) const MASK: &str = "***";

/// The name by which our deserializer knows that a value must not get into an error.
pub(super) const NAME: &str = "$bartizan::config::Secret";

/// A value that is not shown: not by `Debug`, not when it is serialized, and not by the error of a
/// configuration that could not be loaded.
///
/// It does not clear the memory that the value was in, nor the environment. Comparing two takes the
/// longer the more they are alike, and is not for what a client sends.
///
/// ```
/// use bartizan::config::Secret;
///
/// let key = Secret::new("hunter2".to_owned());
/// assert_eq!(format!("{key:?}"), "Secret(***)");
/// assert_eq!(key.expose(), "hunter2");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T>(T);

// === impl Secret ===

impl<T> Secret<T> {
    /// Keeps `value` from being shown.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for whoever has to have it.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value itself.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({MASK})")
    }
}

impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(NAME, SecretVisitor(PhantomData))
    }
}

struct SecretVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SecretVisitor<T> {
    type Value = Secret<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Secret<T>, D::Error> {
        T::deserialize(inner).map(Secret)
    }
}

/// Whether a key sounds like that of a secret, for those who did not wrap it in a [`Secret`].
pub(super) fn is_name_of_one(key: &str) -> bool {
    const LAST_WORDS: [&str; 7] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "secrets",
        "token",
        "credentials",
    ];
    const ENDS: [&str; 4] = ["api_key", "private_key", "secret_key", "access_key"];
    let key = key.to_ascii_lowercase().replace('-', "_");
    let last = key.rsplit('_').next().unwrap_or_default();
    LAST_WORDS.contains(&last) || ENDS.iter().any(|end| key.ends_with(end))
}
