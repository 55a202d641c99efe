use opentelemetry_otlp::ExporterBuildError;

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// A setting or environment variable has a value that cannot be used.
    #[error("{name}: `{value}` is not {expected}")]
    Invalid {
        /// The setting or the variable.
        name: String,
        /// Its value.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// The endpoint asks for TLS.
    #[error("{name}: `{value}` asks for TLS, which is not supported yet; use http://")]
    TlsUnsupported {
        /// The setting or the variable.
        name: String,
        /// Its value.
        value: String,
    },
    /// The exporter does not accept its configuration.
    #[error("the OTLP exporter could not be built")]
    Exporter(#[from] ExporterBuildError),
    /// The export thread could not be started.
    #[error("the export thread could not be started")]
    Thread(#[source] std::io::Error),
    /// Another subscriber is in place already.
    #[error("a tracing subscriber is set already")]
    SubscriberSet(#[source] tracing::subscriber::SetGlobalDefaultError),
}

impl TelemetryError {
    pub(super) fn invalid(
        name: impl Into<String>,
        value: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            name: name.into(),
            value: value.into(),
            expected: expected.into(),
        }
    }
}
