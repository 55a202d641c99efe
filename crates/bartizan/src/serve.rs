use std::future::{Future, IntoFuture};
use std::io;
use std::time::Duration;

use axum::Router;
use bartizan_observe::telemetry::{DEFAULT_SHUTDOWN_DEADLINE, Report, Telemetry};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::{Listener, into_make_service};

/// How long requests under way get to finish after a stop was asked for. Container platforms kill
/// after 30 s as a rule; half of that leaves room for a load balancer's delay and the flush.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(15);

/// Serves until SIGTERM or Ctrl-C, lets requests under way finish, then flushes the telemetry and
/// reports what became of it.
///
/// # Errors
///
/// When the signal handlers cannot be installed or the listener breaks.
pub async fn serve(listener: TcpListener, app: Router, telemetry: Telemetry) -> io::Result<Report> {
    let stop = stop_signal()?;
    serve_until(listener, app, telemetry, stop).await
}

/// [`serve`] with a stop signal of one's own: serving ends when `stop` completes.
///
/// Connections that are still busy after [`DRAIN_DEADLINE`] are cut off.
///
/// # Errors
///
/// When the listener breaks.
pub async fn serve_until(
    listener: TcpListener,
    app: Router,
    telemetry: Telemetry,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Report> {
    let (stopping, stopped) = oneshot::channel::<()>();
    let serving = axum::serve(Listener::new(listener), into_make_service(app))
        .with_graceful_shutdown(async move {
            stop.await;
            // The other side waits below for as long as the server runs.
            drop(stopping);
        })
        .into_future();
    let deadline = async {
        // Ends when `stopping` is dropped; nothing is ever sent.
        drop(stopped.await);
        tokio::time::sleep(DRAIN_DEADLINE).await;
    };
    let served = tokio::select! {
        served = serving => served,
        () = deadline => {
            tracing::warn!(deadline = ?DRAIN_DEADLINE, "drain deadline passed, cutting off what is left");
            Ok(())
        }
    };
    let flush = move || telemetry.shutdown(DEFAULT_SHUTDOWN_DEADLINE);
    let report = tokio::task::spawn_blocking(flush)
        .await
        .map_err(io::Error::other)?;
    served.map(|()| report)
}

#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot listen for Ctrl-C");
            std::future::pending::<()>().await;
        }
    })
}
