//! Request methods as the semantic conventions name them.

use http::Method;

/// A method with bounded cardinality: one of the known ones, or `_OTHER`.
///
/// Known are those of RFC 9110, PATCH (RFC 5789) and QUERY, case-sensitively.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KnownMethod(u8);

const NAMES: [&str; 11] = [
    "_OTHER", "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY",
    "TRACE",
];

impl KnownMethod {
    /// How many values there are, `_OTHER` included.
    pub(crate) const COUNT: usize = NAMES.len();

    /// Every value, in the order of [`Self::index`].
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0_u8..).take(Self::COUNT).map(Self)
    }

    pub(crate) fn of(method: &Method) -> Self {
        Self(match method.as_str() {
            "GET" => 3,
            "POST" => 7,
            "PUT" => 8,
            "DELETE" => 2,
            "HEAD" => 4,
            "OPTIONS" => 5,
            "PATCH" => 6,
            "CONNECT" => 1,
            "QUERY" => 9,
            "TRACE" => 10,
            _ => 0,
        })
    }

    /// The value of `http.request.method`.
    pub(crate) const fn as_str(self) -> &'static str {
        NAMES[self.0 as usize]
    }

    /// What a span's name starts with: the method, or `HTTP` for an unknown one.
    pub(crate) const fn in_span_name(self) -> &'static str {
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
        for name in &NAMES[1..] {
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
