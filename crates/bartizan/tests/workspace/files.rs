//! The files of the workspace, read from the directories and not from version control, so that
//! the tests see what a person sees.

use std::fs;
use std::path::{Path, PathBuf};

/// The directories that hold crates.
const CRATE_DIRECTORIES: [&str; 2] = ["crates", "services"];

/// A Rust source file.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

// === impl Source ===

impl Source {
    /// What is shipped: the file up to its test module, nothing of a file that is all tests.
    pub(crate) fn shipped(&self) -> &str {
        &self.text[..self.tests_start()]
    }

    /// The rest.
    pub(crate) fn tests(&self) -> &str {
        &self.text[self.tests_start()..]
    }

    /// The test module is the last thing in a file. `#[cfg(test)]` over anything but a module
    /// with a body (`mod tests;`, an import) does not start it.
    fn tests_start(&self) -> usize {
        if self.is_all_tests() {
            return 0;
        }
        let modules = self.text.match_indices("#[cfg(test)]").filter(|(at, _)| {
            self.text[*at..]
                .lines()
                .skip(1)
                .find(|line| !line.starts_with("#["))
                .is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
        });
        modules.map(|(at, _)| at).next().unwrap_or(self.text.len())
    }

    fn is_all_tests(&self) -> bool {
        self.path
            .split('/')
            .any(|part| part == "tests" || part == "tests.rs")
    }
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize()
        .expect("the crate lies two levels below the root")
}

/// Reads a file by its path from the root.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names and whether they are directories, sorted.
pub(crate) fn entries(directory: &Path) -> Vec<(String, bool)> {
    let mut entries: Vec<_> = fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| {
            let entry = entry.expect("the directory can be read");
            let is_directory = entry.file_type().expect("entries have a type").is_dir();
            (
                entry.file_name().to_string_lossy().into_owned(),
                is_directory,
            )
        })
        .collect();
    entries.sort();
    entries
}

/// Every Rust file of every crate.
pub(crate) fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    for directory in CRATE_DIRECTORIES {
        collect(&root(), directory, &mut sources);
    }
    assert!(!sources.is_empty(), "no sources under {}", root().display());
    sources
}

fn collect(root: &Path, directory: &str, sources: &mut Vec<Source>) {
    for (name, is_directory) in entries(&root.join(directory)) {
        let path = format!("{directory}/{name}");
        if is_directory && name != "target" {
            collect(root, &path, sources);
        } else if !is_directory && name.ends_with(".rs") {
            sources.push(Source {
                text: read(&path),
                path,
            });
        }
    }
}
