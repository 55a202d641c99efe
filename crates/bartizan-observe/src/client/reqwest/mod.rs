//! The same for `reqwest`: a middleware, and a client that has it in the right place.
//!
//! `reqwest` follows redirects and retries beneath its middleware, so that a span around a request
//! would hide how often it was sent. [`client`] switches both off and does them above the spans,
//! each attempt having its own span and `http.request.resend_count`.
//!
//! ```
//! use bartizan_observe::client::{ClientLayer, reqwest::client};
//! use bartizan_observe::telemetry::Telemetry;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let telemetry = Telemetry::builder().build()?;
//! let client = client(reqwest::Client::builder(), &ClientLayer::new(&telemetry))?;
//! let request = client.get("http://stock.internal/items").build()?;
//! assert_eq!(request.url().path(), "/items");
//! # Ok(())
//! # }
//! ```
//!
//! Retrying middleware goes above [`RequestSpans`] too. Here only what a server has refused to
//! touch is retried, as `reqwest` does.

mod redirect;
mod refused;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Body, Request, Response, ResponseBuilderExt, Url};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};

use super::attempt::{Attempt, Outgoing};
use super::future::Sending;
use super::layer::Shared;
use super::target::{Scheme, Target};
use super::{ClientLayer, ResendCount, ResponseBody, error_type};
use crate::message::content_length;
use crate::names;

pub use redirect::{DEFAULT_MAX_REDIRECTS, FollowRedirects, TooManyRedirects};
pub use refused::{DEFAULT_MAX_REFUSED, RetryRefused};

/// Middleware that gives each attempt a client span; put it last, next to the client.
///
/// A request that comes by again, with the extensions of its first time, is counted as resent:
/// no cooperation is needed from the middleware that does it. Shares the series of the layer it is
/// made from.
#[derive(Debug, Clone)]
pub struct RequestSpans {
    shared: Arc<Shared>,
}

/// A client with spans: `builder` without its own redirects and retries, with [`FollowRedirects`],
/// [`RetryRefused`] and [`RequestSpans`].
///
/// A policy for redirects or retries that was set on `builder` is replaced, and a timeout counts
/// for each hop. Where the process has no default crypto provider for rustls, ring becomes it.
///
/// # Errors
///
/// When `builder` cannot be built, as where no certificates are found.
pub fn client(
    builder: reqwest::ClientBuilder,
    layer: &ClientLayer,
) -> Result<ClientWithMiddleware, reqwest::Error> {
    client_under(builder, layer, [])
}

/// The same under middleware that looks at a call as a whole, redirects included, the outermost
/// first.
///
/// # Errors
///
/// As [`client`].
pub fn client_under(
    builder: reqwest::ClientBuilder,
    layer: &ClientLayer,
    above: impl IntoIterator<Item = Arc<dyn Middleware>>,
) -> Result<ClientWithMiddleware, reqwest::Error> {
    ensure_crypto_provider();
    let client = builder
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .build()?;
    let client = above
        .into_iter()
        .fold(ClientBuilder::new(client), ClientBuilder::with_arc);
    Ok(client
        .with(FollowRedirects::default())
        .with(RetryRefused::default())
        .with(RequestSpans::new(layer))
        .build())
}

// === impl RequestSpans ===

impl RequestSpans {
    /// Middleware that reports where `layer` does, under its options.
    #[must_use]
    pub fn new(layer: &ClientLayer) -> Self {
        Self {
            shared: Arc::clone(layer.shared()),
        }
    }

    fn start(&self, request: &Request, resends: u32) -> Attempt {
        let url = request.url();
        let sized = || http_body::Body::size_hint(request.body()?).exact();
        Attempt::start(
            &self.shared,
            &Outgoing {
                method: request.method(),
                target: Target::new(Scheme::of(Some(url.scheme())), url.host_str(), url.port()),
                url: Some(url),
                resends,
                body_bytes: content_length(request.headers())
                    .or_else(sized)
                    .or_else(|| request.body().is_none().then_some(0)),
            },
        )
    }
}

#[async_trait]
impl Middleware for RequestSpans {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let ResendCount(resends) = extensions.get().copied().unwrap_or_default();
        extensions.insert(ResendCount(resends.saturating_add(1)));

        let attempt = self.start(&request, resends);
        attempt.write_headers(request.headers_mut());
        let (result, attempt) = Sending::new(next.run(request, extensions), attempt).await;
        match result {
            Ok(response) => Ok(wrap(response, attempt)),
            Err(error) => {
                attempt.fail(&error, Some(name));
                Err(error)
            }
        }
    }
}

/// Puts our body around the response's.
fn wrap(response: Response, attempt: Attempt) -> Response {
    let url = url_extension(response.url().clone());
    let response = ResponseBody::wrap(http::Response::<Body>::from(response), attempt, Some(name));
    let mut response = response.map(Body::wrap);
    response.extensions_mut().extend(url);
    response.into()
}

/// A response's URL in the form in which a `reqwest` response takes it over from an `http` one: as an
/// extension, which gets lost on the way there.
#[must_use]
pub fn url_extension(url: Url) -> Extensions {
    let response = http::Response::builder().url(url).body(());
    // An empty response with no headers is always well-formed.
    response
        .map(|response| response.into_parts().0.extensions)
        .unwrap_or_default()
}

/// Names the errors of `reqwest`, and of the bodies made from its own.
fn name(error: &dyn Any) -> Option<&'static str> {
    let error = match error.downcast_ref::<reqwest_middleware::Error>() {
        Some(reqwest_middleware::Error::Reqwest(error)) => error,
        Some(reqwest_middleware::Error::Middleware(error)) => {
            return error_type::name_chain(error.as_ref());
        }
        None => error.downcast_ref::<reqwest::Error>()?,
    };
    if error.is_timeout() {
        Some(names::error_type::TIMEOUT)
    } else if error.is_connect() {
        Some(names::error_type::CONNECT)
    } else {
        error_type::name_chain(error)
    }
}

fn ensure_crypto_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only if another thread was first, whose provider is then as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}
