//! What the server does about each request: knows it while it lasts, and says and ends what the
//! phase asks for.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use bartizan_observe::Clock;
use bartizan_observe::message::is_event_stream;
use http::header::CONNECTION;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::in_flight::{InFlight, UnderWay};
use super::lifecycle::Lifecycle;
use super::phases::Phase;
use crate::PerConnection;

/// The service of a connection.
#[derive(Debug)]
pub(super) struct Attendant {
    pub(super) service: PerConnection,
    pub(super) in_flight: InFlight,
    pub(super) lifecycle: Lifecycle,
    pub(super) clock: Clock,
}

pin_project! {
    /// A request's way to its answer.
    pub(super) struct Attending {
        // First, so that a request that is dropped has ended by the time it is no longer known.
        #[pin]
        future: <PerConnection as Service<Request<Body>>>::Future,
        under_way: Option<UnderWay>,
        lifecycle: Lifecycle,
        may_say_close: bool,
    }
}

/// The answer's body, which is known until it is dropped, as hyper does at its end.
pub(super) struct AttendedBody {
    // First, as above.
    body: Body,
    /// When to end an event stream, which has no end of its own.
    until: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    _under_way: Option<UnderWay>,
}

// === impl Attendant ===

impl hyper::service::Service<Request<Incoming>> for Attendant {
    type Response = Response<AttendedBody>;
    type Error = Infallible;
    type Future = Attending;

    fn call(&self, request: Request<Incoming>) -> Attending {
        let request = request.map(Body::new);
        let under_way = self.in_flight.begin(&request, self.clock.now());
        // HTTP/2 has GOAWAY for it and forbids the header; a tunnel is no connection any more.
        let may_say_close =
            request.version() < Version::HTTP_2 && request.method() != Method::CONNECT;
        // A router is always ready.
        let future = self.service.clone().call(request);
        Attending {
            future,
            under_way: Some(under_way),
            lifecycle: self.lifecycle.clone(),
            may_say_close,
        }
    }
}

// === impl Attending ===

impl Future for Attending {
    type Output = Result<Response<AttendedBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(mut response) = ready!(this.future.poll(cx));
        let status = response.status();
        if let Some(under_way) = this.under_way {
            under_way.answered(status, response.headers());
        }
        // An upgrade needs the header for itself.
        let says_close = *this.may_say_close
            && status != StatusCode::SWITCHING_PROTOCOLS
            && this.lifecycle.phase() >= Phase::Grace;
        if says_close {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        let until = is_event_stream(response.headers())
            .then(|| Box::pin(this.lifecycle.reached(Phase::Draining)) as Pin<Box<_>>);
        let under_way = this.under_way.take();
        Poll::Ready(Ok(response.map(|body| AttendedBody {
            body,
            until,
            _under_way: under_way,
        })))
    }
}

// === impl AttendedBody ===

impl http_body::Body for AttendedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // Before the body: a stream that always has an event would never be asked to end.
        if let Some(until) = &mut self.until
            && until.as_mut().poll(cx).is_ready()
        {
            self.until = None;
            self.body = Body::empty();
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
