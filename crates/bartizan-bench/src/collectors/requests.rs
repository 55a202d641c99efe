//! Requests through the whole stack while telemetry goes to a collector, one row for each manner.

use std::io;

use axum::Router;
use bartizan::observe::telemetry::{OtlpConfig, OtlpProtocol, Report};
use bartizan::{AccessLog, LogFormat, Sampler, Telemetry};
use tokio::runtime::Runtime;

use super::far::{Far, Manner};
use super::percentile;
use crate::measure::now;
use crate::options::Rounds;
use crate::{BoxError, exchange};

/// How long a collector that is well may take to get what is queued.
const DEADLINE: std::time::Duration = std::time::Duration::from_secs(5);

/// All rows, and the memory of the process that they ran in.
#[derive(Debug)]
pub(super) struct Requests {
    pub(super) rows: Vec<Row>,
    /// Resident bytes after half of the rounds, and after the last; where the system tells. By the
    /// half all queues are full that do not empty, if there are some rounds.
    pub(super) resident: Option<(u64, u64)>,
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
    pub(super) report: Report,
}

struct Service {
    manner: Manner,
    router: Router,
    telemetry: Telemetry,
    _far: Far,
    /// The 50th and the 99th percentile of each round.
    rounds: Vec<(f64, f64)>,
}

pub(super) fn measure(rounds: &Rounds) -> Result<Requests, BoxError> {
    let runtime = crate::runtime()?;
    let services: Result<Vec<_>, BoxError> = Manner::ALL.map(Service::new).into_iter().collect();
    let mut services = services?;
    let mut half = None;
    for round in 0..rounds.count {
        // Each round starts with the next, so that none always follows the same one.
        for turn in 0..services.len() {
            let index = (round + turn) % services.len();
            services[index].round(&runtime, rounds)?;
        }
        if round == rounds.count / 2 {
            half = resident();
        }
    }
    let resident = half.zip(resident());
    let healthy = services[0].rounds.clone();
    let rows = services.iter().map(|service| service.row(&healthy));
    Ok(Requests {
        rows: rows.collect(),
        resident,
    })
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
        // Its exports are not to run within the others' rounds. There is nothing to wait for where
        // the collector is not well.
        if self.manner == Manner::Healthy && !self.telemetry.force_flush(DEADLINE) {
            return Err("a healthy collector does not get everything".into());
        }
        Ok(())
    }

    fn row(&self, healthy: &[(f64, f64)]) -> Row {
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
            report: self.telemetry.report(),
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
