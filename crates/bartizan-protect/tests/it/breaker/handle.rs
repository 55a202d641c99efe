//! What an operator sees and does, while calls come.

use bartizan_protect::breaker::{Breaker, Command, Config, Outcome, Reason, State};
use tokio::time;

use super::told::Told;
use super::upstream::{
    Plan, SECOND, assert_rejected, call, calls, in_a_row, layer, ripe, snapshot, spawn, state,
};

#[tokio::test(start_paused = true)]
async fn a_circuit_that_is_forced_open_stays_so_for_any_time_until_it_is_released() {
    let layer = layer(in_a_row(1));
    layer.handle().command(Command::ForceOpen);
    for _ in 0..10 {
        let error = call(&layer, Plan::Status(200)).await.err().unwrap();
        assert_eq!(error.to_string(), "the circuit upstream is forced open");
        assert!(error.is_rejection());
        assert_eq!(error.retry_after(), None);
        time::advance(100_000 * SECOND).await;
    }
    assert_eq!(snapshot(&layer).rejected, 10);
    layer.handle().command(Command::Release);
    calls(&layer, 1, 200).await;
    assert_eq!(state(&layer), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_circuit_counts_nothing() {
    let layer = layer(in_a_row(1));
    layer.handle().command(Command::Disable);
    calls(&layer, 100, 500).await;
    let snapshot = snapshot(&layer);
    assert_eq!(snapshot.state, State::Disabled);
    assert_eq!(
        (snapshot.calls, snapshot.failures, snapshot.stale),
        (0, 0, 0)
    );
    layer.handle().command(Command::Release);
    calls(&layer, 1, 500).await;
    assert_eq!(state(&layer), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_only_measures_lets_all_through_and_says_once_that_it_would_open() {
    let told = Told::default();
    let layer = told.layer(in_a_row(3));
    layer.handle().command(Command::MeasureOnly);
    calls(&layer, 10, 500).await;
    assert_eq!(told.would_open(), [Reason::ConsecutiveFailures(3)]);
    calls(&layer, 1, 200).await;
    calls(&layer, 10, 500).await;
    assert_eq!(told.would_open().len(), 2);
    assert_eq!(told.changed(), [(State::Closed, State::MetricsOnly)]);
    assert_eq!(snapshot(&layer).calls, 21);
    assert!(told.rejected().is_empty());
    // What it has counted is not held against it.
    layer.handle().command(Command::Release);
    assert_eq!((state(&layer), snapshot(&layer).calls), (State::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn releasing_leaves_a_circuit_alone_that_no_operator_holds() {
    let layer = layer(in_a_row(1));
    let mut transitions = layer.handle().transitions();
    calls(&layer, 1, 500).await;
    layer.handle().command(Command::Release);
    assert_eq!(state(&layer), State::Open);
    layer.handle().command(Command::Reset);
    assert_eq!(
        (state(&layer), snapshot(&layer).openings),
        (State::Closed, 0)
    );
    let (opened, reset) = (transitions.next().await, transitions.next().await);
    assert_eq!(opened.unwrap().change.to, State::Open);
    assert_eq!(reset.unwrap().change.reason, Reason::Operator);
}

#[tokio::test(start_paused = true)]
async fn the_open_time_grows_until_it_is_reset() {
    let layer = layer(
        in_a_row(1)
            .with_open_time(SECOND, 60 * SECOND)
            .with_probes(1),
    );
    for seconds in [1, 2, 4] {
        calls(&layer, 1, 500).await;
        assert_eq!(snapshot(&layer).retry_after, Some(seconds * SECOND));
        time::advance(seconds * SECOND).await;
    }
    assert_eq!(snapshot(&layer).openings, 3);
    layer.handle().command(Command::Reset);
    calls(&layer, 1, 500).await;
    assert_eq!(snapshot(&layer).retry_after, Some(SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_time_gets_it_within_the_longest_open_time() {
    for (asked, given) in [(0, 1), (7, 7), (600, 10)] {
        let config = in_a_row(1).with_open_time(SECOND, 10 * SECOND);
        let layer = layer(config);
        call(&layer, Plan::Busy(asked)).await.unwrap();
        let error = call(&layer, Plan::Status(200)).await.err().unwrap();
        assert_eq!(error.retry_after(), Some(given * SECOND));
    }
}

#[tokio::test(start_paused = true)]
async fn another_configuration_holds_at_once_and_calls_go_on() {
    let layer = layer(in_a_row(3));
    let under_way = spawn(&layer, Plan::Late(SECOND, 500)).await;
    calls(&layer, 1, 500).await;
    // The same window: what was counted is kept.
    layer.handle().update(in_a_row(2).build().unwrap());
    under_way.await.unwrap().unwrap();
    assert_eq!(state(&layer), State::Open);
    layer.handle().command(Command::Reset);

    // Another one: counting starts anew, and what is under way does not count.
    calls(&layer, 1, 500).await;
    let under_way = spawn(&layer, Plan::Late(SECOND, 500)).await;
    let other = in_a_row(2).with_count_window(100);
    layer.handle().update(other.build().unwrap());
    assert_eq!((state(&layer), snapshot(&layer).calls), (State::Closed, 0));
    under_way.await.unwrap().unwrap();
    assert_eq!((snapshot(&layer).calls, snapshot(&layer).stale), (0, 1));
    calls(&layer, 2, 500).await;
    assert_eq!(state(&layer), State::Open);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_is_open_as_long_as_it_was_to_be_under_another_configuration() {
    let layer = layer(in_a_row(1));
    calls(&layer, 1, 500).await;
    let config = in_a_row(1)
        .with_open_time(50 * SECOND, 50 * SECOND)
        .with_probes(1);
    layer.handle().update(config.build().unwrap());
    assert_eq!(snapshot(&layer).retry_after, Some(SECOND));
    time::advance(SECOND).await;
    calls(&layer, 1, 500).await;
    assert_eq!(snapshot(&layer).retry_after, Some(50 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn slow_calls_are_looked_at_from_when_it_is_configured() {
    let layer = layer(in_a_row(9).with_slow_threshold(SECOND));
    let mut permit = layer.handle().try_acquire().unwrap();
    permit.wait();
    time::advance(2 * SECOND).await;
    assert_eq!(snapshot(&layer).slow, 0);
    let config = in_a_row(9)
        .with_slow_threshold(SECOND)
        .with_slow_rate(1.0, 1);
    layer.handle().update(config.build().unwrap());
    let mut permit = layer.handle().try_acquire().unwrap();
    permit.wait();
    time::advance(2 * SECOND).await;
    assert_rejected(call(&layer, Plan::Status(200)).await);
    drop(permit);
}

#[tokio::test(start_paused = true)]
async fn whoever_listens_hears_each_change_once_with_when_and_why_and_what_has_caused_it() {
    let told = Told::default();
    let layer = told.layer(in_a_row(1).with_probes(1));
    let mut transitions = layer.handle().transitions();
    let start = time::Instant::now();
    told.correlate(7);
    calls(&layer, 1, 500).await;
    time::advance(SECOND).await;
    told.correlate(8);
    calls(&layer, 1, 200).await;
    for (from, to, reason, seconds, correlation) in [
        (
            State::Closed,
            State::Open,
            Reason::ConsecutiveFailures(1),
            0,
            7,
        ),
        (State::Open, State::HalfOpen, Reason::OpenTimeOver, 1, 8),
        (
            State::HalfOpen,
            State::Closed,
            Reason::ProbesSucceeded,
            1,
            8,
        ),
    ] {
        let transition = transitions.next().await.unwrap();
        let change = transition.change;
        assert_eq!((change.from, change.to, change.reason), (from, to, reason));
        assert_eq!(transition.circuit.name(), "upstream");
        assert_eq!(transition.at, (start + seconds * SECOND).into_std());
        assert_eq!(transition.correlation.map(|it| it.0), Some(correlation));
        assert_eq!(change.open_for, (to == State::Open).then_some(SECOND));
    }
    assert_eq!(transitions.lost(), 0);
    drop(layer);
    assert!(transitions.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_falls_behind_is_told_how_much_it_has_lost() {
    let breaker = Breaker::new("upstream", Config::default());
    let mut transitions = breaker.transitions();
    for _ in 0..50 {
        breaker.command(Command::Disable);
        breaker.command(Command::Release);
    }
    let first = transitions.next().await.unwrap();
    // 64 are kept.
    assert_eq!(transitions.lost(), 36);
    assert_eq!(first.change.generation, 37);
    for generation in 38..=100 {
        let next = transitions.next().await.unwrap();
        assert_eq!(next.change.generation, generation);
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_says_how_it_stands() {
    let layer = layer(
        in_a_row(9)
            .with_slow_rate(1.0, 100)
            .with_slow_threshold(SECOND),
    );
    calls(&layer, 2, 200).await;
    calls(&layer, 3, 500).await;
    call(&layer, Plan::Late(SECOND, 500)).await.unwrap();
    let snapshot = snapshot(&layer);
    assert_eq!(
        (snapshot.calls, snapshot.failures, snapshot.slow),
        (6, 4, 1)
    );
    assert_eq!(snapshot.consecutive_failures, 4);
    assert_eq!((snapshot.retry_after, snapshot.probes), (None, 0));

    let layer = ripe(in_a_row(1).with_probes(2)).await;
    assert_eq!(super::upstream::snapshot(&layer).openings, 1);
    let permits: Vec<_> = (0..2)
        .map(|_| layer.handle().try_acquire().unwrap())
        .collect();
    let snapshot = super::upstream::snapshot(&layer);
    assert_eq!((snapshot.state, snapshot.probes), (State::HalfOpen, 2));
    assert_eq!(snapshot.retry_after, Some(10 * SECOND));
    permits
        .into_iter()
        .for_each(|permit| permit.record(Outcome::Success));
    assert_eq!(state(&layer), State::Closed);
}
