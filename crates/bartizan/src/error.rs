use std::io;

use bartizan_observe::telemetry::TelemetryError;

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
    /// The log format asked for does not exist.
    #[error(
        "{}: `{_0}` is not json, human or auto",
        crate::telemetry::LOG_FORMAT_VARIABLE
    )]
    LogFormat(String),
}
