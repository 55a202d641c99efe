use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bartizan_task::{RequestId, Task};
use http::StatusCode;
use http::uri::PathAndQuery;
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::{AnyValue, LoggerProvider, Severity};
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord, SdkLoggerProvider};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::queue::RecordLine;
use super::*;
use crate::Outcome;
use crate::log_format::timestamp::Timestamps;

/// Longer than any test machine takes; waited out only by a test that fails.
const LONG: Duration = Duration::from_secs(60);

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Says what it was given, and goes on when it is told to.
struct Gate {
    came: Sender<Vec<u8>>,
    go: Receiver<()>,
}

impl Gate {
    fn new() -> (Self, Receiver<Vec<u8>>, Sender<()>) {
        let (came, has_come) = channel();
        let (let_go, go) = channel();
        (Self { came, go }, has_come, let_go)
    }
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.came.send(bytes.to_vec());
        let _ = self.go.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn moment() -> SystemTime {
    // 2026-01-02T03:04:05.678901Z
    SystemTime::UNIX_EPOCH + Duration::from_micros(1_767_323_045_678_901)
}

fn bare() -> AccessRecord {
    let task = Task::root("request", None).id();
    AccessRecord::new(
        moment(),
        Duration::from_micros(1234),
        "GET",
        task,
        Outcome::Completed,
    )
}

fn full() -> AccessRecord {
    AccessRecord {
        level: Level::Warn,
        route: Some("/orders/{id}".into()),
        path: Some(PathAndQuery::from_static("/orders/7?token=secret")),
        status: Some(StatusCode::OK),
        to_headers: Some(Duration::from_micros(999)),
        request_bytes: Some(12),
        response_bytes: 345,
        trace_id: TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c),
        span_id: SpanId::from(0xb7ad_6b71_6920_3331),
        sampled: true,
        request_id: Some(RequestId::try_from_bytes(b"req-1").unwrap()),
        peer: Some("[::ffff:192.0.2.1]:4711".parse().unwrap()),
        slow: true,
        baggage: vec![("tenant".into(), "a b".into())],
        ..bare()
    }
}

fn line(format: LogFormat, record: &AccessRecord) -> String {
    let mut out = Vec::new();
    line::push(
        &mut out,
        &mut Timestamps::new(),
        format,
        RecordLine::of(record),
    );
    String::from_utf8(out).unwrap()
}

fn captured(format: LogFormat) -> (AccessLog, Captured) {
    let sink = Captured::default();
    let log = AccessLog::builder()
        .with_format(format)
        .with_sink(sink.clone())
        .build()
        .unwrap();
    (log, sink)
}

#[test]
fn a_json_line_has_every_field_in_its_type() {
    let record = full();
    let written = line(LogFormat::Json, &record);
    assert_eq!(
        serde_json::from_str::<Value>(&written).unwrap(),
        json!({
            "timestamp": "2026-01-02T03:04:05.678901Z",
            "level": "WARN",
            "message": "request",
            "method": "GET",
            "route": "/orders/{id}",
            "path": "/orders/7",
            "status": 200,
            "headers_ms": 0.999,
            "duration_ms": 1.234,
            "request_bytes": 12,
            "response_bytes": 345,
            "trace_id": "0af7651916cd43dd8448eb211c80319c",
            "span_id": "b7ad6b7169203331",
            "sampled": true,
            "request_id": "req-1",
            "task_id": record.task_id.get(),
            "peer": "192.0.2.1:4711",
            "outcome": "completed",
            "slow": true,
            "baggage": {"tenant": "a b"},
        })
    );
}

#[test]
fn what_is_absent_is_left_out_of_a_json_line() {
    let record = bare();
    let task = record.task_id;
    assert_eq!(
        line(LogFormat::Json, &record),
        format!(
            "{{\"timestamp\":\"2026-01-02T03:04:05.678901Z\",\"level\":\"INFO\",\
             \"message\":\"request\",\"method\":\"GET\",\"duration_ms\":1.234,\
             \"response_bytes\":0,\"task_id\":{task},\"outcome\":\"completed\"}}\n"
        )
    );
}

#[test]
fn a_human_line_is_compact() {
    let record = full();
    let task = record.task_id;
    assert_eq!(
        line(LogFormat::Human, &record),
        format!(
            "2026-01-02T03:04:05.678Z  WARN GET /orders/{{id}} (/orders/7) 200 1.234ms \
             headers=0.999ms in=12 out=345 trace=0af7651916cd43dd8448eb211c80319c span=b7ad6b7169203331 req=req-1 task={task} \
             peer=192.0.2.1:4711 baggage.tenant=\"a b\" completed slow\n"
        )
    );
    let record = AccessRecord {
        kind: LineKind::Stream,
        ..bare()
    };
    let task = record.task_id;
    assert_eq!(
        line(LogFormat::Human, &record),
        format!(
            "2026-01-02T03:04:05.678Z  INFO stream closed GET - - 1.234ms task={task} completed\n"
        )
    );
}

#[test]
fn colour_is_only_where_it_was_asked_for() {
    assert!(!line(LogFormat::Human, &full()).contains('\u{1b}'));
    assert!(line(LogFormat::HumanColour, &full()).contains(" \u{1b}[33m WARN\u{1b}[0m "));
}

proptest! {
    #[test]
    fn whatever_a_client_sends_is_one_whole_line(
        method in any::<String>(),
        path in "/\\PC*",
        route in proptest::option::of(any::<String>()),
        request_id in proptest::collection::vec(any::<u8>(), 0..140),
        key in any::<String>(),
        value in any::<String>(),
    ) {
        let mut record = full();
        record.method = method.clone().into();
        record.path = path.parse().ok();
        record.route = route.clone().map(Into::into);
        record.request_id = RequestId::try_from_bytes(&request_id).ok();
        record.baggage = vec![(key.clone().into(), value.clone().into())];

        let written = line(LogFormat::Json, &record);
        prop_assert_eq!(written.lines().count(), 1);
        let parsed: Value = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(&parsed["method"], &json!(method));
        prop_assert_eq!(&parsed["route"], &json!(route));
        prop_assert_eq!(&parsed["path"], &json!(record.path.as_ref().map(|path| path.path())));
        prop_assert_eq!(&parsed["request_id"], &json!(record.request_id.as_deref()));
        prop_assert_eq!(&parsed["baggage"][key], &json!(value));

        let written = line(LogFormat::Human, &record);
        prop_assert!(written.ends_with('\n'));
        prop_assert!(!written.trim_end_matches('\n').contains(char::is_control), "{written:?}");
    }
}

#[test]
fn records_and_ready_lines_keep_their_order() {
    let (log, sink) = captured(LogFormat::Json);
    let lines = log.line_writer();
    let mut expected = String::new();
    for n in 0..300 {
        let mut record = full();
        record.method = if n % 3 == 0 {
            "GET".into()
        } else {
            format!("X{n}").into()
        };
        expected.push_str(&line(LogFormat::Json, &record));
        log.record(record);
        lines.push(format!("line {n}").as_bytes());
        expected.push_str(&format!("line {n}\n"));
    }
    assert!(log.flush(LONG));
    assert_eq!(sink.text(), expected);
    assert_eq!(
        log.stats(),
        AccessLogStats {
            written: 600,
            ..AccessLogStats::default()
        }
    );
}

#[test]
fn what_a_full_queue_cannot_take_is_counted() {
    let (gate, has_come, let_go) = Gate::new();
    let log = AccessLog::builder()
        .with_capacity(NonZeroUsize::new(4).unwrap())
        .with_sink(gate)
        .build()
        .unwrap();
    log.record(bare());
    // From here on the writer is stuck, with its line no longer in the queue.
    has_come.recv().unwrap();
    for _ in 0..7 {
        log.record(bare());
    }
    assert_eq!(
        log.stats(),
        AccessLogStats {
            dropped: 3,
            ..AccessLogStats::default()
        }
    );
    assert!(!log.flush(Duration::ZERO), "nothing can be written");
    drop(let_go);
    assert!(log.flush(LONG));
    assert_eq!(
        log.stats(),
        AccessLogStats {
            written: 5,
            dropped: 3,
            write_errors: 0
        }
    );
}

#[test]
fn every_line_of_many_threads_is_written_or_counted() {
    let sink = Captured::default();
    let log = AccessLog::builder()
        .with_capacity(NonZeroUsize::new(64).unwrap())
        .with_sink(sink.clone())
        .build()
        .unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..2000 {
                    log.record(full());
                    if n % 100 == 0 {
                        assert!(log.flush(LONG));
                    }
                }
            });
        }
    });
    assert!(log.flush(LONG));
    let stats = log.stats();
    assert_eq!(stats.written + stats.dropped, 8000);
    let text = sink.text();
    assert_eq!(text.lines().count() as u64, stats.written);
    assert!(
        text.lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
}

#[test]
fn long_texts_are_bounded_in_bytes() {
    let (gate, has_come, let_go) = Gate::new();
    let log = AccessLog::builder()
        .with_max_bytes(NonZeroUsize::new(10).unwrap())
        .with_sink(gate)
        .build()
        .unwrap();
    log.line_writer().push(b"a\n");
    has_come.recv().unwrap();
    log.line_writer().push(b"123456789ab");
    assert_eq!(log.stats().dropped, 1, "11 bytes");
    log.record(AccessRecord {
        path: Some(PathAndQuery::from_static("/2345?not=kept")),
        ..bare()
    });
    log.record(AccessRecord {
        method: "678".to_owned().into(),
        ..bare()
    });
    log.record(AccessRecord {
        baggage: vec![("9".into(), "a".into())],
        ..bare()
    });
    assert_eq!(
        log.stats().dropped,
        1,
        "10 bytes of path, method and baggage"
    );
    log.record(AccessRecord {
        path: Some(PathAndQuery::from_static("/")),
        ..bare()
    });
    assert_eq!(log.stats().dropped, 2, "one byte more");
    drop(let_go);
    assert!(log.flush(LONG));
    assert_eq!(log.stats().written, 4);
}

#[test]
fn the_last_handle_leaves_nothing_unwritten() {
    struct UntilDropped(Captured, Option<Sender<String>>);
    impl Write for UntilDropped {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    impl Drop for UntilDropped {
        fn drop(&mut self) {
            let _ = self.1.take().unwrap().send(self.0.text());
        }
    }
    let (end, ended) = channel();
    let sink = UntilDropped(Captured::default(), Some(end));
    let log = AccessLog::builder().with_sink(sink).build().unwrap();
    let lines = log.line_writer();
    for _ in 0..100 {
        log.clone().record(bare());
    }
    drop(log);
    lines.push(b"last");
    drop(lines);
    // The thread drops its sink when it ends.
    let text = ended.recv_timeout(LONG).unwrap();
    assert_eq!(text.lines().count(), 101);
    assert!(text.ends_with("last\n"));
}

#[test]
fn a_refused_write_is_counted_and_the_next_line_is_whole() {
    /// Takes half a line, then breaks, then works.
    struct Breaks(Captured, u32);
    impl Write for Breaks {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            match self.1 {
                1 => Err(io::ErrorKind::Interrupted.into()),
                2 => self.0.write(&bytes[..3]),
                3 => Err(io::ErrorKind::BrokenPipe.into()),
                _ => self.0.write(bytes),
            }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let sink = Captured::default();
    let log = AccessLog::builder()
        .with_sink(Breaks(sink.clone(), 0))
        .build()
        .unwrap();
    log.line_writer().push(b"first");
    assert!(log.flush(LONG), "a sink that fails is not waited for");
    log.line_writer().push(b"second");
    assert!(log.flush(LONG));
    assert_eq!(sink.text(), "fir\nsecond\n");
    assert_eq!(
        log.stats(),
        AccessLogStats {
            written: 1,
            dropped: 0,
            write_errors: 1
        }
    );
}

#[test]
fn a_reader_that_went_away_is_counted() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let log = AccessLog::builder().with_sink(writer).build().unwrap();
    log.record(bare());
    log.record(bare());
    assert!(log.flush(LONG));
    assert_eq!(
        log.stats(),
        AccessLogStats {
            write_errors: 2,
            ..AccessLogStats::default()
        }
    );
}

#[test]
fn a_sink_that_panics_stops_the_lines_and_nothing_else() {
    struct Panics;
    impl Write for Panics {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            panic!("on purpose")
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let log = AccessLog::builder().with_sink(Panics).build().unwrap();
    log.record(bare());
    assert!(!log.flush(LONG));
    log.record(bare());
    assert!(!log.flush(LONG));
    assert_eq!(
        log.stats(),
        AccessLogStats {
            dropped: 2,
            ..AccessLogStats::default()
        }
    );
}

#[test]
fn a_line_written_in_pieces_is_one_entry() {
    use tracing_subscriber::fmt::MakeWriter;

    let (log, sink) = captured(LogFormat::Json);
    let lines = log.line_writer();
    let mut in_pieces = lines.make_writer();
    write!(in_pieces, "one ").unwrap();
    lines.push(b"other");
    writeln!(in_pieces, "piece").unwrap();
    drop(in_pieces);
    assert!(log.flush(LONG));
    assert_eq!(sink.text(), "other\none piece\n");
}

#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<SdkLogRecord>>>);

impl LogProcessor for Kept {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        assert_eq!(scope.name(), "bartizan");
        self.0.lock().unwrap().push(record.clone());
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn the_otlp_record_says_the_same_under_the_conventions_names() {
    let kept = Kept::default();
    let provider = SdkLoggerProvider::builder()
        .with_log_processor(kept.clone())
        .build();
    let log = AccessLog::builder()
        .with_sink(io::sink())
        .with_otlp(provider.logger("bartizan"))
        .build()
        .unwrap();
    let record = full();
    let task = i64::try_from(record.task_id.get()).unwrap();
    log.record(record);
    let unknown = AccessRecord {
        method: "BREW".to_owned().into(),
        ..bare()
    };
    log.record(unknown);
    assert!(log.flush(LONG));

    let records = kept.0.lock().unwrap();
    let [first, second] = records.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(first.target().unwrap(), "bartizan::access");
    assert_eq!(first.timestamp(), Some(moment()));
    assert_eq!(first.severity_number(), Some(Severity::Warn));
    assert_eq!(first.body(), Some(&AnyValue::from("GET /orders/{id} 200")));
    let context = first.trace_context().unwrap();
    assert_eq!(context.trace_id, full().trace_id);
    assert_eq!(context.span_id, full().span_id);
    assert!(context.trace_flags.unwrap().is_sampled());
    let attributes: Vec<_> = first
        .attributes_iter()
        .map(|(key, value)| (key.as_str(), value.clone()))
        .collect();
    let expected: Vec<(&str, AnyValue)> = vec![
        ("http.request.method", "GET".into()),
        ("http.route", "/orders/{id}".into()),
        ("url.path", "/orders/7".into()),
        ("http.response.status_code", 200.into()),
        ("network.peer.address", "192.0.2.1".into()),
        ("network.peer.port", 4711.into()),
        ("bartizan.http.response.headers.duration", 0.000_999.into()),
        ("bartizan.http.request.duration", 0.001_234.into()),
        ("http.request.body.size", 12.into()),
        ("http.response.body.size", 345.into()),
        ("bartizan.request.id", "req-1".into()),
        ("bartizan.task.id", task.into()),
        ("bartizan.outcome", "completed".into()),
        ("bartizan.http.request.slow", true.into()),
        ("tenant", "a b".into()),
    ];
    assert_eq!(attributes, expected);

    assert!(second.trace_context().is_none());
    let methods: Vec<_> = second
        .attributes_iter()
        .take(2)
        .map(|(_, value)| value.clone())
        .collect();
    assert_eq!(methods, [AnyValue::from("_OTHER"), AnyValue::from("BREW")]);
}

#[test]
fn handles_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<AccessLog>();
    shared::<LineWriter>();
    shared::<crate::log_format::LineLayer>();
}
