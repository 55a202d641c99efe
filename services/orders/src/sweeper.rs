use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::Orders;

/// How often the orders that were left behind are looked for. Undoing one is cheap and its stock is
/// missing meanwhile; but a service that is down need not be asked more often.
pub const SWEEP_PERIOD: Duration = Duration::from_secs(5);

/// How long [`Sweeper::stop`] waits for orders whose clients have gone; a few call timeouts.
pub const STOP_DEADLINE: Duration = Duration::from_secs(5);

/// Undoes what was left behind, at once and then every [`SWEEP_PERIOD`]. Dropping it ends that.
#[derive(Debug)]
#[must_use = "nothing is swept once this is dropped"]
pub struct Sweeper {
    orders: Orders,
    sweeping: JoinHandle<()>,
}

// === impl Sweeper ===

impl Sweeper {
    /// Starts to sweep.
    ///
    /// # Panics
    ///
    /// When called outside of a tokio runtime.
    pub fn start(orders: Orders) -> Self {
        let sweeping = tokio::spawn(sweep(orders.clone()));
        Self { orders, sweeping }
    }

    /// Ends it, and waits for the orders that are still worked on because their clients have gone;
    /// for [`STOP_DEADLINE`] at most, and then the next start has them undone.
    pub async fn stop(self) {
        self.sweeping.abort();
        // Nothing is lost if it takes too long.
        let _ = timeout(STOP_DEADLINE, self.orders.idle()).await;
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.sweeping.abort();
    }
}

async fn sweep(orders: Orders) {
    let mut ticks = interval(SWEEP_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match orders.sweep().await {
            Ok(0) => {}
            Ok(rejected) => tracing::info!(rejected, "orders left behind were undone"),
            Err(error) => tracing::error!(%error, "orders left behind cannot be looked for"),
        }
    }
}
