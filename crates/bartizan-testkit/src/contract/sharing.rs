//! Whose state the services of one layer work on: one and the same.

use tokio_test::task;
use tower_layer::Layer;
use tower_service::Service;

use super::{
    HttpService, Inner, Request,
    drive::{answer, assert_unanswered, make_ready},
    inner,
};

/// Two services of one layer share its state, as axum makes a service per route and hyper clones
/// one per connection.
///
/// The probe is read before, between and after two calls, one through each service, that overlap.
/// It must move by the same amount for both when they begin (a gauge of requests in flight, a
/// count of requests) or when they end (a count of outcomes).
///
/// # Panics
///
/// The probe saw none, or only one, of the two.
pub async fn shares_state_across_layer_calls<L>(layer: &L, probe: impl Fn() -> i64)
where
    L: Layer<Inner, Service: HttpService>,
{
    let (inner, mut handle) = inner::pair();
    let mut first = layer.layer(inner.clone());
    let mut second = layer.layer(inner);
    let mut seen = vec![probe()];

    make_ready(&mut first, &mut handle);
    let mut first_call = task::spawn(first.call(Request::default()));
    assert_unanswered(&mut first_call);
    seen.push(probe());
    make_ready(&mut second, &mut handle);
    let mut second_call = task::spawn(second.call(Request::default()));
    assert_unanswered(&mut second_call);
    seen.push(probe());

    // The responses are dropped with their bodies, where a layer that counts bodies ends a call.
    answer(&mut first_call, &mut handle);
    drop(first_call);
    seen.push(probe());
    answer(&mut second_call, &mut handle);
    drop(second_call);
    seen.push(probe());

    let moved: Vec<_> = seen.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let shared = |one: usize, other: usize| moved[one] != 0 && moved[one] == moved[other];
    assert!(
        shared(0, 1) || shared(2, 3),
        "state is not shared by `layer()` calls: the probe went {seen:?} over the beginnings and ends of two"
    );
}
