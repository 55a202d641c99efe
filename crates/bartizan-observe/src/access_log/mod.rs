//! One line per request, written without blocking.
//!
//! The request path moves an [`AccessRecord`] into a bounded queue and is done; a thread of its own
//! formats and writes. Formatting on the request's thread, as `tracing` layers do it, costs several
//! microseconds a request and stops the service when whoever reads its output does not.
//!
//! The lines of `tracing` events go through the same queue by way of a [`LineWriter`], so that the
//! lines of one process stay in order and whole.
//!
//! ```
//! use std::time::Duration;
//!
//! use bartizan_observe::access_log::AccessLog;
//!
//! # fn main() -> std::io::Result<()> {
//! let log = AccessLog::builder().build()?;
//! // A request layer calls `log.record(...)`; at the end of the process:
//! assert!(log.flush(Duration::from_secs(5)));
//! assert_eq!(log.stats().dropped, 0);
//! # Ok(())
//! # }
//! ```
//!
//! What it does not do: rotate files, or wait for a slow reader. What does not fit is dropped and
//! counted in [`AccessLogStats`].

mod builder;
mod handle;
mod line;
mod line_writer;
mod otlp;
mod output;
mod queue;
mod record;
#[cfg(test)]
mod tests;
mod writer;

pub use builder::{AccessLogBuilder, DEFAULT_CAPACITY, DEFAULT_MAX_BYTES};
pub use handle::{AccessLog, AccessLogStats};
pub use line_writer::{Line, LineWriter};
pub use record::{AccessRecord, Level, LineKind};

pub use crate::log_format::LogFormat;
