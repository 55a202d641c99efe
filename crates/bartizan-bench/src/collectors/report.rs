use std::io::{self, Write};

use serde_json::{Value, json};

use super::flushes;
use super::requests::{DEADLINE, MAX_WAITING, Requests, Resident, SHORT_DEADLINE};
use crate::options::Rounds;

pub(super) fn write_requests(
    out: &mut impl Write,
    requests: &Requests,
    rounds: &Rounds,
) -> io::Result<()> {
    let Rounds {
        count,
        requests: each,
        ..
    } = rounds;
    writeln!(
        out,
        "requests through the whole stack, each sampled and logged; {count} rounds of {each} per \
         collector; a ratio is the median of those to the healthy one's of the same round\n"
    )?;
    writeln!(
        out,
        "{:<10} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9} {:>8} {:>10} {:>11} {:>8} {:>8}",
        "collector",
        "p50 ns",
        "ratio",
        "p99 ns",
        "ratio",
        "waiting",
        "spans",
        "exported",
        "unconf.",
        "queue full",
        "unreachable",
        "rejected",
        "deadline",
    )?;
    for row in &requests.rows {
        let spans = row.spans;
        writeln!(
            out,
            "{:<10} {:>8.0} {:>8.3} {:>8.0} {:>8.3} {:>8} {:>9} {:>9} {:>8} {:>10} {:>11} {:>8} \
             {:>8}",
            row.name,
            row.p50,
            row.p50_ratio,
            row.p99,
            row.p99_ratio,
            row.waiting,
            spans.ended,
            spans.exported,
            spans.unconfirmed,
            spans.dropped.queue_full,
            spans.dropped.unreachable,
            spans.dropped.rejected,
            spans.dropped.deadline,
        )?;
    }
    writeln!(
        out,
        "\nwaiting is the most after any round, of {MAX_WAITING} at most; what became of the spans \
         is told after a shutdown of {} s at most, {} s where nothing is taken, and adds up",
        DEADLINE.as_secs(),
        SHORT_DEADLINE.as_secs(),
    )?;
    if let Some(Resident {
        start,
        first_half,
        second_half,
    }) = requests.resident
    {
        writeln!(
            out,
            "resident: {:.1} MiB at the start, {:.1} MiB at most in the first half of the rounds, \
             {:.1} MiB in the second",
            mebibytes(start),
            mebibytes(first_half),
            mebibytes(second_half)
        )?;
    }
    Ok(())
}

pub(super) fn write_flushes(out: &mut impl Write, rows: &[flushes::Row]) -> io::Result<()> {
    writeln!(
        out,
        "\nflushes of spans, records, metrics and access log to a healthy collector on loopback\n"
    )?;
    writeln!(
        out,
        "{:<12} {:>8} {:>8} {:>8}",
        "transport", "p50 ms", "p99 ms", "max ms"
    )?;
    for row in rows {
        writeln!(
            out,
            "{:<12} {:>8.2} {:>8.2} {:>8.2}",
            row.name, row.p50, row.p99, row.most
        )?;
    }
    Ok(())
}

/// An object for each row of both tables.
pub(super) fn json_rows(requests: &Requests, flushes: &[flushes::Row]) -> Vec<Value> {
    let resident = requests.resident.map(|resident| {
        json!({
            "start": resident.start,
            "first_half": resident.first_half,
            "second_half": resident.second_half,
        })
    });
    let requests = requests.rows.iter().map(|row| {
        json!({
            "name": format!("requests, {}", row.name),
            "p50_ns": row.p50,
            "p50_ratio": row.p50_ratio,
            "p99_ns": row.p99,
            "p99_ratio": row.p99_ratio,
            "spans": row.spans,
            "spans_waiting": row.waiting,
            "resident": resident,
        })
    });
    let flushes = flushes.iter().map(|row| {
        json!({
            "name": format!("flush, {}", row.name),
            "p50_ms": row.p50,
            "p99_ms": row.p99,
            "max_ms": row.most,
        })
    });
    requests.chain(flushes).collect()
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
