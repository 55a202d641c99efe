use std::time::Duration;

/// What became of one export request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::telemetry) enum Sent {
    /// The far side has it, but for this many items (for metrics, points).
    Acknowledged {
        /// From the answer's `partial_success`.
        rejected: u64,
    },
    /// The far side has it, but for this many items that it rejected, and those it may have all the
    /// same: an earlier attempt was never answered.
    Doubted { rejected: u64 },
    /// The far side answered that it does not take it.
    Refused(Refusal),
    /// No connection took the request.
    Unreachable,
    /// A connection took the request, and no answer came.
    Unconfirmed,
    /// A connection took the request, and the answer is none that can be read: it would be no other
    /// the next time.
    Unreadable,
    /// The exporter could not encode it.
    Encoding,
    /// An exporter that is not ours says that it failed.
    Failed,
}

impl Sent {
    /// Whether the far side has it, but for some items.
    pub(in crate::telemetry) const fn is_acknowledged(&self) -> bool {
        matches!(self, Self::Acknowledged { .. } | Self::Doubted { .. })
    }

    /// Whether the OTLP specification lets a client send the same again.
    pub(in crate::telemetry) const fn may_be_sent_again(&self) -> bool {
        matches!(
            self,
            Self::Unreachable
                | Self::Unconfirmed
                | Self::Refused(Refusal {
                    retryable: true,
                    ..
                })
        )
    }
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
