use opentelemetry::baggage::BaggageExt;

use super::*;
use crate::PeerAddr;
use crate::propagation::{Network, TrustPolicy};

fn peer(address: &str) -> Option<PeerAddr> {
    Some(PeerAddr(address.parse().unwrap()))
}

fn networks<const N: usize>(texts: [&str; N]) -> [Network; N] {
    texts.map(|text| text.parse().unwrap())
}

fn request() -> HeaderMap {
    headers([
        ("traceparent", PARENT),
        ("tracestate", "a@@b=1"),
        ("baggage", "user=alice"),
    ])
}

#[test]
fn everyone_is_trusted_unless_it_is_said_otherwise() {
    let headers = HeaderMap::new();
    for peer in [None, peer("203.0.113.9:1")] {
        assert_eq!(TrustPolicy::default().decide(peer, &headers), Trust::Trust);
        assert_eq!(TrustPolicy::all().decide(peer, &headers), Trust::Trust);
        assert_eq!(TrustPolicy::link().decide(peer, &headers), Trust::Link);
        assert_eq!(TrustPolicy::none().decide(peer, &headers), Trust::Ignore);
    }
}

#[test]
fn only_a_known_peer_can_be_in_a_network() {
    let policy = TrustPolicy::networks(networks(["10.0.0.0/8", "fd00::/8", "::/0"]), Trust::Link);
    let headers = headers([
        ("x-forwarded-for", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
    ]);
    for (peer, trust) in [
        (peer("10.9.8.7:4000"), Trust::Trust),
        (peer("[::ffff:10.9.8.7]:4000"), Trust::Trust),
        (peer("[fd00::1]:4000"), Trust::Trust),
        (peer("203.0.113.9:4000"), Trust::Link),
        (peer("[::ffff:203.0.113.9]:4000"), Trust::Link),
        (None, Trust::Link),
    ] {
        assert_eq!(policy.decide(peer, &headers), trust, "{peer:?}");
    }
    let strict = TrustPolicy::networks([], Trust::Ignore);
    assert_eq!(strict.decide(peer("10.0.0.1:1"), &headers), Trust::Ignore);
}

#[test]
fn a_predicate_sees_peer_and_headers() {
    let policy = TrustPolicy::from_fn(|peer, headers| match peer {
        Some(peer) if peer.ip().is_loopback() => Trust::Trust,
        _ if headers.contains_key("x-partner") => Trust::Link,
        _ => Trust::Ignore,
    });
    assert_eq!(
        policy.decide(peer("127.0.0.1:1"), &HeaderMap::new()),
        Trust::Trust
    );
    assert_eq!(
        policy.decide(None, &headers([("x-partner", "1")])),
        Trust::Link
    );
    assert_eq!(policy.decide(None, &HeaderMap::new()), Trust::Ignore);
    assert_eq!(format!("{policy:?}"), "TrustPolicy(Predicate)");
}

#[test]
fn a_trusted_caller_is_the_parent_and_its_baggage_is_taken() {
    let remote = Remote::extract(&request(), Trust::Trust);
    assert_eq!(
        remote.parent.as_ref().unwrap().trace_id().to_string(),
        TRACE
    );
    assert!(remote.link.is_none());
    let cx = remote.into_context(&Context::new());
    assert_eq!(cx.span().span_context().trace_id().to_string(), TRACE);
    assert_eq!(cx.baggage().get("user").unwrap().as_str(), "alice");
}

#[test]
fn a_linked_caller_is_no_parent_and_its_baggage_is_stripped() {
    let remote = Remote::extract(&request(), Trust::Link);
    assert_eq!(remote.link.as_ref().unwrap().trace_id().to_string(), TRACE);
    assert!(remote.parent.is_none() && remote.baggage.is_none());
    let cx = remote.into_context(&Context::new());
    assert!(!cx.has_active_span() && cx.baggage().is_empty());
}

#[test]
fn of_an_ignored_caller_nothing_is_left() {
    let remote = Remote::extract(&request(), Trust::Ignore);
    assert!(remote.parent.is_none() && remote.link.is_none() && remote.baggage.is_none());
    let mut sent = HeaderMap::new();
    inject(&remote.into_context(&Context::new()), &mut sent);
    assert!(sent.is_empty());
}

#[test]
fn public_types_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Network>();
    shared::<Remote>();
    shared::<Trust>();
    shared::<TrustPolicy>();
    shared::<W3cPropagator>();
}
