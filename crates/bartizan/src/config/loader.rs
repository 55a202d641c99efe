use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::de::{self, Found, Run};
use super::file::{self, Presence};
use super::tree::{EnvNode, FileNode, Node, part_of};
use super::{ConfigError, ConfigProblem, Effective, Source, env};

/// Loads a configuration; made by [`loader`].
#[must_use = "a loader does nothing until `load`"]
pub struct Loader {
    file: Option<(Arc<Path>, Presence)>,
    prefix: Option<String>,
    vars: Option<Vec<(OsString, OsString)>>,
    defaults: Vec<(String, String)>,
}

/// A configuration, and where its values come from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded<T> {
    /// The configuration.
    pub config: T,
    sources: BTreeMap<String, Source>,
}

/// Starts with neither a file nor the environment.
pub fn loader() -> Loader {
    Loader {
        file: None,
        prefix: None,
        vars: None,
        defaults: Vec::new(),
    }
}

// === impl Loader ===

impl Loader {
    /// Reads a TOML file, which has to be there. Default: no file.
    pub fn with_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some((path.into().into(), Presence::Required));
        self
    }

    /// Reads a TOML file if it is there. Default: no file.
    pub fn with_optional_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some((path.into().into(), Presence::Optional));
        self
    }

    /// Reads the environment's variables that begin with `prefix` and two underscores, such as
    /// `SHOP__SERVER__BIND` for the key `server.bind` with the prefix `SHOP`. Default: none.
    pub fn with_env(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// The variables there are, for tests. Default: those of the process.
    pub fn with_vars<N: Into<OsString>, V: Into<OsString>>(
        mut self,
        vars: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let vars = vars.into_iter();
        self.vars = Some(
            vars.map(|(name, value)| (name.into(), value.into()))
                .collect(),
        );
        self
    }

    /// What holds for a key, such as `server.bind`, that neither the file nor the environment sets,
    /// written as a variable would have it: for values whose type has another default or none.
    /// Default: what `#[serde(default)]` says.
    ///
    /// ```
    /// use bartizan::config::{self, ServerConfig};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Stock {
    ///     server: ServerConfig,
    /// }
    ///
    /// let loader = config::loader().with_default("server.bind", "127.0.0.1:8082");
    /// let loaded = loader.load::<Stock>()?;
    /// assert_eq!(loaded.config.server.bind().port(), 8082);
    /// assert_eq!(loaded.source("server.bind").to_string(), "default");
    /// # Ok::<(), bartizan::config::ConfigError>(())
    /// ```
    pub fn with_default(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.defaults.push((part_of(key), value.to_string()));
        self
    }

    /// Loads the configuration.
    ///
    /// # Errors
    ///
    /// With everything that is wrong: a file that cannot be read or is no TOML, keys that nobody
    /// knows, values of the wrong type or out of range, and values that are missing. Of several that
    /// one table misses the first is told.
    pub fn load<T: DeserializeOwned>(self) -> Result<Loaded<T>, ConfigError> {
        let path = self.file.as_ref().map(|(path, _)| Arc::clone(path));
        let file = match &self.file {
            Some((path, presence)) => file::read(path, *presence),
            None => Ok(FileNode::empty()),
        };
        let env = match &self.prefix {
            Some(prefix) => {
                let vars = self.vars.unwrap_or_else(|| std::env::vars_os().collect());
                env::read(prefix, vars)
            }
            None => Ok(EnvNode::default()),
        };
        match (file, env) {
            (Ok(file), Ok(mut env)) => {
                for (key, text) in self.defaults {
                    let parts: Vec<_> = key.split('.').collect();
                    env.insert_default(&parts, &file, text);
                }
                make(&file, &env, path.as_ref(), self.prefix.as_deref())
            }
            (file, env) => {
                let mut problems = file.err().unwrap_or_default();
                problems.extend(env.err().unwrap_or_default());
                Err(ConfigError::new(problems))
            }
        }
    }
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the variables, which hold secrets.
        f.debug_struct("Loader")
            .field("file", &self.file)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// Runs until a run finds no more.
fn make<T: DeserializeOwned>(
    file: &FileNode,
    env: &EnvNode,
    path: Option<&Arc<Path>>,
    prefix: Option<&str>,
) -> Result<Loaded<T>, ConfigError> {
    let (mut excluded, mut problems) = (BTreeSet::new(), Vec::<ConfigProblem>::new());
    loop {
        let run = Run {
            path,
            excluded: &excluded,
            unknown: RefCell::default(),
            sources: RefCell::default(),
        };
        let made = de::make(Node::Merged(Some(file), Some(env)), &run);
        for unknown in run.unknown.into_inner() {
            if !problems.contains(&unknown) {
                problems.push(unknown);
            }
        }
        let sources = run.sources.into_inner();
        let error = match made {
            Ok(config) if problems.is_empty() => return Ok(Loaded { config, sources }),
            Ok(_) => return Err(ConfigError::new(problems)),
            Err(error) => error,
        };
        let Found {
            path,
            problem,
            may_be_consequence,
        } = error.found(|key| other_ways(key, prefix));
        let is_consequence =
            may_be_consequence && excluded.iter().any(|left_out| is_within(left_out, &path));
        if !is_consequence {
            problems.push(problem);
        }
        // The whole is wrong, or it was left out and is asked for all the same.
        if path.is_empty() || !excluded.insert(path) {
            return Err(ConfigError::new(problems));
        }
    }
}

fn is_within(key: &str, table: &str) -> bool {
    table.is_empty()
        || key
            .strip_prefix(table)
            .is_some_and(|rest| rest.starts_with(['.', '[']))
}

fn other_ways(key: &str, prefix: Option<&str>) -> String {
    match prefix {
        Some(prefix) => {
            let name = key.to_ascii_uppercase().replace('-', "_");
            let name = name.replace('.', env::SEPARATOR);
            format!(
                ", and there is no variable {prefix}{}{name}",
                env::SEPARATOR
            )
        }
        None => String::new(),
    }
}

// === impl Loaded ===

impl<T> Loaded<T> {
    /// Where a value comes from, by its key, such as `server.bind`.
    #[must_use]
    pub fn source(&self, key: &str) -> Source {
        self.sources.get(key).cloned().unwrap_or(Source::Default)
    }

    /// What is in effect, for [`Admin::with_config`](crate::admin::Admin::with_config) or a line at
    /// the start.
    ///
    /// The configuration is serialized for it; what it does not serialize is not told.
    #[must_use]
    pub fn effective(&self) -> Effective
    where
        T: Serialize,
    {
        let value = serde_json::to_value(&self.config).unwrap_or(Value::Null);
        Effective::new(&value, &self.sources)
    }
}
