//! The client's side: connections, and calls that end in more ways than an answer.

use std::net::SocketAddr;
use std::pin::Pin;

use axum::body::Body;
use http::{HeaderValue, Request, Response, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::cases::{Case, Client};
use super::service::Watch;

/// A connection that is opened anew once it was closed.
pub(super) struct Connection {
    addr: SocketAddr,
    sender: Sender,
}

enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

/// A call under way. Dropping it is how a client goes away: hyper then resets the stream, or
/// closes the connection where there are no streams.
pub(super) enum Call {
    Waiting(#[expect(dead_code, reason = "held to be dropped")] Answer),
    Reading(Incoming),
    Over,
}

type Answer = Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>> + Send>>;

// === impl Connection ===

impl Connection {
    pub(super) async fn open(addr: SocketAddr, version: Version) -> Self {
        let sender = Sender::open(addr, version == Version::HTTP_2).await;
        Self { addr, sender }
    }

    /// Sends the request, and goes as far as the client goes while the others' calls are held.
    pub(super) async fn begin(&mut self, case: &Case, watch: &Watch) -> Call {
        let answer = self.send(case.request()).await;
        match case.client {
            Client::LeavesTheHandler => {
                watch.entered(1).await;
                Call::Waiting(answer)
            }
            Client::LeavesTheBody => {
                let mut body = answer.await.unwrap().into_body();
                body.frame().await.unwrap().unwrap();
                Call::Reading(body)
            }
            Client::Reads | Client::ReadsTrailers => {
                Call::Reading(answer.await.unwrap().into_body())
            }
            Client::IsLetDown => match answer.await {
                Ok(response) => Call::Reading(response.into_body()),
                Err(_) => Call::Over,
            },
        }
    }

    /// The request is on its way before the future is polled.
    async fn send(&mut self, request: Request<Body>) -> Answer {
        if !self.sender.is_ready().await {
            let is_http2 = matches!(self.sender, Sender::Http2(_));
            self.sender = Sender::open(self.addr, is_http2).await;
        }
        self.sender.send(request, self.addr)
    }
}

// === impl Sender ===

impl Sender {
    async fn open(addr: SocketAddr, is_http2: bool) -> Self {
        let io = TokioIo::new(TcpStream::connect(addr).await.unwrap());
        // How a connection ends shows in the calls.
        if is_http2 {
            let handshake = http2::handshake(TokioExecutor::new(), io).await;
            let (sender, connection) = handshake.unwrap();
            tokio::spawn(async { drop(connection.await) });
            Self::Http2(sender)
        } else {
            let (sender, connection) = http1::handshake(io).await.unwrap();
            tokio::spawn(async { drop(connection.await) });
            Self::Http1(sender)
        }
    }

    async fn is_ready(&mut self) -> bool {
        let ready = match self {
            Self::Http1(sender) => sender.ready().await,
            Self::Http2(sender) => sender.ready().await,
        };
        ready.is_ok()
    }

    fn send(&mut self, mut request: Request<Body>, addr: SocketAddr) -> Answer {
        match self {
            Self::Http1(sender) => {
                let host = HeaderValue::try_from(addr.to_string()).unwrap();
                request.headers_mut().insert("host", host);
                Box::pin(sender.send_request(request))
            }
            Self::Http2(sender) => {
                let uri = Uri::builder().scheme("http").authority(addr.to_string());
                let uri = uri.path_and_query(request.uri().path()).build();
                *request.uri_mut() = uri.unwrap();
                *request.version_mut() = Version::HTTP_2;
                Box::pin(sender.send_request(request))
            }
        }
    }
}

// === impl Call ===

impl Call {
    /// Goes to the end that the case has.
    pub(super) async fn end(self, case: &Case) {
        match (case.client, self) {
            (Client::Reads, Self::Reading(body)) => drop(body.collect().await.unwrap()),
            (Client::ReadsTrailers, Self::Reading(body)) => {
                let read = body.collect().await.unwrap();
                assert!(read.trailers().is_some(), "{case:?}");
            }
            (Client::IsLetDown, Self::Reading(body)) => {
                assert!(body.collect().await.is_err(), "{case:?}");
            }
            (_, left) => drop(left),
        }
    }
}
