use std::io;

use bartizan_observe::telemetry::TelemetryError;

use crate::config::{ConfigError, InvalidVar};

/// What can go wrong while a service is set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The telemetry's configuration, or its start.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// Binding or serving a socket.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A variable of Bartizan's own.
    #[error(transparent)]
    Config(#[from] InvalidVar),
    /// A service's configuration, with everything that is wrong with it.
    #[error(transparent)]
    Configuration(#[from] ConfigError),
}
