use opentelemetry_otlp::ExporterBuildError;

use super::tls::TlsError;
use crate::method::KnownMethodsError;

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
    /// TLS to the collector can't be set up.
    #[error("TLS: {0}")]
    Tls(#[from] TlsError),
    /// The exporter does not accept its configuration.
    #[error("the OTLP exporter could not be built")]
    Exporter(#[from] ExporterBuildError),
    /// The methods that were to be known.
    #[error("known methods: {0}")]
    KnownMethods(#[from] KnownMethodsError),
    /// The export thread could not be started.
    #[error("the export thread could not be started")]
    Thread(#[source] std::io::Error),
    /// Another subscriber is in place already.
    #[error("a tracing subscriber is set already")]
    SubscriberSet(#[source] tracing::subscriber::SetGlobalDefaultError),
}

impl TelemetryError {
    pub(crate) fn invalid(
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
