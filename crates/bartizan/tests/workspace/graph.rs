//! The dependency graph as cargo resolves it, all features on, every platform.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use crate::files;

/// The one crate that is not held to the others' graph: it links its rivals.
pub(crate) const BENCH: &str = "bartizan-bench";

/// Cargo is asked once for all tests.
pub(crate) static GRAPH: LazyLock<Graph> = LazyLock::new(Graph::read);

/// When a dependency is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Build,
    Dev,
}

/// Packages by cargo's opaque ids.
#[derive(Debug)]
pub(crate) struct Graph {
    packages: BTreeMap<String, Package>,
    members: BTreeSet<String>,
}

#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) manifest_path: String,
    /// What the manifest names, resolved or not.
    pub(crate) declared: Vec<(String, Kind)>,
    /// What cargo links it with, by id.
    resolved: Vec<(String, Kind)>,
    metadata: Value,
}

// === impl Kind ===

impl Kind {
    fn of(dependency: &Value) -> Self {
        match dependency["kind"].as_str() {
            None => Self::Normal,
            Some("build") => Self::Build,
            Some("dev") => Self::Dev,
            Some(other) => panic!("cargo names a kind of dependency we do not know: {other}"),
        }
    }
}

// === impl Graph ===

impl Graph {
    fn read() -> Self {
        let output = Command::new(env!("CARGO"))
            .args([
                "metadata",
                "--format-version",
                "1",
                "--locked",
                "--all-features",
            ])
            .current_dir(files::root())
            .output()
            .expect("cargo runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo metadata: {stderr}");
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");

        let mut packages: BTreeMap<String, Package> = list(&metadata["packages"])
            .iter()
            .map(|package| (text(&package["id"]), Package::read(package)))
            .collect();
        for node in list(&metadata["resolve"]["nodes"]) {
            let package = packages
                .get_mut(&text(&node["id"]))
                .expect("every node is a package");
            for dependency in list(&node["deps"]) {
                for kind in list(&dependency["dep_kinds"]) {
                    package
                        .resolved
                        .push((text(&dependency["pkg"]), Kind::of(kind)));
                }
            }
        }
        let members = list(&metadata["workspace_members"])
            .iter()
            .map(text)
            .collect();
        Self { packages, members }
    }

    /// The crates of the workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.members.iter().map(|id| &self.packages[id])
    }

    /// All that is linked, over edges of these kinds, when these members are built. The members
    /// themselves are part of it.
    pub(crate) fn reachable(
        &self,
        from: impl Fn(&Package) -> bool,
        kinds: &[Kind],
    ) -> Vec<&Package> {
        let mut found: BTreeSet<&String> = self
            .members
            .iter()
            .filter(|id| from(&self.packages[*id]))
            .collect();
        let mut open: Vec<&String> = found.iter().copied().collect();
        while let Some(id) = open.pop() {
            for (to, kind) in &self.packages[id].resolved {
                if kinds.contains(kind) && found.insert(to) {
                    open.push(to);
                }
            }
        }
        found.into_iter().map(|id| &self.packages[id]).collect()
    }
}

// === impl Package ===

impl Package {
    fn read(package: &Value) -> Self {
        Self {
            name: text(&package["name"]),
            version: text(&package["version"]),
            manifest_path: text(&package["manifest_path"]),
            declared: list(&package["dependencies"])
                .iter()
                .map(|dependency| (text(&dependency["name"]), Kind::of(dependency)))
                .collect(),
            resolved: Vec::new(),
            metadata: package.clone(),
        }
    }

    /// A field of the manifest that is a string, as inherited.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.metadata[name].as_str()
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("cargo metadata keeps its format")
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .expect("cargo metadata keeps its format")
        .to_owned()
}
