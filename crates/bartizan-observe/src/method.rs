//! Request methods as the semantic conventions name them.

use std::sync::OnceLock;

use http::Method;

/// A method with bounded cardinality: one of the known ones, or `_OTHER`.
///
/// Known are those of RFC 9110, PATCH (RFC 5789) and QUERY, or what [`set_known`] was given,
/// case-sensitively.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KnownMethod(u8);

/// By how often they come.
const DEFAULT: [&str; 10] = [
    "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "QUERY", "TRACE",
];

/// Fixed at first use, so that a method means the same to all layers for the process's life.
static KNOWN: OnceLock<Vec<&'static str>> = OnceLock::new();

/// How many methods can be known: each is a dimension of tables that are kept per route.
pub const MAX_KNOWN_METHODS: usize = 31;

/// Why the known methods could not be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KnownMethodsError {
    /// It is not a method by RFC 9110.
    #[error("`{0}` is not an HTTP method")]
    NotAMethod(String),
    /// There are more than [`MAX_KNOWN_METHODS`].
    #[error("{0} methods are more than {MAX_KNOWN_METHODS}")]
    TooMany(usize),
    /// Others are in use already: set them before the first layer is built.
    #[error("the known methods are in use already")]
    InUse,
}

/// Sets the methods that are told apart, for the whole process.
pub(crate) fn set_known<'a>(
    methods: impl IntoIterator<Item = &'a str>,
) -> Result<(), KnownMethodsError> {
    let mut list = Vec::new();
    for method in methods {
        if Method::from_bytes(method.as_bytes()).is_err() {
            return Err(KnownMethodsError::NotAMethod(method.to_owned()));
        }
        if !list.contains(&method) {
            list.push(method);
        }
    }
    if list.len() > MAX_KNOWN_METHODS {
        return Err(KnownMethodsError::TooMany(list.len()));
    }
    let kept = KNOWN.get_or_init(|| {
        // Once in the process's life.
        let leak = |method: &&str| &*Box::leak((*method).into());
        list.iter().map(leak).collect()
    });
    if *kept == list {
        Ok(())
    } else {
        Err(KnownMethodsError::InUse)
    }
}

fn known() -> &'static [&'static str] {
    KNOWN.get_or_init(|| DEFAULT.to_vec())
}

impl KnownMethod {
    /// The most values that there can be, `_OTHER` included.
    pub(crate) const COUNT: usize = MAX_KNOWN_METHODS + 1;

    /// Every value, in the order of [`Self::index`].
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0_u8..).take(known().len() + 1).map(Self)
    }

    pub(crate) fn of(method: &Method) -> Self {
        let method = method.as_str();
        let at = known().iter().position(|known| *known == method);
        // There are at most [`MAX_KNOWN_METHODS`].
        Self(at.and_then(|at| u8::try_from(at + 1).ok()).unwrap_or(0))
    }

    /// The value of `http.request.method`.
    pub(crate) fn as_str(self) -> &'static str {
        match self.0 {
            0 => "_OTHER",
            at => known()[at as usize - 1],
        }
    }

    /// What a span's name starts with: the method, or `HTTP` for an unknown one.
    pub(crate) fn in_span_name(self) -> &'static str {
        if self.is_other() {
            "HTTP"
        } else {
            self.as_str()
        }
    }

    pub(crate) const fn is_other(self) -> bool {
        self.0 == 0
    }

    /// A small number for indexing: below [`Self::COUNT`].
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_method_keeps_its_name() {
        for name in &DEFAULT {
            let method = Method::from_bytes(name.as_bytes()).unwrap();
            assert_eq!(KnownMethod::of(&method).as_str(), *name);
        }
    }

    #[test]
    fn unknown_and_lower_case_methods_are_other() {
        for name in ["X0", "get", "PROPFIND"] {
            let method = Method::from_bytes(name.as_bytes()).unwrap();
            assert_eq!(KnownMethod::of(&method).as_str(), "_OTHER");
            assert_eq!(KnownMethod::of(&method).in_span_name(), "HTTP");
        }
    }
}
