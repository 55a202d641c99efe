//! The accept loop both listeners run: bounded, and the owner of every task under it.
//!
//! `axum::serve` spawns connections that nobody can end or wait for, and a graceful stop of it
//! waits for a stalled peer for ever. Here all tasks live in two sets that end with the loop.

use std::{
    future::Future,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use super::{BindError, MAX_CONNECTIONS, STOP_GRACE};

/// How long to wait when the system has no file handle left; accepting again at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound listener that does not serve yet.
pub(super) struct Bound {
    listener: TcpListener,
    addr: SocketAddr,
}

/// A serving listener.
#[derive(Debug)]
pub(super) struct Server {
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    task: Task,
}

/// Ends with its owner.
#[derive(Debug)]
struct Task(JoinHandle<()>);

/// Spawns what hyper spawns (HTTP/2 streams) into a set that ends with the server.
#[derive(Debug, Clone, Default)]
struct Streams(Arc<Mutex<JoinSet<()>>>);

// === impl Bound ===

impl Bound {
    pub(super) async fn new(name: &'static str, addr: SocketAddr) -> Result<Self, BindError> {
        let error = |source| BindError {
            listener: name,
            addr,
            source,
        };
        let listener = TcpListener::bind(addr).await.map_err(error)?;
        let addr = listener.local_addr().map_err(error)?;
        Ok(Self { listener, addr })
    }

    pub(super) fn serve(self, router: Router) -> Server {
        let (stop, stopped) = watch::channel(false);
        let task = Task(tokio::spawn(run(self.listener, router, stopped)));
        Server {
            addr: self.addr,
            stop,
            task,
        }
    }
}

// === impl Server ===

impl Server {
    pub(super) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(super) async fn stop(mut self) {
        self.stop.send_replace(true);
        // An error is a panic in the loop, which has ended it too.
        let _ended = (&mut self.task.0).await;
    }
}

// === impl Task ===

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

// === impl Streams ===

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let mut set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while set.try_join_next().is_some() {}
        set.spawn(stream);
    }
}

async fn run(listener: TcpListener, router: Router, stop: watch::Receiver<bool>) {
    let mut stopped = stop.clone();
    let mut connections = JoinSet::new();
    let streams = Streams::default();
    loop {
        tokio::select! {
            biased;
            () = stopping(&mut stopped) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, router.clone(), streams.clone(), stop.clone()));
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    let _late = timeout(STOP_GRACE, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
    connections.shutdown().await;
    let mut left = std::mem::take(&mut *streams.0.lock().unwrap_or_else(PoisonError::into_inner));
    left.shutdown().await;
}

async fn serve(
    stream: TcpStream,
    router: Router,
    streams: Streams,
    mut stop: watch::Receiver<bool>,
) {
    // Without it small answers may wait for a timer; a socket that cannot do it works all the same.
    let _delayed = stream.set_nodelay(true);
    let mut builder = auto::Builder::new(streams);
    // An idle exporter is not hung up on: it may be about to send, and would not learn whether its
    // batch arrived. The number of connections bounds what idle ones cost.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None);
    builder.http2().timer(TokioTimer::new());
    let service = TowerToHyperService::new(router);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // How a peer's connection ends is no news to anybody: what was received has been delivered.
    tokio::select! {
        _ = &mut connection => return,
        () = stopping(&mut stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ended = connection.await;
}

/// Returns when the server is told to stop, or dropped.
async fn stopping(stop: &mut watch::Receiver<bool>) {
    let _told = stop.wait_for(|stop| *stop).await;
}
