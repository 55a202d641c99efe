//! The end, asked for on the threads that would have to do the work for it: by an exporter, a
//! callback or a sink of the application's, or by a panic hook below one of them.

use std::io::{self, Write};
use std::sync::{Mutex, mpsc};

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::SpanExporter;

use super::lines::one_line;
use super::matrix::in_panic_hook;
use super::*;

/// Ends the telemetry that it is given, once, from wherever it is called.
#[derive(Debug)]
struct Ending {
    given: Mutex<mpsc::Receiver<Telemetry>>,
    told: mpsc::Sender<Ended>,
}

/// What the caller was told.
#[derive(Debug)]
struct Ended {
    flushed: bool,
    /// By the shutdown that blocks, and by the other.
    reports: [Report; 2],
}

/// The test's side of an [`Ending`].
struct Told {
    give: mpsc::Sender<Telemetry>,
    told: mpsc::Receiver<Ended>,
}

// === impl Ending ===

impl Ending {
    fn new() -> (Self, Told) {
        let (give, given) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let ending = Self {
            given: Mutex::new(given),
            told: tell,
        };
        (ending, Told { give, told })
    }

    /// Waits for the telemetry, so that everything is recorded by then.
    fn end(&self) {
        let Ok(telemetry) = self.given.lock().unwrap().recv() else {
            return;
        };
        let ended = in_panic_hook(move || {
            let flushed = telemetry.force_flush(PLENTY);
            let now = telemetry.shutdown(PLENTY);
            let later = telemetry.shutdown_async(PLENTY);
            let reports = [now, smol::block_on(later)];
            Ended { flushed, reports }
        });
        self.told.send(ended).unwrap();
    }
}

// === impl Told ===

impl Told {
    /// Has it ended, and nothing after that. Panics when that is not at once.
    fn end(self, telemetry: &Telemetry) -> Ended {
        self.give.send(telemetry.clone()).unwrap();
        // What waits for itself takes as long as it may.
        self.told.recv_timeout(PLENTY / 4).expect("it waits")
    }
}

impl SpanExporter for Ending {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        self.end();
        Ok(())
    }
}

impl Write for Ending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.end();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn on_the_export_thread_nobody_waits_and_what_is_under_way_goes_on() {
    let (ending, told) = Ending::new();
    let telemetry = Telemetry::builder()
        .with_span_exporter(ending)
        .with_span_batch(BatchConfig::spans().with_max_batch(2))
        .build()
        .unwrap();
    end_spans(&telemetry, 5);
    let ended = told.end(&telemetry);
    assert!(!ended.flushed);
    for report in ended.reports {
        let spans = report.spans;
        assert_eq!((spans.ended, spans.pending()), (5, 5), "{report}");
    }
    end_spans(&telemetry, 1);
    let spans = telemetry.shutdown(PLENTY).spans;
    assert_eq!((spans.exported, spans.dropped.after_shutdown), (5, 1));
    assert_settled(&spans);
}

#[test]
fn a_callback_that_ends_telemetry_leaves_the_spool_to_what_is_still_under_way() {
    let place = Place::new("callback");
    let nobody = Nobody::new();
    let (ending, told) = Ending::new();
    let telemetry = exporting(config(nobody.addr(), OtlpProtocol::HttpProtobuf))
        .with_spool(SpoolConfig::new(place.path()))
        .with_metric_interval(Duration::from_millis(5))
        .build()
        .unwrap();
    end_spans(&telemetry, 3);
    let _gauge = telemetry
        .meter()
        .u64_observable_gauge("depth")
        .with_callback(move |_| ending.end())
        .build();
    let ended = told.end(&telemetry);
    assert_eq!(ended.reports[0].spans.pending(), 3);
    let spans = telemetry.shutdown(PLENTY).spans;
    assert_eq!((spans.spooled, spans.lost()), (3, 0), "{spans}");
}

#[test]
fn on_the_writers_thread_only_the_lines_are_not_waited_for() {
    let collector = Collector::start(Behaviour::Accept);
    let (ending, told) = Ending::new();
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .with_access_log(AccessLog::builder().with_sink(ending))
        .build()
        .unwrap();
    end_spans(&telemetry, 3);
    one_line(&telemetry);
    let ended = told.end(&telemetry);
    assert!(!ended.flushed);
    for report in ended.reports {
        assert_eq!(report.spans.exported, 3, "{report}");
        assert_eq!(report.access_log.written, 0, "{report}");
    }
    let report = telemetry.shutdown(PLENTY);
    assert_eq!(report.access_log.written, 1, "{report}");
}
