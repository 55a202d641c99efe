//! What is deployed, read as files and compared: `docker-compose.yml`, the manifests of `deploy/k8s`,
//! the files of the Collector, Jaeger and Prometheus, and what the services' code accepts.
//!
//! Whether Kubernetes takes the manifests is `deploy/check/k8s`'s to say, and whether the Collector
//! takes its files that of the tests in `collector`.

#![expect(
    clippy::unwrap_used,
    reason = "clippy sees test code in test functions only; a helper that fails is a failed test"
)]

mod components;
mod compose;
mod confinement;
mod images;
mod kubernetes;
mod listening;
mod ports;
mod settings;
mod yaml;

use std::collections::BTreeMap;

use serde_json::Value;

/// As they are introduced.
const SERVICES: [&str; 4] = ["gateway", "orders", "inventory", "payments"];

/// The image that has all of them, without its tag.
const OURS: &str = "bartizan-demo";

/// A container that is deployed, whichever way.
#[derive(Debug)]
struct Workload {
    /// Where it is from and what it is called, for a message.
    name: String,
    /// With the defaults of its variables.
    image: String,
    /// What is run, arguments included.
    command: Vec<String>,
    /// What is only known when it runs is `unknown`.
    env: BTreeMap<String, String>,
    memory: Option<u64>,
    /// How long it may take to end, in seconds.
    grace: Option<u64>,
    /// The whole of it.
    text: Value,
}

impl Workload {
    /// Which of our programs it runs.
    fn program(&self) -> Option<&str> {
        self.command.first()?.strip_prefix("/app/")
    }

    /// Which of the services it is.
    fn service(&self) -> Option<&'static str> {
        let program = self.program()?;
        SERVICES.into_iter().find(|service| *service == program)
    }

    /// The image without its tag.
    fn repository(&self) -> &str {
        let name = self.image.split('@').next().unwrap();
        match name.rsplit_once(':') {
            Some((repository, _)) => repository,
            None => name,
        }
    }
}

fn all() -> Vec<Workload> {
    let mut all = compose::workloads();
    all.extend(kubernetes::workloads());
    all
}

/// Fails with all of what is wrong.
#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
