//! Whose readiness counts.

use tokio_test::task;
use tower_layer::Layer;
use tower_service::Service;

use super::{
    HttpService, Inner, Request,
    drive::{answer, make_ready},
    inner,
};

/// What is polled ready is what is called.
///
/// The bug it finds: `let mut inner = self.inner.clone()` in `call`, which calls a clone that was
/// never readied and leaves the readied one holding its permit.
///
/// # Panics
///
/// The layer called an instance that had not been readied, or did not pass the call on.
pub async fn calls_the_readied_instance<L>(layer: &L)
where
    L: Layer<Inner, Service: HttpService>,
{
    let (inner, mut handle) = inner::pair();
    let mut service = layer.layer(inner);
    for _ in 0..2 {
        make_ready(&mut service, &mut handle);
        let mut call = task::spawn(service.call(Request::default()));
        answer(&mut call, &mut handle);
    }
}

/// A clone has to be readied itself, and does not take its original's readiness away.
///
/// # Panics
///
/// The layer did not ask the clone's inner service, or called one that had not been readied.
pub async fn clones_start_unreadied<L>(layer: &L)
where
    L: Layer<Inner, Service: HttpService>,
{
    let (inner, mut handle) = inner::pair();
    let mut original = layer.layer(inner);
    make_ready(&mut original, &mut handle);
    let mut clone = original.clone();
    make_ready(&mut clone, &mut handle);
    let mut call = task::spawn(clone.call(Request::default()));
    answer(&mut call, &mut handle);
    let mut call = task::spawn(original.call(Request::default()));
    answer(&mut call, &mut handle);
}
