//! The server's side: one that runs, and handlers that wait to be let go.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bartizan::telemetry::{OtlpConfig, OtlpProtocol};
use bartizan::{AccessLog, Lifecycle, Phase, ServeReport, Server, Telemetry};
use bartizan_testkit::{LogView, OtlpSink};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::PATIENCE;

/// For limits that are not to be reached.
pub(crate) const NEVER: Duration = Duration::from_secs(3600);

/// A server that runs, with telemetry of its own.
pub(crate) struct Replica {
    pub(crate) addr: SocketAddr,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) sink: OtlpSink,
    stop: oneshot::Sender<()>,
    end: oneshot::Sender<()>,
    server: JoinHandle<io::Result<ServeReport>>,
}

/// Where handlers wait.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Doors>);

struct Doors {
    entered: Semaphore,
    open: Semaphore,
}

// === impl Replica ===

impl Replica {
    /// No grace, and no deadline that comes.
    pub(crate) async fn start(app: Router) -> Self {
        Self::start_with(app, |server| server).await
    }

    pub(crate) async fn start_with(app: Router, with: impl FnOnce(Server) -> Server) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let serving = Self::prepare(app, |server| {
            with(server.with_drain_deadline(NEVER).with_grace(Duration::ZERO))
                .with_stop(asked(stopped))
                .with_end(asked(ended))
        });
        let (sink, lifecycle, addr, server) = serving.await;
        Self {
            addr,
            lifecycle,
            sink,
            stop,
            end,
            server: tokio::spawn(server),
        }
    }

    /// A server that is yet to run.
    pub(crate) async fn prepare(
        app: Router,
        with: impl FnOnce(Server) -> Server,
    ) -> (
        OtlpSink,
        Lifecycle,
        SocketAddr,
        impl Future<Output = io::Result<ServeReport>> + Send + 'static,
    ) {
        let sink = OtlpSink::start().await.unwrap();
        let otlp = OtlpConfig::new(&sink.endpoint_http(), OtlpProtocol::HttpProtobuf).unwrap();
        let telemetry = Telemetry::builder()
            .with_service_name("shop")
            .with_otlp(otlp)
            .with_access_log(AccessLog::builder().with_sink(io::sink()))
            .build()
            .unwrap();
        let stack = bartizan::stack().with_telemetry(&telemetry).build();
        let server = with(Server::new(app.layer(stack.unwrap()), telemetry));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        (sink, server.lifecycle(), addr, server.serve(listener))
    }

    /// Asks it to stop, and waits until it is in that phase or beyond.
    pub(crate) async fn stop(self, phase: Phase) -> Stopping {
        self.stop.send(()).unwrap();
        within(self.lifecycle.reached(phase)).await;
        Stopping {
            addr: self.addr,
            lifecycle: self.lifecycle,
            sink: self.sink,
            end: self.end,
            server: self.server,
        }
    }

    /// Ends it without having asked it to stop.
    pub(crate) async fn end(self) -> ServeReport {
        self.end.send(()).unwrap();
        within(self.server).await.unwrap().unwrap()
    }

    /// Drops it in the middle of its work.
    pub(crate) async fn drop_it(self) -> Lifecycle {
        self.server.abort();
        assert!(within(self.server).await.unwrap_err().is_cancelled());
        self.lifecycle
    }
}

/// A server that was asked to stop.
pub(crate) struct Stopping {
    pub(crate) addr: SocketAddr,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) sink: OtlpSink,
    end: oneshot::Sender<()>,
    server: JoinHandle<io::Result<ServeReport>>,
}

// === impl Stopping ===

impl Stopping {
    /// Asks a second time.
    pub(crate) async fn end(self) -> (ServeReport, OtlpSink) {
        self.end.send(()).unwrap();
        (within(self.server).await.unwrap().unwrap(), self.sink)
    }

    /// Waits for its own end.
    pub(crate) async fn ended(self) -> (ServeReport, OtlpSink) {
        let report = within(self.server).await.unwrap().unwrap();
        // Only now: it is what would end it.
        drop(self.end);
        (report, self.sink)
    }
}

// === impl Gate ===

impl Gate {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Doors {
            entered: Semaphore::new(0),
            open: Semaphore::new(0),
        }))
    }

    /// Answers at `/wait` once the gate is open.
    pub(crate) fn router(&self) -> Router {
        let gate = self.clone();
        let wait = move || {
            let gate = gate.clone();
            async move {
                gate.pass().await;
                "done"
            }
        };
        Router::new()
            .route("/wait", get(wait))
            .route("/", get(|| async { "hello" }))
    }

    /// Waits until it is opened once for everyone.
    pub(crate) async fn pass(&self) {
        self.0.entered.add_permits(1);
        drop(self.0.open.acquire().await);
    }

    /// Waits until one more waits at the gate.
    pub(crate) async fn entered(&self) {
        within(self.0.entered.acquire()).await.unwrap().forget();
    }

    pub(crate) fn open(&self) {
        self.0.open.add_permits(1);
    }
}

/// What is awaited in tests comes at some time.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future)
        .await
        .expect("it comes to its end")
}

/// The value of an attribute of the access lines, as a receiver got them.
pub(crate) fn outcomes(logs: &[LogView]) -> Vec<String> {
    let outcome = |log: &LogView| {
        let value = log.attributes.get("bartizan.outcome")?;
        Some(value.as_str()?.to_owned())
    };
    logs.iter().filter_map(outcome).collect()
}

/// Never completes when the other side is only dropped.
async fn asked(asked: oneshot::Receiver<()>) {
    if asked.await.is_err() {
        std::future::pending::<()>().await;
    }
}
