//! What is asked, how the client behaves, and what the telemetry must say of it.

use axum::body::Body;
use http::Request;

/// One way in which a request can go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) client: Client,
    pub(super) told: Told,
    /// The stream that the response opens has a line and a duration of its own.
    pub(super) opens_stream: bool,
}

/// What the client does with its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    /// It reads the whole answer.
    Reads,
    /// It reads the whole answer, and there are trailers at its end.
    ReadsTrailers,
    /// It waits for an answer, or for the rest of one, that never comes.
    IsLetDown,
    /// It goes away while the handler is at work.
    LeavesTheHandler,
    /// It goes away after the first frame of the body.
    LeavesTheBody,
}

/// What all signals say of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) outcome: &'static str,
    pub(super) status: Option<i64>,
    pub(super) error_type: Option<&'static str>,
    pub(super) route: Option<&'static str>,
    pub(super) level: &'static str,
}

pub(super) const CASES: &[Case] = &[
    completed("/ok"),
    Case {
        method: "HEAD",
        ..completed("/ok")
    },
    answered(204, "/empty"),
    answered(304, "/unchanged"),
    Case {
        told: Told {
            route: None,
            level: "WARN",
            ..answered(404, "/nowhere").told
        },
        ..completed("/nowhere")
    },
    failed(
        "completed",
        Some(500),
        "500",
        "ERROR",
        "/fail",
        Client::Reads,
    ),
    completed("/stream"),
    // The server stops at the announced length and never asks the stream for its end.
    completed("/announced"),
    Case {
        client: Client::ReadsTrailers,
        ..completed("/trailers")
    },
    // Where there is a length, HTTP/1.1 has no room for trailers, and the server does not get there.
    completed("/announced-trailers"),
    failed(
        "cancelled",
        None,
        "cancelled",
        "WARN",
        "/hang",
        Client::LeavesTheHandler,
    ),
    failed(
        "body_dropped",
        Some(200),
        "body_dropped",
        "WARN",
        "/endless",
        Client::LeavesTheBody,
    ),
    failed(
        "body_error",
        Some(200),
        "body_error",
        "ERROR",
        "/broken",
        Client::IsLetDown,
    ),
    failed(
        "panicked",
        None,
        "panic",
        "ERROR",
        "/panic",
        Client::IsLetDown,
    ),
    streamed("/events-ended", Client::Reads),
    // Which is how a client ends an event stream.
    streamed("/events", Client::LeavesTheBody),
    Case {
        method: "HEAD",
        ..completed("/events")
    },
];

/// All is well.
const fn completed(path: &'static str) -> Case {
    answered(200, path)
}

const fn answered(status: i64, path: &'static str) -> Case {
    Case {
        method: "GET",
        path,
        client: Client::Reads,
        told: Told {
            outcome: "completed",
            status: Some(status),
            error_type: None,
            route: Some(path),
            level: "INFO",
        },
        opens_stream: false,
    }
}

const fn failed(
    outcome: &'static str,
    status: Option<i64>,
    error_type: &'static str,
    level: &'static str,
    path: &'static str,
    client: Client,
) -> Case {
    Case {
        client,
        told: Told {
            outcome,
            status,
            error_type: Some(error_type),
            route: Some(path),
            level,
        },
        ..completed(path)
    }
}

const fn streamed(path: &'static str, client: Client) -> Case {
    Case {
        client,
        told: Told {
            outcome: "streaming",
            ..completed(path).told
        },
        opens_stream: true,
        ..completed(path)
    }
}

// === impl Case ===

impl Case {
    pub(super) fn request(&self) -> Request<Body> {
        // Over HTTP/1.1, trailers are sent only to those who ask for them.
        Request::builder()
            .method(self.method)
            .uri(self.path)
            .header("te", "trailers")
            .body(Body::empty())
            .unwrap()
    }
}
