//! Attributes as labels.

use super::name::{is_label_char, sanitised};
use super::view::{Attribute, Scope};

/// Labels as they are written, without the braces: sorted by name, each name once, none empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Labels(String);

/// Whose attributes they are, which decides what they may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// May have any name.
    Resource,
    Series,
    /// May not be called `le`.
    Histogram,
}

/// The labels that say where a series is from: name and version of its scope, and the scope's own
/// attributes. The schema's URL is left out, because a series would be another after each update
/// of the conventions.
#[derive(Debug)]
pub(super) struct ScopeLabels(Vec<(String, String)>);

// === impl ScopeLabels ===

impl ScopeLabels {
    pub(super) fn of(scope: &Scope<'_>) -> Self {
        let attributes = scope.attributes.iter();
        let mut labels = named(attributes, |key| {
            sanitised(&format!("{SCOPE}{key}"), is_label_char)
        });
        labels.retain(|(name, _)| name != SCOPE_NAME && name != SCOPE_VERSION);
        labels.push((SCOPE_NAME.to_owned(), scope.name.to_owned()));
        if let Some(version) = scope.version {
            labels.push((SCOPE_VERSION.to_owned(), version.to_owned()));
        }
        Self(labels)
    }
}

const SCOPE: &str = "otel_scope_";
const SCOPE_NAME: &str = "otel_scope_name";
const SCOPE_VERSION: &str = "otel_scope_version";
const LE: &str = "le";

// === impl Labels ===

impl Labels {
    /// Attributes whose names come out the same are joined by `;`, in the order of their keys. One
    /// that has the name of a label with a meaning of its own gets `exported_` before it, as
    /// Prometheus does it.
    pub(super) fn new(attributes: &[Attribute<'_>], of: Of, scope: Option<&ScopeLabels>) -> Self {
        let mut labels = named(attributes.iter(), |key| {
            let name = sanitised(key, is_label_char);
            let taken = match of {
                Of::Resource => false,
                Of::Series => name.starts_with(SCOPE),
                Of::Histogram => name.starts_with(SCOPE) || name == LE,
            };
            if taken {
                format!("exported_{name}")
            } else {
                name
            }
        });
        labels.extend(scope.into_iter().flat_map(|scope| scope.0.iter().cloned()));
        // To Prometheus an empty label is none.
        labels.retain(|(_, value)| !value.is_empty());
        labels.sort_unstable();
        let mut text = String::new();
        for (name, value) in labels {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(&name);
            text.push_str("=\"");
            push_escaped(&mut text, &value, Quotes::Escaped);
            text.push('"');
        }
        Self(text)
    }

    /// Without the braces; empty when there is none.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether quotation marks are escaped too, which they are not in a HELP line of Prometheus' text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    Escaped,
    Plain,
}

pub(super) fn push_escaped(out: &mut String, text: &str, quotes: Quotes) {
    for next in text.chars() {
        match next {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes == Quotes::Escaped => out.push_str("\\\""),
            next => out.push(next),
        }
    }
}

fn named<'a>(
    attributes: impl Iterator<Item = &'a Attribute<'a>>,
    name: impl Fn(&str) -> String,
) -> Vec<(String, String)> {
    let mut all: Vec<_> = attributes
        .map(|(key, value)| (name(key), key, value))
        .collect();
    all.sort_unstable();
    let mut labels: Vec<(String, String)> = Vec::with_capacity(all.len() + 2);
    for (name, _, value) in all {
        match labels.last_mut() {
            Some((last, values)) if *last == name => {
                values.push(';');
                values.push_str(value);
            }
            _ => labels.push((name, value.to_string())),
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(all: &[(&'static str, &'static str)]) -> Vec<Attribute<'static>> {
        all.iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect()
    }

    fn labels(all: &[(&'static str, &'static str)], of: Of) -> String {
        Labels::new(&attributes(all), of, None).0
    }

    #[test]
    fn labels_are_sorted_sanitised_and_escaped() {
        let cases: [(&[_], _); 7] = [
            (&[], ""),
            (
                &[("http.route", "/a/{id}"), ("a", "1")],
                r#"a="1",http_route="/a/{id}""#,
            ),
            (&[("k", "a\\b\"c\nd\r\té")], "k=\"a\\\\b\\\"c\\nd\r\té\""),
            (&[("__name__", "x"), ("9", "y")], r#"_9="y",_name_="x""#),
            (
                &[("a_b", "3"), ("a.b", "2"), ("a-b", "1")],
                r#"a_b="1;2;3""#,
            ),
            (&[("empty", ""), ("le", "5")], r#"le="5""#),
            (
                &[("otel.scope.name", "mine")],
                r#"exported_otel_scope_name="mine""#,
            ),
        ];
        for (given, expected) in cases {
            assert_eq!(labels(given, Of::Series), expected);
        }
    }

    #[test]
    fn a_bound_of_the_users_own_does_not_pass_for_a_buckets() {
        let given = [("le", "5"), ("exported.le", "6")];
        assert_eq!(labels(&given, Of::Histogram), r#"exported_le="6;5""#);
    }

    #[test]
    fn a_resource_may_use_any_name() {
        let given = [("otel.scope.name", "x"), ("le", "y")];
        assert_eq!(
            labels(&given, Of::Resource),
            r#"le="y",otel_scope_name="x""#
        );
    }

    #[test]
    fn scopes_are_told_apart_by_name_version_and_attributes() {
        let scope = Scope {
            name: "lib",
            version: Some("1.0"),
            attributes: attributes(&[("short.name", "l"), ("version", "none of its own")]),
            instruments: Vec::new(),
        };
        let scope = ScopeLabels::of(&scope);
        let labels = Labels::new(
            &attributes(&[("z", "1"), ("a", "2")]),
            Of::Series,
            Some(&scope),
        );
        assert_eq!(
            labels.as_str(),
            r#"a="2",otel_scope_name="lib",otel_scope_short_name="l",otel_scope_version="1.0",z="1""#
        );
    }
}
