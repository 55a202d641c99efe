//! A random collector, a random load, and a random end.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tokio::net::TcpSocket;

use super::super::*;
use super::{PATIENCE, Received};

#[derive(Debug, Clone)]
pub(super) struct Plan {
    protocol: OtlpProtocol,
    faults: Vec<Behaviour>,
    /// Between which of the main thread's bursts nobody listens.
    away: Option<(usize, usize)>,
    /// What each thread records, in portions.
    bursts: Vec<usize>,
    /// Threads beside the main one, which do not stop for the shutdown.
    threads: usize,
    /// After how many bursts the main thread waits a moment for what was sent.
    flush_after: usize,
    /// After how many bursts it ends telemetry; it records the others after that.
    shutdown_after: usize,
    deadline: Duration,
    max_queue: usize,
    max_queue_bytes: usize,
    max_batch: usize,
    /// Of so many items in a burst one is heavy, by so many bytes.
    heavy: (usize, usize),
}

pub(super) fn any() -> impl Strategy<Value = Plan> {
    let end = (0..7_usize, 0..7_usize, 0..80_u64);
    let load = (vec(0..40_usize, 1..6), 0..4_usize, 1..64_usize, 1..32_usize);
    let bytes = (10..17_u32, (1..9_usize, 0..40_000_usize));
    let far = (
        vec(behaviour(), 1..24),
        option::of((0..4_usize, 0..6_usize)),
    );
    let parts = (prop::sample::select(&BOTH), far, load, bytes, end);
    parts.prop_map(|(protocol, far, load, bytes, end)| Plan {
        protocol,
        faults: far.0,
        away: far.1,
        bursts: load.0,
        threads: load.1,
        max_queue: load.2,
        // From what holds one light item up to what holds all of them.
        max_queue_bytes: 1 << bytes.0,
        max_batch: load.3,
        heavy: bytes.1,
        flush_after: end.0,
        shutdown_after: end.1,
        deadline: Duration::from_millis(end.2),
    })
}

fn behaviour() -> impl Strategy<Value = Behaviour> {
    let refused = Behaviour::Refuse { http: 400, grpc: 3 };
    prop_oneof![
        4 => Just(Behaviour::Accept),
        1 => (0..9_i64).prop_map(Behaviour::Reject),
        1 => Just(refused),
        1 => option::of(0..2_u64).prop_map(|retry_after| Behaviour::Busy { retry_after }),
        1 => (0..30_u64).prop_map(|ms| Behaviour::Late(Duration::from_millis(ms))),
        1 => Just(Behaviour::Babble),
        1 => Just(Behaviour::Truncate),
        1 => Just(Behaviour::Blank),
        1 => Just(Behaviour::Hang),
        1 => Just(Behaviour::Break),
        1 => Just(Behaviour::Reset),
        1 => Just(Behaviour::ResetUnread),
    ]
}

/// The collector while it is there, its port while it is not, and all that came in.
struct Far {
    addr: SocketAddr,
    faults: Behaviour,
    there: Option<Collector>,
    port: Option<TcpSocket>,
    received: Received,
}

// === impl Plan ===

impl Plan {
    /// How many spans there are, and as many records.
    pub(super) fn items(&self) -> u64 {
        let each: usize = self.bursts.iter().sum();
        (each * (self.threads + 1)) as u64
    }

    pub(super) fn run(&self) -> (Report, Received) {
        let mut far = Far::new(Behaviour::Script(self.faults.as_slice().into()));
        let telemetry = self.telemetry(far.addr);
        let at_the_end = std::thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(|| {
                    self.bursts
                        .iter()
                        .for_each(|it| self.record(&telemetry, *it))
                });
            }
            self.main(&telemetry, &mut far)
        });
        let report = telemetry.report();
        // What comes after the end is counted as such, and nothing else changes.
        assert_eq!(
            before_the_end(&report.spans),
            before_the_end(&at_the_end.spans)
        );
        assert_eq!(
            before_the_end(&report.logs),
            before_the_end(&at_the_end.logs)
        );
        drop(telemetry);
        (report, far.stop())
    }

    fn telemetry(&self, addr: SocketAddr) -> Telemetry {
        let batch = quick()
            .with_max_queue(self.max_queue)
            .with_max_queue_bytes(self.max_queue_bytes)
            .with_max_batch(self.max_batch)
            .with_delay(Duration::from_millis(3))
            .with_export_timeout(PATIENCE * 2);
        exporting(config(addr, self.protocol).with_timeout(PATIENCE))
            .with_span_batch(batch)
            .with_log_batch(batch)
            .with_metric_interval(Duration::from_millis(7))
            .build()
            .unwrap()
    }

    fn main(&self, telemetry: &Telemetry, far: &mut Far) -> Report {
        let requests = telemetry.meter().u64_counter("requests").build();
        let mut at_the_end = None;
        for burst in 0..=self.bursts.len() {
            if self.away.is_some_and(|(from, _)| from == burst) {
                far.leave();
            }
            if self.away.is_some_and(|(_, to)| to == burst) {
                far.come_back();
            }
            if self.flush_after == burst {
                let _in_time = telemetry.force_flush(PATIENCE);
            }
            if self.shutdown_after == burst {
                at_the_end = Some(telemetry.shutdown(self.deadline));
            }
            requests.add(1, &[]);
            let more = self.bursts.get(burst);
            self.record(telemetry, more.copied().unwrap_or_default());
        }
        at_the_end.unwrap_or_else(|| telemetry.shutdown(self.deadline))
    }

    fn record(&self, telemetry: &Telemetry, count: usize) {
        let (every, bytes) = self.heavy;
        for number in 0..count {
            let padding = if number % every == 0 { bytes } else { 0 };
            end_span(telemetry, padding);
            emit_log(telemetry, padding);
        }
    }
}

/// Without what may still change.
fn before_the_end(signal: &SignalReport) -> SignalReport {
    let mut signal = *signal;
    signal.ended -= signal.dropped.after_shutdown;
    signal.dropped.after_shutdown = 0;
    signal
}

// === impl Far ===

impl Far {
    fn new(faults: Behaviour) -> Self {
        let collector = Collector::start(faults.clone());
        Self {
            addr: collector.addr(),
            faults,
            there: Some(collector),
            port: None,
            received: Received::default(),
        }
    }

    fn leave(&mut self) {
        if let Some(collector) = self.there.take() {
            let (received, port) = collector.leave();
            self.received.add(received);
            self.port = Some(port);
        }
    }

    fn come_back(&mut self) {
        // Dropped when the collector has it.
        if let Some(_port) = self.port.take() {
            self.there = Some(Collector::start_at(self.addr, self.faults.clone()));
        }
    }

    fn stop(mut self) -> Received {
        self.leave();
        self.received
    }
}
