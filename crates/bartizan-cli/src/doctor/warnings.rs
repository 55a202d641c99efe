//! What the exporters complain of while the doctor watches.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

/// The lines so far; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Warnings(Arc<Mutex<Vec<u8>>>);

// === impl Warnings ===

impl Warnings {
    /// Listens from now on, for as long as the process lives.
    pub(super) fn listen() -> Self {
        let warnings = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::WARN)
            .with_ansi(false)
            .with_level(false)
            .with_target(false)
            .without_time()
            .with_writer(warnings.clone())
            .finish();
        // Where there is one already it hears them, and here are none.
        let _ = tracing::subscriber::set_global_default(subscriber);
        warnings
    }

    /// Those about a signal.
    pub(super) fn of(&self, signal: &str) -> Vec<String> {
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&written);
        let about = format!("signal=\"{signal}\"");
        let lines = text.lines().filter(|line| line.contains(&about));
        lines
            .map(|line| line.replace(&about, "").trim().to_owned())
            .collect()
    }
}

impl Write for Warnings {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        written.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Warnings {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
