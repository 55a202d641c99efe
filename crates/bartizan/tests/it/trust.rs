//! Whose context is believed.

use axum::Router;
use axum::routing::get as on_get;
use bartizan::{Network, PeerAddr, Sampler, Trust, TrustPolicy};

use crate::support::{Fixture, Seen, fetch, get, text};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn seen_under(policy: TrustPolicy, peer: &str) -> Seen {
    sampled_under(Sampler::default(), policy, peer, PARENT).await
}

async fn sampled_under(sampler: Sampler, policy: TrustPolicy, peer: &str, parent: &str) -> Seen {
    let fixture = Fixture::with_sampler(sampler).await;
    let options = fixture
        .options()
        .with_trust(policy)
        .with_baggage_keys(["tenant"]);
    let app = Router::new()
        .route("/", on_get(|| async { "ok" }))
        .layer(fixture.stack_with(options));
    let mut request = get("/");
    request
        .headers_mut()
        .insert("traceparent", parent.parse().unwrap());
    request
        .headers_mut()
        .insert("baggage", "tenant=acme".parse().unwrap());
    request
        .extensions_mut()
        .insert(PeerAddr(peer.parse().unwrap()));
    fetch(&app, request).await;
    fixture.finish().await
}

fn only_from_ten(fallback: Trust) -> TrustPolicy {
    let network: Network = "10.0.0.0/8".parse().unwrap();
    TrustPolicy::networks([network], fallback)
}

#[tokio::test]
async fn a_trusted_peer_is_the_parent() {
    let seen = seen_under(only_from_ten(Trust::Link), "10.1.2.3:999").await;
    let span = seen.only_span();
    assert_eq!(span.parent_span_id.unwrap().to_string(), "b7ad6b7169203331");
    assert_eq!(text(span, "tenant"), Some("acme"));
    assert_eq!(text(span, "client.address"), Some("10.1.2.3"));
}

#[tokio::test]
async fn an_untrusted_peer_is_linked_to_and_its_baggage_stripped() {
    let seen = seen_under(only_from_ten(Trust::Link), "203.0.113.7:999").await;
    let span = seen.only_span();
    assert_eq!(span.parent_span_id, None);
    assert_ne!(
        span.trace_id.to_string(),
        "0af7651916cd43dd8448eb211c80319c"
    );
    assert_eq!(
        span.links[0].trace_id.to_string(),
        "0af7651916cd43dd8448eb211c80319c"
    );
    assert_eq!(text(span, "tenant"), None);
}

#[tokio::test]
async fn an_untrusted_peer_can_be_ignored_altogether() {
    let seen = seen_under(only_from_ten(Trust::Ignore), "203.0.113.7:999").await;
    let span = seen.only_span();
    assert_eq!(span.parent_span_id, None);
    assert!(span.links.is_empty());
}

#[tokio::test]
async fn a_stranger_can_neither_hide_a_request_nor_have_it_recorded() {
    const STRANGER: &str = "203.0.113.7:999";
    let hiding = PARENT.replace("-01", "-00");
    let off = Sampler::ALWAYS_OFF.parent_based();
    for fallback in [Trust::Link, Trust::Ignore] {
        let policy = || only_from_ten(fallback);
        let seen = sampled_under(Sampler::default(), policy(), STRANGER, &hiding).await;
        assert_eq!(seen.server_spans().len(), 1, "{fallback:?}");
        let seen = sampled_under(off, policy(), STRANGER, PARENT).await;
        assert_eq!(seen.server_spans().len(), 0, "{fallback:?}");
    }
    let seen = sampled_under(off, only_from_ten(Trust::Link), "10.1.2.3:999", PARENT).await;
    assert_eq!(seen.server_spans().len(), 1, "who is trusted may");
}
