//! Outbound calls: a client span per attempt, propagation, and the HTTP client metrics.

pub use bartizan_observe::client::*;
#[cfg(feature = "reqwest")]
pub use reqwest_middleware::ClientWithMiddleware;

#[cfg(feature = "reqwest")]
use crate::Telemetry;

/// A `reqwest` client whose every attempt, redirects included, is a client span.
///
/// Redirects are followed above the spans and not beneath them, so that each hop can be seen.
///
/// # Errors
///
/// When the client cannot be built.
#[cfg(feature = "reqwest")]
pub fn reqwest(
    builder: ::reqwest::ClientBuilder,
    telemetry: &Telemetry,
) -> Result<ClientWithMiddleware, ::reqwest::Error> {
    self::reqwest::client(builder, &ClientLayer::new(telemetry))
}
