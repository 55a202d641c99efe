use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What became of one export request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::telemetry) enum Sent {
    /// The far side has it, but for this many items (for metrics, points).
    Acknowledged {
        /// From the answer's `partial_success`.
        rejected: u64,
    },
    /// The far side answered that it does not take it.
    Refused(Refusal),
    /// No connection took the request.
    Unreachable,
    /// A connection took the request, and no answer came.
    Unconfirmed,
    /// The exporter could not encode it.
    Encoding,
    /// An exporter that is not ours says that it failed.
    Failed,
}

/// A refusal, with what the far side said about trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::telemetry) struct Refusal {
    pub(in crate::telemetry) by: RefusedBy,
    /// Whether the OTLP specification lets a client send the same again.
    pub(in crate::telemetry) retryable: bool,
    /// How long the far side asks to wait before that.
    pub(in crate::telemetry) retry_after: Option<Duration>,
}

/// The status that refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::telemetry) enum RefusedBy {
    /// An HTTP status code.
    Http(u16),
    /// A gRPC status code.
    Grpc(i32),
}

/// Whether a connection has begun to read the request that is being sent.
///
/// This is what tells *unreachable* from *unconfirmed*: before the body is asked for, the far side
/// certainly has none of it; afterwards nobody can say.
#[derive(Debug, Clone, Default)]
pub(in crate::telemetry) struct Handed {
    flag: Arc<AtomicBool>,
    /// For exporters that do not tell: whatever they were given may have been sent.
    assumed: bool,
}

impl Handed {
    pub(in crate::telemetry) fn assumed() -> Self {
        Self {
            flag: Arc::default(),
            assumed: true,
        }
    }

    // Relaxed: the flag orders nothing else, and the reader that needs an exact value is the
    // export thread itself, which also writes it.

    pub(in crate::telemetry) fn set(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    pub(in crate::telemetry) fn reset(&self) {
        self.flag.store(false, Ordering::Relaxed);
    }

    pub(in crate::telemetry) fn is_set(&self) -> bool {
        self.assumed || self.flag.load(Ordering::Relaxed)
    }
}
