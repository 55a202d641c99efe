use bartizan_testkit::contract;
use tower::{Layer, Service, service_fn};

use super::*;
use crate::support::Unwrapped;

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract() {
    for layer in [
        BulkheadLayer::of(bulkhead(10, 10)),
        BulkheadLayer::of(bulkhead(10, 0)).until_end(),
    ] {
        let handle = layer.handle().clone();
        let in_flight = || handle.snapshot().in_flight.try_into().unwrap();
        let layer = Unwrapped(layer);
        contract::calls_the_readied_instance(&layer).await;
        contract::clones_start_unreadied(&layer).await;
        contract::passes_errors_unchanged(&layer).await;
        contract::passes_pending_and_registers_waker(&layer).await;
        contract::dropped_before_first_poll_releases(&layer, in_flight).await;
        contract::dropped_while_pending_releases(&layer, in_flight).await;
        contract::shares_state_across_layer_calls(&layer, in_flight).await;
    }
}

#[tokio::test]
async fn what_it_is_made_of_goes_anywhere() {
    fn anywhere<T: Send + Sync + std::fmt::Debug>(_: &T) {}
    let layer = BulkheadLayer::of(bulkhead(1, 1));
    let mut service = layer.layer(service_fn(|_: In| {
        std::future::ready(Ok::<_, BoxError>(Out::default()))
    }));
    anywhere(&layer);
    anywhere(layer.handle());
    anywhere(&service);
    anywhere(&service.call(In::default()));
    anywhere(&layer.handle().acquire());
    anywhere(&layer.handle().try_acquire().unwrap());
    let response = service.call(In::default()).await.unwrap();
    anywhere(response.body());
}
