use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

/// Asks every few milliseconds until there is an answer, for what tells nobody when it is so far.
///
/// # Panics
///
/// When there is none within `patience`.
pub async fn until<T>(patience: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let mut ticks = interval(Duration::from_millis(5));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let asking = async {
        loop {
            ticks.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    };
    match timeout(patience, asking).await {
        Ok(answer) => answer,
        Err(_) => panic!("no answer within {patience:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_asks_until_there_is_an_answer() {
        let mut asked = 0;
        let answer = until(Duration::from_secs(1), async || {
            asked += 1;
            (asked == 7).then_some("so far")
        });
        assert_eq!(answer.await, "so far");
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "no answer within 1s")]
    async fn patience_ends() {
        until(Duration::from_secs(1), async || None::<()>).await;
    }
}
