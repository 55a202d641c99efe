//! What an operator asks a service, on a port of its own.
//!
//! | route | answers |
//! |---|---|
//! | `GET /livez` | 200 as long as anything answers |
//! | `GET /readyz` | 200, or 503 unless the server is [ready](crate::Lifecycle::is_ready) and every [`Check`] passes |
//! | `GET /metrics` | Prometheus' text or OpenMetrics, by `Accept`; 404 unless the telemetry has an exposition |
//! | `GET /info` | name, version, build, uptime, phase, and the configuration with the source of each value |
//! | `GET /log-level` | the levels that hold |
//! | `PUT /log-level` | changes them for a time: `{"directives": "info,orders=debug", "for": "10m"}` |
//! | `DELETE /log-level` | back to what was configured |
//!
//! Whatever goes wrong is answered with a [`Problem`](crate::Problem). The port is not one of the
//! application's: what comes to it leaves no spans, no metrics and no access lines, and it answers
//! from before the application's own does until the telemetry is flushed. It is open to everyone who
//! reaches it, so it is loopback by default; a probe from another machine takes an address of its
//! own and a network that keeps others away.
//!
//! ```no_run
//! use bartizan::admin::{Admin, Check, DEFAULT_ADMIN_BIND};
//! use bartizan::{Server, Telemetry};
//! use tokio::net::TcpListener;
//!
//! # async fn run(app: axum::Router, telemetry: Telemetry) -> Result<(), bartizan::Error> {
//! let admin = Admin::new()
//!     .with_service("orders", env!("CARGO_PKG_VERSION"))
//!     .with_check(Check::new("stock", || async { Ok::<_, std::io::Error>(()) }));
//! let report = Server::new(app, telemetry)
//!     .with_admin(TcpListener::bind(DEFAULT_ADMIN_BIND).await?, admin)
//!     .serve(TcpListener::bind("127.0.0.1:8080").await?)
//!     .await?;
//! # let _ = report;
//! # Ok(())
//! # }
//! ```

mod check;
mod handle;
mod health;
mod info;
mod log_level;
mod metrics;
mod probe;
mod router;

pub use check::{Check, DEFAULT_CHECK_MAX_AGE, DEFAULT_CHECK_TIMEOUT};
pub use handle::{Admin, DEFAULT_ADMIN_BIND};
pub use log_level::DEFAULT_LEVEL_TIME;
