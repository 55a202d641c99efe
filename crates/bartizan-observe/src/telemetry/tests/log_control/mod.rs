//! The limit and the levels, in the layers that they are for.

mod levels;
mod limits;

use std::io;
use std::sync::{LazyLock, Mutex, MutexGuard};

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord as Record;
use tracing::dispatcher::{Dispatch, with_default};
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::access_log::AccessLog;
use crate::log_control::tests::{Time, limit};
use crate::log_control::{LogControl, LogLimit};
use crate::log_format::{LineLayer, LogFormat};
use crate::names::attr;

/// Telemetry with a collector, lines that can be read, and time that a test owns.
struct Service {
    telemetry: Telemetry,
    collector: Collector,
    control: LogControl,
    time: Time,
    lines: Captured,
    dispatch: Dispatch,
    _alone: MutexGuard<'static, ()>,
}

/// `tracing` keeps one answer per call site for all subscribers of a process, and two threads that
/// change levels at once may leave each other's old one behind. With one subscriber alone it takes
/// no lock for that, either, so there is always another.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    static OTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));
    LazyLock::force(&OTHER);
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Service {
    fn new(limit: LogLimit) -> Self {
        let alone = alone();
        let collector = Collector::start(Behaviour::Accept);
        let time = Time::new();
        let control = LogControl::by_hand(limit, &time.clock());
        let lines = Captured::default();
        let log = AccessLog::builder().with_format(LogFormat::Json);
        let telemetry = exporting_to(&collector, OtlpProtocol::Grpc)
            .with_log_control(control.clone())
            .with_access_log(log.with_sink(lines.clone()))
            .build()
            .unwrap();
        let writer = telemetry.access_log().unwrap().line_writer();
        let layers = telemetry.layers("info", LineLayer::new(LogFormat::Json, writer));
        let subscriber = tracing_subscriber::registry().with(layers.unwrap());
        Self {
            telemetry,
            collector,
            control,
            time,
            lines,
            dispatch: Dispatch::new(subscriber),
            _alone: alone,
        }
    }

    fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        with_default(&self.dispatch, work)
    }

    fn wait(&self, seconds: u64) {
        self.time.pass(Duration::from_secs(seconds));
        self.control.due();
    }

    /// Message and number of each line so far.
    fn lines(&self) -> Vec<(String, u64)> {
        assert!(self.telemetry.access_log().unwrap().flush(PLENTY));
        let text = String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap();
        let line = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let suppressed = line["suppressed"].as_u64().unwrap_or(0);
            (line["message"].as_str().unwrap().to_owned(), suppressed)
        };
        text.lines().map(line).collect()
    }

    fn messages(&self) -> Vec<String> {
        self.lines()
            .into_iter()
            .map(|(message, _)| message)
            .collect()
    }

    /// Message and number of each record, once all have been sent.
    fn records(&self) -> Vec<(String, u64)> {
        assert!(self.telemetry.force_flush(PLENTY));
        let suppressed = |record: &Record| {
            let mut found = record.attributes.iter();
            let found = found.find(|attribute| attribute.key == attr::LOG_SUPPRESSED)?;
            match found.value.clone()?.value? {
                Value::IntValue(number) => u64::try_from(number).ok(),
                other => panic!("{other:?}"),
            }
        };
        let record = |record: &Record| {
            let Some(Value::StringValue(body)) = record.body.clone().unwrap().value else {
                panic!("{record:?}")
            };
            (body, suppressed(record).unwrap_or(0))
        };
        self.collector.received().logs.iter().map(record).collect()
    }
}

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn told(all: &[(&str, u64)]) -> Vec<(String, u64)> {
    let owned = |(message, number): &(&str, u64)| ((*message).to_owned(), *number);
    all.iter().map(owned).collect()
}

fn again() {
    tracing::info!(target: "shop", "again");
}

const LEFT_OUT: &str = "further events of this call site were left out";
