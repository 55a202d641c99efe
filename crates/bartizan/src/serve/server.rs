use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use bartizan_observe::telemetry::{DEFAULT_SHUTDOWN_DEADLINE, Telemetry};
use tokio::net::TcpListener;

use super::beside::Beside;
use super::lifecycle::Lifecycle;
use super::report::ServeReport;
use super::run::Run;
use super::stop::{Signals, Stop};
use crate::admin::Admin;

/// How long requests are still served after SIGTERM, so that load balancers see the red readiness
/// and stop sending: a kubelet or an ALB that probes every few seconds, or the seconds that it
/// takes Kubernetes to take an endpoint out everywhere. With [`DRAIN_DEADLINE`] and the flush it
/// stays within the 30 s after which container platforms kill. Ctrl-C has no grace period, since
/// whoever presses it is not a load balancer.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(5);

/// How long requests under way get to finish once nothing more is accepted. Container platforms
/// kill after 30 s as a rule; half of that leaves room for a load balancer's delay and the flush.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(15);

/// A server that ends in good order; [`serve`](super::serve) with options.
///
/// ```no_run
/// # async fn run(app: axum::Router, telemetry: bartizan::Telemetry) -> std::io::Result<()> {
/// use std::time::Duration;
///
/// use bartizan::{Lifecycle, Server};
///
/// let lifecycle = Lifecycle::new();
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let report = Server::new(app, telemetry)
///     .with_lifecycle(&lifecycle)
///     .with_grace(Duration::from_secs(10))
///     .serve(listener)
///     .await?;
/// # let _ = report;
/// # Ok(())
/// # }
/// ```
#[must_use = "a server does nothing until `serve`"]
pub struct Server {
    app: Router,
    telemetry: Telemetry,
    lifecycle: Lifecycle,
    admin: Option<(TcpListener, Admin)>,
    limits: Limits,
    stop: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    end: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    last: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// How long the phases may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) grace: Duration,
    pub(super) drain: Duration,
    pub(super) flush: Duration,
}

// === impl Server ===

impl Server {
    /// Serves `app`, and flushes `telemetry` at the end.
    pub fn new(app: Router, telemetry: Telemetry) -> Self {
        Self {
            app,
            telemetry,
            lifecycle: Lifecycle::new(),
            admin: None,
            limits: Limits {
                grace: DEFAULT_GRACE,
                drain: DRAIN_DEADLINE,
                flush: DEFAULT_SHUTDOWN_DEADLINE,
            },
            stop: None,
            end: None,
            last: None,
        }
    }

    /// Tells the phases to `lifecycle`, which is of this server alone. Default: one of its own, see
    /// [`Self::lifecycle`].
    pub fn with_lifecycle(mut self, lifecycle: &Lifecycle) -> Self {
        self.lifecycle = lifecycle.clone();
        self
    }

    /// Serves the admin router on a port of its own, from before the application's until the
    /// telemetry is flushed. Default: none.
    pub fn with_admin(mut self, listener: TcpListener, admin: Admin) -> Self {
        self.admin = Some((listener, admin));
        self
    }

    /// How long to go on serving after a stop was asked for. Zero leaves the phase out, and so
    /// does Ctrl-C. Default: [`DEFAULT_GRACE`].
    pub const fn with_grace(mut self, grace: Duration) -> Self {
        self.limits.grace = grace;
        self
    }

    /// How long requests under way may then take; what is left is cut off. Default:
    /// [`DRAIN_DEADLINE`].
    pub const fn with_drain_deadline(mut self, deadline: Duration) -> Self {
        self.limits.drain = deadline;
        self
    }

    /// How long the flush of the telemetry may take. Default: [`DEFAULT_SHUTDOWN_DEADLINE`].
    pub const fn with_shutdown_deadline(mut self, deadline: Duration) -> Self {
        self.limits.flush = deadline;
        self
    }

    /// Stops when `stop` completes, and leaves the process's signals alone. Default: on the first
    /// SIGTERM or SIGINT.
    pub fn with_stop(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Some(Box::pin(stop));
        self
    }

    /// Ends when `end` completes without waiting for anything: cuts off what is under way, whether a
    /// stop was asked for or not. It leaves the signals alone, too. Default: on the second SIGTERM
    /// or SIGINT.
    pub fn with_end(mut self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        self.end = Some(Box::pin(end));
        self
    }

    /// Has this done when no request is under way any more, before the telemetry is flushed: what
    /// goes on beside the requests comes to its end here, and what it recorded gets away. It has the
    /// drain deadline once more; a second signal drops it, as does an end at once. Default: nothing.
    pub fn with_last(mut self, last: impl Future<Output = ()> + Send + 'static) -> Self {
        self.last = Some(Box::pin(last));
        self
    }

    /// Tells the phases of this server.
    #[must_use]
    pub fn lifecycle(&self) -> Lifecycle {
        self.lifecycle.clone()
    }

    /// Serves until asked to stop, and returns when all has come to its end: every connection that
    /// the server holds is closed, and the telemetry is flushed. How it ends, and how long that may
    /// take, is told at [`serve`](super::serve).
    ///
    /// # Errors
    ///
    /// When the signal handlers cannot be installed. A listener that fails is tried again, less and
    /// less often, but at least once a second.
    ///
    /// # Panics
    ///
    /// If a route of [`Admin::with_routes`] is one of the admin router's.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, so are the connections and the requests under way, at once and
    /// unnamed; the telemetry is not flushed.
    pub async fn serve(self, listener: TcpListener) -> io::Result<ServeReport> {
        let stop = match Stop::given(self.stop, self.end) {
            Some(stop) => stop,
            None => Stop::Signals(Signals::listen()?),
        };
        let admin = self.admin.map(|(listener, admin)| {
            let router = admin.into_router(&self.lifecycle, &self.telemetry);
            Beside::start(router, listener)
        });
        let last = self
            .last
            .unwrap_or_else(|| Box::pin(std::future::ready(())));
        let run = Run::new(self.app, self.lifecycle, self.limits);
        // Boxed: a future of some size that is moved about once and polled seldom.
        let report = Box::pin(run.serve(listener, stop, last, self.telemetry)).await;
        if let Some(admin) = admin {
            admin.end().await;
        }
        Ok(report)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("lifecycle", &self.lifecycle)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
