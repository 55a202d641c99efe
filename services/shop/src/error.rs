use std::io;
use std::net::SocketAddr;

use axum::BoxError;
use bartizan::config::ConfigError;
use bartizan::telemetry::TelemetryError;

/// Why a service does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Its configuration or that of its telemetry is wrong, or the stack cannot be built.
    #[error(transparent)]
    Bartizan(#[from] bartizan::Error),
    /// Something that it needs cannot be had.
    #[error("{0}")]
    Start(#[source] BoxError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({key}): {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The key that sets it.
        key: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Signals cannot be listened for.
    #[error("cannot serve: {0}")]
    Serve(#[source] io::Error),
}

// === impl Error ===

impl Error {
    /// Something that the service needs cannot be had.
    pub fn start(why: impl Into<BoxError>) -> Self {
        Self::Start(why.into())
    }

    /// What the process should exit with: 2 where the configuration is to blame, else 1.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        use bartizan::Error::{Config, Configuration, Telemetry};

        match self {
            Self::Bartizan(
                Config(_) | Configuration(_) | Telemetry(TelemetryError::Invalid { .. }),
            ) => 2,
            _ => 1,
        }
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Bartizan(error.into())
    }
}

impl From<TelemetryError> for Error {
    fn from(error: TelemetryError) -> Self {
        Self::Bartizan(error.into())
    }
}
