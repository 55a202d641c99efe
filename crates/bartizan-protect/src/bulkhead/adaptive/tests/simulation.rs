//! The limit against a simulated service.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::*;
use crate::bulkhead::Config;
use crate::bulkhead::state::{Arrival, End, State, Ticket};
use crate::chance::Chance;

/// A service of so many workers with a queue that has no end, as threads behind a socket are, and
/// calls that come at their own pace. Times are in microseconds.
struct Simulation {
    state: State<()>,
    start: Instant,
    clock: u64,
    chance: Chance,
    workers: usize,
    service: f64,
    /// When each worker is free again.
    busy: BinaryHeap<Reverse<u64>>,
    /// When calls end.
    ends: BinaryHeap<Reverse<(u64, u64)>>,
    tickets: Vec<Option<Ticket>>,
    served: u64,
    /// The sum of all limits that were seen, and how often.
    limits: (f64, u32),
    range: (usize, usize),
}

impl Simulation {
    fn new(settings: Adaptive, workers: usize) -> Self {
        let start = Timer::default().now();
        let config = Config::builder(settings).without_queue().build().unwrap();
        let mut this = Self {
            state: State::new(&config, 3, start),
            start,
            clock: 0,
            chance: Chance::new(11),
            workers: 0,
            service: 20_000.0,
            busy: BinaryHeap::new(),
            ends: BinaryHeap::new(),
            tickets: Vec::new(),
            served: 0,
            limits: (0.0, 0),
            range: (usize::MAX, 0),
        };
        this.set_workers(workers);
        this
    }

    fn set_workers(&mut self, workers: usize) {
        while self.workers < workers {
            self.busy.push(Reverse(self.clock));
            self.workers += 1;
        }
        // Those that are free first go.
        while self.workers > workers {
            self.busy.pop();
            self.workers -= 1;
        }
    }

    /// How many calls a second the service can serve.
    fn capacity(&self) -> f64 {
        self.workers as f64 * 1e6 / self.service
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_micros(self.clock)
    }

    /// Runs for so many seconds of `rate(second)` calls each. Gives the mean limit.
    fn run(&mut self, seconds: u64, rate: impl Fn(f64) -> f64) -> f64 {
        (self.served, self.limits, self.range) = (0, (0.0, 0), (usize::MAX, 0));
        let until = self.clock + seconds * 1_000_000;
        let began = self.clock;
        let mut next = self.clock;
        while self.clock < until {
            match self.ends.peek() {
                Some(Reverse((end, _))) if *end <= next => self.end(),
                _ => {
                    self.clock = next;
                    self.arrive();
                    let rate = rate((self.clock - began) as f64 / 1e6);
                    next += self.exponential(1e6 / rate);
                }
            }
        }
        self.limits.0 / f64::from(self.limits.1)
    }

    fn arrive(&mut self) {
        let now = self.now();
        let ticket = match self.state.arrive(now) {
            Arrival::Admitted(ticket) => ticket,
            Arrival::Full => {
                self.state.unblock(now);
                return;
            }
            Arrival::Queued(..) => panic!("there is no queue"),
        };
        let Some(Reverse(free)) = self.busy.pop() else {
            panic!("there are workers");
        };
        // Half of it varies by chance.
        let service = self.service / 2.0;
        let end = free.max(self.clock) + service as u64 + self.exponential(service);
        self.busy.push(Reverse(end));
        self.tickets.push(Some(ticket));
        self.ends
            .push(Reverse((end, self.tickets.len() as u64 - 1)));
    }

    fn end(&mut self) {
        let Some(Reverse((end, call))) = self.ends.pop() else {
            return;
        };
        self.clock = self.clock.max(end);
        let now = self.now();
        if let Some(ticket) = self.tickets[call as usize].take() {
            self.state.release(ticket, End::Served, now);
        }
        self.served += 1;
        let limit = self.state.ceiling().found();
        self.limits.0 += limit as f64;
        self.limits.1 += 1;
        self.range = (self.range.0.min(limit), self.range.1.max(limit));
    }

    fn exponential(&mut self, mean: f64) -> u64 {
        (-mean * (1.0 - self.chance.next()).ln()) as u64
    }
}

/// How many times the workers the limit comes to rest at: the tolerance, and what it goes up and
/// down by.
fn assert_near(limit: f64, workers: usize) {
    let times = limit / workers as f64;
    assert!(
        (1.0..=2.0).contains(&times),
        "{times} times {workers} workers"
    );
}

#[test]
fn it_comes_to_rest_near_what_the_service_works_on() {
    for (initial, workers) in [(20, 10), (20, 100), (500, 20), (4, 40), (1_000, 50)] {
        let settings = Adaptive::default().with_initial(initial);
        let mut simulation = Simulation::new(settings, workers);
        let rate = 2.0 * simulation.capacity();
        simulation.run(90, |_| rate);
        let limit = simulation.run(60, |_| rate);
        assert_near(limit, workers);
        let used = simulation.served as f64 / 60.0 / simulation.capacity();
        assert!(
            used > 0.9,
            "from {initial}, {workers} workers are used by {used}"
        );
    }
}

#[test]
fn it_follows_a_service_that_loses_workers_and_gets_them_back() {
    let mut simulation = Simulation::new(Adaptive::default(), 60);
    let rate = 2.0 * simulation.capacity();
    simulation.run(90, |_| rate);
    for workers in [15, 60] {
        simulation.set_workers(workers);
        simulation.run(30, |_| rate);
        let limit = simulation.run(60, |_| rate);
        assert_near(limit, workers);
    }
}

#[test]
fn it_follows_a_service_that_becomes_slower_and_faster() {
    let mut simulation = Simulation::new(Adaptive::default(), 40);
    simulation.run(60, |_| 4_000.0);
    for service in [80_000.0, 20_000.0] {
        simulation.service = service;
        let rate = 2.0 * simulation.capacity();
        simulation.run(40, |_| rate);
        let limit = simulation.run(60, |_| rate);
        assert_near(limit, 40);
        let used = simulation.served as f64 / 60.0 / simulation.capacity();
        assert!(used > 0.9, "{used}");
    }
}

#[test]
fn it_does_not_grow_for_callers_that_want_little() {
    let mut simulation = Simulation::new(Adaptive::default(), 100);
    // Four at a time, and by chance hardly ever as many as twenty.
    simulation.run(300, |_| 200.0);
    assert!(simulation.range.1 < 60, "{:?}", simulation.range);
}

#[test]
fn bursts_neither_starve_nor_swamp_it() {
    let workers = 20;
    let mut simulation = Simulation::new(Adaptive::default(), workers);
    // Five times what it can serve for a fifth of each second, and hardly anything in between.
    let capacity = simulation.capacity();
    let rate = move |second: f64| {
        if second.fract() < 0.2 {
            5.0 * capacity
        } else {
            0.1 * capacity
        }
    };
    simulation.run(60, rate);
    simulation.run(120, rate);
    let (least, greatest) = simulation.range;
    assert!(
        least >= workers && greatest <= 4 * workers,
        "{least} to {greatest}"
    );
}
