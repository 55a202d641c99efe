//! The thread that exports.
//!
//! It has a runtime of its own, so that telemetry needs none of the application's: it works under
//! any executor or none, does not wait behind the application's tasks, and a shutdown that blocks
//! the application's only worker still gets everything out.

use std::future::Future;
use std::pin::Pin;

use opentelemetry::Context;
use tokio::task::JoinSet;

use super::error::TelemetryError;

/// The thread's name.
pub(super) const THREAD: &str = "bartizan-export";

/// One pipeline, ready to run.
pub(super) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Starts the thread; it ends when all of `tasks` have.
pub(super) fn start(tasks: Vec<Task>) -> Result<(), TelemetryError> {
    if tasks.is_empty() {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(TelemetryError::Thread)?;
    let run = move || {
        // For the thread's whole life: what the transport spawns is polled here too, and nothing
        // that it does may be traced or logged into the pipeline that it carries.
        let _quiet = Context::enter_telemetry_suppressed_scope();
        runtime.block_on(async {
            let mut running = JoinSet::new();
            for task in tasks {
                running.spawn(task);
            }
            while running.join_next().await.is_some() {}
        });
        // Not by dropping it, which would wait for a name lookup that hangs.
        runtime.shutdown_background();
    };
    std::thread::Builder::new()
        .name(THREAD.to_owned())
        .spawn(run)
        .map(|_detached| ())
        .map_err(TelemetryError::Thread)
}
