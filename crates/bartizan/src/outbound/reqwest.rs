use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use axum::body::Bytes;
use axum::http::{Extensions, Request, Response};
use bartizan_observe::client::{ClientLayer, ResendCount, reqwest as spans};
use bartizan_protect::Error;
use http_body_util::BodyExt;
use reqwest::{Body, ClientBuilder};
use reqwest_middleware::{ClientWithMiddleware, Middleware, Next};
use tower::ServiceExt;
use tower_layer::Layer;
use tower_service::Service;

use super::{Outbound, PolicyLayer};

/// The policy of an [`Outbound`] as middleware for `reqwest`. Put it first, above what follows
/// redirects, so that a call is one call.
#[derive(Debug)]
pub struct OutboundMiddleware {
    policy: PolicyLayer<Payload>,
}

/// A request's body, which can be sent again if it is no stream.
#[derive(Debug)]
enum Payload {
    Bytes(Bytes),
    Stream(Body),
}

/// The rest of a client, as a tower service.
#[derive(Clone)]
struct Transport<'a> {
    next: Next<'a>,
    /// What the caller has put beside the request.
    extensions: Extensions,
}

type Answer<'a> =
    Pin<Box<dyn Future<Output = Result<Response<Body>, reqwest_middleware::Error>> + Send + 'a>>;

/// What one of our own layers has said, where a client's error is that.
#[must_use]
pub fn find_in_reqwest(error: &reqwest_middleware::Error) -> Option<&Error> {
    match error {
        reqwest_middleware::Error::Middleware(error) => Error::find(error.as_ref()),
        reqwest_middleware::Error::Reqwest(error) => Error::find(error),
    }
}

// === impl Outbound ===

impl Outbound {
    /// A `reqwest` client for this upstream, with a client span for each attempt.
    ///
    /// A timeout of `builder`'s own counts for each hop of an attempt; redirects and retries of its
    /// own are switched off.
    ///
    /// # Errors
    ///
    /// When the client cannot be built.
    pub fn reqwest(&self, builder: ClientBuilder) -> Result<ClientWithMiddleware, reqwest::Error> {
        let layer = ClientLayer::new(&self.telemetry);
        spans::client_under(builder, &layer, [Arc::new(self.middleware()) as _])
    }

    /// The policy alone, for a client of one's own.
    #[must_use]
    pub fn middleware(&self) -> OutboundMiddleware {
        OutboundMiddleware {
            policy: self.policy(Payload::copy),
        }
    }
}

// === impl OutboundMiddleware ===

#[async_trait]
impl Middleware for OutboundMiddleware {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let (head, body) = Request::<Body>::try_from(request)?.into_parts();
        let request = Request::from_parts(head, Payload::of(body).await?);
        let transport = Transport {
            next,
            extensions: extensions.clone(),
        };
        match self.policy.layer(transport).oneshot(request).await {
            Ok(response) => Ok(response.map(Body::wrap).into()),
            Err(error) => Err(into_error(error)),
        }
    }
}

fn into_error(error: Error) -> reqwest_middleware::Error {
    let of_client = match error {
        Error::Inner(error) => error.downcast().map_err(Error::Inner),
        ours => Err(ours),
    };
    match of_client {
        Ok(of_client) => *of_client,
        Err(ours) => reqwest_middleware::Error::middleware(ours),
    }
}

// === impl Payload ===

impl Payload {
    async fn of(body: Body) -> Result<Self, reqwest::Error> {
        // One frame that is there already, and nothing is copied.
        Ok(if body.as_bytes().is_some() {
            Self::Bytes(body.collect().await?.to_bytes())
        } else {
            Self::Stream(body)
        })
    }

    fn copy(&self) -> Option<Self> {
        match self {
            Self::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            Self::Stream(_) => None,
        }
    }
}

impl From<Payload> for Body {
    fn from(payload: Payload) -> Self {
        match payload {
            Payload::Bytes(bytes) => bytes.into(),
            Payload::Stream(body) => body,
        }
    }
}

// === impl Transport ===

impl<'a> Service<Request<Payload>> for Transport<'a> {
    type Response = Response<Body>;
    type Error = reqwest_middleware::Error;
    type Future = Answer<'a>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Payload>) -> Answer<'a> {
        let Self {
            next,
            mut extensions,
        } = self.clone();
        if let Some(resent) = request.extensions().get::<ResendCount>() {
            extensions.insert(*resent);
        }
        Box::pin(async move {
            let response = next.run(request.try_into()?, &mut extensions).await?;
            let url = spans::url_extension(response.url().clone());
            let mut response = Response::<Body>::from(response);
            response.extensions_mut().extend(url);
            Ok(response)
        })
    }
}
