//! Where spans, metrics and log records go.

pub(crate) mod ids;
mod sampler;

use std::sync::Arc;

use opentelemetry::InstrumentationScope;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::names;
pub use sampler::{InvalidRatio, Sampler};

/// A handle to the telemetry pipelines; clones are the same pipelines.
#[derive(Debug, Clone)]
pub struct Telemetry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tracer: SdkTracer,
    meter: Meter,
    sampler: Sampler,
    tracer_provider: SdkTracerProvider,
    meter_provider: SdkMeterProvider,
    logger_provider: SdkLoggerProvider,
}

/// Puts a [`Telemetry`] together in code.
#[derive(Debug, Default)]
pub struct TelemetryBuilder {
    sampler: Sampler,
}

impl TelemetryBuilder {
    /// Which traces are recorded. Default: [`Sampler::default`].
    #[must_use]
    pub fn with_sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// Builds it.
    ///
    /// # Errors
    ///
    /// Being written.
    pub fn build(self) -> Result<Telemetry, TelemetryError> {
        let tracer_provider = SdkTracerProvider::builder().with_sampler(self.sampler).with_id_generator(ids::Ids::default()).build();
        let meter_provider = SdkMeterProvider::builder().build();
        let logger_provider = SdkLoggerProvider::builder().build();
        let scope = InstrumentationScope::builder(names::SCOPE).build();
        Ok(Telemetry(Arc::new(Inner {
            tracer: tracer_provider.tracer_with_scope(scope.clone()),
            meter: meter_provider.meter_with_scope(scope),
            sampler: self.sampler,
            tracer_provider,
            meter_provider,
            logger_provider,
        })))
    }
}

/// Being written.
#[derive(Debug, thiserror::Error)]
#[error("telemetry")]
pub struct TelemetryError(());

impl Telemetry {
    /// Starts a set-up in code.
    #[must_use]
    pub fn builder() -> TelemetryBuilder {
        TelemetryBuilder::default()
    }

    /// The tracer of the scope `bartizan`.
    #[must_use]
    pub fn tracer(&self) -> &SdkTracer {
        &self.0.tracer
    }

    /// The meter of the scope `bartizan`.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.0.meter
    }

    /// The sampler that the tracer provider was built with.
    #[must_use]
    pub fn sampler(&self) -> Sampler {
        self.0.sampler
    }

    /// The provider behind [`Self::tracer`].
    #[must_use]
    pub fn tracer_provider(&self) -> &SdkTracerProvider {
        &self.0.tracer_provider
    }

    /// The provider behind [`Self::meter`].
    #[must_use]
    pub fn meter_provider(&self) -> &SdkMeterProvider {
        &self.0.meter_provider
    }

    /// The provider of loggers.
    #[must_use]
    pub fn logger_provider(&self) -> &SdkLoggerProvider {
        &self.0.logger_provider
    }
}
