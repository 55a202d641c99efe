//! What a telemetry handle does, for people: on one screen.

use std::fmt;

use super::config::{Destination, OtlpConfig, OtlpProtocol};
use super::output::Output;
use super::transport::Signal;

/// What is on, where it goes, and what could be set; printed at the start of a process.
///
/// ```
/// use bartizan_observe::telemetry::Telemetry;
///
/// let telemetry = Telemetry::builder().with_service_name("orders").build()?;
/// let text = telemetry.overview().to_string();
/// assert!(text.starts_with("orders\n"));
/// assert!(text.contains("traces   off"));
/// # Ok::<(), bartizan_observe::telemetry::TelemetryError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overview {
    /// The service's name.
    pub service: String,
    /// What there is, in the order in which it is printed: a word, and what is to be said of it.
    pub rows: Vec<(&'static str, String)>,
    /// What was not found, and how it is set; and what was ignored, and why.
    pub hints: Vec<String>,
    /// Where each signal goes that goes out over OTLP.
    pub endpoints: Vec<OtlpEndpoint>,
}

/// Where a signal goes, as far as it is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtlpEndpoint {
    /// `traces`, `metrics` or `logs`.
    pub signal: &'static str,
    /// How it goes.
    pub protocol: OtlpProtocol,
    /// A name or an address, an IPv6 one without brackets.
    pub host: String,
    /// The port, which may be the scheme's own.
    pub port: u16,
}

impl fmt::Display for Overview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.service)?;
        for (name, text) in &self.rows {
            writeln!(f, "  {name:<8} {text}")?;
        }
        self.hints
            .iter()
            .try_for_each(|hint| writeln!(f, "  ! {hint}"))
    }
}

// === what the parts say of themselves ===

impl<T> Output<T> {
    pub(super) fn overview(&self, signal: Signal) -> String {
        match self {
            Self::Nowhere => "off".to_owned(),
            Self::Otlp(to) => to.to_string(),
            Self::Base(config) => described(config, signal),
            Self::Given(_) => "an exporter of the application's".to_owned(),
        }
    }

    pub(super) fn endpoint(&self, signal: Signal) -> Option<OtlpEndpoint> {
        match self {
            Self::Nowhere | Self::Given(_) => None,
            Self::Otlp(to) => Some(to.endpoint(signal)),
            Self::Base(config) => Some(config.destination(signal).ok()?.endpoint(signal)),
        }
    }
}

impl Destination {
    fn endpoint(&self, signal: Signal) -> OtlpEndpoint {
        let host = self.uri.host().unwrap_or_default();
        let default_port = match self.uri.scheme_str() {
            Some("https") => 443,
            _ => 80,
        };
        OtlpEndpoint {
            signal: signal.name(),
            protocol: self.protocol,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: self.uri.port_u16().unwrap_or(default_port),
        }
    }
}

fn described(config: &OtlpConfig, signal: Signal) -> String {
    match config.destination(signal) {
        Ok(to) => to.to_string(),
        Err(error) => error.to_string(),
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            OtlpProtocol::HttpProtobuf => "http/protobuf",
            OtlpProtocol::Grpc => "grpc",
        };
        // Without what may stand in front of the host, which is a secret.
        let host = self.uri.host().unwrap_or_default();
        let scheme = self.uri.scheme_str().unwrap_or("http");
        write!(f, "OTLP {protocol} to {scheme}://{host}")?;
        if let Some(port) = self.uri.port_u16() {
            write!(f, ":{port}")?;
        }
        match self.protocol {
            OtlpProtocol::HttpProtobuf => f.write_str(self.uri.path()),
            OtlpProtocol::Grpc => Ok(()),
        }?;
        if self.gzip {
            f.write_str(", gzip")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Telemetry, TelemetryBuilder};

    #[test]
    fn everything_is_on_one_screen_with_what_is_missing_and_how_to_set_it() {
        let get = |name: &str| {
            let value = match name {
                "OTEL_SERVICE_NAME" => "orders",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" => {
                    "http://user:secret@collector:4318/v1/traces"
                }
                "OTEL_LOGS_EXPORTER" => "none",
                "OTEL_METRICS_EXPORTER" => "prometheus",
                "OTEL_TRACES_SAMPLER" => "parentbased_traceidratio",
                "OTEL_TRACES_SAMPLER_ARG" => "0.25",
                "OTEL_PROPAGATORS" => "tracecontext,b3,jaeger",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let telemetry = TelemetryBuilder::from_vars(&get).unwrap().build().unwrap();
        assert_eq!(
            telemetry.overview().to_string(),
            "orders\n\
             \x20 traces   OTLP http/protobuf to http://collector:4318/v1/traces, \
             parent-based 25 % of traces\n\
             \x20 metrics  off, as a page\n\
             \x20 logs     off\n\
             \x20 context  tracecontext, b3\n\
             \x20 ! OTEL_PROPAGATORS: `jaeger` is not one of tracecontext, baggage, b3, b3multi, \
             none: ignored\n"
        );
    }

    #[test]
    fn where_each_signal_goes_is_told_without_secrets() {
        let get = |name: &str| {
            let value = match name {
                "OTEL_EXPORTER_OTLP_ENDPOINT" => "https://user:secret@collector",
                "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT" => "http://[::1]:4317",
                "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL" => "grpc",
                "OTEL_METRICS_EXPORTER" => "none",
                "BARTIZAN_TELEMETRY_SPOOL_DIR" => "/var/spool/orders",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let builder = TelemetryBuilder::from_vars(&get).unwrap();
        let spools = |overview: &Overview| overview.rows.iter().any(|(name, _)| *name == "spool");
        let overview = builder.overview();
        assert!(spools(&overview));
        assert!(!spools(&builder.without_spool().overview()));
        let endpoint = |signal, protocol, host: &str, port| OtlpEndpoint {
            signal,
            protocol,
            host: host.to_owned(),
            port,
        };
        assert_eq!(
            overview.endpoints,
            [
                endpoint("traces", OtlpProtocol::HttpProtobuf, "collector", 443),
                endpoint("logs", OtlpProtocol::Grpc, "::1", 4317),
            ]
        );
    }

    #[test]
    fn an_empty_environment_is_told_what_it_could_say() {
        let telemetry = TelemetryBuilder::from_vars(&|_| None)
            .unwrap()
            .build()
            .unwrap();
        let overview = telemetry.overview();
        assert_eq!(
            overview.hints,
            [
                format!("OTEL_SERVICE_NAME is not set: this is {}", overview.service),
                "OTEL_EXPORTER_OTLP_ENDPOINT is not set: the collector is taken to be on this host"
                    .to_owned(),
            ]
        );
        assert!(overview.service.starts_with("unknown_service:"));
        let plain = Telemetry::builder().build().unwrap();
        assert_eq!(
            plain.overview().hints,
            [""; 0],
            "who sets things in code knows them"
        );
    }
}
