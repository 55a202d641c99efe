//! Waiting for what tells nobody when it is so far.

use tokio::time::{interval, timeout};

use crate::{DEADLINE, PACE};

/// Looks again and again until there is what is looked for.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        let mut ticks = interval(PACE);
        loop {
            ticks.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    let found = timeout(DEADLINE, found).await;
    found.unwrap_or_else(|_| panic!("never: {what}"))
}
