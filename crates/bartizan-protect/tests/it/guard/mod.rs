mod breaker;
mod cancel;
mod errors;
mod queue;

use std::future::{Future, poll_fn};
use std::io;
use std::task::Poll;
use std::time::Duration;

use bartizan_protect::breaker::{Breaker, Config};
use bartizan_protect::bulkhead::{self, Bulkhead};
use bartizan_protect::guard::Guard;
use bartizan_protect::rate_limit::{Keys, Policy, Quota, RateLimiter};

use crate::breaker::told::Told;
use crate::breaker::upstream::in_a_row;

const SECOND: Duration = Duration::from_secs(1);

/// So many calls at once of each key, and one more every hundred seconds.
fn limiter(burst: u32) -> RateLimiter {
    let quota = Quota::new(1, 100 * SECOND, burst).unwrap();
    let policy = Policy::new("tenant", quota).with_keys(Keys::by(|_| None));
    RateLimiter::builder().with_policy(policy).build().unwrap()
}

/// So many calls, and so many that wait for 10 s.
fn bulkhead(limit: usize, max_queue: usize) -> Bulkhead {
    let config = bulkhead::Config::builder(limit).with_max_queue(max_queue);
    let config = config.with_queue_timeout(10 * SECOND).build().unwrap();
    Bulkhead::new("cards", config)
}

/// Opens for a second by so many failures in a row.
fn breaker(failures: u32) -> Breaker {
    let config: Config = in_a_row(failures).build().unwrap();
    Breaker::new("cards", config)
}

type Whole = Guard<((), (), Told)>;

/// All of it: five calls of a key, one at a time, one that waits.
fn whole(told: &Told) -> Whole {
    let config = in_a_row(3).with_slow_threshold(100 * SECOND);
    Guard::builder()
        .with_rate_limiter(limiter(5))
        .with_bulkhead(bulkhead(1, 1))
        .with_breaker(told.breaker(config))
        .with_timeout(SECOND)
        .build()
        .unwrap()
}

/// How many calls there are, how many wait, and how many of five `key` has left.
fn held(guard: &Whole, key: &str) -> (usize, usize, usize) {
    let snapshot = guard.bulkhead().unwrap().snapshot();
    let mut reservations = Vec::new();
    while let Ok(reservation) = guard.rate_limiter().unwrap().try_acquire(Some(key), 1) {
        reservations.push(reservation);
    }
    let left = reservations.len();
    for reservation in reservations {
        reservation.refund();
    }
    (snapshot.in_flight, snapshot.queued, left)
}

/// Is done at the poll after so many.
fn after_polls(mut polls: usize) -> impl Future<Output = io::Result<&'static str>> {
    poll_fn(move |cx| {
        if polls == 0 {
            return Poll::Ready(Ok("done"));
        }
        polls -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

async fn done() -> io::Result<()> {
    Ok(())
}

async fn failed() -> io::Result<()> {
    Err(io::Error::other("card declined"))
}
