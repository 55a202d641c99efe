use std::time::{Duration, Instant};

use super::Config;
use super::ceiling::{Ceiling, Moved, Sample};
use super::queue::{Content, Place, Queue, Waiting};

/// How many calls there are and may be, and which of them wait. Whoever waits is woken by a `W`.
#[derive(Debug)]
pub(super) struct State<W> {
    ceiling: Ceiling,
    in_flight: usize,
    queue: Queue<W>,
    max_queue: usize,
    queue_timeout: Duration,
    /// What has become of calls so far.
    pub(super) counts: Counts,
}

/// What a call that is let through has to bring back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) started: Instant,
    /// What it says something of, where the limit is measured.
    epoch: u64,
}

/// What becomes of a call that has just come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    Admitted(Ticket),
    /// It has to ask again when it is woken, and at the deadline.
    Queued(Place, Instant),
    Full,
}

/// What becomes of a call that waits.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress<W> {
    /// It has waited so long.
    Admitted(Ticket, Duration),
    Waiting,
    /// With who would have been woken.
    TooLate(Option<W>),
}

/// What a call that has been let through says of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It took as long as it took.
    Served,
    /// Nothing.
    Unknown,
}

/// What has become of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) full: u64,
    pub(super) late: u64,
    pub(super) abandoned: u64,
}

/// Those whose turn it is, and those who have waited too long, to be woken when nobody is in the
/// way any more.
#[derive(Debug)]
pub(super) struct Woken<W>([Option<W>; BATCH]);

/// How many are woken at a time.
const BATCH: usize = 16;

// === impl State ===

impl<W> State<W> {
    pub(super) fn new(config: &Config, seed: u64, now: Instant) -> Self {
        Self {
            ceiling: Ceiling::new(&config.limit, seed, now),
            in_flight: 0,
            queue: Queue::new(),
            max_queue: config.max_queue,
            queue_timeout: config.queue_timeout,
            counts: Counts::default(),
        }
    }

    /// A call comes that does not want to wait. Nobody gets in before those that do.
    pub(super) fn try_admit(&mut self, now: Instant) -> Option<Ticket> {
        (self.queue.is_empty() && self.in_flight < self.ceiling.limit()).then(|| self.admit(now))
    }

    /// A call comes that does.
    ///
    /// Whoever's turn it is, or was, has to be [told](Self::hand_over) before.
    pub(super) fn arrive(&mut self, now: Instant) -> Arrival {
        if let Some(ticket) = self.try_admit(now) {
            return Arrival::Admitted(ticket);
        }
        if self.queue.len() >= self.max_queue {
            self.counts.full += 1;
            return Arrival::Full;
        }
        let deadline = now + self.queue_timeout;
        let place = self.queue.push(Waiting {
            since: now,
            deadline,
            waker: None,
        });
        Arrival::Queued(place, deadline)
    }

    /// A call finds no place. Where it is only what is measured that is in its way, and has been for
    /// too long, it is no more.
    pub(super) fn unblock(&mut self, now: Instant) -> Option<Moved> {
        self.ceiling.refused(now)
    }

    /// A call that waits asks again, and says who is to be woken if it has to wait on.
    pub(super) fn poll(
        &mut self,
        place: Place,
        now: Instant,
        register: impl FnOnce(&mut Option<W>),
    ) -> Progress<W> {
        if let Some(call) = self.queue.waiting(place)
            && now < call.deadline
        {
            register(&mut call.waker);
            return Progress::Waiting;
        }
        match self.queue.remove(place) {
            Content::Granted(ticket, waited) => Progress::Admitted(ticket, waited),
            late => {
                self.counts.late += 1;
                Progress::TooLate(late.into_waker())
            }
        }
    }

    /// A call that waits does not want to any more. Gives who would have been woken.
    pub(super) fn leave(&mut self, place: Place) -> Option<W> {
        self.counts.abandoned += 1;
        let left = self.queue.remove(place);
        if let Content::Granted(..) = left {
            self.in_flight -= 1;
        }
        left.into_waker()
    }

    /// A call that was let through has ended.
    pub(super) fn release(&mut self, ticket: Ticket, end: End, now: Instant) -> Option<Moved> {
        let in_flight = self.in_flight;
        self.in_flight -= 1;
        if end == End::Unknown {
            return None;
        }
        let sample = Sample {
            epoch: ticket.epoch,
            elapsed: now.saturating_duration_since(ticket.started),
            in_flight,
        };
        self.ceiling.sample(sample, now)
    }

    /// Gives free places to those that wait, in their turn. Says whether somebody may be left who
    /// did not fit into `woken`.
    #[must_use]
    pub(super) fn hand_over(&mut self, now: Instant, woken: &mut Woken<W>) -> bool {
        for waker in &mut woken.0 {
            let Some(front) = self.queue.front() else {
                return false;
            };
            *waker = if front.deadline <= now {
                self.queue.expire()
            } else if self.in_flight < self.ceiling.limit() {
                let ticket = self.admit(now);
                self.queue.grant(ticket)
            } else {
                return false;
            };
        }
        true
    }

    pub(super) fn update(&mut self, config: &Config, seed: u64, now: Instant) -> Option<Moved> {
        self.max_queue = config.max_queue;
        self.queue_timeout = config.queue_timeout;
        self.ceiling.update(&config.limit, seed, now)
    }

    pub(super) const fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(super) const fn queued(&self) -> usize {
        self.queue.len()
    }

    /// How long the call has waited whose turn is next.
    pub(super) fn queue_wait(&self, now: Instant) -> Duration {
        self.queue.front().map_or(Duration::ZERO, |call| {
            now.saturating_duration_since(call.since)
        })
    }

    pub(super) const fn ceiling(&self) -> &Ceiling {
        &self.ceiling
    }

    const fn admit(&mut self, now: Instant) -> Ticket {
        self.in_flight += 1;
        Ticket {
            started: now,
            epoch: self.ceiling.epoch(),
        }
    }
}

// === impl Woken ===

impl<W> Woken<W> {
    pub(super) const fn new() -> Self {
        Self([const { None }; BATCH])
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = W> {
        self.0.iter_mut().filter_map(Option::take)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;
    use crate::Timer;

    const TIMEOUT: u64 = 50;

    /// Who is woken, by number.
    type Id = usize;

    fn config(limit: usize, max_queue: usize) -> Config {
        Config::builder(limit)
            .with_max_queue(max_queue)
            .with_queue_timeout(Duration::from_millis(TIMEOUT))
            .build()
            .unwrap()
    }

    fn hand_over(state: &mut State<Id>, now: Instant) -> Vec<Id> {
        let mut all = Vec::new();
        let mut woken = Woken::new();
        while state.hand_over(now, &mut woken) {
            all.extend(woken.drain());
        }
        all.extend(woken.drain());
        all
    }

    #[track_caller]
    fn admitted(arrival: Arrival) -> Ticket {
        match arrival {
            Arrival::Admitted(ticket) => ticket,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn queued(arrival: Arrival) -> Place {
        match arrival {
            Arrival::Queued(place, _) => place,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_place_given_to_one_that_has_gone_goes_to_the_next() {
        let now = Timer::default().now();
        let mut state = State::<Id>::new(&config(1, 2), 0, now);
        let ticket = admitted(state.arrive(now));
        let places = [0, 1].map(|id| {
            let place = queued(state.arrive(now));
            assert_eq!(
                state.poll(place, now, |waker| *waker = Some(id)),
                Progress::Waiting
            );
            place
        });
        state.release(ticket, End::Unknown, now);
        assert_eq!(hand_over(&mut state, now), [0]);
        // It was woken, and is dropped before it finds out why.
        state.leave(places[0]);
        assert_eq!(hand_over(&mut state, now), [1]);
        assert!(matches!(
            state.poll(places[1], now, |_| {}),
            Progress::Admitted(..)
        ));
        assert_eq!((state.in_flight(), state.queued()), (1, 0));
    }

    #[test]
    fn a_slot_that_was_missed_is_not_taken_for_the_one_that_has_it_now() {
        let now = Timer::default().now();
        let mut state = State::<Id>::new(&config(1, 1), 0, now);
        let _ticket = admitted(state.arrive(now));
        let missed = queued(state.arrive(now));
        let late = now + Duration::from_millis(TIMEOUT);
        hand_over(&mut state, late);
        let next = queued(state.arrive(late));
        assert_eq!(missed.index(), next.index());
        assert_eq!(state.poll(missed, late, |_| {}), Progress::TooLate(None));
        assert_eq!(state.poll(next, late, |_| {}), Progress::Waiting);
    }

    #[test]
    fn nobody_gets_in_while_those_that_wait_are_being_told() {
        let now = Timer::default().now();
        let mut state = State::<Id>::new(&config(1, BATCH + 1), 0, now);
        let _ticket = admitted(state.arrive(now));
        for _ in 0..=BATCH {
            queued(state.arrive(now));
        }
        state.update(&config(BATCH + 2, BATCH + 1), 0, now);
        let mut woken = Woken::new();
        assert!(state.hand_over(now, &mut woken));
        assert_eq!((state.in_flight(), state.queued()), (BATCH + 1, 1));
        assert_eq!(state.try_admit(now), None);
        assert!(!state.hand_over(now, &mut woken));
        assert_eq!((state.in_flight(), state.queued()), (BATCH + 2, 0));
    }

    #[test]
    fn slots_are_used_again() {
        let now = Timer::default().now();
        let mut state = State::<Id>::new(&config(1, 10), 0, now);
        let _ticket = admitted(state.arrive(now));
        for _ in 0..1_000 {
            let places: Vec<_> = (0..10).map(|_| queued(state.arrive(now))).collect();
            assert_eq!(state.arrive(now), Arrival::Full);
            for place in places {
                assert!(place.index() < 10);
                state.leave(place);
            }
        }
        assert_eq!(state.counts.full, 1_000);
        assert_eq!(state.counts.abandoned, 10_000);
    }

    /// A bulkhead as one would write it down: lists, and nothing clever.
    #[derive(Default)]
    struct Model {
        limit: usize,
        max_queue: usize,
        in_flight: usize,
        /// Those that wait, with their deadlines.
        waiting: VecDeque<(Id, u64)>,
        granted: Vec<Id>,
    }

    impl Model {
        fn hand_over(&mut self, now: u64) -> Vec<Id> {
            let mut woken = Vec::new();
            while let Some(&(id, deadline)) = self.waiting.front() {
                if deadline <= now {
                    self.waiting.pop_front();
                } else if self.in_flight < self.limit {
                    self.waiting.pop_front();
                    self.in_flight += 1;
                    self.granted.push(id);
                } else {
                    break;
                }
                woken.push(id);
            }
            woken
        }

        fn arrive(&mut self, id: Id, now: u64) -> &'static str {
            if self.waiting.is_empty() && self.in_flight < self.limit {
                self.in_flight += 1;
                "admitted"
            } else if self.waiting.len() < self.max_queue {
                self.waiting.push_back((id, now + TIMEOUT));
                "queued"
            } else {
                "full"
            }
        }

        fn poll(&mut self, id: Id, now: u64) -> &'static str {
            if let Some(at) = self.granted.iter().position(|granted| *granted == id) {
                self.granted.remove(at);
                return "admitted";
            }
            match self.waiting.iter().position(|(waiting, _)| *waiting == id) {
                Some(at) if self.waiting[at].1 > now => "waiting",
                Some(at) => {
                    self.waiting.remove(at);
                    "late"
                }
                None => "late",
            }
        }

        fn leave(&mut self, id: Id) {
            let granted = self.granted.len();
            self.granted.retain(|it| *it != id);
            self.in_flight -= granted - self.granted.len();
            self.waiting.retain(|(it, _)| *it != id);
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Arrive,
        /// One of those that are waited for asks again.
        Poll(prop::sample::Index),
        /// One of them is dropped.
        Leave(prop::sample::Index),
        Release(prop::sample::Index),
        Pass(u64),
        Limit(usize, usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            6 => Just(Step::Arrive),
            3 => any::<prop::sample::Index>().prop_map(Step::Poll),
            2 => any::<prop::sample::Index>().prop_map(Step::Leave),
            4 => any::<prop::sample::Index>().prop_map(Step::Release),
            3 => (0..TIMEOUT).prop_map(Step::Pass),
            1 => (1_usize..40, 0_usize..60).prop_map(|(limit, queue)| Step::Limit(limit, queue)),
        ];
        proptest::collection::vec(step, 1..400)
    }

    proptest! {
        #[test]
        fn it_does_as_a_list_does(limit in 1_usize..6, max_queue in 0_usize..30, steps in steps()) {
            let start = Timer::default().now();
            let mut state = State::<Id>::new(&config(limit, max_queue), 0, start);
            let mut model = Model { limit, max_queue, ..Model::default() };
            let mut clock = 0;
            let mut next_id = 0;
            let mut tickets: Vec<Ticket> = Vec::new();
            let mut places: Vec<(Id, Place)> = Vec::new();
            for step in steps {
                let now = start + Duration::from_millis(clock);
                match step {
                    Step::Arrive => {
                        let id = next_id;
                        next_id += 1;
                        prop_assert_eq!(hand_over(&mut state, now), model.hand_over(clock));
                        let expected = model.arrive(id, clock);
                        match state.arrive(now) {
                            Arrival::Admitted(ticket) => {
                                prop_assert_eq!(expected, "admitted");
                                tickets.push(ticket);
                            }
                            Arrival::Queued(place, deadline) => {
                                prop_assert_eq!(expected, "queued");
                                prop_assert_eq!(deadline, now + Duration::from_millis(TIMEOUT));
                                let progress = state.poll(place, now, |waker| *waker = Some(id));
                                prop_assert_eq!(progress, Progress::Waiting);
                                places.push((id, place));
                            }
                            Arrival::Full => prop_assert_eq!(expected, "full"),
                        }
                    }
                    Step::Poll(which) if !places.is_empty() => {
                        let at = which.index(places.len());
                        let (id, place) = places[at];
                        let expected = model.poll(id, clock);
                        match state.poll(place, now, |waker| *waker = Some(id)) {
                            Progress::Waiting => prop_assert_eq!(expected, "waiting"),
                            Progress::TooLate(_) => {
                                prop_assert_eq!(expected, "late");
                                places.remove(at);
                            }
                            Progress::Admitted(ticket, _) => {
                                prop_assert_eq!(expected, "admitted");
                                places.remove(at);
                                tickets.push(ticket);
                            }
                        }
                    }
                    Step::Leave(which) if !places.is_empty() => {
                        let (id, place) = places.remove(which.index(places.len()));
                        model.leave(id);
                        state.leave(place);
                    }
                    Step::Release(which) if !tickets.is_empty() => {
                        let ticket = tickets.remove(which.index(tickets.len()));
                        model.in_flight -= 1;
                        state.release(ticket, End::Served, now);
                    }
                    Step::Pass(time) => clock += time,
                    Step::Limit(limit, max_queue) => {
                        (model.limit, model.max_queue) = (limit, max_queue);
                        state.update(&config(limit, max_queue), 0, now);
                    }
                    Step::Poll(_) | Step::Leave(_) | Step::Release(_) => {}
                }
                let now = start + Duration::from_millis(clock);
                prop_assert_eq!(hand_over(&mut state, now), model.hand_over(clock));
                prop_assert_eq!(state.in_flight(), model.in_flight);
                prop_assert_eq!(state.queued(), model.waiting.len());
                // Nobody waits while there is room.
                prop_assert!(state.queued() == 0 || state.in_flight() >= state.ceiling().limit());
            }
            // Whatever is left, nothing of it stays behind.
            for (_, place) in places {
                state.leave(place);
            }
            for ticket in tickets {
                state.release(ticket, End::Unknown, start);
            }
            prop_assert_eq!((state.in_flight(), state.queued()), (0, 0));
        }
    }
}
