//! What has not finished when the time is up.

use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::routing::get;
use bartizan::{EXIT_CUT_OFF, ExitPolicy, MAX_NAMED, Phase};
use futures_util::{StreamExt, stream};
use http::{Response, StatusCode, Version};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tracing_subscriber::fmt::MakeWriter;

use super::replica::{outcomes, within};
use super::{Client, Gate, Replica};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_at_the_deadline_is_cancelled_named_and_exported_before_the_end() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let gate = Gate::new();
        let replica = Replica::start_with(gate.router(), |server| {
            server.with_drain_deadline(Duration::ZERO)
        })
        .await;
        let mut client = Client::connect(replica.addr, version).await;
        let answer = tokio::spawn(client.send("/wait?token=secret"));
        gate.entered().await;
        let (report, sink) = replica.stop(Phase::Draining).await.ended().await;

        within(answer).await.unwrap().unwrap_err();
        assert_eq!((report.served(), report.cut_off.total), (0, 1), "{report}");
        let [named] = &report.cut_off.named[..] else {
            panic!("one is named: {report:?}")
        };
        assert_eq!(
            (named.method.as_str(), named.path.as_str()),
            ("GET", "/wait")
        );
        assert_eq!(named.request_id.as_deref(), Some("order-7"));
        assert_eq!((named.peer.ip().is_loopback(), named.status), (true, None));
        assert_eq!(report.exit_code(ExitPolicy::default()), EXIT_CUT_OFF);
        assert!(report.lasted(Phase::Cancelling).is_some());
        // Nothing is flushed after this.
        let telemetry = &report.telemetry;
        assert_eq!((telemetry.spans.ended, telemetry.spans.exported), (1, 1));
        assert_eq!(telemetry.spans.lost() + telemetry.logs.lost(), 0);
        let [span] = &sink.spans()[..] else {
            panic!("one span: {:#?}", sink.spans())
        };
        assert_eq!(span.attributes["error.type"].as_str(), Some("cancelled"));
        assert_eq!(outcomes(&sink.logs()), ["cancelled"]);
    }
}

#[tokio::test]
async fn an_answer_under_way_is_named_with_its_status() {
    async fn endless() -> Body {
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"part"))]);
        Body::from_stream(first.chain(stream::pending()))
    }

    for version in [Version::HTTP_11, Version::HTTP_2] {
        let app = Router::new().route("/export", get(endless));
        let replica =
            Replica::start_with(app, |server| server.with_drain_deadline(Duration::ZERO)).await;
        let mut client = Client::connect(replica.addr, version).await;
        let mut body = client.send("/export").await.unwrap().into_body();
        within(body.frame()).await.unwrap().unwrap();
        let (report, sink) = replica.stop(Phase::Draining).await.ended().await;

        within(body.collect()).await.unwrap_err();
        assert_eq!(report.cut_off.named[0].status, Some(StatusCode::OK));
        assert_eq!(outcomes(&sink.logs()), ["body_dropped"]);
        assert_eq!(report.telemetry.logs.lost(), 0, "{report}");
    }
}

#[tokio::test]
async fn a_second_stop_ends_at_once() {
    let gate = Gate::new();
    let replica = Replica::start(gate.router()).await;
    let mut client = Client::connect(replica.addr, Version::HTTP_11).await;
    let answer = tokio::spawn(client.send("/wait"));
    gate.entered().await;
    let (report, _) = replica.stop(Phase::Draining).await.end().await;

    within(answer).await.unwrap().unwrap_err();
    assert!(report.at_once);
    assert_eq!(report.cut_off.total, 1);
    assert_eq!(report.exit_code(ExitPolicy::default()), EXIT_CUT_OFF);
    assert!(report.to_string().contains("ended at once"), "{report}");
}

#[tokio::test]
async fn an_end_needs_no_stop_before_it() {
    let gate = Gate::new();
    let replica = Replica::start(gate.router()).await;
    let mut client = Client::connect(replica.addr, Version::HTTP_2).await;
    // More than are named; the first ones are the oldest.
    let mut answers = Vec::new();
    for number in 0..MAX_NAMED + 5 {
        answers.push(tokio::spawn(client.send(&format!("/wait?{number}"))));
        gate.entered().await;
    }
    let report = replica.end().await;

    assert!(report.at_once);
    let cut_off = &report.cut_off;
    assert_eq!(cut_off.total, MAX_NAMED as u64 + 5, "{report}");
    assert_eq!(cut_off.named.len(), MAX_NAMED);
    assert!(cut_off.named.is_sorted_by(|one, next| one.age >= next.age));
    assert_eq!(report.lasted(Phase::Draining), None, "{report}");
    for answer in answers {
        within(answer).await.unwrap().unwrap_err();
    }
}

#[tokio::test]
async fn an_upgraded_connection_does_not_block_the_end() {
    let (closed, was_closed) = oneshot::channel();
    let closed = Arc::new(Mutex::new(Some(closed)));
    let echo = move |request: Request| async move {
        let upgrade = hyper::upgrade::on(request);
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgrade.await.unwrap());
            let ended = io.read(&mut [0]).await;
            let closed = closed.lock().unwrap().take().unwrap();
            closed.send(ended.map_err(|error| error.kind())).unwrap();
        });
        Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header("connection", "upgrade")
            .header("upgrade", "echo")
            .body(Body::empty())
            .unwrap()
    };

    let app = Router::new().route("/echo", get(echo));
    let replica =
        Replica::start_with(app, |server| server.with_drain_deadline(Duration::ZERO)).await;
    let mut socket = TcpStream::connect(replica.addr).await.unwrap();
    let request =
        "GET /echo HTTP/1.1\r\nhost: shop\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let (report, sink) = replica.stop(Phase::Draining).await.ended().await;

    // The service's task is told, and the peer.
    let ended = within(was_closed).await.unwrap();
    assert_eq!(ended, Err(io::ErrorKind::ConnectionAborted));
    assert_eq!(within(socket.read(&mut [0])).await.unwrap_or(0), 0);
    assert_eq!((report.cut_off.total, report.connections_cut), (0, 1));
    assert_eq!(report.exit_code(ExitPolicy::default()), 0);
    // The request's line and the stream's, both before the flush.
    assert_eq!(sink.logs().len(), 2, "{:#?}", sink.logs());
    assert_eq!(report.telemetry.logs.lost(), 0, "{report}");
}

#[tokio::test]
async fn a_handler_that_waits_for_the_drain_ends_its_upgraded_connection_itself() {
    let lifecycle = bartizan::Lifecycle::new();
    let in_handler = lifecycle.clone();
    let chat = move |request: Request| async move {
        let upgrade = hyper::upgrade::on(request);
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgrade.await.unwrap());
            in_handler.reached(Phase::Draining).await;
            io.write_all(b"bye").await.unwrap();
        });
        (
            StatusCode::SWITCHING_PROTOCOLS,
            [("connection", "upgrade"), ("upgrade", "chat")],
        )
    };

    let app = Router::new().route("/chat", get(chat));
    let replica = Replica::start_with(app, |server| server.with_lifecycle(&lifecycle)).await;
    let mut socket = TcpStream::connect(replica.addr).await.unwrap();
    let request =
        "GET /chat HTTP/1.1\r\nhost: shop\r\nconnection: upgrade\r\nupgrade: chat\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    within(socket.readable()).await.unwrap();
    let (report, _) = replica.stop(Phase::Draining).await.ended().await;
    let mut read = String::new();
    within(socket.read_to_string(&mut read)).await.unwrap();
    assert!(read.ends_with("\r\n\r\nbye"), "{read}");
    assert_eq!(report.connections_cut, 0, "{report}");
}

/// Lines of this thread, which is the runtime's only one.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn each_phase_and_each_request_that_is_cut_off_has_a_line() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(lines.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let gate = Gate::new();
    let replica = Replica::start(gate.router()).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = Client::connect(replica.addr, Version::HTTP_11).await;
        let answer = tokio::spawn(client.send("/wait"));
        gate.entered().await;
        clients.push((client, answer));
    }
    replica.stop(Phase::Draining).await.end().await;
    drop(guard);

    let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let count = |text: &str| lines.lines().filter(|line| line.contains(text)).count();
    for phase in ["ready", "draining", "cancelling", "flushing", "stopped"] {
        assert_eq!(count(&format!("server phase phase={phase}")), 1, "{lines}");
    }
    assert_eq!(count("WARN"), 3, "{lines}");
    assert_eq!(
        count("request cut off method=GET path=\"/wait\""),
        3,
        "{lines}"
    );
}
