//! Requests through the whole stack while telemetry goes to a collector, one row for each manner.

use std::time::Duration;
use std::{io, thread};

use axum::Router;
use bartizan::observe::telemetry::{
    DEFAULT_MAX_BATCH, DEFAULT_MAX_QUEUE, OtlpConfig, OtlpProtocol, SignalReport,
};
use bartizan::{AccessLog, LogFormat, Sampler, Telemetry};
use tokio::runtime::Runtime;

use super::far::{Far, Manner};
use super::percentile;
use crate::measure::now;
use crate::options::Rounds;
use crate::{BoxError, exchange};

/// How long a collector that takes what it gets has for what is queued at the end.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// How long one has that does not.
pub(super) const SHORT_DEADLINE: Duration = Duration::from_secs(1);

/// How many spans may wait for one collector: in the queue, and in the batch that is under way.
pub(super) const MAX_WAITING: u64 = (DEFAULT_MAX_QUEUE + DEFAULT_MAX_BATCH) as u64;

/// All rows, and the memory of the process that they ran in, where the system tells.
#[derive(Debug)]
pub(super) struct Requests {
    pub(super) rows: Vec<Row>,
    pub(super) resident: Option<Resident>,
}

/// Resident bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resident {
    /// Before the first round.
    pub(super) start: u64,
    /// The most after any turn of the first half of the rounds. In it all queues fill that do not
    /// empty, if there are some rounds.
    pub(super) first_half: u64,
    /// The most after any turn of the second half.
    pub(super) second_half: u64,
}

/// One manner's figures.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    /// Of the rounds' percentiles, the median, in nanoseconds.
    pub(super) p50: f64,
    pub(super) p99: f64,
    /// The same over the healthy row's of the same round.
    pub(super) p50_ratio: f64,
    pub(super) p99_ratio: f64,
    /// The most spans that waited after any round.
    pub(super) waiting: u64,
    /// What became of the spans, after a shutdown.
    pub(super) spans: SignalReport,
}

struct Service {
    manner: Manner,
    router: Router,
    telemetry: Telemetry,
    _far: Far,
    /// The 50th and the 99th percentile of each round.
    rounds: Vec<(f64, f64)>,
    waiting: u64,
}

pub(super) fn measure(rounds: &Rounds) -> Result<Requests, BoxError> {
    let runtime = crate::runtime()?;
    let services: Result<Vec<_>, BoxError> = Manner::ALL.map(Service::new).into_iter().collect();
    let mut services = services?;
    let mut memory = resident().map(Resident::new);
    for round in 0..rounds.count {
        // Each round starts with the next, so that none always follows the same one.
        for turn in 0..services.len() {
            let index = (round + turn) % services.len();
            services[index].round(&runtime, rounds)?;
            if let Some((memory, now)) = memory.as_mut().zip(resident()) {
                memory.note(now, round < rounds.count / 2);
            }
        }
    }
    let healthy = services[0].rounds.clone();
    // All at once, because most take until their deadline.
    let spans: Vec<_> = thread::scope(|scope| {
        let ends = services
            .iter()
            .map(|service| scope.spawn(|| service.end(rounds)));
        let ends: Vec<_> = ends.collect();
        ends.into_iter()
            .map(|end| end.join().map_err(|_| "a shutdown has panicked")?)
            .collect()
    });
    let rows: Result<_, BoxError> = services
        .iter()
        .zip(spans)
        .map(|(service, spans)| Ok(service.row(&healthy, spans?)))
        .collect();
    Ok(Requests {
        rows: rows?,
        resident: memory,
    })
}

// === impl Resident ===

impl Resident {
    const fn new(start: u64) -> Self {
        Self {
            start,
            first_half: start,
            second_half: 0,
        }
    }

    fn note(&mut self, now: u64, in_first_half: bool) {
        let most = if in_first_half {
            &mut self.first_half
        } else {
            &mut self.second_half
        };
        *most = now.max(*most);
    }
}

// === impl Service ===

impl Service {
    fn new(manner: Manner) -> Result<Self, BoxError> {
        let far = Far::start(manner)?;
        let log = AccessLog::builder()
            .with_format(LogFormat::Json)
            .with_sink(io::sink());
        let telemetry = Telemetry::builder()
            .with_service_name("bench")
            .with_sampler(Sampler::ALWAYS_ON)
            .with_otlp(OtlpConfig::new(
                &far.endpoint(),
                OtlpProtocol::HttpProtobuf,
            )?)
            .with_access_log(log)
            .build()?;
        let stack = bartizan::stack().with_telemetry(&telemetry).build()?;
        Ok(Self {
            manner,
            router: exchange::app().layer(stack).with_state(()),
            telemetry,
            _far: far,
            rounds: Vec::new(),
            waiting: 0,
        })
    }

    fn round(&mut self, runtime: &Runtime, rounds: &Rounds) -> Result<(), BoxError> {
        exchange::send(runtime, &self.router, rounds.warm_up);
        let mut took: Vec<f64> = (0..rounds.requests)
            .map(|_| {
                let before = now();
                exchange::send(runtime, &self.router, 1);
                (now() - before).as_nanos() as f64
            })
            .collect();
        self.rounds
            .push((percentile(&mut took, 50), percentile(&mut took, 99)));
        let waiting = self.telemetry.report().spans.pending();
        self.waiting = self.waiting.max(waiting);
        if waiting > MAX_WAITING {
            let name = self.manner.name();
            return Err(format!("{name}: {waiting} spans wait, not {MAX_WAITING} at most").into());
        }
        // Its exports are not to run within the others' rounds. There is nothing to wait for where
        // the collector is not well.
        if self.manner == Manner::Healthy && !self.telemetry.force_flush(DEADLINE) {
            return Err("a healthy collector does not get everything".into());
        }
        Ok(())
    }

    /// Shuts down, and insists that every request's span is told of.
    fn end(&self, rounds: &Rounds) -> Result<SignalReport, String> {
        let deadline = if self.manner.takes() {
            DEADLINE
        } else {
            SHORT_DEADLINE
        };
        let spans = self.telemetry.shutdown(deadline).spans;
        let sent = rounds.count as u64 * (rounds.warm_up + rounds.requests);
        let told = spans.exported + spans.unconfirmed + spans.spooled + spans.dropped.total();
        if (spans.ended, told) != (sent, sent) {
            let name = self.manner.name();
            return Err(format!(
                "{name}: {sent} requests, and of their spans: {spans}"
            ));
        }
        Ok(spans)
    }

    fn row(&self, healthy: &[(f64, f64)], spans: SignalReport) -> Row {
        let median = |of: &dyn Fn((f64, f64), (f64, f64)) -> f64| {
            let both = self.rounds.iter().zip(healthy);
            let mut values: Vec<f64> = both.map(|(own, base)| of(*own, *base)).collect();
            percentile(&mut values, 50)
        };
        Row {
            name: self.manner.name(),
            p50: median(&|own, _| own.0),
            p99: median(&|own, _| own.1),
            p50_ratio: median(&|own, base| own.0 / base.0),
            p99_ratio: median(&|own, base| own.1 / base.1),
            waiting: self.waiting,
            spans,
        }
    }
}

/// The memory that the process has now, where the system tells by a file.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}
