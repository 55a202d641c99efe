//! However many ask at once, they get what one would.

use std::sync::Barrier;
use std::thread;

use bartizan_protect::rate_limit::Keys;

use super::*;

const THREADS: usize = 4;
const CALLS: u32 = 5_000;

#[test]
fn what_is_admitted_is_never_more_than_burst_and_rate_allow() {
    // Every policy on its own, in the order in which they are asked, has to hold for all threads.
    let clock = Clock::new();
    let limiter = builder()
        .with_timer(Timer::new(clock.clone()))
        .with_policy(Policy::new("peer", quota(100, 50)).with_keys(Keys::peer()))
        .with_policy(Policy::new("all", quota(150, 60)))
        .build()
        .unwrap();
    let peers = ["192.0.2.1", "192.0.2.2"];
    let barrier = Barrier::new(THREADS);
    let admitted: Vec<[u64; 2]> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let (limiter, clock, barrier) = (&limiter, &clock, &barrier);
                scope.spawn(move || {
                    let requests = peers.map(|peer| parts(Some(peer), &[]));
                    let mut admitted = [0; 2];
                    barrier.wait();
                    for call in 0..CALLS {
                        let at = (number + call as usize) % peers.len();
                        admitted[at] += u64::from(limiter.check(&requests[at]).allow());
                        clock.advance(Duration::from_micros(500));
                    }
                    admitted
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });

    let elapsed = clock.advance(Duration::ZERO).as_secs_f64();
    let of = |peer: usize| admitted.iter().map(|each| each[peer]).sum::<u64>();
    let most = |rate: f64, burst: f64| (burst + rate * elapsed) as u64;
    let all = of(0) + of(1);
    assert!(all <= most(150.0, 60.0), "{all} in {elapsed} s");
    for peer in 0..2 {
        assert!(of(peer) <= most(100.0, 50.0), "{} in {elapsed} s", of(peer));
    }
    // Nor less: more is asked for than there is, all the time.
    assert!(all + 1 >= most(150.0, 60.0), "{all} in {elapsed} s");
    // And what was counted is what was admitted.
    let counts = limiter.snapshots();
    assert_eq!(
        (counts[0].counts.allowed, counts[1].counts.allowed),
        (all, all)
    );
    let asked = u64::from(CALLS) * THREADS as u64;
    for snapshot in counts {
        let counts = snapshot.counts;
        assert_eq!(counts.allowed + counts.rejected + counts.uncharged, asked);
    }
}

#[test]
fn what_stands_still_gives_exactly_the_burst() {
    let (limiter, _) = limiter(Policy::new("all", quota(1, 1_000)));
    let barrier = Barrier::new(THREADS);
    let admitted: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    (0..CALLS)
                        .filter(|_| limiter.try_acquire(None, 1).is_ok())
                        .count()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(admitted, 1_000);
}
