//! The last thing that a server does.

use std::time::Duration;

use bartizan_observe::telemetry::{Report, Telemetry};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How much longer than its deadline the flush is waited for, should the runtime have no thread for
/// it: handlers that block may have taken all of them.
const MARGIN: Duration = Duration::from_millis(250);

/// Shuts the telemetry down; the figures are those of the moment if that cannot be waited for.
pub(super) async fn flush(telemetry: Telemetry, deadline: Duration) -> Report {
    let handle = telemetry.clone();
    let shutdown = spawn_blocking(move || handle.shutdown(deadline));
    match timeout(deadline.saturating_add(MARGIN), shutdown).await {
        Ok(Ok(report)) => report,
        Ok(Err(error)) => {
            tracing::error!(%error, "the flush of the telemetry panicked");
            telemetry.report()
        }
        Err(_) => {
            tracing::error!("no thread was free to flush the telemetry");
            telemetry.report()
        }
    }
}
