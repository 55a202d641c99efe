//! The layer in tower's terms.

use bartizan_protect::rate_limit::{Answers, Keys, MissingKey, Mode, RateLimitLayer, Refusal};
use bartizan_testkit::contract;
use http::StatusCode;
use tower::{Layer, service_fn};

use super::*;
use crate::support::Unwrapped;

fn layer(policies: impl IntoIterator<Item = Policy>) -> RateLimitLayer {
    let limiter = policies
        .into_iter()
        .fold(builder(), RateLimiterBuilder::with_policy);
    RateLimitLayer::new(limiter.build().unwrap())
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract() {
    for answers in [Answers::All, Answers::None] {
        let layer = layer([Policy::new("all", quota(1, 1_000))]).with_answers(answers);
        let limiter = layer.handle().clone();
        let allowed = || limiter.snapshots()[0].counts.allowed as i64;
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
async fn a_burst_passes_and_then_the_rate() {
    let layer = layer([Policy::new("all", quota(10, 3))]);
    let mut service = layer.layer(service_fn(answer));
    for allowed in [true, true, true, false] {
        let result = send(&mut service, request(None, &[])).await;
        assert_eq!(result.is_ok(), allowed);
    }
    tokio::time::advance(Duration::from_millis(100)).await;
    for allowed in [true, false] {
        let result = send(&mut service, request(None, &[])).await;
        assert_eq!(result.is_ok(), allowed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejection_says_who_and_why_and_for_how_long() {
    let layer = layer([
        Policy::new("wide", quota(10, 2)),
        Policy::new("narrow", quota(1, 1)),
        Policy::new("narrowest", Quota::new(1, 60 * SECOND, 1).unwrap()),
        Policy::new("narrower", Quota::new(1, 10 * SECOND, 1).unwrap()),
    ]);
    let mut service = layer.layer(service_fn(answer));
    send(&mut service, request(None, &[])).await.unwrap();
    let error = send(&mut service, request(None, &[])).await.unwrap_err();
    assert!(error.is_rejection());
    assert_eq!(error.retry_after(), Some(60 * SECOND));
    assert_eq!(error.to_string(), "the rate limit narrowest is exceeded");
    let Error::RateLimited(rejected) = error else {
        panic!("{error}");
    };
    let violated: Vec<&str> = rejected.violated().iter().map(|name| &**name).collect();
    assert_eq!(violated, ["narrowest", "narrow", "narrower"]);
    assert_eq!(rejected.refusal(), Refusal::QuotaExceeded);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_passes_is_told_no_time() {
    let upload = Policy::new("bytes", quota(100, 100)).with_cost(|parts| {
        let length = parts.headers.get("content-length");
        length
            .and_then(|length| length.to_str().ok()?.parse().ok())
            .unwrap_or_default()
    });
    let layer = layer([upload]);
    let mut service = layer.layer(service_fn(answer));
    let upload = |length| request(None, &[("content-length", length)]);
    let error = send(&mut service, upload("101")).await.unwrap_err();
    assert_eq!(error.retry_after(), None);
    assert_eq!(
        error.to_string(),
        "the rate limit bytes never allows so much at once"
    );
    send(&mut service, upload("99")).await.unwrap();
    // One that costs nothing is not asked about, whatever is left.
    for _ in 0..10 {
        send(&mut service, upload("0")).await.unwrap();
    }
    let error = send(&mut service, upload("2")).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_millis(10)));
    assert_eq!(layer.handle().snapshots()[0].counts.allowed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_policy_in_shadow_rejects_nothing_and_counts_what_it_would() {
    let layer = layer([
        Policy::new("shadow", quota(1, 1)).with_mode(Mode::Shadow),
        Policy::new("real", quota(1, 4)),
    ]);
    let mut service = layer.layer(service_fn(answer));
    for allowed in [true, true, true, true, false] {
        let result = send(&mut service, request(None, &[])).await;
        assert_eq!(result.is_ok(), allowed);
        if let Ok(response) = result {
            let said = response.headers()["ratelimit"].to_str().unwrap();
            assert!(!said.contains("shadow"), "{said}");
        }
    }
    let counts = layer.handle().snapshots();
    let (shadow, real) = (counts[0].counts, counts[1].counts);
    assert_eq!(
        (shadow.allowed, shadow.shadow_rejected, shadow.rejected),
        (1, 4, 0)
    );
    assert_eq!((real.allowed, real.rejected), (4, 1));

    // Meant from now on, then not asked at all.
    layer.handle().set_mode("shadow", Mode::Enforce).unwrap();
    layer.handle().set_mode("real", Mode::Disabled).unwrap();
    let error = send(&mut service, request(None, &[])).await.unwrap_err();
    assert_eq!(error.to_string(), "the rate limit shadow is exceeded");
    layer.handle().set_mode("shadow", Mode::Disabled).unwrap();
    let response = send(&mut service, request(None, &[])).await.unwrap();
    assert!(response.headers().is_empty(), "{:?}", response.headers());
    assert_eq!(layer.handle().snapshots()[1].counts.rejected, 1);
}

#[tokio::test(start_paused = true)]
async fn requests_without_a_key_are_treated_as_is_said() {
    let tenant = || Keys::header("x-tenant".parse().unwrap());
    for (missing, expected) in [
        // The peers, then who is not even known.
        (MissingKey::Peer, [true, true, false, true, false]),
        (MissingKey::Shared, [true, false, false, false, false]),
        (MissingKey::Deny, [false; 5]),
    ] {
        let policy = Policy::new("tenant", quota(1, 1)).with_keys(tenant());
        let layer = layer([policy.with_missing_key(missing)]);
        let mut service = layer.layer(service_fn(answer));
        let peers = [
            Some("192.0.2.1"),
            Some("192.0.2.2"),
            Some("192.0.2.1"),
            None,
            None,
        ];
        for (peer, allowed) in peers.into_iter().zip(expected) {
            let result = send(&mut service, request(peer, &[])).await;
            assert_eq!(result.is_ok(), allowed, "{missing:?} of {peer:?}");
            if let (MissingKey::Deny, Err(error)) = (missing, result) {
                assert_eq!(error.to_string(), "the rate limit tenant needs a key");
                assert_eq!(error.retry_after(), None);
            }
        }
        let with_key = request(None, &[("x-tenant", "acme")]);
        assert!(send(&mut service, with_key).await.is_ok());
        let counts = layer.handle().snapshots()[0].counts;
        assert_eq!(counts.keyless, 5);
        let allowed = expected.into_iter().filter(|it| *it).count() as u64;
        assert_eq!(
            (counts.allowed, counts.rejected),
            (allowed + 1, 5 - allowed)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_request_may_be_brought_along() {
    let start = tokio::time::Instant::now().into_std();
    let limiter = builder()
        .with_policy(Policy::new("all", quota(1, 1)))
        .with_arrival(|parts| parts.extensions.get::<Instant>().copied())
        .build();
    let mut service = RateLimitLayer::new(limiter.unwrap()).layer(service_fn(answer));
    for (after, allowed) in [(0, true), (999, false), (1_000, true), (500, false)] {
        let mut request = request(None, &[]);
        request
            .extensions_mut()
            .insert(start + Duration::from_millis(after));
        let result = send(&mut service, request).await;
        assert_eq!(result.is_ok(), allowed, "after {after} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn errors_and_answers_of_the_service_are_its_own() {
    let layer = layer([Policy::new("all", quota(1, 10))]);
    let mut service = layer.layer(service_fn(async |request: Request<()>| {
        match request.headers().get("fail") {
            Some(_) => Err(std::io::Error::other("broken")),
            None => {
                let failed = Response::builder().status(StatusCode::BAD_GATEWAY);
                Ok(failed
                    .header("ratelimit", "\"inner\";r=1")
                    .body("body")
                    .unwrap())
            }
        }
    }));
    let response = send(&mut service, request(None, &[])).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(*response.body(), "body");
    let said: Vec<_> = response.headers().get_all("ratelimit").iter().collect();
    assert_eq!(said, ["\"inner\";r=1", "\"all\";r=9;t=1"]);
    let error = send(&mut service, request(None, &[("fail", "")])).await;
    let error = error.unwrap_err();
    assert!(!error.is_rejection());
    assert_eq!(error.to_string(), "broken");
}
