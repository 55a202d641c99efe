//! What a call costs while another thread calls through the same breaker.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::measure::time;
use super::ours;
use super::peers;
use super::row::{Path, Row};
use super::through::{Layered, Through};
use super::upstream::Upstream;
use crate::{BoxError, runtime};

/// How long it is measured.
#[derive(Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// Calls of each thread, so many that starting the threads does not show.
    pub(crate) calls: u64,
}

/// Nanoseconds per call of each thread, in the median round.
#[derive(Debug)]
pub(crate) struct Contended {
    pub(crate) name: &'static str,
    pub(crate) one: f64,
    pub(crate) two: f64,
}

const WARM_UP: u64 = 1_000;

pub(crate) fn measure(runtime: &Runtime, effort: &Effort) -> Result<Vec<Contended>, BoxError> {
    let window = Duration::from_secs(10);
    let slow = || ours::slow(ours::time(window));
    let rows = [
        row("bare", Layered(Upstream)),
        row("bartizan_slow", ours::layered(slow())?),
        row("bartizan_host", ours::by_host(slow())?),
        row("tower_resilience", peers::tower_resilience_count(100)?),
        row("recloser", peers::recloser(100)),
        row("failsafe", peers::failsafe_rate(window)),
    ];
    of(&rows, runtime, effort)
}

/// Measures each row alone and in two threads, and checks it before and after.
pub(crate) fn of(
    rows: &[Row],
    runtime: &Runtime,
    effort: &Effort,
) -> Result<Vec<Contended>, BoxError> {
    let check = || rows.iter().try_for_each(|row| row.check(runtime));
    let mut took = vec![[const { Vec::new() }; 2]; rows.len()];
    check()?;
    for _ in 0..effort.rounds {
        for (row, took) in rows.iter().zip(&mut took) {
            for (threads, took) in (1..).zip(took) {
                took.push(round(row, threads, effort.calls)?);
            }
        }
    }
    check()?;
    let contended = rows.iter().zip(took).map(|(row, [one, two])| Contended {
        name: row.name,
        one: median(one),
        two: median(two),
    });
    Ok(contended.collect())
}

fn row(name: &'static str, through: impl Through) -> Row {
    Row::new(name, "", Path::Closed, through)
}

fn round(row: &Row, threads: usize, calls: u64) -> Result<f64, BoxError> {
    let runtimes: Vec<_> = (0..threads).map(|_| runtime()).collect::<Result<_, _>>()?;
    let missing = &AtomicUsize::new(threads);
    thread::scope(|scope| {
        let workers: Vec<_> = runtimes
            .into_iter()
            .map(|runtime| {
                scope.spawn(move || {
                    row.run(&runtime, WARM_UP);
                    // All at once: one that slept would come too late.
                    missing.fetch_sub(1, Ordering::AcqRel);
                    while missing.load(Ordering::Acquire) > 0 {
                        spin_loop();
                    }
                    time(row, &runtime, calls)
                })
            })
            .collect();
        let mut sum = 0.0;
        for worker in workers {
            sum += worker.join().map_err(|_| "a thread panicked")?;
        }
        Ok(sum / threads as f64)
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

// === impl Effort ===

impl Default for Effort {
    fn default() -> Self {
        Self {
            rounds: 21,
            calls: 20_000,
        }
    }
}
