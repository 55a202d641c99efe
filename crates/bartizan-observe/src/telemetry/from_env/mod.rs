//! The `OTEL_*` environment variables.
//!
//! Read by ourselves, because the SDK knows only a part of them, and answers a value that it
//! cannot use with a warning that nobody sees, since no subscriber is in place yet.

mod otlp;
mod resource;
#[cfg(test)]
mod tests;
mod vars;

use opentelemetry_sdk::metrics::Temporality;

use self::vars::Vars;
use super::builder::TelemetryBuilder;
use super::config::BatchConfig;
use super::error::TelemetryError;
use super::output::Output;
use super::sampler::Sampler;
use super::transport::Signal;

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
    /// | `OTEL_{TRACES,METRICS,LOGS}_EXPORTER` | `otlp`, `none` |
    /// | `OTEL_EXPORTER_OTLP_[{TRACES,METRICS,LOGS}_]{ENDPOINT,PROTOCOL,HEADERS,TIMEOUT,COMPRESSION}` | an address; `http/protobuf`, `grpc`; `key=value,...`; milliseconds; `gzip`, `none` |
    /// | `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE` | `cumulative`, `delta`, `lowmemory` |
    /// | `OTEL_{BSP,BLRP}_{SCHEDULE_DELAY,EXPORT_TIMEOUT,MAX_QUEUE_SIZE,MAX_EXPORT_BATCH_SIZE}` | milliseconds; items |
    /// | `OTEL_METRIC_EXPORT_INTERVAL` | milliseconds |
    ///
    /// What is set in code afterwards wins.
    ///
    /// # Errors
    ///
    /// When a variable has a value that cannot be used.
    pub fn from_env() -> Result<Self, TelemetryError> {
        Self::from_vars(&|name| std::env::var(name).ok())
    }

    /// The same from any source of variables.
    pub(super) fn from_vars(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, TelemetryError> {
        let vars = Vars(get);
        let mut builder = Self::default();
        let (name, attributes) = resource::read(&vars)?;
        builder.service_name = name;
        builder.attributes = attributes;
        if vars
            .choice("OTEL_SDK_DISABLED", &[("true", true), ("false", false)])?
            .unwrap_or(false)
        {
            // Callers' decisions are still carried on, so the traces of others stay whole.
            builder.sampler = Sampler::ALWAYS_OFF.parent_based();
            return Ok(builder);
        }
        builder.sampler = sampler(&vars)?;
        builder.span_batch = Some(batch(&vars, "BSP", BatchConfig::SPANS)?);
        builder.log_batch = Some(batch(&vars, "BLRP", BatchConfig::LOGS)?);
        builder.metric_interval = vars.millis("OTEL_METRIC_EXPORT_INTERVAL")?;
        builder.temporality = temporality(&vars)?;
        builder.traces = output(&vars, Signal::Traces)?;
        builder.metrics = output(&vars, Signal::Metrics)?;
        builder.logs = output(&vars, Signal::Logs)?;
        Ok(builder)
    }
}

fn output<T>(vars: &Vars<'_>, signal: Signal) -> Result<Output<T>, TelemetryError> {
    let variable = format!("OTEL_{}_EXPORTER", signal.variable());
    let wanted = vars
        .choice(&variable, &[("otlp", true), ("none", false)])?
        .unwrap_or(true);
    if wanted {
        otlp::read(vars, signal).map(Output::Otlp)
    } else {
        Ok(Output::Nowhere)
    }
}

fn sampler(vars: &Vars<'_>) -> Result<Sampler, TelemetryError> {
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
    )?;
    let Some((root, parent_based)) = named else {
        return Ok(Sampler::default());
    };
    let root = match root {
        Some(root) => root,
        // The argument is that of the ratio alone; other samplers ignore it.
        None => vars
            .parse(ARG, "a number from 0 to 1", |text| {
                Sampler::trace_id_ratio(text.parse().ok()?).ok()
            })?
            .unwrap_or(Sampler::ALWAYS_ON),
    };
    Ok(if parent_based {
        root.parent_based()
    } else {
        root
    })
}

fn temporality(vars: &Vars<'_>) -> Result<Temporality, TelemetryError> {
    let chosen = vars.choice(
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        &[
            ("cumulative", Temporality::Cumulative),
            ("delta", Temporality::Delta),
            ("lowmemory", Temporality::LowMemory),
        ],
    )?;
    Ok(chosen.unwrap_or_default())
}

fn batch(
    vars: &Vars<'_>,
    which: &str,
    default: BatchConfig,
) -> Result<BatchConfig, TelemetryError> {
    let name = |setting: &str| format!("OTEL_{which}_{setting}");
    let mut batch = default;
    if let Some(delay) = vars.millis(&name("SCHEDULE_DELAY"))? {
        batch.delay = delay;
    }
    if let Some(timeout) = vars.millis(&name("EXPORT_TIMEOUT"))? {
        batch.export_timeout = timeout;
    }
    if let Some(items) = vars.items(&name("MAX_QUEUE_SIZE"))? {
        batch.max_queue = items;
    }
    if let Some(items) = vars.items(&name("MAX_EXPORT_BATCH_SIZE"))? {
        batch.max_batch = items;
    }
    Ok(batch)
}
