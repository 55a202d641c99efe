use std::sync::Arc;
use std::time::Duration;

/// What the collector does with requests.
#[derive(Debug, Clone)]
pub(in super::super) enum Behaviour {
    Accept,
    /// Accepts, but for this many items (spans, records and points share the field's number).
    Reject(i64),
    /// Answers with an HTTP status, or a gRPC one.
    Refuse {
        http: u16,
        grpc: i32,
    },
    /// Refuses in a way that may be tried again, perhaps after so many seconds.
    Busy {
        retry_after: Option<u64>,
    },
    /// Does with the n-th request what the n-th of these says, and with all others what the last
    /// one says.
    Script(Arc<[Self]>),
    /// Accepts after a while.
    Late(Duration),
    /// Over gRPC: refuses with details that are not of the form that they must have.
    Garble,
    /// Says success, over gRPC without the message that belongs to it.
    Blank,
    /// Reads the request and answers in another language.
    Babble,
    /// Reads the request, and breaks off within the answer.
    Truncate,
    /// Reads the request and never answers.
    Hang,
    /// Takes connections and never reads from them.
    Mute,
    /// Takes the request and breaks off: the connection over HTTP/1.1, the stream over gRPC.
    Break,
    /// Takes the request and resets the connection.
    Reset,
    /// Resets the connection with the request unread.
    ResetUnread,
}

// === impl Behaviour ===

impl Behaviour {
    /// The first of these `times` times, and then the other.
    pub(in super::super) fn first(times: usize, before: &Self, after: Self) -> Self {
        let before = std::iter::repeat_n(before.clone(), times);
        Self::Script(before.chain([after]).collect())
    }

    /// What is done with a request that so many have come before.
    pub(super) fn with(&self, before: usize) -> Self {
        match self {
            Self::Script(steps) => steps[before.min(steps.len() - 1)].clone(),
            other => other.clone(),
        }
    }

    /// Whether some request gets no answer at all.
    pub(in super::super) fn is_silent(&self) -> bool {
        match self {
            Self::Hang | Self::Mute => true,
            Self::Script(steps) => steps.iter().any(Self::is_silent),
            _ => false,
        }
    }

    /// Whether the collector takes in what it was sent; some of it may be rejected.
    pub(super) const fn keeps(&self) -> bool {
        !matches!(self, Self::Refuse { .. } | Self::Busy { .. })
    }
}
