//! The layer in tower's terms.

use bartizan_protect::Error;
use bartizan_protect::shared_limit::*;
use bartizan_testkit::contract;
use http::{HeaderName, Request, Response};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::*;
use crate::support::Unwrapped;

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract() {
    for share in [0.0, 1.0] {
        let limiter = builder(quota(1, 1_000), MemoryStore::default()).with_lease_share(share);
        let layer = SharedLimitLayer::of(limiter.build().unwrap());
        let limiter = layer.handle().clone();
        let allowed = || limiter.counts().allowed as i64;
        let layer = Unwrapped(layer);
        contract::calls_the_readied_instance(&layer).await;
        contract::clones_start_unreadied(&layer).await;
        contract::passes_errors_unchanged(&layer).await;
        contract::passes_pending_and_registers_waker(&layer).await;
        contract::shares_state_across_layer_calls(&layer, allowed).await;
        contract::dropped_before_first_poll_releases(&layer, || 0).await;
        contract::dropped_while_pending_releases(&layer, || 0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_budget_and_replicas_share_it() {
    let store = MemoryStore::default();
    let keys = Keys::header(HeaderName::from_static("x-tenant"));
    let replica = || {
        let policy = Policy::new("tenant", quota(1, 2)).with_keys(keys.clone());
        let layer = SharedLimitLayer::new([policy], store.clone());
        layer.unwrap().layer(service_fn(answer))
    };
    let mut replicas = [replica(), replica(), replica()];
    for tenant in ["one", "another"] {
        let mut passed = Vec::new();
        for replica in &mut replicas {
            let request = Request::builder().header("x-tenant", tenant);
            let request = request.body(()).unwrap();
            passed.push(replica.ready().await.unwrap().call(request).await.is_ok());
        }
        assert_eq!(passed, [true, true, false], "{tenant}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejection_says_who_and_why_and_for_how_long() {
    let layer = SharedLimitLayer::new([Policy::new("all", quota(2, 1))], MemoryStore::default());
    let mut service = layer.unwrap().layer(service_fn(answer));
    let mut call = async || service.ready().await.unwrap().call(Request::new(())).await;
    call().await.unwrap();
    let error = call().await.unwrap_err();
    assert!(error.is_rejection());
    assert_eq!(error.retry_after(), Some(SECOND / 2));
    assert_eq!(error.to_string(), "the shared rate limit all is exceeded");
    let Error::SharedLimit(rejected) = error else {
        panic!("{error}");
    };
    assert_eq!(violated(&rejected), ["all"]);
    assert_eq!(rejected.refusal(), Refusal::QuotaExceeded);
    tokio::time::advance(SECOND / 2).await;
    call().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_waits_does_not_reach_the_service() {
    let store = Told::default();
    store.then([Does::Hangs]);
    let limiter = builder(quota(1, 10), store.clone()).build().unwrap();
    let layer = SharedLimitLayer::of(limiter);
    let (mock, mut handle) = tower_test::mock::pair::<Request<()>, Response<()>>();
    let mut service = layer.layer(mock);
    let call = service.ready().await.unwrap().call(Request::new(()));
    let mut call = tokio_test::task::spawn(call);
    assert!(call.poll().is_pending());
    drop(call);
    assert_eq!(store.asked(), [1]);
    // The next one is served, and is the first that the service sees.
    let call = tokio::spawn(service.ready().await.unwrap().call(Request::new(())));
    let (_, respond) = handle.next_request().await.unwrap();
    respond.send_response(Response::new(()));
    call.await.unwrap().unwrap();
    assert_eq!(store.asked(), [1, 1]);
}

async fn answer(_: Request<()>) -> Result<Response<()>, std::io::Error> {
    Ok(Response::new(()))
}

#[test]
fn what_it_is_made_of_goes_anywhere() {
    fn anywhere<T: Send + Sync + std::fmt::Debug>() {}
    anywhere::<SharedLimitLayer<MemoryStore>>();
    anywhere::<SharedLimit<(), MemoryStore>>();
    anywhere::<SharedLimiter<MemoryStore>>();
    anywhere::<SharedLimiterBuilder<MemoryStore>>();
    anywhere::<StoreKey>();
    anywhere::<StoreFailure>();
    anywhere::<Error>();
}
