//! Metrics as a page of text, for a server that scrapes them.
//!
//! [`Exposition`] collects what the telemetry's instruments have measured and writes it as
//! Prometheus' text or as OpenMetrics, whichever [`Format::negotiate`] finds. OTLP export goes on
//! beside it. The official exporter for Prometheus is not used: it brings a registry and a second
//! model of metrics with it, and has no exemplars.
//!
//! ```
//! use bartizan_observe::exposition::Format;
//! use bartizan_observe::telemetry::Telemetry;
//!
//! let telemetry = Telemetry::builder().with_exposition().build()?;
//! telemetry.meter().u64_counter("orders").build().add(1, &[]);
//!
//! let exposition = telemetry.exposition().expect("it was asked for");
//! let page = exposition.page(Format::OpenMetrics)?;
//! assert!(page.text.contains("# TYPE orders counter\norders_total{"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Names
//!
//! By OpenTelemetry's ["Prometheus and OpenMetrics Compatibility"][spec]: dots and everything else
//! that may not be in a name become an underscore; the unit is appended in words (`s` as
//! `_seconds`, `By` as `_bytes`, `1` as `_ratio` on gauges, annotations such as `{request}` not at
//! all), then `_total` on counters. Each series has the labels `otel_scope_name` and
//! `otel_scope_version`; the resource's attributes are those of `target_info`. The scope's schema
//! URL is left out: with it every series would be a new one after an update of the conventions.
//! There is no `_created`: Prometheus would store it as one more series each.
//!
//! An attribute whose label would pass for the format's own (`le` on a histogram, `otel_scope_*`)
//! gets `exported_` in front.
//!
//! # Exemplars
//!
//! In OpenMetrics, each bucket of `http.server.request.duration` names the trace and the span of
//! the latest sampled request that fell into it. They are kept only for layers that are given this
//! telemetry, not for those on OpenTelemetry's globals. The SDK cannot carry them
//! ([opentelemetry-rust#3369]), so OTLP has none.
//!
//! # What it does not do
//!
//! Exponential histograms have no text form, and two instruments may come out with the same name;
//! [`Page::omitted`] says what is missing and why. It serves nothing: that takes a router.
//!
//! [spec]: https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
//! [opentelemetry-rust#3369]: https://github.com/open-telemetry/opentelemetry-rust/issues/3369

mod accept;
mod exemplars;
mod family;
mod format;
mod labels;
mod name;
mod number;
mod omitted;
mod page;
mod reader;
mod sdk;
#[cfg(test)]
mod tests;
mod text;
mod unit;
mod view;

pub(crate) use exemplars::{Exemplars, SeriesExemplars};
pub(crate) use view::Exemplar;

pub use format::Format;
pub use omitted::{Omitted, OmittedReason};
pub use page::{Exposition, Page, Unavailable};
