//! The testkit's suite. That a service's errors come out by [`Error::Inner`](bartizan_protect::Error)
//! is known to [`Unwrapped`].

use bartizan_protect::breaker::{CircuitBreakerLayer, Config, HttpClassifier, State};
use bartizan_protect::{BoxError, Error};
use bartizan_testkit::contract;
use http::{Request, Response};
use http_body_util::Empty;
use tower::{Layer, Service, ServiceExt};

use super::upstream::{
    Plan, Upstream, assert_rejected, call, in_a_row, layer, ripe, snapshot, state,
};
use crate::support::Unwrapped;

fn closed() -> (CircuitBreakerLayer, Unwrapped<CircuitBreakerLayer>) {
    let layer = layer(Config::builder());
    (layer.clone(), Unwrapped(layer))
}

#[tokio::test]
async fn the_readied_instance_is_called_and_clones_start_unreadied() {
    contract::calls_the_readied_instance(&closed().1).await;
    contract::clones_start_unreadied(&closed().1).await;
}

#[tokio::test]
async fn errors_and_pending_pass() {
    contract::passes_errors_unchanged(&closed().1).await;
    contract::passes_pending_and_registers_waker(&closed().1).await;
}

#[tokio::test]
async fn every_service_of_a_layer_shares_its_circuit() {
    let (layer, contract) = closed();
    let calls = || snapshot(&layer).calls as i64;
    contract::shares_state_across_layer_calls(&contract, calls).await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_gives_a_probes_slot_back() {
    let layer = ripe(in_a_row(1).with_probes(1)).await;
    let probes = || snapshot(&layer).probes as i64;
    contract::dropped_before_first_poll_releases(&Unwrapped(layer.clone()), probes).await;
    let layer = ripe(in_a_row(1).with_probes(1)).await;
    let probes = || snapshot(&layer).probes as i64;
    contract::dropped_while_pending_releases(&Unwrapped(layer.clone()), probes).await;
}

#[tokio::test(start_paused = true)]
async fn clones_of_a_service_are_one_circuit_and_hold_nothing() {
    let layer = layer(in_a_row(2));
    let service = layer.layer(Upstream);
    for mut clone in [service.clone(), service.clone()] {
        let ready = ServiceExt::<Request<Plan>>::ready(&mut clone)
            .await
            .unwrap();
        ready.call(Request::new(Plan::Status(500))).await.unwrap();
    }
    assert_eq!(state(&layer), State::Open);
    assert_rejected(service.oneshot(Request::new(Plan::Status(200))).await);
    assert_rejected(call(&layer.clone(), Plan::Status(200)).await);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_does_not_call_the_service_and_can_be_told_from_its_errors() {
    let layer = layer(in_a_row(1));
    let mut calls = 0;
    let mut service = layer.layer(tower::service_fn(|_: Request<()>| {
        calls += 1;
        async { Err::<Response<Empty<&[u8]>>, _>(std::io::Error::other("down")) }
    }));
    let mut call = async || service.ready().await.unwrap().call(Request::new(())).await;
    let failed = call().await.err().unwrap();
    assert!(matches!(&failed, Error::Inner(error) if error.is::<std::io::Error>()));
    assert!(!failed.is_rejection());
    let rejected = call().await.err().unwrap();
    assert!(rejected.is_rejection());
    assert!(rejected.retry_after().is_some());
    assert_eq!(rejected.to_string(), "the circuit upstream is open");
    let boxed: BoxError = rejected.into();
    assert!(Error::find(boxed.as_ref()).is_some_and(Error::is_rejection));
    assert_eq!(calls, 1);
}

#[test]
fn what_is_public_goes_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<CircuitBreakerLayer>();
    check::<bartizan_protect::breaker::Breaker>();
    check::<bartizan_protect::breaker::Permit>();
    check::<bartizan_protect::breaker::Transitions>();
    check::<bartizan_protect::breaker::CircuitBreaker<Upstream>>();
    check::<bartizan_protect::breaker::ResponseBody<Empty<&[u8]>, HttpClassifier, ()>>();
}
