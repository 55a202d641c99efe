use std::fmt;

use serde::Serialize;

/// How a request ended. Every request ends in exactly one of these ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The response, body included, was produced in full, whatever its status.
    Completed,
    /// The service returned an error instead of a response.
    Error,
    /// The call was dropped before there was a response: as a rule, the client went away.
    Cancelled,
    /// The service panicked, whether or not a layer inside turned that into a response.
    Panicked,
    /// The response body failed on the way.
    BodyError,
    /// The response body was dropped before its end: as a rule, the client went away.
    BodyDropped,
    /// The connection was switched to another protocol; the request ends at its headers.
    Upgraded,
    /// An event stream was begun; the request ends at its headers.
    Streaming,
}

impl Outcome {
    /// The name used in logs and attributes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panicked",
            Self::BodyError => "body_error",
            Self::BodyDropped => "body_dropped",
            Self::Upgraded => "upgraded",
            Self::Streaming => "streaming",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
