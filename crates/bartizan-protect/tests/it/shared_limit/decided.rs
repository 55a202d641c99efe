//! What is told of decisions, and of requests without a key.

use bartizan_protect::rate_limit::MissingKey;
use bartizan_protect::shared_limit::{Refusal, SharedLimitLayer};
use http::{HeaderName, Request, Response};
use tower::{Layer, ServiceExt, service_fn};

use super::*;

#[tokio::test(start_paused = true)]
async fn each_request_is_told_with_what_has_decided_it() {
    let (store, heard) = (Told::default(), Heard::default());
    let limiter = keyed(quota(1, 3), store.clone())
        .with_lease_share(1.0)
        .with_observer(heard.clone())
        .build()
        .unwrap();
    for _ in 0..5 {
        let _ = limiter.acquire(None, 1).await;
    }
    store.then([Does::Hangs]);
    tokio::time::advance(SECOND).await;
    limiter.acquire(None, 1).await.unwrap();
    assert_eq!(
        heard.take(),
        [
            "all: no key, first true",
            "answered in 0ns",
            "all: allowed by Store",
            "all: no key, first false",
            "answered in 0ns",
            "all: allowed by Store",
            "all: no key, first false",
            "all: allowed by Lease",
            "all: no key, first false",
            "answered in 0ns",
            "all: rejected by Store: QuotaExceeded",
            "all: no key, first false",
            "all: rejected by Lease: QuotaExceeded",
            "all: no key, first false",
            "failed in 5ms, first true: no answer within 5ms",
            "all: allowed by StoreDown",
        ]
    );
    let counts = limiter.counts();
    assert_eq!((counts.allowed, counts.rejected), (4, 2));
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_key_is_charged_to_its_peer_or_to_all_such_or_rejected() {
    let header = HeaderName::from_static("x-tenant");
    for (missing, passes) in [
        (MissingKey::Peer, [true, false, true, true, false]),
        (MissingKey::Shared, [true, false, false, false, false]),
        (MissingKey::Deny, [false; 5]),
    ] {
        let store = MemoryStore::default();
        let policy = Policy::new("tenant", quota(1, 1))
            .with_keys(Keys::header(header.clone()))
            .with_missing_key(missing);
        let limiter = of([policy], store)
            .with_peer(|parts| parts.extensions.get().copied())
            .build()
            .unwrap();
        let layer = SharedLimitLayer::of(limiter.clone());
        for (peer, passes) in [Some(1), Some(1), Some(2), None, None]
            .into_iter()
            .zip(passes)
        {
            let mut request = Request::new(());
            if let Some(peer) = peer {
                let peer = std::net::IpAddr::from([10, 0, 0, peer]);
                request.extensions_mut().insert(peer);
            }
            let service = layer.layer(service_fn(async |_: Request<()>| {
                Ok::<_, std::io::Error>(Response::new(()))
            }));
            let result = service.oneshot(request).await;
            assert_eq!(result.is_ok(), passes, "{missing:?} {peer:?}");
        }
        if missing == MissingKey::Deny {
            let rejected = limiter.acquire(None, 1).await.unwrap_err();
            assert_eq!(rejected.refusal(), Refusal::KeyMissing);
            assert_eq!(rejected.retry_after(), None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_makes_other_keys_in_the_store() {
    #[derive(Debug, Clone, Default)]
    struct Keyed(Arc<Mutex<Vec<String>>>);
    impl Store for Keyed {
        async fn grant(&self, ask: &Ask) -> Result<Grant, BoxError> {
            self.0.lock().unwrap().push(ask.key.to_string());
            Err("it only listens".into())
        }
    }
    let store = Keyed::default();
    for secret in [[0; 16], [0; 16], [1; 16]] {
        let limiter = keyed(quota(10, 20), store.clone()).with_secret(secret);
        let limiter = limiter.build().unwrap();
        limiter.acquire(Some("acme"), 1).await.unwrap();
    }
    let keys = store.0.lock().unwrap();
    assert!(
        keys[0].starts_with("bartizan:all:100000000-20:"),
        "{}",
        keys[0]
    );
    assert!(!keys[0].contains("acme"));
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[0], keys[2]);
}
