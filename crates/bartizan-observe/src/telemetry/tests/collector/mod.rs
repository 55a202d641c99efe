//! A collector that answers as it is told, over HTTP/1.1 and gRPC on one port.

mod answer;
mod behaviour;
mod received;

use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{Request, Response};
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio_rustls::TlsAcceptor;

pub(super) use self::behaviour::Behaviour;
pub(super) use self::received::Received;

/// Runs until it is dropped; then all of its connections are closed.
pub(super) struct Collector {
    address: SocketAddr,
    /// Beside the listener and not listening, so that nobody else gets the port in between.
    port: Option<TcpSocket>,
    received: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

type Shared = (Mutex<Received>, Condvar);

/// The server's end of a connection, beside the one that serves it.
#[derive(Debug)]
struct Line {
    stream: TcpStream,
    cut: Notify,
}

// === impl Collector ===

impl Collector {
    pub(super) fn start(behaviour: Behaviour) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), behaviour)
    }

    pub(super) fn start_at(addr: SocketAddr, behaviour: Behaviour) -> Self {
        Self::serve(addr, behaviour, None)
    }

    /// Accepts everything, over TLS.
    pub(super) fn start_tls(config: rustls::ServerConfig) -> Self {
        let tls = TlsAcceptor::from(Arc::new(config));
        Self::serve(([127, 0, 0, 1], 0).into(), Behaviour::Accept, Some(tls))
    }

    fn serve(addr: SocketAddr, behaviour: Behaviour, tls: Option<TlsAcceptor>) -> Self {
        let port = TcpSocket::new_v4().unwrap();
        port.set_reuseaddr(true).unwrap();
        port.bind(addr).unwrap();
        let address = port.local_addr().unwrap();
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let received = Arc::new(Shared::default());
        let (stop, stopped) = oneshot::channel();
        let seen = Arc::clone(&received);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = accept(TcpListener::from_std(listener).unwrap(), behaviour, tls, seen) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            port: Some(port),
            received,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(super) const fn addr(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn received(&self) -> Received {
        self.received.0.lock().unwrap().clone()
    }

    /// Waits until a request has come in.
    pub(super) fn wait_for_request(&self) {
        self.wait_for_requests(1);
    }

    /// Waits until so many requests have come in.
    pub(super) fn wait_for_requests(&self, count: usize) {
        let received = self.received.0.lock().unwrap();
        drop(
            self.received
                .1
                .wait_while(received, |it| it.requests.len() < count)
                .unwrap(),
        );
    }

    /// Goes away, and says what had come in by then.
    pub(super) fn stop(mut self) -> Received {
        self.end();
        self.received()
    }

    /// [`Self::stop`]; nobody else has its port as long as the second result lives.
    pub(super) fn leave(mut self) -> (Received, TcpSocket) {
        let port = self.port.take().expect("it is taken here alone");
        (self.stop(), port)
    }

    fn end(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.end();
    }
}

async fn accept(
    listener: TcpListener,
    behaviour: Behaviour,
    tls: Option<TlsAcceptor>,
    received: Arc<Shared>,
) {
    let mut held = Vec::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        if matches!(behaviour, Behaviour::Mute) {
            held.push(stream);
            continue;
        }
        // Small frames that wait for one another's acknowledgements would be a slow collector.
        stream.set_nodelay(true).unwrap();
        let (stream, line) = Line::beside(stream);
        tokio::spawn(serve(
            stream,
            line,
            behaviour.clone(),
            tls.clone(),
            Arc::clone(&received),
        ));
    }
}

/// Serves one connection, until it is cut.
async fn serve(
    stream: TcpStream,
    line: Arc<Line>,
    behaviour: Behaviour,
    tls: Option<TlsAcceptor>,
    received: Arc<Shared>,
) {
    let service = {
        let line = Arc::clone(&line);
        service_fn(move |request| {
            let (line, received) = (Arc::clone(&line), Arc::clone(&received));
            answer(request, behaviour.clone(), line, received)
        })
    };
    let serving = async {
        let server = auto::Builder::new(TokioExecutor::new());
        // Clients come and go as they please.
        let _ended = match tls {
            Some(tls) => match tls.accept(stream).await {
                Ok(stream) => server.serve_connection(TokioIo::new(stream), service).await,
                Err(_) => return,
            },
            None => server.serve_connection(TokioIo::new(stream), service).await,
        };
    };
    tokio::select! {
        () = serving => {}
        () = line.cut.notified() => line.stream.set_zero_linger().unwrap(),
    }
}

async fn answer(
    request: Request<Incoming>,
    behaviour: Behaviour,
    line: Arc<Line>,
    received: Arc<Shared>,
) -> Result<Response<BoxBody<Bytes, std::io::Error>>, std::io::Error> {
    let before = received.0.lock().unwrap().requests.len();
    let behaviour = behaviour.with(before);
    let (parts, body) = request.into_parts();
    let grpc = answer::is_grpc(&parts.headers);
    if matches!(behaviour, Behaviour::ResetUnread) {
        received.0.lock().unwrap().note(&parts);
        received.1.notify_all();
        return line.reset().await;
    }
    let mut body = body
        .collect()
        .await
        .map_err(std::io::Error::other)?
        .to_bytes();
    if answer::is_zipped(grpc, &parts.headers, &mut body) {
        let mut plain = Vec::new();
        std::io::Read::read_to_end(&mut GzDecoder::new(&*body), &mut plain)?;
        body = plain.into();
    }
    {
        let mut received = received.0.lock().unwrap();
        received.note(&parts);
        if behaviour.keeps() {
            received.take(parts.uri.path(), body, answer::rejected(&behaviour));
        }
    }
    received.1.notify_all();
    match behaviour {
        Behaviour::Hang | Behaviour::Mute => pending().await,
        Behaviour::Break => Err(std::io::Error::other("broken on purpose")),
        Behaviour::Reset | Behaviour::ResetUnread => line.reset().await,
        Behaviour::Babble => {
            let _some = line.stream.try_write(b"220 mail.example.com ESMTP\r\n");
            line.reset().await
        }
        Behaviour::Late(delay) => {
            let _elapsed = tokio::time::timeout(delay, pending::<()>()).await;
            Ok(answer::to(&Behaviour::Accept, grpc))
        }
        other => Ok(answer::to(&other, grpc)),
    }
}

// === impl Line ===

impl Line {
    /// Gives the stream back, and another handle to the same connection.
    fn beside(stream: TcpStream) -> (TcpStream, Arc<Self>) {
        let stream = stream.into_std().unwrap();
        let other = TcpStream::from_std(stream.try_clone().unwrap()).unwrap();
        let line = Self {
            stream: other,
            cut: Notify::new(),
        };
        (TcpStream::from_std(stream).unwrap(), Arc::new(line))
    }

    /// Ends the connection by a reset, and whoever serves it.
    async fn reset<T>(&self) -> T {
        self.cut.notify_one();
        pending().await
    }
}
