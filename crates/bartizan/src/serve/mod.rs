//! The server, and its end in good order.
//!
//! On hyper-util and not on `axum::serve`, which has no deadline, and which cannot name what it
//! cuts off, since it owns no connection's task: whoever drops its future stops nothing.

mod accept;
mod attend;
mod beside;
mod connections;
mod converse;
mod exit;
mod flush;
mod in_flight;
mod lifecycle;
mod line;
mod phases;
mod report;
mod run;
mod server;
mod serving;
mod stop;
mod streams;

use std::io;

use axum::Router;
use bartizan_observe::telemetry::Telemetry;
use tokio::net::TcpListener;

pub use exit::{EXIT_CUT_OFF, EXIT_TELEMETRY_LOST, ExitPolicy};
pub use lifecycle::Lifecycle;
pub use phases::{Phase, PhaseEntry};
pub use report::{CutOff, CutOffRequest, MAX_NAMED, ServeReport};
pub use server::{DEFAULT_GRACE, DRAIN_DEADLINE, Server};

/// Serves until SIGTERM or Ctrl-C, lets requests under way finish, then flushes the telemetry and
/// reports what became of everything. [`Server`] has the options.
///
/// HTTP/1 with upgrades and HTTP/2 with prior knowledge and extended CONNECT, as the peer speaks.
/// Each request carries [`PeerAddr`](crate::PeerAddr), axum's `ConnectInfo<SocketAddr>` and
/// [`OnClose`](bartizan_observe::request::OnClose). A handler that panics takes down its own
/// connection (over HTTP/2, its own stream) and no more.
///
/// # How it ends
///
/// 1. A stop is asked for: [`Lifecycle::is_ready`] turns false.
/// 2. For [`DEFAULT_GRACE`] all is served that comes, and HTTP/1 answers carry
///    `Connection: close`. Not after Ctrl-C.
/// 3. Nothing more is accepted. Idle connections are closed, HTTP/2 peers get GOAWAY, event streams
///    end.
/// 4. Until [`DRAIN_DEADLINE`] requests under way and upgraded connections may finish.
/// 5. What is left is cut off: each request is named in a warning, and in the report, up to
///    [`MAX_NAMED`]; it is dropped, and its span and access line say so. Upgraded connections fail
///    their next read or write.
/// 6. The telemetry is flushed, for
///    [`DEFAULT_SHUTDOWN_DEADLINE`](bartizan_observe::telemetry::DEFAULT_SHUTDOWN_DEADLINE) at
///    most.
///
/// A second signal skips to 5, and to a flush of half a second; a flush under way goes on. Each
/// phase is told in a line when it begins.
///
/// It does not end the process: [`ServeReport::exit_code`] is for `main`. Tasks that handlers spawn
/// are theirs.
///
/// # Errors
///
/// When the signal handlers cannot be installed.
///
/// # Cancel safety
///
/// As [`Server::serve`].
pub async fn serve(
    listener: TcpListener,
    app: Router,
    telemetry: Telemetry,
) -> io::Result<ServeReport> {
    Server::new(app, telemetry).serve(listener).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_out_can_be_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Lifecycle>();
        shared::<Phase>();
        shared::<PhaseEntry>();
        shared::<ServeReport>();
        shared::<CutOff>();
        shared::<CutOffRequest>();
        shared::<ExitPolicy>();

        fn sent<T: Send>() {}
        sent::<Server>();
    }
}
