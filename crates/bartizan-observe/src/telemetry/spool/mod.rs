//! What could not be delivered, kept on disk until it can be.
//!
//! Off by default. With [`TelemetryBuilder::with_spool`](super::TelemetryBuilder::with_spool), a
//! batch that a collector does not take (nobody is there, it has no time, it gives no answer)
//! becomes a file, and is sent when the collector is back, in this run or in the next.
//!
//! - **At least once.** A batch that was sent and never answered is kept too, as the OTLP
//!   specification has exporters send it again within a run, and so is one whose answer came right
//!   before the process was killed. So a collector may get it more than once; for spans, whose ids
//!   are distinct, that changes nothing, and a log record then shows as often. A collector that
//!   accepts connections and answers nothing is a common failure, and the other way round all of it
//!   would be lost.
//! - **While the collector is away** batches go to the directory without an attempt, and one
//!   file at a time asks whether it is back, at growing intervals. A first attempt is made at the
//!   start.
//! - **A shutdown** leaves the last quarter of its time, at most [`RESERVE`], to the files. Only
//!   the thread that exports works with them; a disk that is slow holds up exports and no request.
//! - **Bounded** in bytes and files, half for spans and half for log records; when it is full the
//!   oldest go. Files that are torn are removed and counted; those that cannot be read for now are
//!   asked again, and files of others are left alone.
//! - **One process** has the directory; another one with the same setting runs without a spool and
//!   says so.
//! - Metrics are not kept: the next cumulative collection holds all that a lost one held. What is
//!   lost of delta ones is lost. Neither is kept what goes to an exporter of the application's.
//! - It is not forced to the disk: it outlives the process, and not a power failure.

mod directory;
mod format;
mod index;
mod pace;
mod replay;
mod report;
mod store;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::error::TelemetryError;
use super::retry::Backoff;
use super::transport::{Signal, Transport};
use directory::Unusable;
use index::Bound;

pub(super) use directory::Directory;
pub(super) use index::Origin;
pub(super) use replay::Replay;
pub use report::SpoolReport;
pub(super) use store::Spool;

/// How much the directory holds: some 50 000 spans of usual size and as many log records, which is
/// minutes at full load and hours otherwise, and little enough for a container's own disk.
pub const DEFAULT_SPOOL_MAX_BYTES: u64 = 64 * 1024 * 1024;

/// How many files it holds: enough for full batches up to the default size, and few enough that
/// their number costs neither inodes nor a slow start.
pub const DEFAULT_SPOOL_MAX_FILES: usize = 4_096;

/// What a shutdown leaves to the files at most: a full queue is encoded and written in a tenth of
/// that.
pub(super) const RESERVE: Duration = Duration::from_millis(500);

/// A directory for what could not be delivered.
///
/// ```no_run
/// use bartizan_observe::telemetry::{OtlpConfig, OtlpProtocol, SpoolConfig, Telemetry};
///
/// let collector = OtlpConfig::new("http://localhost:4318", OtlpProtocol::HttpProtobuf)?;
/// let telemetry = Telemetry::builder()
///     .with_otlp(collector)
///     .with_spool(SpoolConfig::new("/var/lib/orders/spool").with_max_bytes(16 << 20))
///     .build()?;
/// # drop(telemetry);
/// # Ok::<(), bartizan_observe::telemetry::TelemetryError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolConfig {
    directory: PathBuf,
    max_bytes: u64,
    max_files: usize,
    /// The setting or variable that the directory comes from.
    name: &'static str,
}

/// What [`open`] gives.
#[derive(Debug, Default)]
pub(super) struct Opened {
    pub(super) directory: Option<Arc<Directory>>,
    pub(super) traces: Option<Way>,
    pub(super) logs: Option<Way>,
    /// Why there is no spool although one was asked for.
    pub(super) ignored: Option<TelemetryError>,
}

/// One signal's way into the directory and out again.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) spool: Arc<Spool>,
    pub(super) transport: Arc<Transport>,
    pub(super) report: SpoolReport,
}

/// A signal that goes to a collector.
pub(super) type Courier = Option<(Arc<Transport>, Backoff)>;

// === impl SpoolConfig ===

impl SpoolConfig {
    /// Keeps what could not be delivered in `directory`, which is created if need be, and which
    /// nothing else should use.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            max_bytes: DEFAULT_SPOOL_MAX_BYTES,
            max_files: DEFAULT_SPOOL_MAX_FILES,
            name: "spool directory",
        }
    }

    /// How many bytes there are at most, the oldest go first; half of them for each of spans and
    /// log records. Default: [`DEFAULT_SPOOL_MAX_BYTES`].
    #[must_use]
    pub const fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How many files there are at most, as [`Self::with_max_bytes`] has it. Default:
    /// [`DEFAULT_SPOOL_MAX_FILES`].
    #[must_use]
    pub const fn with_max_files(mut self, files: usize) -> Self {
        self.max_files = files;
        self
    }

    /// Errors name what set the directory.
    pub(super) const fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// For people.
    pub(super) fn overview(&self) -> String {
        let mib = self.max_bytes.div_ceil(1024 * 1024);
        format!("{}, up to {mib} MiB", self.directory.display())
    }

    fn invalid(&self, expected: String) -> TelemetryError {
        let path = self.directory.to_string_lossy();
        TelemetryError::invalid(self.name, path, expected)
    }
}

/// Opens what the settings ask for, for the signals that have a courier.
///
/// # Errors
///
/// When the directory cannot be created. Whatever else is in the way is no reason not to start.
pub(super) fn open(
    config: Option<&SpoolConfig>,
    traces: Courier,
    logs: Courier,
) -> Result<Opened, TelemetryError> {
    let Some(config) = config.filter(|_| traces.is_some() || logs.is_some()) else {
        return Ok(Opened::default());
    };
    let directory = match Directory::open(Path::new(&config.directory)) {
        Ok(directory) => directory,
        Err(Unusable::Missing(error)) => {
            let expected = format!("a directory that can be created: {error}");
            return Err(config.invalid(expected));
        }
        Err(Unusable::Taken) => return Ok(without(config, "free: another process has it")),
        Err(Unusable::Broken(error)) => return Ok(without(config, &unusable(&error))),
    };
    // Also where only one is exported: the other's files of an earlier run are there all the same.
    let bound = Bound {
        bytes: config.max_bytes / 2,
        files: config.max_files / 2,
    };
    let way = |signal, courier: Courier| {
        let open = |(transport, backoff)| {
            let (spool, report) = Spool::open(&directory, signal, bound, backoff)?;
            Ok(Way {
                spool: Arc::new(spool),
                transport,
                report,
            })
        };
        courier.map(open).transpose()
    };
    match (way(Signal::Traces, traces), way(Signal::Logs, logs)) {
        (Ok(traces), Ok(logs)) => Ok(Opened {
            directory: Some(directory),
            traces,
            logs,
            ignored: None,
        }),
        (Err(error), _) | (_, Err(error)) => Ok(without(config, &unusable(&error))),
    }
}

fn unusable(error: &std::io::Error) -> String {
    format!("a directory that can be used: {error}")
}

/// Goes on without, and says why.
fn without(config: &SpoolConfig, expected: &str) -> Opened {
    let why = config.invalid(expected.to_owned());
    tracing::warn!(%why, "there is no spool");
    Opened {
        ignored: Some(why),
        ..Opened::default()
    }
}
