//! Configurations as programs load them: files, variables, and what is said of those that are wrong.

mod rate_limit;
mod rejected;
mod server;
mod taken;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use bartizan::config::{self, ConfigError, Loaded, Loader, Secret, ServerConfig, duration, size};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

/// A service's configuration, with one of everything.
#[derive(Debug, Deserialize, Serialize)]
struct Shop {
    name: String,
    #[serde(default = "four", deserialize_with = "workers")]
    workers: u8,
    #[serde(default)]
    ratio: Option<f64>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    limits: BTreeMap<String, u32>,
    #[serde(default)]
    stock: Stock,
    #[serde(default)]
    server: ServerConfig,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Fast,
    Careful {
        checks: u8,
    },
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
struct Stock {
    url: String,
    #[serde(with = "duration")]
    poll_interval: Duration,
    #[serde(with = "size")]
    cache: u64,
    api_key: Secret<String>,
}

impl Default for Stock {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8082".to_owned(),
            poll_interval: Duration::from_secs(30),
            cache: 1 << 20,
            api_key: Secret::default(),
        }
    }
}

fn four() -> u8 {
    4
}

fn workers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    config::within(deserializer, 1..=64)
}

/// A file of this test's own.
struct File(PathBuf);

impl File {
    fn new(test: &str, text: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.toml"));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    fn loader(&self) -> Loader {
        config::loader().with_file(&self.0)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _removed = fs::remove_file(&self.0);
    }
}

fn load<T: DeserializeOwned>(
    test: &str,
    file: &str,
    vars: &[(&str, &str)],
) -> Result<Loaded<T>, ConfigError> {
    let file = File::new(test, file);
    let vars = vars.iter().copied();
    file.loader().with_env("SHOP").with_vars(vars).load()
}

/// The first example of a file in the documentation that `source` has.
fn first_toml(source: &str) -> String {
    source
        .lines()
        .skip_while(|line| *line != "/// ```toml")
        .skip(1)
        .take_while(|line| *line != "/// ```")
        .map(|line| format!("{}\n", line.trim_start_matches("///")))
        .collect()
}

/// The problems a line each, with the file called `shop.toml`.
fn problems<T: DeserializeOwned>(test: &str, file: &str, vars: &[(&str, &str)]) -> Vec<String> {
    let Err(error) = load::<T>(test, file, vars) else {
        return Vec::new();
    };
    let directory = format!("{}/{test}", env!("CARGO_TARGET_TMPDIR"));
    let problems = error.problems().iter();
    problems
        .map(|problem| problem.to_string().replace(&directory, "shop"))
        .collect()
}
