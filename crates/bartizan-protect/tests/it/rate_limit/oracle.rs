//! Governor itself, over a million random steps.

use std::num::NonZeroU32;

use bartizan_protect::rate_limit::Keys;
use governor::clock::{Clock as _, FakeRelativeClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;

use super::*;

/// xorshift64*, which is random enough and always the same.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % end
    }
}

#[test]
fn it_decides_as_governor_does() {
    const STEPS: u64 = 1_000_000;
    let quotas = [(1, 1), (7, 3), (1_000, 50), (3, 1_000), (1_000_000_000, 2)];
    let keys: Vec<String> = (0..8).map(|key| format!("key {key}")).collect();
    let mut random = Random(0x5eed);
    for (rate, burst) in quotas {
        let quota = quota(rate, burst);
        let policy = Policy::new("all", quota).with_keys(Keys::by(|_| None));
        let (ours, our_clock) = limiter(policy);

        let unit = Duration::from_nanos(1_000_000_000_u64.div_ceil(rate.into()));
        let clock = FakeRelativeClock::default();
        let theirs = governor::RateLimiter::<_, _, _, NoOpMiddleware<Nanos>>::new(
            governor::Quota::with_period(unit)
                .unwrap()
                .allow_burst(NonZeroU32::new(burst).unwrap()),
            HashMapStateStore::<String>::default(),
            clock.clone(),
        );
        let mut allowed = 0;
        for step in 0..STEPS / quotas.len() as u64 {
            // Mostly a little, sometimes until everything is full again.
            let by = match random.below(1_000) {
                0 => quota.refill() * 2,
                _ => Duration::from_nanos(random.below(unit.as_nanos() as u64 / 2 + 2)),
            };
            our_clock.advance(by);
            clock.advance(by);
            let key = &keys[random.below(8) as usize];
            let cost = match random.below(4) {
                0 => 1 + random.below(u64::from(burst) + 1) as u32,
                _ => 1,
            };
            let expected = match theirs.check_key_n(key, NonZeroU32::new(cost).unwrap()) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(not_until)) => Err(Some(not_until.wait_time_from(clock.now()))),
                Err(_) => Err(None),
            };
            let found = ours.try_acquire(Some(key), cost).map(drop);
            let found = found.map_err(|rejected| rejected.retry_after());
            assert_eq!(
                found, expected,
                "step {step} of {rate} and {burst}: {cost} of {key}"
            );
            allowed += u64::from(found.is_ok());
        }
        let counts = ours.snapshots()[0].counts;
        assert_eq!((counts.allowed, counts.overflowed), (allowed, 0));
        assert!(counts.rejected > 10_000 && allowed > 1_000, "{counts:?}");
    }
}
