//! The client's side: one connection, and how it ends.

use std::net::SocketAddr;

use axum::body::{Body, Bytes};
use http::{HeaderValue, Request, Response, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::PATIENCE;

/// A connection.
pub(crate) struct Client {
    sender: Sender,
    connection: JoinHandle<hyper::Result<()>>,
}

enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

// === impl Client ===

impl Client {
    pub(crate) async fn connect(addr: SocketAddr, version: Version) -> Self {
        Self::try_connect(addr, version).await.unwrap()
    }

    /// `None` where nobody listens, or the connection is closed at once.
    pub(crate) async fn try_connect(addr: SocketAddr, version: Version) -> Option<Self> {
        let io = TokioIo::new(TcpStream::connect(addr).await.ok()?);
        Some(if version == Version::HTTP_2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.ok()?;
            Self {
                sender: Sender::Http2(sender),
                connection: tokio::spawn(connection),
            }
        } else {
            let (sender, connection) = http1::handshake(io).await.ok()?;
            Self {
                sender: Sender::Http1(sender),
                connection: tokio::spawn(connection),
            }
        })
    }

    /// A request's head is on its way when the future has been polled; the answer may be awaited
    /// elsewhere.
    pub(crate) fn send(
        &mut self,
        path: &str,
    ) -> impl Future<Output = hyper::Result<Response<Incoming>>> + Send + 'static {
        let mut request = Request::get(path)
            .header("host", "shop.example")
            .header("x-request-id", "order-7")
            .body(Body::empty())
            .unwrap();
        let answer: std::pin::Pin<Box<dyn Future<Output = _> + Send>> = match &mut self.sender {
            Sender::Http1(sender) => Box::pin(sender.send_request(request)),
            Sender::Http2(sender) => {
                request.headers_mut().remove("host");
                *request.uri_mut() = format!("http://shop.example{path}").parse().unwrap();
                *request.version_mut() = Version::HTTP_2;
                Box::pin(sender.send_request(request))
            }
        };
        answer
    }

    /// Waits until another request can be sent; `false` if none can.
    pub(crate) async fn is_usable(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await.is_ok(),
            Sender::Http2(sender) => sender.ready().await.is_ok(),
        }
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn fetch(&mut self, path: &str) -> Response<Bytes> {
        let answer = self.try_fetch(path);
        timeout(PATIENCE, answer).await.unwrap().unwrap()
    }

    pub(crate) async fn try_fetch(&mut self, path: &str) -> hyper::Result<Response<Bytes>> {
        let (head, body) = self.send(path).await?.into_parts();
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    }

    /// Waits until the server has closed the connection, while this side could go on.
    pub(crate) async fn closed(self) -> hyper::Result<()> {
        let Self { sender, connection } = self;
        let closed = timeout(PATIENCE, connection).await;
        drop(sender);
        closed.expect("the server closes the connection").unwrap()
    }
}

/// Whether the answer says that the connection ends with it.
pub(super) fn says_close<B>(answer: &Response<B>) -> bool {
    answer.headers().get("connection") == Some(&HeaderValue::from_static("close"))
}
