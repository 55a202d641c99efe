use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bartizan_observe::telemetry::{Report, SignalReport};
use http::{Method, StatusCode};

use super::connections::Left;
use super::in_flight::Known;
use super::phases::{Phase, PhaseEntry};

/// How many requests that were cut off are named, in lines and in the report; the oldest come
/// first. Enough to see the pattern, and no flood in the moment when the time is up.
pub const MAX_NAMED: usize = 20;

/// How much of a path is told, in bytes.
const MAX_PATH: usize = 256;

/// What became of everything that a server had to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeReport {
    /// What became of the telemetry.
    pub telemetry: Report,
    /// The phases that the server went through, in order.
    pub phases: Vec<PhaseEntry>,
    /// Requests that were begun, on all connections.
    pub requests: u64,
    /// Those of them that were cut off.
    pub cut_off: CutOff,
    /// Connections that were closed when the time was up and had no request under way: WebSockets
    /// and other upgrades, peers that did not take the rest of an answer and, where there was no
    /// time to drain, idle ones. Not a failure for the [exit code](Self::exit_code): a WebSocket has
    /// no other end.
    pub connections_cut: u64,
    /// Whether it was asked to end at once, so that nothing was waited for.
    pub at_once: bool,
}

/// The requests that were cut off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CutOff {
    /// The oldest ones, at most [`MAX_NAMED`].
    pub named: Vec<CutOffRequest>,
    /// How many there were.
    pub total: u64,
}

/// A request that was still under way when the time was up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CutOffRequest {
    /// Its method.
    pub method: Method,
    /// Its path without the query, which may hold secrets; the first 256 bytes.
    pub path: String,
    /// The request id it came with or, if its answer had begun, was answered with.
    pub request_id: Option<String>,
    /// Who asked.
    pub peer: SocketAddr,
    /// How long it had been under way.
    pub age: Duration,
    /// The status, if its answer had begun.
    pub status: Option<StatusCode>,
}

// === impl ServeReport ===

impl ServeReport {
    /// Requests that were answered in full, or that their client gave up.
    #[must_use]
    pub const fn served(&self) -> u64 {
        self.requests.saturating_sub(self.cut_off.total)
    }

    /// How long a phase lasted; `None` if the server did not go through it.
    #[must_use]
    pub fn lasted(&self, phase: Phase) -> Option<Duration> {
        let entry = self.phases.iter().find(|entry| entry.phase == phase)?;
        Some(entry.lasted)
    }

    /// Everything that is not certain to be where it should.
    pub(super) const fn telemetry_lost(&self) -> u64 {
        const fn missing(signal: &SignalReport) -> u64 {
            signal.lost() + signal.unconfirmed
        }
        let Report {
            spans,
            logs,
            metrics,
            access_log,
            ..
        } = &self.telemetry;
        missing(spans)
            + missing(logs)
            + missing(&metrics.collections)
            + metrics.rejected_points
            + access_log.dropped
            + access_log.write_errors
    }
}

/// On one line.
impl fmt::Display for ServeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} requests served, {} cut off, {} connections cut",
            self.served(),
            self.cut_off.total,
            self.connections_cut
        )?;
        if self.at_once {
            f.write_str(", ended at once")?;
        }
        let mut before = "; ";
        for entry in &self.phases {
            if entry.phase != Phase::Stopped {
                write!(f, "{before}{} {:.1?}", entry.phase, entry.lasted)?;
                before = ", ";
            }
        }
        write!(f, "; {}", self.telemetry)
    }
}

// === impl CutOff ===

impl CutOff {
    /// Of what was left at `now`.
    pub(super) fn new(left: Left, now: Instant) -> Self {
        let total = left.requests.len() as u64 + left.unknown;
        let mut requests = left.requests;
        requests.sort_by_key(|(_, known)| known.since);
        requests.truncate(MAX_NAMED);
        let named = requests
            .into_iter()
            .map(|(peer, known)| CutOffRequest::new(peer, known, now))
            .collect();
        Self { named, total }
    }

    /// A line for each that is named, and one for the rest.
    pub(super) fn tell(&self) {
        for request in &self.named {
            tracing::warn!(
                method = %request.method,
                path = request.path,
                request_id = request.request_id,
                peer = %request.peer,
                age_ms = u64::try_from(request.age.as_millis()).unwrap_or(u64::MAX),
                status = request.status.map(|status| status.as_u16()),
                "request cut off"
            );
        }
        let unnamed = self.total - self.named.len() as u64;
        if unnamed > 0 {
            tracing::warn!(unnamed, "further requests cut off");
        }
    }
}

// === impl CutOffRequest ===

impl CutOffRequest {
    fn new(peer: SocketAddr, known: Known, now: Instant) -> Self {
        let path = known.uri.path();
        Self {
            path: path[..path.floor_char_boundary(MAX_PATH)].to_owned(),
            request_id: known
                .request_id
                .map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned()),
            method: known.method,
            peer,
            age: now.saturating_duration_since(known.since),
            status: known.status,
        }
    }
}

impl fmt::Display for CutOffRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} after {:.1?}", self.method, self.path, self.age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(requests: u64, path: &str, now: Instant) -> Left {
        let known = |age| Known {
            method: Method::GET,
            uri: path.parse().unwrap(),
            since: now - Duration::from_secs(age),
            request_id: None,
            status: None,
        };
        let peer = SocketAddr::from(([127, 0, 0, 1], 80));
        Left {
            requests: (1..=requests).map(|age| (peer, known(age))).collect(),
            unknown: 3,
            connections: 0,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a base to count from")]
    fn base() -> Instant {
        Instant::now() + Duration::from_secs(86_400)
    }

    #[test]
    fn the_oldest_are_named_and_all_are_counted() {
        let now = base();
        let cut_off = CutOff::new(left(MAX_NAMED as u64 + 5, "/", now), now);
        assert_eq!(cut_off.total, MAX_NAMED as u64 + 8);
        assert_eq!(cut_off.named.len(), MAX_NAMED);
        assert_eq!(cut_off.named[0].age, Duration::from_secs(25));
        assert_eq!(cut_off.named[0].to_string(), "GET / after 25.0s");
    }

    #[test]
    fn a_path_is_told_without_its_query_and_only_so_far() {
        let now = base();
        let long = format!("/{}", "x".repeat(1000));
        for (uri, expected) in [("/a/b?key=secret", "/a/b"), (&long, &long[..MAX_PATH])] {
            let cut_off = CutOff::new(left(1, uri, now), now);
            assert_eq!(cut_off.named[0].path, expected);
        }
    }
}
