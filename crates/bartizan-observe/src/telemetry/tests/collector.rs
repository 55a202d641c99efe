//! A collector that answers as it is told, over HTTP/1.1 and gRPC on one port.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};

use bytes::{BufMut, Bytes, BytesMut};
use flate2::read::GzDecoder;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// What the collector does with requests.
#[derive(Debug, Clone, Copy)]
pub(super) enum Behaviour {
    Accept,
    /// Accepts, but for this many items (spans, records and points share the field's number).
    Reject(i64),
    /// Answers with an HTTP status, or a gRPC one.
    Refuse {
        http: u16,
        grpc: i32,
    },
    /// Over gRPC: refuses with details that are not of the form that they must have.
    Garble,
    /// Reads the request and never answers.
    Hang,
    /// Takes connections and never reads from them.
    Mute,
    /// Takes the request and breaks the connection.
    Break,
}

/// Runs until it is dropped.
pub(super) struct Collector {
    address: SocketAddr,
    received: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
}

type Shared = (Mutex<Received>, Condvar);

/// What came in.
#[derive(Debug, Default, Clone)]
pub(super) struct Received {
    pub(super) spans: Vec<opentelemetry_proto::tonic::trace::v1::Span>,
    /// The name of each span's instrumentation scope.
    pub(super) scopes: Vec<String>,
    pub(super) logs: Vec<opentelemetry_proto::tonic::logs::v1::LogRecord>,
    pub(super) metrics: Vec<opentelemetry_proto::tonic::metrics::v1::Metric>,
    pub(super) requests: Vec<(String, HeaderMap)>,
}

impl Collector {
    pub(super) fn start(behaviour: Behaviour) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Shared::default());
        let (stop, stopped) = oneshot::channel();
        let seen = Arc::clone(&received);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = accept(TcpListener::from_std(listener).unwrap(), behaviour, seen) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            received,
            stop: Some(stop),
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
        let received = self.received.0.lock().unwrap();
        drop(
            self.received
                .1
                .wait_while(received, |it| it.requests.is_empty())
                .unwrap(),
        );
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

async fn accept(listener: TcpListener, behaviour: Behaviour, received: Arc<Shared>) {
    let mut held = Vec::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        if matches!(behaviour, Behaviour::Mute) {
            held.push(stream);
            continue;
        }
        let received = Arc::clone(&received);
        let service = service_fn(move |request| answer(request, behaviour, Arc::clone(&received)));
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    behaviour: Behaviour,
    received: Arc<Shared>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, std::io::Error> {
    let (parts, body) = request.into_parts();
    let mut body = body
        .collect()
        .await
        .map_err(std::io::Error::other)?
        .to_bytes();
    let grpc = parts
        .headers
        .get("content-type")
        .is_some_and(|it| it == "application/grpc");
    let zipped = if grpc {
        let head = body.split_to(5);
        head[0] == 1
    } else {
        parts
            .headers
            .get("content-encoding")
            .is_some_and(|it| it == "gzip")
    };
    if zipped {
        let mut plain = Vec::new();
        std::io::Read::read_to_end(&mut GzDecoder::new(&*body), &mut plain)?;
        body = plain.into();
    }
    received
        .0
        .lock()
        .unwrap()
        .take(parts.uri.path(), parts.headers.clone(), body);
    received.1.notify_all();
    let (http, status, rejected) = match behaviour {
        Behaviour::Hang => pending().await,
        Behaviour::Break => return Err(std::io::Error::other("broken on purpose")),
        Behaviour::Refuse { http, grpc } => (http, grpc, 0),
        Behaviour::Reject(count) => (200, 0, count),
        Behaviour::Garble => return Ok(garbled_answer()),
        Behaviour::Accept | Behaviour::Mute => (200, 0, 0),
    };
    // The three answers have the same shape, so one type does for all.
    let partial_success = (rejected != 0).then(|| ExportTracePartialSuccess {
        rejected_spans: rejected,
        error_message: "rejected on purpose".to_owned(),
    });
    let message = ExportTraceServiceResponse { partial_success }.encode_to_vec();
    Ok(if grpc {
        grpc_answer(status, &message)
    } else {
        http_answer(http, message)
    })
}

fn http_answer(status: u16, message: Vec<u8>) -> Response<BoxBody<Bytes, Infallible>> {
    Response::builder()
        .status(status)
        .body(Full::from(message).boxed())
        .unwrap()
}

fn garbled_answer() -> Response<BoxBody<Bytes, Infallible>> {
    Response::builder()
        .header("content-type", "application/grpc")
        .header("grpc-status", "14")
        .header("grpc-status-details-bin", "not base64!")
        .body(Full::default().boxed())
        .unwrap()
}

fn grpc_answer(status: i32, message: &[u8]) -> Response<BoxBody<Bytes, Infallible>> {
    let response = Response::builder().header("content-type", "application/grpc");
    let status = HeaderValue::from(status);
    if status != "0" {
        return response
            .header("grpc-status", status)
            .body(Full::default().boxed())
            .unwrap();
    }
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap());
    framed.put_slice(message);
    let trailers = HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), status)]);
    let body = Full::new(framed.freeze()).with_trailers(async move { Some(Ok(trailers)) });
    response.body(body.boxed()).unwrap()
}

impl Received {
    fn take(&mut self, path: &str, headers: HeaderMap, body: Bytes) {
        if path.contains("trace") {
            let request = ExportTraceServiceRequest::decode(body).unwrap();
            let scopes = request
                .resource_spans
                .into_iter()
                .flat_map(|it| it.scope_spans);
            for it in scopes {
                let name = it.scope.map(|scope| scope.name).unwrap_or_default();
                self.scopes.extend(it.spans.iter().map(|_| name.clone()));
                self.spans.extend(it.spans);
            }
        } else if path.contains("logs") {
            let request = ExportLogsServiceRequest::decode(body).unwrap();
            let scopes = request
                .resource_logs
                .into_iter()
                .flat_map(|it| it.scope_logs);
            self.logs.extend(scopes.flat_map(|it| it.log_records));
        } else {
            let request = ExportMetricsServiceRequest::decode(body).unwrap();
            let scopes = request
                .resource_metrics
                .into_iter()
                .flat_map(|it| it.scope_metrics);
            self.metrics.extend(scopes.flat_map(|it| it.metrics));
        }
        self.requests.push((path.to_owned(), headers));
    }
}
