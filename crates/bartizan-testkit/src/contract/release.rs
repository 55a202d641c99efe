//! What a dropped call leaves behind: nothing.

use tokio_test::task;
use tower_layer::Layer;
use tower_service::Service;

use super::{
    HttpService, Inner, Request,
    drive::{answer, assert_unanswered, make_ready},
    inner,
};

/// A call that is dropped before it was ever polled leaves nothing behind.
///
/// # Panics
///
/// The inner service's future is still alive, the probe is not back where it was, or the service
/// does not work any more.
pub async fn dropped_before_first_poll_releases<L>(layer: &L, probe: impl Fn() -> i64)
where
    L: Layer<Inner, Service: HttpService>,
{
    dropped_after_polls_releases(layer, probe, 0);
}

/// A call that is dropped while it is pending, which is what a client that goes away does, leaves
/// nothing behind.
///
/// # Panics
///
/// As [`dropped_before_first_poll_releases`].
pub async fn dropped_while_pending_releases<L>(layer: &L, probe: impl Fn() -> i64)
where
    L: Layer<Inner, Service: HttpService>,
{
    dropped_after_polls_releases(layer, probe, 2);
}

fn dropped_after_polls_releases<L>(layer: &L, probe: impl Fn() -> i64, polls: usize)
where
    L: Layer<Inner, Service: HttpService>,
{
    let (inner, mut handle) = inner::pair();
    let mut service = layer.layer(inner);
    let before = probe();
    make_ready(&mut service, &mut handle);
    let mut call = task::spawn(service.call(Request::default()));
    for _ in 0..polls {
        assert_unanswered(&mut call);
    }
    drop(call);
    assert_eq!(handle.alive(), 0, "the inner future outlived the call");
    assert_eq!(
        probe(),
        before,
        "the call was dropped, but the probe is not back where it was"
    );

    // A call that never reached the inner service has left no request there.
    while handle.try_next().is_some() {}
    make_ready(&mut service, &mut handle);
    let mut call = task::spawn(service.call(Request::default()));
    answer(&mut call, &mut handle);
}
