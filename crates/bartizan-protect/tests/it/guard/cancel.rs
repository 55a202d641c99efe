//! What a call leaves behind that is dropped or panics: nothing, wherever it was.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bartizan_protect::breaker::Outcome;
use tokio_test::task;

use super::*;

/// How often the work of a call is pending.
const PENDING: usize = 3;

#[tokio::test(start_paused = true)]
async fn a_call_can_be_dropped_after_any_poll() {
    // The place becomes free before the `free_at`th poll.
    for free_at in 0..4 {
        for polls in 0..10 {
            let told = Told::default();
            let guard = whole(&told);
            let mut holder = Some(guard.bulkhead().unwrap().try_acquire().unwrap());
            let mut call = task::spawn(guard.run_for("acme", after_polls(PENDING)));
            let mut is_done = false;
            for poll in 0..polls {
                if poll == free_at {
                    holder.take();
                }
                if let Poll::Ready(result) = call.poll() {
                    assert_eq!(result.unwrap(), "done");
                    is_done = true;
                    // Before it is dropped, too.
                    assert_eq!(held(&guard, "acme"), (0, 0, 4), "{free_at}, {polls}");
                    break;
                }
            }
            assert_eq!(is_done, polls > free_at + PENDING, "{free_at}, {polls}");
            let is_begun = polls > free_at;
            drop(call);
            drop(holder);
            let left = if is_begun { 4 } else { 5 };
            assert_eq!(held(&guard, "acme"), (0, 0, left), "{free_at}, {polls}");
            let ended: &[_] = match (is_begun, is_done) {
                (false, _) => &[],
                (true, false) => &[(Outcome::Ignored, false)],
                (true, true) => &[(Outcome::Success, false)],
            };
            assert_eq!(told.ended(), ended, "{free_at}, {polls}");
            assert_eq!(guard.breaker().unwrap().snapshot().probes, 0);
            guard.run_for("acme", after_polls(0)).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_and_gives_everything_back() {
    let told = Told::default();
    let guard = whole(&told);
    for polls in 0..3 {
        let work = async move {
            after_polls(polls).await?;
            assert!(polls > 9, "as planned");
            done().await
        };
        let call = tokio::spawn(guard.run_for("acme", work));
        assert!(call.await.unwrap_err().is_panic());
        assert_eq!(held(&guard, "acme"), (0, 0, 4 - polls));
        assert_eq!(told.ended(), vec![(Outcome::Failure, false); polls + 1]);
    }
    // Three of them have opened the circuit.
    assert!(
        guard
            .run_for("acme", done())
            .await
            .unwrap_err()
            .is_rejection()
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_that_was_caught_is_still_one_when_the_call_is_dropped() {
    let told = Told::default();
    let guard = whole(&told);
    let work = poll_fn(|_| -> Poll<io::Result<()>> { panic!("as planned") });
    let mut call = task::spawn(guard.run_for("acme", work));
    assert!(catch_unwind(AssertUnwindSafe(|| call.poll())).is_err());
    drop(call);
    assert_eq!(told.ended(), [(Outcome::Failure, false)]);
    assert_eq!(held(&guard, "acme"), (0, 0, 4));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_whoever_classifies_is_one_of_the_call() {
    let told = Told::default();
    let guard = whole(&told);
    let run = guard.run_for("acme", done());
    let call = tokio::spawn(run.with_classify(|_| panic!("as planned")));
    assert!(call.await.unwrap_err().is_panic());
    assert_eq!(told.ended(), [(Outcome::Failure, false)]);
    assert_eq!(held(&guard, "acme"), (0, 0, 4));
}

/// Notes how many calls there are when it is dropped.
struct Notes(Bulkhead, Arc<AtomicUsize>);

impl Drop for Notes {
    fn drop(&mut self) {
        self.1.store(self.0.snapshot().in_flight, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn the_work_is_gone_before_its_place_is_free() {
    let bulkhead = bulkhead(1, 1);
    let guard = Guard::builder()
        .with_bulkhead(bulkhead.clone())
        .with_timeout(SECOND)
        .build()
        .unwrap();
    let seen = Arc::new(AtomicUsize::new(0));
    let hangs = || {
        let notes = Notes(bulkhead.clone(), Arc::clone(&seen));
        guard.run(async move {
            let _notes = notes;
            std::future::pending::<()>().await;
            done().await
        })
    };
    // Cut off, and dropped.
    assert!(hangs().await.is_err());
    assert_eq!(seen.swap(0, Ordering::SeqCst), 1);
    let mut call = task::spawn(hangs());
    assert!(call.poll().is_pending());
    drop(call);
    assert_eq!(seen.swap(0, Ordering::SeqCst), 1);
    assert_eq!(bulkhead.snapshot().in_flight, 0);
}
