mod alarm;
mod limit;
mod over;
mod sites;

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::*;
use crate::Clock;

/// A clock that moves when it is told to.
#[derive(Debug, Clone)]
pub(crate) struct Time(Arc<Mutex<Instant>>);

impl Time {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Clock::default().now())))
    }

    pub(crate) fn now(&self) -> Instant {
        *self.0.lock().unwrap()
    }

    pub(crate) fn pass(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }

    pub(crate) fn clock(&self) -> Clock {
        let time = self.clone();
        Clock::from_fn(move || time.now())
    }
}

pub(crate) fn limit(rate: u32, burst: u32) -> LogLimit {
    LogLimit::per_second(number(rate)).with_burst(number(burst))
}

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}
