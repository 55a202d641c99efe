use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::Sleep;

use super::Elapsed;
use super::allowance::Allowance;
use crate::Timer;

/// Goes off when a call's time is over.
///
/// The timer is not set before somebody has to wait: most answers are there at once, or at least
/// are asked for less often than calls begin.
pub(crate) struct Alarm {
    timer: Timer,
    allowance: Allowance,
    sleep: Option<Pin<Box<dyn Sleep>>>,
}

// === impl Alarm ===

impl Alarm {
    pub(crate) const fn new(timer: Timer, allowance: Allowance) -> Self {
        Self {
            timer,
            allowance,
            sleep: None,
        }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Elapsed> {
        let Self {
            timer, allowance, ..
        } = self;
        let sleep = self
            .sleep
            .get_or_insert_with(|| timer.sleep_until(allowance.until));
        sleep.as_mut().poll(cx).map(|()| allowance.elapsed)
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Alarm").field(&self.allowance.until).finish()
    }
}
