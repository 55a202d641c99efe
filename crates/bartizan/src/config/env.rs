//! The environment: variables that begin with a prefix.

use std::ffi::OsString;

use super::tree::{EnvNode, EnvValue};
use super::{ConfigProblem, Source};

/// What is between the parts of a name. Two, since keys have single ones.
pub(super) const SEPARATOR: &str = "__";

/// Sorts the variables that begin with `prefix` and the separator into a tree. Empty ones count as
/// unset; those of other programs are passed over.
pub(super) fn read(
    prefix: &str,
    vars: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<EnvNode, Vec<ConfigProblem>> {
    let (mut root, mut problems) = (EnvNode::default(), Vec::new());
    for (name, text) in vars {
        let Some(name) = name.to_str() else { continue };
        let rest = name
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_prefix(SEPARATOR));
        let Some(rest) = rest.filter(|_| !text.is_empty()) else {
            continue;
        };
        let problem = |wrong: &str| ConfigProblem {
            source: Source::env(name),
            key: String::new(),
            value: None,
            wrong: wrong.to_owned(),
        };
        let parts = rest.split(SEPARATOR);
        if parts.clone().any(str::is_empty) {
            problems.push(problem("no key, since a part of the name is empty"));
            continue;
        }
        let Ok(text) = text.into_string() else {
            problems.push(problem("the value is not Unicode"));
            continue;
        };
        let name = Some(name.to_owned());
        root.insert(parts, EnvValue { name, text });
    }
    if problems.is_empty() {
        Ok(root)
    } else {
        Err(problems)
    }
}
