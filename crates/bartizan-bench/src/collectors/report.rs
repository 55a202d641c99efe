use std::io::{self, Write};

use bartizan::observe::telemetry::{DEFAULT_MAX_BATCH, DEFAULT_MAX_QUEUE};
use serde_json::{Value, json};

use super::flushes;
use super::requests::Requests;
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
        "{:<12} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9} {:>11} {:>8}",
        "collector",
        "p50 ns",
        "ratio",
        "p99 ns",
        "ratio",
        "spans",
        "exported",
        "queue full",
        "pending"
    )?;
    for row in &requests.rows {
        let spans = row.report.spans;
        writeln!(
            out,
            "{:<12} {:>8.0} {:>8.3} {:>8.0} {:>8.3} {:>9} {:>9} {:>11} {:>8}",
            row.name,
            row.p50,
            row.p50_ratio,
            row.p99,
            row.p99_ratio,
            spans.ended,
            spans.exported,
            spans.dropped.queue_full,
            spans.pending(),
        )?;
    }
    writeln!(
        out,
        "\nat most {} spans, and as many records, wait for one collector",
        DEFAULT_MAX_QUEUE + DEFAULT_MAX_BATCH
    )?;
    if let Some((half, last)) = requests.resident {
        writeln!(
            out,
            "resident: {:.1} MiB after half of the rounds, {:.1} MiB after the last",
            mebibytes(half),
            mebibytes(last)
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
    let resident = requests.resident.unzip();
    let requests = requests.rows.iter().map(|row| {
        let spans = row.report.spans;
        json!({
            "name": format!("requests, {}", row.name),
            "p50_ns": row.p50,
            "p50_ratio": row.p50_ratio,
            "p99_ns": row.p99,
            "p99_ratio": row.p99_ratio,
            "spans": spans,
            "spans_pending": spans.pending(),
            "resident_half": resident.0,
            "resident_last": resident.1,
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
