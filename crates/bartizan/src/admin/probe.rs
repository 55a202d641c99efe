//! A check's latest result, and who makes the next one.

use std::error::Error;
use std::fmt::Write as _;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::BoxError;
use opentelemetry::Context;
use opentelemetry::trace::FutureExt;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::Check;

/// A check that is asked by many.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) check: Check,
    /// Locked by the one who runs the check while the others wait for its result. Who goes away
    /// lets the next one run it: nothing runs that nobody waits for.
    latest: Mutex<Option<Finding>>,
}

/// What a check has found.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    /// `None` if it passed.
    pub(super) error: Option<String>,
    pub(super) took: Duration,
    pub(super) at: Instant,
}

// === impl Probe ===

impl Probe {
    pub(super) fn shared(check: Check) -> Arc<Self> {
        Arc::new(Self {
            check,
            latest: Mutex::new(None),
        })
    }

    /// A result that is fresh, or that was found while this one waited.
    pub(super) async fn finding(&self) -> Finding {
        let asked = Instant::now();
        let mut latest = self.latest.lock().await;
        let fresh = latest.as_ref().filter(|finding| {
            finding.at >= asked || asked.duration_since(finding.at) < self.check.max_age
        });
        if let Some(finding) = fresh {
            return finding.clone();
        }
        let finding = self.find().await;
        self.tell_change(latest.as_ref(), &finding);
        *latest = Some(finding.clone());
        finding
    }

    async fn find(&self) -> Finding {
        let began = Instant::now();
        let limit = self.check.timeout;
        // Made inside of the future, so that a panic while it is made is one of the check.
        let run = unpanicked(async { (self.check.run)().await });
        // Probes are no work of the application's.
        let quiet = Context::current().with_telemetry_suppressed();
        let error = match timeout(limit, run.with_context(quiet)).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(error))) => Some(with_causes(&*error)),
            Ok(Err(Panicked)) => Some("the check panicked".to_owned()),
            Err(_) => Some(format!("no answer within {limit:?}")),
        };
        let at = Instant::now();
        Finding {
            error,
            took: at.duration_since(began),
            at,
        }
    }

    fn tell_change(&self, before: Option<&Finding>, now: &Finding) {
        let check = &self.check.name;
        let had_failed = before.is_some_and(|finding| finding.error.is_some());
        match &now.error {
            Some(error) if !had_failed => tracing::warn!(check, error, "check fails"),
            None if had_failed => tracing::info!(check, "check passes again"),
            _ => {}
        }
    }
}

/// A future has panicked.
struct Panicked;

async fn unpanicked<T>(future: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        // It is not polled again.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    })
    .await
}

/// An error alone often says no more than that something failed.
fn with_causes(error: &(dyn Error + Send + Sync + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string succeeds.
        let _written = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

/// What a check is made of can be shared.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Probe>();
    shared::<BoxError>();
};

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::task::JoinSet;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A check that takes a second and counts its runs.
    fn counted(max_age: Duration) -> (Arc<Probe>, Arc<AtomicUsize>) {
        let runs = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&runs);
        let check = Check::new("counted", move || {
            let counter = Arc::clone(&counter);
            async move {
                tokio::time::advance(SECOND).await;
                counter.fetch_add(1, Ordering::SeqCst);
                Ok::<_, io::Error>(())
            }
        });
        let check = check.with_timeout(10 * SECOND).with_max_age(max_age);
        (Probe::shared(check), runs)
    }

    async fn finding(check: Check) -> Finding {
        Probe::shared(check).finding().await
    }

    #[tokio::test(start_paused = true)]
    async fn a_result_is_told_again_until_it_is_too_old() {
        let (probe, runs) = counted(5 * SECOND);
        for (wait, expected) in [(0, 1), (1, 1), (3, 1), (1, 2), (4, 2), (1, 3)] {
            tokio::time::advance(wait * SECOND).await;
            assert_eq!(probe.finding().await.error, None);
            assert_eq!(runs.load(Ordering::SeqCst), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_share_one_run() {
        for max_age in [5 * SECOND, Duration::ZERO] {
            let (probe, runs) = counted(max_age);
            let mut storm = JoinSet::new();
            for _ in 0..100 {
                let probe = Arc::clone(&probe);
                storm.spawn(async move { probe.finding().await.took });
            }
            assert!(storm.join_all().await.iter().all(|took| *took == SECOND));
            assert_eq!(runs.load(Ordering::SeqCst), 1, "{max_age:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_leaves_the_run_to_the_next() {
        let runs = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&runs);
        // The first run never ends.
        let check = Check::new("stuck", move || {
            let run = counter.fetch_add(1, Ordering::SeqCst);
            async move {
                if run == 0 {
                    std::future::pending::<()>().await;
                }
                Ok::<_, io::Error>(())
            }
        });
        let probe = Probe::shared(check.with_timeout(Duration::MAX));
        let first = tokio::spawn({
            let probe = Arc::clone(&probe);
            async move { probe.finding().await }
        });
        while runs.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let second = tokio::spawn(async move { probe.finding().await });
        tokio::task::yield_now().await;
        first.abort();
        assert_eq!(second.await.unwrap().error, None);
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_takes_too_long_has_failed_when_its_time_is_up() {
        let began = Instant::now();
        let check = Check::new("slow", std::future::pending::<Result<(), io::Error>>);
        let finding = finding(check.with_timeout(2 * SECOND)).await;
        assert_eq!(finding.error.as_deref(), Some("no answer within 2s"));
        assert_eq!((finding.took, began.elapsed()), (2 * SECOND, 2 * SECOND));
    }

    #[tokio::test]
    async fn a_check_that_panics_has_failed_wherever_it_does() {
        async fn broken() -> Result<(), io::Error> {
            panic!("while it runs")
        }
        fn not_even_made() -> std::future::Ready<Result<(), io::Error>> {
            panic!("while it is made")
        }
        for check in [
            Check::new("runs", broken),
            Check::new("made", not_even_made),
        ] {
            let finding = finding(check).await;
            assert_eq!(finding.error.as_deref(), Some("the check panicked"));
        }
    }

    #[tokio::test]
    async fn an_error_is_told_with_its_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("no stock")]
        struct NoStock(#[source] io::Error);

        let check = Check::new("stock", || async {
            Err(NoStock(io::Error::other("the shelf is gone")))
        });
        let error = finding(check).await.error;
        assert_eq!(error.as_deref(), Some("no stock: the shelf is gone"));
    }

    #[tokio::test]
    async fn what_a_check_does_is_not_traced() {
        let check = Check::new("quiet", || async {
            let is_quiet = Context::map_current(Context::is_telemetry_suppressed);
            if is_quiet { Ok(()) } else { Err("loud") }
        });
        assert_eq!(finding(check).await.error, None);
    }
}
