//! Where things are, and what every crate's manifest has.

use std::path::Path;

use crate::assert_none;
use crate::files::{entries, read, root};
use crate::graph::{BENCH, GRAPH};

/// What the root holds, apart from what `.gitignore` lists.
const TOP_LEVEL: &[&str] = &[
    ".ci",
    ".dockerignore",
    ".git",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "clippy.toml",
    "crates",
    "deny.toml",
    "deploy",
    "docker-compose.yml",
    "docs",
    "otel-collector.yaml",
    "services",
];

/// What a manifest takes from the workspace and does not decide for itself.
const INHERITED: &[&str] = &[
    "version.workspace = true",
    "edition.workspace = true",
    "rust-version.workspace = true",
    "license.workspace = true",
];

#[test]
fn the_top_level_holds_what_it_should_and_no_more() {
    let ignored = read(".gitignore");
    let ignored: Vec<&str> = ignored.lines().map(|line| line.trim_matches('/')).collect();
    let problems: Vec<String> = entries(&root())
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| !TOP_LEVEL.contains(&name.as_str()) && !ignored.contains(&name.as_str()))
        .map(|name| format!("{name} has no business at the top level, or is missing in TOP_LEVEL"))
        .collect();
    assert_none(&problems);
}

#[test]
fn every_crate_describes_itself_and_inherits_the_rest() {
    let mut problems = Vec::new();
    for package in GRAPH.members() {
        let name = &package.name;
        for field in ["description", "license", "rust_version"] {
            if package.field(field).is_none_or(str::is_empty) {
                problems.push(format!("{name} has no {field}"));
            }
        }
        let manifest = read(&package.manifest_path);
        for line in INHERITED {
            // One of the bench's peers needs a newer Rust than what is published may ask for.
            let has_own = name == BENCH && line.starts_with("rust-version");
            if !has_own && !manifest.lines().any(|have| have == *line) {
                problems.push(format!("{name} does not inherit: `{line}` is missing"));
            }
        }
        // The bench counts allocations, which takes an allocator of its own and so unsafe code,
        // and a table of lints is inherited whole or not at all.
        let has_own_lints = name == BENCH && manifest.contains("\n[lints.rust]\n");
        if !has_own_lints && !manifest.contains("\n[lints]\nworkspace = true") {
            problems.push(format!("{name} does not inherit the lints"));
        }
        let folder = Path::new(&package.manifest_path)
            .parent()
            .and_then(Path::file_name);
        if folder.is_none_or(|folder| folder != name.as_str()) {
            problems.push(format!("{name} does not lie in a folder of its name"));
        }
    }
    assert_none(&problems);
}

#[test]
fn versions_are_decided_in_the_root_manifest() {
    let mut problems = Vec::new();
    for package in GRAPH.members().filter(|package| package.name != BENCH) {
        let manifest = read(&package.manifest_path);
        let mut in_dependencies = false;
        for line in manifest.lines().map(str::trim) {
            if line.starts_with('[') {
                in_dependencies = line.ends_with("dependencies]");
            } else if in_dependencies && line.contains(" = ") && !line.starts_with('#') {
                // `name.workspace = true` and `name = { workspace = true, ... }`.
                if !line.contains("workspace = true") {
                    problems.push(format!("{}: `{line}` is not the workspace's", package.name));
                }
            }
        }
    }
    assert_none(&problems);
}

/// A file that no `mod` line names is a test that never runs.
#[test]
fn no_test_file_is_forgotten() {
    let mut problems = Vec::new();
    for package in GRAPH.members() {
        let tests = Path::new(&package.manifest_path).with_file_name("tests");
        if !tests.exists() {
            continue;
        }
        for (binary, _) in entries(&tests)
            .into_iter()
            .filter(|(_, is_directory)| *is_directory)
        {
            let folder = tests.join(&binary);
            if !folder.join("main.rs").exists() {
                continue;
            }
            let main = read(folder.join("main.rs"));
            for (name, is_directory) in entries(&folder) {
                let module = name.strip_suffix(".rs").unwrap_or(&name);
                let is_module = name.ends_with(".rs") && name != "main.rs"
                    || is_directory && folder.join(&name).join("mod.rs").exists();
                if is_module
                    && !main
                        .lines()
                        .any(|line| line.ends_with(&format!("mod {module};")))
                {
                    problems.push(format!(
                        "{}: tests/{binary}/{name} is not named in its main.rs",
                        package.name
                    ));
                }
            }
        }
    }
    assert_none(&problems);
}
