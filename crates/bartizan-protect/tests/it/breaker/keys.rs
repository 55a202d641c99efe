//! A circuit for each key.

use std::convert::Infallible;

use bartizan_protect::breaker::{
    BreakerBuilder, CircuitBreakerLayer, Command, Keys, Outcome, Overflow, State,
};
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use tower::{Layer, ServiceExt};

use super::told::Told;
use super::upstream::in_a_row;

type Keyed = CircuitBreakerLayer<bartizan_protect::breaker::HttpClassifier, Told>;

fn keyed(told: &Told, keys: Keys, max: usize, overflow: Overflow) -> Keyed {
    let config = in_a_row(1).build().unwrap();
    let breaker = BreakerBuilder::new("out", config)
        .with_observer(told.clone())
        .with_max_keys(max)
        .with_overflow(overflow)
        .build();
    CircuitBreakerLayer::of(breaker).with_keys(keys)
}

/// Calls a service that fails. Whether it was let through.
async fn fails(layer: &Keyed, request: http::request::Builder) -> bool {
    let service = layer.layer(tower::service_fn(async |request: Request<&str>| {
        assert_eq!(
            (request.method().as_str(), *request.body()),
            ("GET", "body")
        );
        let mut answer = Response::new(Empty::<&[u8]>::new());
        *answer.status_mut() = StatusCode::BAD_GATEWAY;
        Ok::<_, Infallible>(answer)
    }));
    let called = service.oneshot(request.body("body").unwrap()).await;
    called.is_ok()
}

#[tokio::test(start_paused = true)]
async fn each_host_has_a_circuit_of_its_own_however_it_is_written() {
    let told = Told::default();
    let layer = keyed(&told, Keys::by_host(), 10, Overflow::Shared);
    assert!(fails(&layer, Request::get("http://one.example:8080/")).await);
    for same in [
        Request::get("http://one.example:8080/other"),
        Request::get("http://user:secret@ONE.example:8080/"),
        Request::get("/").header("host", "one.Example:8080"),
    ] {
        assert!(!fails(&layer, same).await);
    }
    for other in [
        Request::get("http://one.example/"),
        Request::get("http://two.example:8080/"),
        // The URI says more than the header.
        Request::get("http://three.example/").header("host", "one.example:8080"),
        Request::get("/without"),
    ] {
        assert!(fails(&layer, other).await);
    }
    let expected = [
        "out",
        "out[one.example:8080]",
        "out[one.example]",
        "out[two.example:8080]",
        "out[three.example]",
    ];
    assert_eq!(told.circuits(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_ones_own_sees_the_whole_head_and_leaves_the_request_as_it_is() {
    let keys = Keys::by(|parts| Some(parts.headers.get("x-tenant")?.to_str().ok()?.into()));
    let layer = keyed(&Told::default(), keys, 10, Overflow::Shared);
    assert!(fails(&layer, Request::get("/").header("x-tenant", "a")).await);
    assert!(!fails(&layer, Request::get("/").header("x-tenant", "a")).await);
    assert!(fails(&layer, Request::get("/").header("x-tenant", "b")).await);
    assert!(fails(&layer, Request::get("/")).await);
    let handle = layer.handle();
    assert_eq!(handle.snapshots().len(), 3);
    assert_eq!(handle.snapshot().circuit.key(), None);
    assert_eq!(
        handle.snapshot_of("a").unwrap().circuit.to_string(),
        "out[a]"
    );
    assert_eq!(handle.snapshot_of("c"), None);
}

#[tokio::test(start_paused = true)]
async fn the_calls_of_too_many_keys_share_a_circuit_or_pass_as_the_policy_says() {
    for (overflow, is_guarded) in [(Overflow::Shared, true), (Overflow::Unguarded, false)] {
        let told = Told::default();
        let layer = keyed(&told, Keys::by_host(), 2, overflow);
        for host in ["a", "b"] {
            assert!(fails(&layer, Request::get(format!("http://{host}/"))).await);
        }
        assert!(fails(&layer, Request::get("http://c/")).await);
        assert_eq!(!fails(&layer, Request::get("http://d/")).await, is_guarded);
        assert_eq!(layer.handle().snapshots().len(), 3);
        let shared = layer.handle().snapshot();
        assert_eq!(shared.state == State::Open, is_guarded);
        // Nobody is told of calls that no circuit has seen.
        assert_eq!(told.ended().len(), if is_guarded { 3 } else { 2 });
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_keys_take_no_more_circuits_than_there_may_be() {
    let told = Told::default();
    let breaker = keyed(&told, Keys::none(), 100, Overflow::Shared)
        .handle()
        .clone();
    for key in 0..100_000 {
        let permit = breaker.try_acquire_for(&key.to_string()).unwrap();
        permit.record(Outcome::Success);
        assert!(key % 1_000 != 0 || breaker.snapshots().len() <= 101);
    }
    assert_eq!(breaker.snapshots().len(), 101);
}

#[tokio::test(start_paused = true)]
async fn a_circuit_through_which_a_call_is_under_way_is_not_evicted() {
    let breaker = keyed(&Told::default(), Keys::none(), 1, Overflow::Shared)
        .handle()
        .clone();
    let under_way = breaker.try_acquire_for("a").unwrap();
    drop(breaker.try_acquire_for("b").unwrap());
    assert_eq!(breaker.snapshot_of("b"), None);
    under_way.record(Outcome::Failure);
    assert_eq!(breaker.snapshot_of("a").unwrap().state, State::Open);
}

#[tokio::test(start_paused = true)]
async fn an_operator_reaches_one_circuit_or_all() {
    let breaker = keyed(&Told::default(), Keys::none(), 10, Overflow::Shared)
        .handle()
        .clone();
    let states = || {
        let all = ["a", "b"].map(|key| breaker.snapshot_of(key).unwrap().state);
        (breaker.snapshot().state, all[0], all[1])
    };
    for key in ["a", "b"] {
        drop(breaker.try_acquire_for(key).unwrap());
    }
    breaker.command_for("a", Command::ForceOpen).unwrap();
    assert_eq!(states(), (State::Closed, State::ForcedOpen, State::Closed));
    breaker.command(Command::Disable);
    assert_eq!(
        states(),
        (State::Disabled, State::Disabled, State::Disabled)
    );
    breaker.command(Command::Release);
    assert_eq!(states(), (State::Closed, State::Closed, State::Closed));
    let unknown = breaker.command_for("c", Command::Release).unwrap_err();
    let expected = "the circuit breaker out has no circuit of the key `c`";
    assert_eq!(unknown.to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn another_configuration_holds_in_every_circuit_and_in_those_to_come() {
    let breaker = keyed(&Told::default(), Keys::none(), 10, Overflow::Shared)
        .handle()
        .clone();
    drop(breaker.try_acquire_for("a").unwrap());
    breaker.update(in_a_row(2).build().unwrap());
    let fail = |key: Option<&str>| {
        let permit = match key {
            Some(key) => breaker.try_acquire_for(key),
            None => breaker.try_acquire(),
        };
        permit.unwrap().record(Outcome::Failure);
        key.map_or_else(
            || breaker.snapshot(),
            |key| breaker.snapshot_of(key).unwrap(),
        )
        .state
    };
    for key in [None, Some("a"), Some("b")] {
        assert_eq!(
            (fail(key), fail(key)),
            (State::Closed, State::Open),
            "{key:?}"
        );
    }
}
