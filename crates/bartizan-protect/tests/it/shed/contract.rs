use bartizan_testkit::contract;
use tower::{Layer, Service, service_fn};

use super::*;
use crate::support::Unwrapped;

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract() {
    let shed = LoadShedLayer::new("shop", Config::default(), Told::default().source());
    let handle = shed.handle().clone();
    let admitted = || {
        let counts = handle.snapshot().admitted.map(|(_, count)| count);
        counts.iter().sum::<u64>().try_into().unwrap()
    };
    let layer = Unwrapped(shed);
    contract::calls_the_readied_instance(&layer).await;
    contract::clones_start_unreadied(&layer).await;
    contract::passes_errors_unchanged(&layer).await;
    contract::passes_pending_and_registers_waker(&layer).await;
    contract::dropped_before_first_poll_releases(&layer, || 0).await;
    contract::dropped_while_pending_releases(&layer, || 0).await;
    contract::shares_state_across_layer_calls(&layer, admitted).await;
}

#[tokio::test]
async fn what_it_is_made_of_goes_anywhere() {
    fn anywhere<T: Send + Sync + std::fmt::Debug>(_: &T) {}
    let layer = LoadShedLayer::new("shop", Config::default(), Told::default().source());
    let mut service = layer.layer(service_fn(|_: In| {
        std::future::ready(Ok::<_, Infallible>(Out::default()))
    }));
    anywhere(&layer);
    anywhere(layer.handle());
    anywhere(&service);
    anywhere(&service.call(In::default()));
}
