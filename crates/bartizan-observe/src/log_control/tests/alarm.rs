use std::sync::mpsc::{Receiver, Sender, channel};

use crate::log_control::alarm::{Alarm, Due};

use super::*;

/// Is due as often as it has waits left, and tells of each time.
struct Work {
    waits: Mutex<Vec<Option<Duration>>>,
    done: Sender<()>,
    alarm: Alarm,
}

/// Long enough for a busy machine.
const PLENTY: Duration = Duration::from_secs(60);

const DAY: Option<Duration> = Some(Duration::from_secs(86_400));

impl Work {
    fn new(waits: &[Option<Duration>]) -> (Arc<Self>, Receiver<()>) {
        let (done, is_done) = channel();
        let work = Self {
            waits: Mutex::new(waits.to_vec()),
            done,
            alarm: Alarm::new("test"),
        };
        (Arc::new(work), is_done)
    }

    fn ring(self: &Arc<Self>) {
        self.alarm.ring(self).unwrap();
    }
}

impl Due for Work {
    fn due(&self) -> Option<Duration> {
        self.done.send(()).unwrap();
        let mut waits = self.waits.lock().unwrap();
        assert!(!waits.is_empty(), "not so often");
        waits.remove(0)
    }
}

#[test]
fn the_thread_ends_when_nothing_is_pending_and_another_comes_when_something_is() {
    let (work, done) = Work::new(&[Some(Duration::from_nanos(1)), None, None]);
    work.ring();
    assert_eq!(done.recv_timeout(PLENTY), Ok(()));
    assert_eq!(done.recv_timeout(PLENTY), Ok(()));
    work.alarm.wait_until_idle();
    work.ring();
    assert_eq!(done.recv_timeout(PLENTY), Ok(()));
    work.alarm.wait_until_idle();
}

#[test]
fn something_earlier_is_not_waited_for() {
    let (work, done) = Work::new(&[DAY, DAY, None]);
    for _ in 0..3 {
        work.ring();
        assert_eq!(done.recv_timeout(PLENTY), Ok(()));
    }
    work.alarm.wait_until_idle();
}

#[test]
fn a_thread_does_not_outlive_what_it_looks_after() {
    let (work, done) = Work::new(&[DAY, DAY]);
    work.ring();
    assert_eq!(done.recv_timeout(PLENTY), Ok(()));
    drop(work);
    // The sender goes with the work, of which the thread keeps nothing.
    assert!(done.recv().is_err());
}

#[test]
fn a_panic_in_what_is_due_leaves_the_alarm_usable() {
    let (work, done) = Work::new(&[]);
    for _ in 0..2 {
        work.ring();
        assert_eq!(done.recv_timeout(PLENTY), Ok(()));
        work.alarm.wait_until_idle();
        // Poisoned by the panic, and good for the next round.
        work.waits.clear_poison();
    }
}
