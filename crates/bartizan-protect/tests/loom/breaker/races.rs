use std::time::{Duration, Instant};

use loom::sync::Arc;
use loom::thread;

use super::circuit::{Circuit, News, Ticket};
use super::{Change, Command, Config, ConfigBuilder, Outcome, Reason, State};

const FAILED: Outcome = Outcome::Failure;
const SUCCEEDED: Outcome = Outcome::Success;
const OPEN_TIME: Duration = Duration::from_secs(5);

/// A circuit and its origin; the time of a model is an argument.
#[derive(Clone)]
struct Model {
    circuit: Arc<Circuit>,
    start: Instant,
}

// === impl Model ===

impl Model {
    fn new(config: ConfigBuilder) -> Self {
        let config = config
            .with_count_window(4)
            .with_open_time(OPEN_TIME, OPEN_TIME)
            .with_jitter(0.0);
        let config = config.build().expect("a valid configuration");
        let start = reference();
        Self {
            circuit: Arc::new(Circuit::new(config.into(), start, 0)),
            start,
        }
    }

    /// One whose open time is over, so that the next call is a probe.
    fn ripe(config: ConfigBuilder) -> (Self, Instant) {
        let model = Self::new(config.without_failure_rate().with_consecutive_failures(1));
        let call = model.admit(model.start).0.expect("it is closed");
        let changes = model.fail(call, model.start);
        assert_eq!(changes[0].to, State::Open);
        let ripe = model.start + OPEN_TIME;
        (model, ripe)
    }

    fn admit(&self, now: Instant) -> (Option<Ticket>, Vec<Change>) {
        let admission = self.circuit.admit(now);
        (admission.result.ok(), changes(admission.news))
    }

    fn end(&self, ticket: Ticket, end: Outcome, now: Instant) -> (bool, Vec<Change>) {
        let settled = self.circuit.settle(ticket, end, now);
        (settled.stale, changes(settled.news))
    }

    fn fail(&self, ticket: Ticket, now: Instant) -> Vec<Change> {
        self.end(ticket, FAILED, now).1
    }

    fn state(&self, now: Instant) -> State {
        self.circuit.standing(now).state
    }

    fn spawn<T: 'static>(&self, run: impl FnOnce(&Self) -> T + 'static) -> thread::JoinHandle<T> {
        let model = self.clone();
        thread::spawn(move || run(&model))
    }
}

fn changes(news: Option<News>) -> Vec<Change> {
    match news {
        Some(News::Changed(change)) => vec![change],
        Some(News::WouldOpen(_)) | None => Vec::new(),
    }
}

/// The changes that were told make one chain from closed to `state`, each told once.
#[track_caller]
fn assert_chain(mut told: Vec<Change>, state: State) {
    told.sort_by_key(|change| change.generation);
    let mut last = (State::Closed, 0);
    for change in &told {
        assert_eq!(
            (change.from, change.generation),
            (last.0, last.1 + 1),
            "{told:?}"
        );
        last = (change.to, change.generation);
    }
    assert_eq!(last.0, state, "{told:?}");
}

#[expect(clippy::disallowed_methods, reason = "any instant will do")]
fn reference() -> Instant {
    Instant::now()
}

#[test]
fn two_failures_that_both_could_open_it_open_it_once() {
    loom::model(|| {
        let model = Model::new(Config::builder().with_failure_rate(0.5, 2));
        let now = model.start;
        let calls: Vec<_> = (0..3).filter_map(|_| model.admit(now).0).collect();
        let others: Vec<_> = calls[..2]
            .iter()
            .map(|call| {
                let call = *call;
                model.spawn(move |model| model.fail(call, now))
            })
            .collect();
        let mut told = model.fail(calls[2], now);
        for other in others {
            told.extend(other.join().unwrap());
        }
        assert_eq!(told.len(), 1, "{told:?}");
        assert_chain(told, State::Open);
        assert_eq!(
            model.circuit.standing(now).stale,
            1,
            "the third came too late"
        );
    });
}

#[test]
fn the_first_call_after_the_open_time_is_told_of_it_and_no_other() {
    loom::model(|| {
        let (model, ripe) = Model::ripe(Config::builder().with_probes(1));
        let callers: Vec<_> = (0..2)
            .map(|_| model.spawn(move |model| model.admit(ripe)))
            .collect();
        let (mut probes, mut told) = (0, Vec::new());
        let own = model.admit(ripe);
        for (ticket, changes) in callers
            .into_iter()
            .map(|it| it.join().unwrap())
            .chain([own])
        {
            probes += usize::from(ticket.is_some());
            told.extend(changes);
        }
        assert_eq!(probes, 1);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].to, State::HalfOpen);
    });
}

#[test]
fn a_probe_that_comes_back_and_calls_that_want_in_never_make_more_probes_than_there_may_be() {
    loom::model(|| {
        let (model, ripe) = Model::ripe(Config::builder().with_probes(2));
        let first = model.admit(ripe).0.unwrap();
        let back = model.spawn(move |model| model.end(first, SUCCEEDED, ripe));
        let other = model.spawn(move |model| model.admit(ripe));
        let own = model.admit(ripe);
        let (stale, closed) = back.join().unwrap();
        assert!(!stale && closed.is_empty());
        let other = other.join().unwrap();
        // One has succeeded, so that there is one more, whoever has it.
        assert_eq!(
            [own.0.is_some(), other.0.is_some()]
                .iter()
                .filter(|it| **it)
                .count(),
            1
        );
        let last = own.0.or(other.0).unwrap();
        let (stale, closed) = model.end(last, SUCCEEDED, ripe);
        assert!(!stale);
        assert_eq!(closed[0].to, State::Closed);
    });
}

#[test]
fn a_probe_that_gives_its_slot_back_leaves_one_for_somebody_else() {
    loom::model(|| {
        let (model, ripe) = Model::ripe(Config::builder().with_probes(1));
        let first = model.admit(ripe).0.unwrap();
        let back = model.spawn(move |model| model.end(first, Outcome::Cancelled, ripe));
        let early = model.admit(ripe).0;
        back.join().unwrap();
        // Either it came before the slot was free, or it has it now.
        let late = model.admit(ripe).0;
        assert_ne!(early.is_some(), late.is_some());
    });
}

#[test]
fn results_of_an_earlier_state_move_nothing_however_they_meet_the_probes() {
    loom::model(|| {
        let model = Model::new(
            Config::builder()
                .without_failure_rate()
                .with_consecutive_failures(1)
                .with_probes(1),
        );
        let start = model.start;
        let [stale, opens] = [(); 2].map(|()| model.admit(start).0.unwrap());
        let mut told = model.fail(opens, start);
        let ripe = start + OPEN_TIME;
        let late = model.spawn(move |model| model.end(stale, SUCCEEDED, ripe));
        let (probe, changes) = model.admit(ripe);
        told.extend(changes);
        told.extend(model.fail(probe.unwrap(), ripe));
        let (was_stale, changes) = late.join().unwrap();
        assert!(was_stale && changes.is_empty());
        assert_chain(told, State::Open);
    });
}

#[test]
fn an_operators_word_stands_against_a_call_that_opens_it() {
    loom::model(|| {
        let (model, _) = Model::ripe(Config::builder());
        model.circuit.obey(Command::Reset, model.start);
        let now = model.start;
        let call = model.admit(now).0.unwrap();
        let fails = model.spawn(move |model| model.fail(call, now));
        let forced = changes(model.circuit.obey(Command::ForceOpen, model.start));
        let opened = fails.join().unwrap();
        assert_eq!(forced.len(), 1);
        assert_eq!(forced[0].reason, Reason::Operator);
        assert_eq!(opened.is_empty(), forced[0].from == State::Closed);
        assert_eq!(model.state(now), State::ForcedOpen);
    });
}

#[test]
fn an_operators_word_stands_against_a_call_that_begins_to_wait() {
    loom::model(|| {
        let threshold = Duration::from_millis(8);
        let model = Model::new(
            Config::builder()
                .without_failure_rate()
                .with_slow_rate(1.0, 1)
                .with_slow_threshold(threshold),
        );
        let later = model.start + 2 * threshold;
        let mut hung = model.admit(model.start).0.unwrap();
        let mut call = model.admit(later).0.unwrap();
        assert!(model.circuit.wait(&mut hung, || model.start).is_none());
        // Finds that the first one has become slow.
        let waits = model.spawn(move |model| changes(model.circuit.wait(&mut call, || later)));
        let forced = changes(model.circuit.obey(Command::ForceOpen, model.start));
        let opened = waits.join().unwrap();
        assert_eq!(forced.len(), 1);
        assert_eq!(opened.is_empty(), forced[0].from == State::Closed);
        assert_eq!(model.state(later), State::ForcedOpen);
    });
}

#[test]
fn an_operators_word_stands_against_the_probe_that_closes_it() {
    loom::model(|| {
        let (model, ripe) = Model::ripe(Config::builder().with_probes(1));
        let probe = model.admit(ripe).0.unwrap();
        let back = model.spawn(move |model| model.end(probe, SUCCEEDED, ripe));
        let disabled = changes(model.circuit.obey(Command::Disable, ripe));
        let (_, closed) = back.join().unwrap();
        assert_eq!(disabled.len(), 1);
        assert_eq!(closed.is_empty(), disabled[0].from == State::HalfOpen);
        assert_eq!(model.state(ripe), State::Disabled);
        // Whatever was there before is gone with it.
        let released = changes(model.circuit.obey(Command::Release, ripe));
        assert_eq!(
            (released[0].from, released[0].to),
            (State::Disabled, State::Closed)
        );
    });
}

#[test]
fn another_configuration_meets_a_call_that_opens_it() {
    loom::model(|| {
        let build = |window| {
            let config = Config::builder().with_count_window(window);
            config.with_failure_rate(0.5, 2).build().unwrap()
        };
        let model = Model::new(Config::builder().with_failure_rate(0.5, 2));
        let now = model.start;
        let [first, second] = [(); 2].map(|()| model.admit(now).0.unwrap());
        model.fail(first, now);
        let fails = model.spawn(move |model| model.end(second, FAILED, now));
        model.circuit.update(build(8).into());
        let (stale, opened) = fails.join().unwrap();
        // Of the window of before: it has opened it in time, or does not count.
        assert_ne!(stale, opened.len() == 1);
        let expected = if stale { State::Closed } else { State::Open };
        assert_eq!(model.state(now), expected);
    });
}

#[test]
fn that_it_would_open_is_said_once() {
    loom::model(|| {
        let model = Model::new(Config::builder().with_failure_rate(1.0, 2));
        let now = model.start;
        model.circuit.obey(Command::MeasureOnly, now);
        let calls = [(); 3].map(|()| model.admit(now).0.unwrap());
        let said = move |model: &Model, call| {
            let settled = model.circuit.settle(call, FAILED, now);
            usize::from(matches!(settled.news, Some(News::WouldOpen(_))))
        };
        let others = [calls[0], calls[1]].map(|call| model.spawn(move |model| said(model, call)));
        let own = said(&model, calls[2]);
        let all: usize = others.into_iter().map(|other| other.join().unwrap()).sum();
        assert_eq!(own + all, 1);
        assert_eq!(model.circuit.standing(now).stale, 0);
    });
}

#[test]
fn a_call_that_is_over_and_one_that_begins_to_wait_agree_on_what_is_slow() {
    loom::model(|| {
        let threshold = Duration::from_millis(8);
        let model = Model::new(
            Config::builder()
                .without_failure_rate()
                .with_slow_rate(1.0, 4)
                .with_slow_threshold(threshold),
        );
        let later = model.start + 2 * threshold;
        let mut hung = model.admit(model.start).0.unwrap();
        assert!(model.circuit.wait(&mut hung, || model.start).is_none());
        let ends = model.spawn(move |model| model.end(hung, SUCCEEDED, later));
        // Sweeps what has become slow.
        let other = model.admit(later).0.unwrap();
        assert!(!ends.join().unwrap().0);
        assert_eq!(model.circuit.standing(later).seen.slow.bad, 1);
        assert!(!model.end(other, SUCCEEDED, later).0);
    });
}
