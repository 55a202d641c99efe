use std::fmt;

use super::Source;

/// How much of a value is told, in characters: what does not fit on a line helps nobody.
const MAX_VALUE: usize = 80;

/// A configuration that cannot be used, with everything that is wrong with it.
///
/// ```text
/// the configuration has 3 problems:
///   shop.toml:2: server.grace: `1 hour` is not a duration such as 250ms, 15s or 1h30m, from 0s to 10m
///   shop.toml:3: server.drain: unknown key, expected one of bind, grace, drain_deadline
///   SHOP__WORKERS: workers: `many` is not an integer from 0 to 255
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<ConfigProblem>,
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigProblem {
    /// Where it was set, or where it should have been.
    pub source: Source,
    /// The key with those of the tables around it, such as `server.bind`; empty for the whole.
    pub key: String,
    /// The value as it was written; `None` where it is secret, a table, or not there.
    pub value: Option<String>,
    /// What is wrong with it, and what is allowed.
    pub wrong: String,
}

// === impl ConfigError ===

impl ConfigError {
    /// In the order of the file, then those of the environment.
    pub(super) fn new(mut problems: Vec<ConfigProblem>) -> Self {
        problems.sort_by(|one, other| one.source.cmp(&other.source));
        Self { problems }
    }

    /// Everything that is wrong, at least one thing.
    #[must_use]
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [problem] = &*self.problems {
            return problem.fmt(f);
        }
        write!(f, "the configuration has {} problems:", self.problems.len())?;
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

// === impl ConfigProblem ===

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.source != Source::Default {
            write!(f, "{}: ", self.source)?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        if let Some(value) = &self.value {
            let told: String = value.chars().take(MAX_VALUE).collect();
            let more = if told.len() < value.len() { "..." } else { "" };
            write!(f, "`{}{more}` ", told.escape_debug())?;
        }
        f.write_str(&self.wrong)
    }
}
