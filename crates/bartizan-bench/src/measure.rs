//! Rounds over all rows, and what they say.

use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::BoxError;
use crate::alloc;
use crate::exchange::{ANSWER, measured_loop, send};
use crate::options::Rounds;
use crate::rows::Row;

/// Everything measured about one row, per request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures {
    pub(crate) ns: Spread,
    /// Processor time of all threads, queues drained; `None` where the system does not tell.
    pub(crate) cpu_ns: Option<f64>,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
    /// Spans that never reached the exporter, over the whole run.
    pub(crate) spans_lost: u64,
    /// Lines that never reached the writer, over the whole run.
    pub(crate) lines_lost: u64,
}

/// A distribution over the rounds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) p25: f64,
    pub(crate) median: f64,
    pub(crate) p75: f64,
}

/// What one round of one row took, per request.
#[derive(Debug, Clone, Copy)]
struct Sample {
    ns: f64,
    cpu_ns: Option<f64>,
    allocations: f64,
    bytes: f64,
}

/// Measures all rows, one round of each after the other, so that a machine that slows down or
/// speeds up does so for all of them. Each round starts with the next row, so that no row always
/// follows the same neighbour's caches.
pub(crate) fn all(
    runtime: &Runtime,
    rows: &[Row],
    rounds: &Rounds,
) -> Result<Vec<Figures>, BoxError> {
    let mut samples = vec![Vec::new(); rows.len()];
    let arrived = |row: &Row| (row.seen.spans(), row.seen.lines());
    let before: Vec<_> = rows.iter().map(arrived).collect();
    for round in 0..rounds.count {
        for turn in 0..rows.len() {
            let index = (round + turn) % rows.len();
            samples[index].push(sample(runtime, &rows[index], rounds)?);
        }
    }

    let sent = rounds.count as u64 * (rounds.warm_up + rounds.requests);
    let lost = |expected: bool, arrived: u64| {
        if expected {
            sent.saturating_sub(arrived)
        } else {
            0
        }
    };
    Ok(rows
        .iter()
        .zip(&samples)
        .zip(before)
        .map(|((row, samples), (spans, lines))| Figures {
            spans_lost: lost(row.expected.span, row.seen.spans() - spans),
            lines_lost: lost(row.expected.line, row.seen.lines() - lines),
            ..Figures::of(samples)
        })
        .collect())
}

/// The system's monotonic clock.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// One round of one row, at a size that its queues can hold: what the peers' batch processors
/// refuse when they are full would look like speed.
fn sample(runtime: &Runtime, row: &Row, rounds: &Rounds) -> Result<Sample, BoxError> {
    row.enter(|| {
        send(runtime, &row.router, rounds.warm_up);
        row.pipelines.drain()?;

        let cpu = process_time();
        let allocated = alloc::count();
        let start = now();
        let bytes = measured_loop(runtime, &row.router, rounds.requests);
        let took = now() - start;
        let allocated = alloc::count() - allocated;
        row.pipelines.drain()?;
        let cpu = process_time()
            .zip(cpu)
            .map(|(after, before)| after.saturating_sub(before));

        if bytes != rounds.requests * ANSWER.len() as u64 {
            return Err(format!("row {} gave {bytes} bytes of answers", row.name).into());
        }
        let each = |sum: f64| sum / rounds.requests as f64;
        Ok(Sample {
            ns: each(took.as_nanos() as f64),
            cpu_ns: cpu.map(|cpu| each(cpu.as_nanos() as f64)),
            allocations: each(allocated.allocations as f64),
            bytes: each(allocated.bytes as f64),
        })
    })
}

#[cfg(unix)]
fn process_time() -> Option<Duration> {
    rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime)
        .try_into()
        .ok()
}

#[cfg(not(unix))]
fn process_time() -> Option<Duration> {
    None
}

// === impl Figures ===

impl Figures {
    fn of(samples: &[Sample]) -> Self {
        let spread = |of: fn(&Sample) -> f64| Spread::of(samples.iter().map(of).collect());
        let cpu: Option<Vec<f64>> = samples.iter().map(|sample| sample.cpu_ns).collect();
        Self {
            ns: spread(|sample| sample.ns),
            cpu_ns: cpu.map(|cpu| Spread::of(cpu).median),
            allocations: spread(|sample| sample.allocations).median,
            bytes: spread(|sample| sample.bytes).median,
            spans_lost: 0,
            lines_lost: 0,
        }
    }
}

// === impl Spread ===

impl Spread {
    /// By nearest rank; zeroes if there are no values.
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            let rank = (values.len() * percent).div_ceil(100).max(1);
            values.get(rank - 1).copied().unwrap_or_default()
        };
        Self {
            min: at(0),
            p25: at(25),
            median: at(50),
            p75: at(75),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_takes_the_nearest_rank() {
        let spread = Spread::of((1..=100).rev().map(f64::from).collect());
        assert_eq!(
            (spread.min, spread.p25, spread.median, spread.p75),
            (1.0, 25.0, 50.0, 75.0)
        );
        let one = Spread::of(vec![7.0]);
        assert_eq!(
            (one.min, one.p25, one.median, one.p75),
            (7.0, 7.0, 7.0, 7.0)
        );
        assert_eq!(Spread::of(Vec::new()).median, 0.0);
    }
}
