//! Random histories, through the circuit and through the model, step by step.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::driver::Driver;
use super::model::{Admitted, Ended, Model};
use crate::breaker::circuit::{News, Ticket};
use crate::breaker::{CancelPolicy, Command, Config, Outcome, State};

#[derive(Debug, Clone)]
enum Step {
    Start,
    /// Of the calls that are under way, the one with this number modulo how many there are.
    Wait(usize),
    End(usize, Outcome),
    Advance(u64),
    Command(Command),
    Update(Config),
}

/// A call that is under way, as both know it.
type Pair = (Ticket, Admitted);

fn millis(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

prop_compose! {
    fn config()(
        count_window in proptest::option::of(4_u32..12),
        (width, buckets) in (1_u64..80, 1_u16..6),
        failure_rate in proptest::option::of((0.05_f64..1.0, 1_u32..5)),
        slow_rate in proptest::option::of((0.05_f64..1.0, 1_u32..5)),
        consecutive in proptest::option::of(1_u32..5),
        slow_threshold in millis(1..120),
        cancelled in proptest::sample::select(vec![
            CancelPolicy::SlowIsFailure,
            CancelPolicy::Ignore,
            CancelPolicy::Failure,
        ]),
        (probes, tolerated) in (1_u32..5).prop_flat_map(|probes| (Just(probes), 0..probes)),
        probe_lease in millis(1..200),
        (first, max) in (1_u64..100, 100_u64..400),
        factor in 1_u8..4,
        stable_after in millis(1..400),
    ) -> Config {
        let mut config = Config::builder()
            .without_failure_rate()
            .with_time_window_in(Duration::from_millis(width * u64::from(buckets)), buckets)
            .with_slow_threshold(slow_threshold)
            .with_cancelled(cancelled)
            .with_probes(probes)
            .with_tolerated_probe_failures(tolerated)
            .with_probe_lease(probe_lease)
            .with_open_time(Duration::from_millis(first), Duration::from_millis(max))
            .with_open_factor(factor.into())
            .with_jitter(0.0)
            .with_stable_after(stable_after);
        if let Some(calls) = count_window {
            config = config.with_count_window(calls);
        }
        if let Some((rate, min_calls)) = failure_rate {
            config = config.with_failure_rate(rate, min_calls);
        }
        if let Some((rate, min_calls)) = slow_rate {
            config = config.with_slow_rate(rate, min_calls);
        }
        if let Some(failures) = consecutive {
            config = config.with_consecutive_failures(failures);
        }
        // One that can open.
        config.clone().build().or_else(|_| config.with_consecutive_failures(3).build()).unwrap()
    }
}

fn end() -> impl Strategy<Value = Outcome> {
    let hint = proptest::option::of(millis(0..600));
    prop_oneof![
        4 => Just(Outcome::Success),
        4 => Just(Outcome::Failure),
        1 => Just(Outcome::Slow),
        1 => Just(Outcome::Ignored),
        1 => hint.prop_map(Outcome::Backpressure),
        1 => Just(Outcome::Cancelled),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let commands = [
        Command::ForceOpen,
        Command::Disable,
        Command::MeasureOnly,
        Command::Release,
        Command::Release,
        Command::Reset,
    ];
    prop_oneof![
        40 => Just(Step::Start),
        15 => any::<usize>().prop_map(Step::Wait),
        30 => (any::<usize>(), end()).prop_map(|(call, end)| Step::End(call, end)),
        20 => (0_u64..60).prop_map(Step::Advance),
        5 => (0_u64..600).prop_map(Step::Advance),
        2 => proptest::sample::select(commands.to_vec()).prop_map(Step::Command),
        1 => config().prop_map(Step::Update),
    ]
}

fn take(step: &Step, driver: &mut Driver, model: &mut Model, calls: &mut Vec<Pair>) {
    match step {
        Step::Start => {
            let admitted = driver.try_admit();
            let (expected, news) = model.admit();
            assert_eq!(driver.news(), Vec::from_iter(news));
            match (admitted, expected) {
                (Ok(ticket), Ok(call)) => calls.push((ticket, call)),
                (Err(refused), Err(wait)) => {
                    assert_eq!(refused.state, model.state);
                    assert_eq!(refused.retry_after, wait.map(Duration::from_millis));
                }
                (admitted, expected) => panic!("{admitted:?} is not {expected:?}"),
            }
        }
        Step::Wait(_) | Step::End(..) if calls.is_empty() => {}
        Step::Wait(number) => {
            let place = number % calls.len();
            let (ticket, call) = &mut calls[place];
            driver.wait(ticket);
            assert_eq!(driver.news(), Vec::from_iter(model.wait(call)));
        }
        Step::End(number, end) => {
            let (ticket, call) = calls.swap_remove(number % calls.len());
            let settled = driver.settle(ticket, *end);
            driver.news();
            let ended = Ended {
                outcome: settled.outcome,
                stale: settled.stale,
                news: settled.news,
            };
            assert_eq!(ended, model.end(call, *end));
        }
        Step::Advance(pause) => {
            driver.advance(*pause);
            model.now += pause;
        }
        Step::Command(command) => {
            driver.obey(*command);
            assert_eq!(driver.news(), Vec::<News>::from_iter(model.obey(*command)));
        }
        Step::Update(config) => {
            driver.circuit.update(Arc::new(config.clone()));
            model.update(config.clone());
        }
    }
}

fn compare(driver: &Driver, model: &Model) {
    let standing = driver.circuit.standing(driver.now);
    assert_eq!(standing.state, model.state);
    assert_eq!(standing.generation, model.generation);
    assert_eq!(
        standing.retry_after,
        model.retry_after().map(Duration::from_millis)
    );
    let seen = standing.seen;
    let seen = (
        seen.failures.bad,
        seen.failures.total,
        seen.slow.bad,
        seen.consecutive,
    );
    assert_eq!(seen, model.seen());
    assert_eq!(standing.probes_out, model.probes_out());
    assert_eq!(standing.streak, model.openings);
    assert_eq!(standing.rejected, model.rejected);
    assert_eq!(standing.stale, model.stale);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn the_circuit_does_what_the_model_does(
        config in config(),
        look in any::<bool>(),
        steps in proptest::collection::vec(step(), 1..150),
    ) {
        let (mut driver, mut model) = (Driver::new(config.clone()), Model::new(config));
        let mut calls = Vec::new();
        for step in &steps {
            take(step, &mut driver, &mut model, &mut calls);
            // Whoever looks changes nothing by it, and whoever does not neither.
            if look {
                compare(&driver, &model);
            }
        }
        compare(&driver, &model);
    }

    /// What the word says in time, the parts would say: admission twice at one moment is the same.
    #[test]
    fn a_circuit_that_rejects_says_truly_for_how_long(
        config in config(),
        steps in proptest::collection::vec(step(), 1..100),
    ) {
        let (mut driver, mut model) = (Driver::new(config.clone()), Model::new(config));
        let mut calls = Vec::new();
        for step in &steps {
            take(step, &mut driver, &mut model, &mut calls);
        }
        if let Err(refused) = driver.try_admit()
            && let Some(wait) = refused.retry_after
        {
            let wait = wait.as_millis() as u64;
            driver.advance(wait - 1);
            prop_assert!(driver.try_admit().is_err());
            driver.advance(1);
            // Or else a probe's lease is over, and it has opened again.
            prop_assert!(driver.try_admit().is_ok() || refused.state == State::HalfOpen);
        }
    }
}
