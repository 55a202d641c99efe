//! What each client may ask for.

use axum::http::HeaderName;
use axum::http::request::Parts;
use axum::{BoxError, Router};
use bartizan::config::RateLimitConfig;
use bartizan::rate_limit::{Keys, Policy, Quota};
use bartizan::{RateLimitLayer, Telemetry};
use shop::Error;

/// What a client sends that wants to be known by a key, and not by its address.
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// How many clients there may be at one address, by the keys that they send. Nobody checks the keys
/// here, and who makes up a new one for each request must not get a new budget for each.
pub const CLIENTS_PER_ADDRESS: u32 = 10;

/// For those who look after the gateway, and nearly free.
const UNLIMITED: [&str; 2] = ["/healthz", "/openapi.json"];

/// Limits each client, which is a key or, without one, an address: here, or all replicas together where
/// they have a Redis to share.
pub(crate) fn limited(
    app: Router,
    config: &RateLimitConfig,
    telemetry: &Telemetry,
) -> Result<Router, Error> {
    let policies = policies(config).map_err(Error::start)?;
    let shared = config.shared_layer(policies.clone(), telemetry);
    Ok(match shared.map_err(Error::start)? {
        Some(shared) => app.layer(shared),
        None => app.layer(RateLimitLayer::new(policies, telemetry).map_err(Error::start)?),
    })
}

fn policies(config: &RateLimitConfig) -> Result<[Policy; 3], BoxError> {
    let quota = config.quota()?;
    let crowd = Quota::new(
        quota.rate().saturating_mul(CLIENTS_PER_ADDRESS),
        quota.per(),
        quota.burst().saturating_mul(CLIENTS_PER_ADDRESS),
    );
    let crowd = Policy::new("api-keys-of-address", crowd?)
        .with_keys(config.clients())
        .with_mode(config.mode());
    let key = config.policy("api-key")?.with_keys(Keys::api_key(API_KEY));
    Ok([
        config
            .policy("address")?
            .with_cost(|parts| u32::from(is_limited(parts) && !has_key(parts))),
        key.with_cost(|parts| u32::from(is_limited(parts) && has_key(parts))),
        crowd.with_cost(|parts| u32::from(is_limited(parts) && has_key(parts))),
    ])
}

fn is_limited(parts: &Parts) -> bool {
    !UNLIMITED.contains(&parts.uri.path())
}

fn has_key(parts: &Parts) -> bool {
    parts.headers.contains_key(API_KEY)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use axum::routing::get;
    use bartizan::PeerAddr;
    use tower::ServiceExt;

    use super::*;
    use crate::Config;

    const ONE: [u8; 4] = [192, 0, 2, 1];
    const ANOTHER: [u8; 4] = [192, 0, 2, 2];

    /// Two requests for each client, and no more for an hour.
    const TWO: [(&str, &str); 3] = [
        ("GATEWAY__RATE_LIMIT__RATE", "1"),
        ("GATEWAY__RATE_LIMIT__PER", "1h"),
        ("GATEWAY__RATE_LIMIT__BURST", "2"),
    ];

    fn app(vars: impl IntoIterator<Item = (&'static str, &'static str)>) -> Router {
        let loaded = crate::loader().with_vars(vars).load::<Config>().unwrap();
        let telemetry = Telemetry::builder().build().unwrap();
        let app = Router::new()
            .route("/healthz", get(async || "ok"))
            .route("/products", get(async || "[]"));
        limited(app, &loaded.config.rate_limit, &telemetry).unwrap()
    }

    async fn status(app: &Router, path: &str, from: [u8; 4], headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        let peer = std::net::SocketAddr::from((from, 1));
        request.extensions_mut().insert(PeerAddr(peer));
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        app.clone().oneshot(request).await.unwrap().status().into()
    }

    async fn statuses(app: &Router, from: [u8; 4], headers: &[(&str, &str)]) -> [u16; 3] {
        let mut statuses = [0; 3];
        for each in &mut statuses {
            *each = status(app, "/products", from, headers).await;
        }
        statuses
    }

    #[tokio::test]
    async fn each_key_and_each_address_without_one_is_a_client() {
        let app = app(TWO);
        assert_eq!(statuses(&app, ONE, &[]).await, [200, 200, 429]);
        assert_eq!(statuses(&app, ANOTHER, &[]).await, [200, 200, 429]);
        for key in ["a", "b"] {
            let headers = [("x-api-key", key)];
            assert_eq!(
                statuses(&app, ONE, &headers).await,
                [200, 200, 429],
                "{key}"
            );
            // Wherever it comes from.
            assert_eq!(status(&app, "/products", ANOTHER, &headers).await, 429);
        }
    }

    #[tokio::test]
    async fn probes_are_never_limited() {
        let app = app(TWO);
        statuses(&app, ONE, &[]).await;
        for _ in 0..10 {
            assert_eq!(status(&app, "/healthz", ONE, &[]).await, 200);
        }
    }

    #[tokio::test]
    async fn a_key_for_each_request_does_not_get_round_the_limit() {
        let app = app(TWO);
        let mut answered = 0;
        for number in 0..100 {
            let key = number.to_string();
            let status = status(&app, "/products", ONE, &[("x-api-key", &key)]).await;
            answered += u32::from(status == StatusCode::OK);
        }
        assert_eq!(answered, 2 * CLIENTS_PER_ADDRESS);
    }

    #[tokio::test]
    async fn forwarded_addresses_are_believed_only_of_trusted_proxies() {
        let forged = [("x-forwarded-for", "198.51.100.7")];
        let direct = app(TWO);
        assert_eq!(statuses(&direct, ONE, &[]).await, [200, 200, 429]);
        assert_eq!(status(&direct, "/products", ONE, &forged).await, 429);

        let behind = [("GATEWAY__RATE_LIMIT__TRUSTED_PROXIES", "1")];
        let behind = app(TWO.into_iter().chain(behind));
        assert_eq!(statuses(&behind, ONE, &[]).await, [200, 200, 429]);
        assert_eq!(status(&behind, "/products", ONE, &forged).await, 200);
    }

    #[tokio::test]
    async fn it_can_be_turned_off() {
        let off = [("GATEWAY__RATE_LIMIT__ENABLED", "false")];
        let app = app(TWO.into_iter().chain(off));
        assert_eq!(statuses(&app, ONE, &[]).await, [200; 3]);
        assert_eq!(statuses(&app, ONE, &[("x-api-key", "a")]).await, [200; 3]);
    }
}
