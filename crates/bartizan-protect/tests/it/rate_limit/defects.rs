//! What other limiters get wrong, each as a test through the layer.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use bartizan_protect::rate_limit::{Keys, Observer, Overflow, Proxies, RateLimitLayer, Trusted};
use tokio::time;
use tower::{Layer, service_fn};
use tower_test::mock;

use super::*;

const PROXY: &str = "10.0.0.1";

/// One proxy of ours, behind which a client has five requests and then one a minute.
fn behind_a_proxy(proxies: Proxies) -> RateLimitLayer {
    let quota = Quota::new(1, 60 * SECOND, 5).unwrap();
    let policy = Policy::new("client", quota).with_keys(Keys::client(proxies));
    RateLimitLayer::new(builder().with_policy(policy).build().unwrap())
}

fn is_proxy(ip: IpAddr) -> bool {
    ip == IpAddr::from([10, 0, 0, 1])
}

/// How many of a thousand requests pass whose header `header` makes up.
async fn admitted(
    layer: &RateLimitLayer,
    name: &str,
    header: impl Fn(Ipv4Addr) -> String,
) -> usize {
    let mut service = layer.layer(service_fn(answer));
    let mut admitted = 0;
    for number in 0..1_000_u32 {
        let made_up = Ipv4Addr::from(0x0600_0000 + number * 7_919);
        let request = request(Some(PROXY), &[(name, &header(made_up))]);
        match send(&mut service, request).await {
            Ok(_) => admitted += 1,
            Err(error) => assert!(matches!(error, Error::RateLimited(_))),
        }
    }
    admitted
}

/// `tower_governor` answers `Retry-After: 0` here.
#[tokio::test(start_paused = true)]
async fn g_whoever_comes_back_after_the_time_that_was_said_is_let_in() {
    let quota = Quota::new(1, Duration::from_millis(900), 1).unwrap();
    let limiter = builder().with_policy(Policy::new("all", quota)).build();
    let mut service = RateLimitLayer::new(limiter.unwrap()).layer(service_fn(answer));
    for _ in 0..3 {
        send(&mut service, request(None, &[])).await.unwrap();
        let error = send(&mut service, request(None, &[])).await.unwrap_err();
        let Error::RateLimited(rejected) = error else {
            panic!("{error}");
        };
        assert_eq!(rejected.retry_after(), Some(Duration::from_millis(900)));
        let mut headers = http::HeaderMap::new();
        rejected.fields().unwrap().clone().add_to(&mut headers);
        assert_eq!(headers["retry-after"], "1");
        time::advance(SECOND).await;
    }
}

/// `tower_governor` believes the leftmost entry, which the client has written.
#[tokio::test(start_paused = true)]
async fn h_made_up_entries_of_x_forwarded_for_let_nobody_in() {
    for trusted in [Trusted::hops(1), Trusted::by(is_proxy)] {
        let layer = behind_a_proxy(Proxies::x_forwarded_for(trusted));
        let spoofed = |made_up| format!("{made_up}, 203.0.113.7");
        assert_eq!(admitted(&layer, "x-forwarded-for", spoofed).await, 5);
        let known = layer.handle().top("client", 1_000).unwrap();
        assert_eq!(known.len(), 1, "one client is one key");
    }
}

/// `tower_governor` answers 500 here.
#[tokio::test(start_paused = true)]
async fn i_a_key_that_cannot_be_found_is_no_error_of_the_server() {
    let layer = behind_a_proxy(Proxies::x_forwarded_for(Trusted::by(is_proxy)));
    let mut service = layer.layer(service_fn(answer));
    for allowed in [true, true, true, true, true, false] {
        let request = request(None, &[("x-forwarded-for", "203.0.113.9:4711")]);
        let result = send(&mut service, request).await;
        assert_eq!(result.is_ok(), allowed);
    }
    assert_eq!(layer.handle().snapshots()[0].counts.keyless, 6);
}

/// Said of each such request, and which one is the first.
#[tokio::test(start_paused = true)]
async fn i_a_key_that_cannot_be_found_is_said_once_to_whoever_warns() {
    #[derive(Clone, Default)]
    struct Warned(Arc<Mutex<Vec<bool>>>);
    impl Observer for Warned {
        type Policy = String;

        fn policy(&self, name: &str) -> String {
            name.to_owned()
        }

        fn key_missing(&self, policy: &String, first: bool) {
            assert_eq!(policy, "peer");
            self.0.lock().unwrap().push(first);
        }
    }

    let warned = Warned::default();
    let policy = Policy::new("peer", quota(1, 5)).with_keys(Keys::peer());
    let limiter = builder().with_observer(warned.clone()).with_policy(policy);
    let limiter = limiter.build().unwrap();
    for peer in [None, Some(PROXY), None, None] {
        let _ = limiter.check(&parts(peer, &[]));
    }
    assert_eq!(*warned.0.lock().unwrap(), [true, false, false]);
}

/// `axum-governor` skips an entry with a port, and lets in whoever is to the left of it.
#[tokio::test(start_paused = true)]
async fn j_ports_and_lists_let_nobody_in() {
    for trusted in [Trusted::hops(1), Trusted::by(is_proxy)] {
        let layer = behind_a_proxy(Proxies::x_forwarded_for(trusted.clone()));
        let with_port = |made_up| format!("{made_up}, 203.0.113.7:4711");
        assert_eq!(admitted(&layer, "x-forwarded-for", with_port).await, 5);

        let layer = behind_a_proxy(Proxies::forwarded(trusted.clone()));
        let list = |made_up| format!("for={made_up}, for=203.0.113.7");
        assert_eq!(admitted(&layer, "forwarded", list).await, 5);

        // What does not parse is not skipped, either: the proxy stands for whoever called it.
        let layer = behind_a_proxy(Proxies::x_forwarded_for(trusted));
        let hidden = |made_up| format!("{made_up}, unknown");
        assert_eq!(admitted(&layer, "x-forwarded-for", hidden).await, 5);
    }
}

/// `axum-governor` holds 22 001 keys for a cap of 1000; `governor` 69 bytes for each that ever came.
#[tokio::test(start_paused = true)]
async fn k_and_n_keys_that_come_and_come_take_no_more_memory() {
    for overflow in [
        Overflow::SharedBucket,
        Overflow::Deny,
        Overflow::EvictOldest,
    ] {
        let quota = Quota::new(1, 60 * SECOND, 1).unwrap();
        let policy = Policy::new("peer", quota)
            .with_keys(Keys::peer())
            .with_capacity(1_000);
        let limiter = builder()
            .with_policy(policy.with_overflow(overflow))
            .build()
            .unwrap();
        let layer = RateLimitLayer::new(limiter);
        let mut service = layer.layer(service_fn(answer));
        let before = layer.handle().memory();
        assert!(before < 64 << 10, "{before} bytes");
        for number in 0..50_000_u32 {
            let mut request = Request::new(());
            let peer = Ipv4Addr::from(0x0100_0000 + number);
            request.extensions_mut().insert(Peer(peer.into()));
            let _ = send(&mut service, request).await;
        }
        assert_eq!(layer.handle().memory(), before);
        let live = layer.handle().top("peer", usize::MAX).unwrap().len();
        assert!(live <= layer.handle().snapshots()[0].slots, "{live} keys");
        let counts = layer.handle().snapshots()[0].counts;
        let treated = match overflow {
            Overflow::EvictOldest => counts.evicted,
            _ => counts.overflowed,
        };
        assert!(treated > 40_000, "{counts:?}");
    }
}

/// tower's `ConcurrencyLimit` and `RateLimit` take a turn in `poll_ready`, and keep it.
#[tokio::test(start_paused = true)]
async fn m_a_clone_that_is_readied_and_not_called_takes_nothing() {
    let policy = Policy::new("all", quota(1, 1));
    let layer = RateLimitLayer::new(builder().with_policy(policy).build().unwrap());
    let mut idle = layer.layer(service_fn(answer));
    let mut busy = idle.clone();
    for _ in 0..100 {
        idle.ready().await.unwrap();
    }
    busy.ready()
        .await
        .unwrap()
        .call(request(None, &[]))
        .await
        .unwrap();
    // And a limiter that is at its limit says nothing of it before it is asked.
    idle.ready().await.unwrap();
    assert!(
        idle.call(request(None, &[]))
            .await
            .unwrap_err()
            .is_rejection()
    );
}

/// A rejected request does not reach the service, and does not lose the one that it has readied.
#[tokio::test(start_paused = true)]
async fn what_is_rejected_does_not_reach_the_service() {
    let policy = Policy::new("all", quota(1, 1));
    let layer = RateLimitLayer::new(builder().with_policy(policy).build().unwrap());
    let (mut service, mut handle) = mock::spawn_layer::<Request<()>, Response<()>, _>(layer);
    for _ in 0..2 {
        tokio_test::assert_ready_ok!(service.poll_ready());
        drop(service.call(request(None, &[])));
    }
    assert!(handle.next_request().await.is_some());
    drop(service);
    assert!(handle.next_request().await.is_none());
}
