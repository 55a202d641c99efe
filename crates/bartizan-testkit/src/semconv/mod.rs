//! An oracle for the HTTP semantic conventions 1.44, over what was received.
//!
//! Checkers that go attribute by attribute accept an empty `url.scheme`, a `2.0` for HTTP/2, a 500
//! without `error.type` and raw methods, because what is *conditionally* required is not in their
//! tables. The rules here are those conditions, one function each: [`SPAN_RULES`] and
//! [`METRIC_RULES`], from the specification's `http-spans.md`, `http-metrics.md` and the
//! registries of `url.*`, `network.*`, `server.*` and `error.*`.
//!
//! Not checked: what a received span cannot show, such as whether attributes were there at the
//! start for the sampler.

mod common;
mod metric;
mod span;

use std::fmt;

use bartizan_panel::view::{PointView, SpanView};

pub use metric::METRIC_RULES;
pub use span::SPAN_RULES;

/// One rule.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Rule<T> {
    /// A short name.
    pub id: &'static str,
    /// What must hold.
    pub text: &'static str,
    /// What was found instead, if it does not hold.
    pub check: fn(&T) -> Option<String>,
}

/// A rule that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The rule's [`id`](Rule::id).
    pub rule: &'static str,
    /// The rule's [`text`](Rule::text).
    pub text: &'static str,
    /// The span or metric.
    pub subject: String,
    /// What was found.
    pub found: String,
}

/// Checks a span against [`SPAN_RULES`].
///
/// Server and client spans are taken for HTTP unless they carry `db.*`, `rpc.*` or `messaging.*`
/// attributes; of other spans nothing is asked.
#[must_use]
pub fn check_span(span: &SpanView) -> Vec<Violation> {
    if !span::is_http(span) {
        return Vec::new();
    }
    violations(SPAN_RULES, span, &span.name)
}

/// Checks a metric point against [`METRIC_RULES`]; of metrics outside `http.*` nothing is asked.
#[must_use]
pub fn check_metric(point: &PointView) -> Vec<Violation> {
    if !point.name.starts_with("http.") {
        return Vec::new();
    }
    violations(METRIC_RULES, point, &point.name)
}

// === impl Violation ===

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}`: {}: {} (found {})",
            self.subject, self.rule, self.text, self.found
        )
    }
}

fn violations<T>(rules: &[Rule<T>], checked: &T, subject: &str) -> Vec<Violation> {
    let found = rules.iter().filter_map(|rule| {
        let found = (rule.check)(checked)?;
        Some(Violation {
            rule: rule.id,
            text: rule.text,
            subject: subject.to_owned(),
            found,
        })
    });
    found.collect()
}

#[cfg(test)]
mod tests;
