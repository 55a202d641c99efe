//! `tracing` events as lines that carry the ids of the request they were written for.
//!
//! [`LineLayer`] writes the events of the application in the two formats of the access log, through
//! the access log's writer, so that one process has one kind of line and no two are interleaved.
//! The layers of `tracing-subscriber::fmt` do not do: the OpenTelemetry ids of a server span that
//! is not a `tracing` span are invisible to them, and they write on the thread of the request.
//!
//! ```
//! use bartizan_observe::access_log::AccessLog;
//! use bartizan_observe::log_format::{LineLayer, LogFormat};
//! use tracing_subscriber::layer::SubscriberExt;
//!
//! # fn main() -> std::io::Result<()> {
//! let log = AccessLog::builder().with_format(LogFormat::Json).build()?;
//! let subscriber =
//!     tracing_subscriber::registry().with(LineLayer::new(LogFormat::Json, log.line_writer()));
//! tracing::subscriber::with_default(subscriber, || tracing::info!(port = 8080, "listening"));
//! assert!(log.flush(std::time::Duration::from_secs(5)));
//! # Ok(())
//! # }
//! ```
//!
//! The layer may stand anywhere in the subscriber. It filters nothing: levels and targets are the
//! business of a per-layer filter. Records of the `log` crate are not looked at.

mod event;
mod fields;
mod layer;
#[cfg(test)]
mod tests;
pub(crate) mod text;
pub(crate) mod timestamp;

pub(crate) use event::{push_baggage_json, push_baggage_words, push_level};
pub use layer::LineLayer;

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LogFormat {
    /// One JSON object a line, for machines. The default, because what is collected is parsed.
    #[default]
    Json,
    /// One compact line for people.
    Human,
    /// [`Self::Human`] with the level in colour, for terminals.
    HumanColour,
}
