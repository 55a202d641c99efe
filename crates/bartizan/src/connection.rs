//! What the server knows of a connection, handed to each of its requests.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::serve::IncomingStream;
use bartizan_observe::PeerAddr;
use bartizan_observe::request::OnClose;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service;

/// A TCP listener for `axum::serve` whose connections tell when they close.
///
/// That is how the length of a WebSocket is known: after an upgrade nothing but the socket's end
/// marks the end of the stream. Sets `TCP_NODELAY`, since responses are written whole.
#[derive(Debug)]
pub struct Listener(TcpListener);

/// A socket that tells when it is dropped.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    on_close: OnClose,
}

/// Makes a service per connection that puts [`PeerAddr`], [`ConnectInfo`] and [`OnClose`] on each
/// request; made by [`into_make_service`].
#[derive(Debug, Clone)]
pub struct IntoMakeService(Router);

/// The service of one connection.
#[derive(Debug, Clone)]
pub struct PerConnection {
    router: Router,
    peer: SocketAddr,
    on_close: OnClose,
}

/// For `axum::serve` with a [`Listener`].
///
/// ```no_run
/// # async fn run(app: axum::Router) -> std::io::Result<()> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// axum::serve(bartizan::Listener::new(listener), bartizan::into_make_service(app)).await
/// # }
/// ```
#[must_use]
pub const fn into_make_service(app: Router) -> IntoMakeService {
    IntoMakeService(app)
}

// === impl Listener ===

impl Listener {
    /// Wraps a bound listener.
    #[must_use]
    pub const fn new(listener: TcpListener) -> Self {
        Self(listener)
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // axum's own listener sleeps through errors such as running out of file descriptors.
        let (stream, addr) = axum::serve::Listener::accept(&mut self.0).await;
        (Connection::new(stream), addr)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

// === impl Connection ===

impl Connection {
    /// Sets `TCP_NODELAY`, too.
    pub(crate) fn new(stream: TcpStream) -> Self {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        Self {
            stream,
            on_close: OnClose::new(),
        }
    }

    pub(crate) const fn on_close(&self) -> &OnClose {
        &self.on_close
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.on_close.closed();
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

// === impl IntoMakeService ===

impl Service<IncomingStream<'_, Listener>> for IntoMakeService {
    type Response = PerConnection;
    type Error = Infallible;
    type Future = Ready<Result<PerConnection, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, stream: IncomingStream<'_, Listener>) -> Self::Future {
        let on_close = stream.io().on_close.clone();
        ready(Ok(PerConnection::new(
            self.0.clone(),
            *stream.remote_addr(),
            on_close,
        )))
    }
}

// === impl PerConnection ===

impl PerConnection {
    pub(crate) const fn new(router: Router, peer: SocketAddr, on_close: OnClose) -> Self {
        Self {
            router,
            peer,
            on_close,
        }
    }
}

impl Service<Request> for PerConnection {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = <Router as Service<Request>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        <Router as Service<Request>>::poll_ready(&mut self.router, cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let extensions = request.extensions_mut();
        extensions.insert(PeerAddr(self.peer));
        extensions.insert(ConnectInfo(self.peer));
        extensions.insert(self.on_close.clone());
        self.router.call(request)
    }
}
