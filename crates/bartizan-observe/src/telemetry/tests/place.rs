use std::fs;
use std::path::{Path, PathBuf};

/// A directory that is the test's own, and gone afterwards.
pub(in crate::telemetry) struct Place(PathBuf);

impl Place {
    pub(in crate::telemetry) fn new(test: &str) -> Self {
        let name = format!("bartizan-spool-{}-{test}", std::process::id());
        let place = Self(std::env::temp_dir().join(name));
        let _left_by_another = fs::remove_dir_all(&place.0);
        place
    }

    pub(in crate::telemetry) fn path(&self) -> &Path {
        &self.0
    }

    /// The files that hold something, the oldest first.
    pub(in crate::telemetry) fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|it| it == "otlp"))
            .collect();
        files.sort();
        files
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _gone_already = fs::remove_dir_all(&self.0);
    }
}
