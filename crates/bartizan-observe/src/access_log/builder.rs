use std::fmt;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use opentelemetry_sdk::logs::SdkLogger;

use super::AccessLog;
use super::output::Output;
use super::queue::Queue;
use super::writer::{Shared, run};
use crate::log_format::LogFormat;

/// How many lines may wait: 80 ms at a hundred thousand requests a second, four times the writer's
/// period. Room for them is set aside at the start, 3 MiB twice, and used only under load.
pub const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::new(8192).unwrap();

/// How many bytes of text may wait: paths, unusual methods, baggage and ready lines, all of which
/// clients can make long. 4 MiB is 512 bytes for each of [`DEFAULT_CAPACITY`] lines; twice that is
/// in use while a batch is being written.
pub const DEFAULT_MAX_BYTES: NonZeroUsize = NonZeroUsize::new(4 * 1024 * 1024).unwrap();

/// Puts an [`AccessLog`] together.
pub struct AccessLogBuilder {
    format: LogFormat,
    sink: Box<dyn Write + Send>,
    otlp: Option<SdkLogger>,
    capacity: NonZeroUsize,
    max_bytes: NonZeroUsize,
}

// === impl AccessLogBuilder ===

impl Default for AccessLogBuilder {
    fn default() -> Self {
        Self {
            format: LogFormat::default(),
            sink: Box::new(io::stdout()),
            otlp: None,
            capacity: DEFAULT_CAPACITY,
            max_bytes: DEFAULT_MAX_BYTES,
        }
    }
}

impl AccessLogBuilder {
    /// What the access lines look like. Default: [`LogFormat::Json`].
    #[must_use]
    pub const fn with_format(mut self, format: LogFormat) -> Self {
        self.format = format;
        self
    }

    /// Writes to the standard error stream. Default: standard output.
    #[must_use]
    pub fn with_stderr(self) -> Self {
        self.with_sink(io::stderr())
    }

    /// Writes to `sink`, whole lines at a time, on the writer's thread. Default: standard output.
    ///
    /// [`io::sink`] leaves only what [`Self::with_otlp`] sends.
    #[must_use]
    pub fn with_sink(mut self, sink: impl Write + Send + 'static) -> Self {
        self.sink = Box::new(sink);
        self
    }

    /// Emits each access line as an OTLP log record too, from the writer's thread. Default: no.
    #[must_use]
    pub fn with_otlp(mut self, logger: SdkLogger) -> Self {
        self.otlp = Some(logger);
        self
    }

    /// How many lines may wait. Default: [`DEFAULT_CAPACITY`].
    #[must_use]
    pub const fn with_capacity(mut self, lines: NonZeroUsize) -> Self {
        self.capacity = lines;
        self
    }

    /// How many bytes of text may wait. Default: [`DEFAULT_MAX_BYTES`].
    #[must_use]
    pub const fn with_max_bytes(mut self, bytes: NonZeroUsize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Starts the writer's thread, `bartizan-log`.
    ///
    /// # Errors
    ///
    /// When the system refuses the thread.
    pub fn build(self) -> io::Result<AccessLog> {
        let shared = Arc::new(Shared::new(Queue::new(self.capacity, self.max_bytes)));
        let output = Output::new(self.sink, self.format, self.otlp);
        let writers = Arc::clone(&shared);
        thread::Builder::new()
            .name("bartizan-log".to_owned())
            .spawn(move || run(&writers, output))?;
        Ok(AccessLog::new(shared))
    }
}

impl fmt::Debug for AccessLogBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessLogBuilder")
            .field("format", &self.format)
            .field("otlp", &self.otlp.is_some())
            .field("capacity", &self.capacity)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}
