//! The `OTEL_*` environment variables.
//!
//! Read by ourselves, because the SDK knows only a part of them, and answers a value that it
//! cannot use with a warning that nobody sees, since no subscriber is in place yet.

mod bounds;
mod otlp;
mod resource;
mod spool;
#[cfg(test)]
mod tests;
mod vars;

use http::Method;
use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::Temporality;

use self::bounds::{batch, limits};
use self::vars::Vars;
use super::builder::TelemetryBuilder;
use super::config::BatchConfig;
use super::error::TelemetryError;
use super::output::Output;
use super::sampler::Sampler;
use super::transport::Signal;
use crate::propagation::{B3, Formats};

// === impl TelemetryBuilder ===

impl TelemetryBuilder {
    /// A set-up as the environment asks for it. An unset or empty variable has the default of the
    /// specification, which exports everything to `http://localhost:4318`.
    ///
    /// | variable | values |
    /// |---|---|
    /// | `OTEL_SDK_DISABLED` | `true`, `false` |
    /// | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | a name; `key=value,...`, percent-encoded |
    /// | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | `[parentbased_]always_on`, `..always_off`, `..traceidratio`; 0 to 1 |
    /// | `OTEL_PROPAGATORS` | `tracecontext`, `baggage`, `b3`, `b3multi`, `none`, and lists of them |
    /// | `OTEL_{TRACES,METRICS,LOGS}_EXPORTER` | `otlp`, `none`; for metrics also `prometheus` (a page), and lists of them |
    /// | `OTEL_EXPORTER_OTLP_[{TRACES,METRICS,LOGS}_]{ENDPOINT,PROTOCOL,HEADERS,TIMEOUT,COMPRESSION}` | an address; `http/protobuf`, `grpc`; `key=value,...`; milliseconds; `gzip`, `none` |
    /// | `OTEL_EXPORTER_OTLP_[{TRACES,METRICS,LOGS}_]{CERTIFICATE,CLIENT_CERTIFICATE,CLIENT_KEY,INSECURE}` | files in PEM form; `true`, `false` for gRPC addresses without a scheme |
    /// | `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE` | `cumulative`, `delta`, `lowmemory` |
    /// | `OTEL_{BSP,BLRP}_{SCHEDULE_DELAY,EXPORT_TIMEOUT,MAX_QUEUE_SIZE,MAX_EXPORT_BATCH_SIZE}` | milliseconds; items |
    /// | `BARTIZAN_TELEMETRY_QUEUE_MAX_BYTES` | bytes of each of spans and log records |
    /// | `OTEL_METRIC_EXPORT_INTERVAL`, `OTEL_METRIC_EXPORT_TIMEOUT` | milliseconds |
    /// | `OTEL_[{SPAN,LOGRECORD}_]ATTRIBUTE_{COUNT,VALUE_LENGTH}_LIMIT`, `OTEL_SPAN_{EVENT,LINK}_COUNT_LIMIT`, `OTEL_{EVENT,LINK}_ATTRIBUTE_COUNT_LIMIT` | numbers; characters |
    /// | `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS` | `GET,POST,...`, in place of the usual ones |
    /// | `BARTIZAN_TELEMETRY_SPOOL_DIR`, `BARTIZAN_TELEMETRY_SPOOL_MAX_BYTES` | a directory for what could not be delivered, by default none; bytes |
    ///
    /// The resource also has what can be found out about process, host, container and pod. What is
    /// set in code afterwards wins.
    ///
    /// Words that are not among those of a variable, and an unusable argument of the sampler, are
    /// ignored, as the specification demands; [`Telemetry::ignored`](super::Telemetry::ignored)
    /// tells of them.
    ///
    /// # Errors
    ///
    /// When a variable has another value that cannot be used.
    pub fn from_env() -> Result<Self, TelemetryError> {
        // What is not Unicode would pass for unset.
        let odd = std::env::vars_os().find(|(name, value)| {
            let ours = |name: &str| name.starts_with("OTEL_") || name.starts_with(OURS);
            name.to_str().is_some_and(ours) && value.to_str().is_none()
        });
        if let Some((name, value)) = odd {
            let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
            return Err(TelemetryError::invalid(name, value, "valid Unicode"));
        }
        Self::from_vars(&|name| std::env::var(name).ok())
    }

    /// The same from any source of variables.
    pub(super) fn from_vars(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, TelemetryError> {
        let vars = Vars::new(get);
        let mut builder = Self::default();
        let (name, attributes) = resource::read(&vars)?;
        builder.service_name = name;
        builder.attributes = attributes;
        builder.detected = true;
        builder.own_metrics = true;
        builder.known_methods = vars.parse(KNOWN_METHODS, "a list of HTTP methods", methods)?;
        builder.formats = formats(&vars);
        let switch = [("true", true), ("false", false)];
        if vars.choice("OTEL_SDK_DISABLED", &switch).unwrap_or(false) {
            // Callers' decisions are still carried on, so the traces of others stay whole.
            builder.sampler = Sampler::ALWAYS_OFF.parent_based();
            builder.ignored = vars.into_ignored();
            return Ok(builder);
        }
        builder.sampler = sampler(&vars);
        builder.limits = limits(&vars)?;
        builder.span_batch = Some(batch(&vars, "BSP", BatchConfig::SPANS)?);
        builder.log_batch = Some(batch(&vars, "BLRP", BatchConfig::LOGS)?);
        builder.metric_interval = vars.millis("OTEL_METRIC_EXPORT_INTERVAL")?;
        builder.metric_timeout = vars.millis("OTEL_METRIC_EXPORT_TIMEOUT")?;
        builder.temporality = temporality(&vars);
        builder.spool = spool::read(&vars)?;
        let (traces, _) = output(&vars, Signal::Traces)?;
        let (metrics, exposition) = output(&vars, Signal::Metrics)?;
        let (logs, _) = output(&vars, Signal::Logs)?;
        (builder.traces, builder.metrics, builder.logs) = (traces, metrics, logs);
        if exposition {
            builder = builder.with_exposition();
        }
        builder.unset = unset(&vars, &builder);
        builder.ignored = vars.into_ignored();
        Ok(builder)
    }
}

/// What a process in production should be told, and was not.
fn unset(vars: &Vars<'_>, builder: &TelemetryBuilder) -> Vec<String> {
    let is_named = |attribute: &KeyValue| attribute.key.as_str() == "service.name";
    let named = builder.service_name.is_some() || builder.attributes.iter().any(is_named);
    let mut hints = Vec::new();
    if !named {
        hints.push("OTEL_SERVICE_NAME is not set: this is {service}".to_owned());
    }
    let exports = matches!(builder.traces, Output::Otlp(_))
        || matches!(builder.metrics, Output::Otlp(_))
        || matches!(builder.logs, Output::Otlp(_));
    let addressed = ["", "TRACES_", "METRICS_", "LOGS_"].iter().any(|signal| {
        vars.get(&format!("OTEL_EXPORTER_OTLP_{signal}ENDPOINT"))
            .is_some()
    });
    if exports && !addressed {
        hints.push(
            "OTEL_EXPORTER_OTLP_ENDPOINT is not set: the collector is taken to be on this host"
                .to_owned(),
        );
    }
    hints
}

/// What the names of the variables begin with that are no specification's.
const OURS: &str = "BARTIZAN_TELEMETRY_";

const KNOWN_METHODS: &str = "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS";

fn methods(text: &str) -> Option<Vec<String>> {
    text.split(',')
        .map(str::trim)
        .filter(|method| !method.is_empty())
        .map(|method| {
            Method::from_bytes(method.as_bytes())
                .ok()
                .map(|_| method.to_owned())
        })
        .collect()
}

/// What an exporter variable may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exporter {
    Otlp,
    Prometheus,
    None,
}

/// Where the signal goes, and whether it is also shown as a page.
fn output<T>(vars: &Vars<'_>, signal: Signal) -> Result<(Output<T>, bool), TelemetryError> {
    let variable = format!("OTEL_{}_EXPORTER", signal.variable());
    let known = [
        ("otlp", Exporter::Otlp),
        ("none", Exporter::None),
        ("prometheus", Exporter::Prometheus),
    ];
    // A page is for metrics alone.
    let known = match signal {
        Signal::Metrics => &known[..],
        _ => &known[..2],
    };
    let chosen = vars
        .choices(&variable, known)
        .unwrap_or_else(|| vec![Exporter::Otlp]);
    let exported = chosen.contains(&Exporter::Otlp);
    let output = match exported {
        true => Output::Otlp(otlp::read(vars, signal)?),
        false => Output::Nowhere,
    };
    Ok((output, chosen.contains(&Exporter::Prometheus)))
}

/// `OTEL_PROPAGATORS`. Unknown ones, and those there is no crate for at this version of
/// OpenTelemetry (`jaeger`, `xray`, `ottrace`), are ignored with a warning.
fn formats(vars: &Vars<'_>) -> Formats {
    #[derive(Clone, Copy, PartialEq)]
    enum Named {
        TraceContext,
        Baggage,
        B3(B3),
        None,
    }
    let known = [
        ("tracecontext", Named::TraceContext),
        ("baggage", Named::Baggage),
        ("b3", Named::B3(B3::Single)),
        ("b3multi", Named::B3(B3::Multi)),
        ("none", Named::None),
    ];
    let Some(chosen) = vars.choices("OTEL_PROPAGATORS", &known) else {
        return Formats::default();
    };
    chosen
        .into_iter()
        .fold(Formats::NONE, |formats, it| match it {
            Named::TraceContext => formats.with_trace_context(),
            Named::Baggage => formats.with_baggage(),
            Named::B3(b3) => formats.with_b3(b3),
            Named::None => formats,
        })
}

fn sampler(vars: &Vars<'_>) -> Sampler {
    const ARG: &str = "OTEL_TRACES_SAMPLER_ARG";
    let named = vars.choice(
        "OTEL_TRACES_SAMPLER",
        &[
            ("always_on", (Some(Sampler::ALWAYS_ON), false)),
            ("always_off", (Some(Sampler::ALWAYS_OFF), false)),
            ("traceidratio", (None, false)),
            ("parentbased_always_on", (Some(Sampler::ALWAYS_ON), true)),
            ("parentbased_always_off", (Some(Sampler::ALWAYS_OFF), true)),
            ("parentbased_traceidratio", (None, true)),
        ],
    );
    let Some((root, parent_based)) = named else {
        return Sampler::default();
    };
    let ratio = |text: &str| Sampler::trace_id_ratio(text.parse().ok()?).ok();
    // The argument is that of the ratio alone; other samplers ignore it. "Invalid or unrecognized
    // input MUST be logged and MUST be otherwise ignored."
    let root = root
        .or_else(|| vars.lenient(ARG, "a number from 0 to 1", ratio))
        .unwrap_or(Sampler::ALWAYS_ON);
    if parent_based {
        root.parent_based()
    } else {
        root
    }
}

fn temporality(vars: &Vars<'_>) -> Temporality {
    vars.choice(
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        &[
            ("cumulative", Temporality::Cumulative),
            ("delta", Temporality::Delta),
            ("lowmemory", Temporality::LowMemory),
        ],
    )
    .unwrap_or_default()
}
