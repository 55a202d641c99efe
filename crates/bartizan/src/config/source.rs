use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where a value of the configuration comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Source {
    /// Nobody has set it.
    Default,
    /// A line of the file.
    #[non_exhaustive]
    File {
        /// Which file, as it was given.
        path: Arc<Path>,
        /// Counted from 1; 0 is the file as a whole.
        line: usize,
    },
    /// A variable of the environment.
    #[non_exhaustive]
    Env {
        /// Its name.
        name: String,
    },
}

// === impl Source ===

impl Source {
    pub(super) fn file(path: &Arc<Path>, line: usize) -> Self {
        Self::File {
            path: Arc::clone(path),
            line,
        }
    }

    pub(super) fn env(name: &str) -> Self {
        Self::Env {
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: 0 } => write!(f, "{}", path.display()),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Env { name } => f.write_str(name),
        }
    }
}
