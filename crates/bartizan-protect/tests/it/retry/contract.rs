use bartizan_protect::BoxError;
use bartizan_testkit::contract;
use http_body::Body;
use tower::{Layer, Service, service_fn};

use super::*;
use crate::support::Unwrapped;

/// A copy of an empty body, which is all that a stream has.
fn copy_of_nothing<B: Body + Default>(body: &B) -> Option<B> {
    body.is_end_stream().then(B::default)
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract() {
    // What the suite fails is not to be sent again.
    let retries =
        RetryLayer::with_body_clone(Config::default(), copy_of_nothing).with_classify(|_| false);
    let budget = retries.budget().clone();
    let requests = || snapshot(&budget).requests.try_into().unwrap();
    let layer = Unwrapped(retries);
    contract::calls_the_readied_instance(&layer).await;
    contract::clones_start_unreadied(&layer).await;
    contract::passes_errors_unchanged(&layer).await;
    contract::passes_pending_and_registers_waker(&layer).await;
    contract::dropped_before_first_poll_releases(&layer, requests).await;
    contract::dropped_while_pending_releases(&layer, requests).await;
    contract::shares_state_across_layer_calls(&layer, requests).await;
}

#[test]
fn what_it_is_made_of_goes_anywhere() {
    fn anywhere<T: Send + Sync + std::fmt::Debug>(_: &T) {}
    let layer = RetryLayer::new(Config::default());
    let mut service = layer.layer(service_fn(|_: In| {
        std::future::ready(Ok::<_, BoxError>(status(200)))
    }));
    anywhere(&layer);
    anywhere(layer.budget());
    anywhere(&service);
    anywhere(&service.call(get()));
}
