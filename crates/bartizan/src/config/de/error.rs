use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};

use crate::config::{ConfigProblem, Source};

/// The first thing that is wrong with a value, and where, once it is known.
#[derive(Debug)]
pub(in crate::config) struct Error {
    wrong: Wrong,
    place: Option<Box<Place>>,
}

#[derive(Debug)]
enum Wrong {
    /// It is not what was expected.
    Not(String),
    /// A table has no such key.
    Missing(&'static str),
    /// What whoever makes the value says of it.
    Says(String),
}

/// A place in the configuration.
#[derive(Debug)]
pub(in crate::config) struct Place {
    pub(in crate::config) path: String,
    pub(in crate::config) source: Source,
    pub(in crate::config) value: Option<String>,
    pub(in crate::config) is_secret: bool,
}

/// What is left to do about an error.
pub(in crate::config) struct Found {
    /// What cannot be made because of it, and has to be left out to find more.
    pub(in crate::config) path: String,
    pub(in crate::config) problem: ConfigProblem,
    /// Whether it can be the consequence of something that was left out before.
    pub(in crate::config) may_be_consequence: bool,
}

// === impl Error ===

impl Error {
    pub(super) fn not(expected: impl Into<String>, place: Place) -> Self {
        Self {
            wrong: Wrong::Not(expected.into()),
            place: Some(Box::new(place)),
        }
    }

    /// Says where, unless that is known more closely.
    pub(super) fn or_at(mut self, place: impl FnOnce() -> Place) -> Self {
        self.place.get_or_insert_with(|| Box::new(place()));
        self
    }

    /// `how_to_set` gives the other ways to set a key that is missing.
    pub(in crate::config) fn found(self, how_to_set: impl FnOnce(&str) -> String) -> Found {
        let place = self.place.map_or_else(Place::root, |place| *place);
        let may_be_consequence = !matches!(self.wrong, Wrong::Not(_));
        let (key, wrong) = match (self.wrong, place.is_secret) {
            (Wrong::Missing(field), _) => {
                let key = join(&place.path, field);
                let wrong = format!("missing{}", how_to_set(&key));
                (key, wrong)
            }
            (Wrong::Not(expected), _) if place.value.is_some() => {
                (place.path.clone(), format!("is not {expected}"))
            }
            (Wrong::Not(expected), _) => (place.path.clone(), format!("expected {expected}")),
            (Wrong::Says(_), true) => (place.path.clone(), "is not allowed".to_owned()),
            (Wrong::Says(said), false) if place.value.is_some() => {
                (place.path.clone(), format!("is not allowed: {said}"))
            }
            (Wrong::Says(said), false) => (place.path.clone(), said),
        };
        Found {
            path: place.path,
            problem: ConfigProblem {
                source: place.source,
                key,
                value: place.value,
                wrong,
            },
            may_be_consequence,
        }
    }

    const fn new(wrong: Wrong) -> Self {
        Self { wrong, place: None }
    }

    fn expected(expected: &dyn Expected) -> Self {
        Self::new(Wrong::Not(expected.to_string()))
    }
}

/// The values that were found are told from the place, which knows which of them are secret.
impl de::Error for Error {
    fn custom<T: Display>(said: T) -> Self {
        Self::new(Wrong::Says(said.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expected(expected)
    }

    // Not as above: the elements that fail are left out.
    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("{length} elements, expected {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Wrong::Not(one_of(expected)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Wrong::Missing(field))
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wrong {
            Wrong::Not(expected) => write!(f, "expected {expected}"),
            Wrong::Missing(field) => write!(f, "{field} is missing"),
            Wrong::Says(said) => f.write_str(said),
        }
    }
}

impl std::error::Error for Error {}

// === impl Place ===

impl Place {
    fn root() -> Self {
        Self {
            path: String::new(),
            source: Source::Default,
            value: None,
            is_secret: false,
        }
    }
}

pub(super) fn one_of(names: &[&str]) -> String {
    match names {
        [] => "nothing here".to_owned(),
        [name] => (*name).to_owned(),
        _ => format!("one of {}", names.join(", ")),
    }
}

/// A key in a table. Quoted as TOML has it, so that a key with a dot is not taken for two.
pub(in crate::config) fn join(path: &str, key: &str) -> String {
    let is_bare = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
    let dot = if path.is_empty() { "" } else { "." };
    if !key.is_empty() && key.chars().all(is_bare) {
        format!("{path}{dot}{key}")
    } else {
        format!("{path}{dot}{key:?}")
    }
}
