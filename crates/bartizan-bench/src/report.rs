//! The table, and the same as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::measure::Figures;
use crate::options::Rounds;
use crate::rows::Row;

/// The packages whose versions the figures depend on.
const PACKAGES: [&str; 9] = [
    "axum",
    "axum-tracing-opentelemetry",
    "opentelemetry-instrumentation-tower",
    "opentelemetry_sdk",
    "tower-http",
    "tracing",
    "tracing-opentelemetry",
    "tracing-subscriber",
    "tokio",
];

/// What was resolved when this was built.
pub(crate) const LOCK: &str = include_str!("../../../Cargo.lock");

/// Everything that one run has to say.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) rows: &'a [Row],
    pub(crate) figures: &'a [Figures],
    pub(crate) rounds: &'a Rounds,
}

// === impl Report ===

impl Report<'_> {
    pub(crate) fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let Rounds {
            count,
            requests,
            warm_up,
        } = self.rounds;
        let versions: Vec<_> = PACKAGES
            .iter()
            .map(|name| format!("{name} {}", locked(LOCK, name)))
            .collect();
        writeln!(out, "{}", versions.join(", "))?;
        writeln!(
            out,
            "per request; {count} rounds of {requests} requests per row after {warm_up} unmeasured ones\n"
        )?;
        writeln!(
            out,
            "{:<24} {:>8} {:>8} {:>17} {:>8} {:>8} {:>8} {:>8} {:>8}  what",
            "row", "ns", "min", "p25..p75", "+ns", "cpu", "allocs", "+allocs", "bytes"
        )?;
        for (row, figures) in self.rows.iter().zip(self.figures) {
            let (ns, allocations) = self.over_base(figures);
            let quartiles = format!("{:.0}..{:.0}", figures.ns.p25, figures.ns.p75);
            let cpu = figures
                .cpu_ns
                .map_or_else(|| "-".to_owned(), |cpu| format!("{cpu:.0}"));
            writeln!(
                out,
                "{:<24} {:>8.0} {:>8.0} {quartiles:>17} {ns:>+8.0} {cpu:>8} {:>8.1} {allocations:>+8.1} {:>8.0}  {}",
                row.name,
                figures.ns.median,
                figures.ns.min,
                figures.allocations,
                figures.bytes,
                row.about
            )?;
        }
        self.write_losses(out)
    }

    pub(crate) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let rows = self.rows.iter().zip(self.figures);
        let rows: Vec<_> = rows
            .map(|(row, figures)| self.json_row(row, figures))
            .collect();
        writeln!(out, "{}", Value::Array(rows))
    }

    fn write_losses(&self, out: &mut impl Write) -> io::Result<()> {
        for (
            row,
            Figures {
                spans_lost,
                lines_lost,
                ..
            },
        ) in self.rows.iter().zip(self.figures)
        {
            if spans_lost + lines_lost > 0 {
                let name = row.name;
                writeln!(
                    out,
                    "\n{name} lost {spans_lost} spans and {lines_lost} lines to full queues: \
                    its time is not that of the whole work; try fewer --requests"
                )?;
            }
        }
        Ok(())
    }

    fn json_row(&self, row: &Row, figures: &Figures) -> Value {
        let (ns, allocations) = self.over_base(figures);
        json!({
            "name": row.name,
            "ns": tenths(figures.ns.median),
            "ns_min": tenths(figures.ns.min),
            "ns_p25": tenths(figures.ns.p25),
            "ns_p75": tenths(figures.ns.p75),
            "ns_over_bare_layer": tenths(ns),
            "cpu_ns": figures.cpu_ns.map(tenths),
            "allocs": tenths(figures.allocations),
            "allocs_over_bare_layer": tenths(allocations),
            "bytes": tenths(figures.bytes),
            "spans_lost": figures.spans_lost,
            "lines_lost": figures.lines_lost,
        })
    }

    /// Time and allocations over the row `bare_layer`, which every run has.
    fn over_base(&self, figures: &Figures) -> (f64, f64) {
        let base = self.rows.iter().position(|row| row.name == crate::BASE);
        let base = base
            .and_then(|index| self.figures.get(index))
            .unwrap_or(figures);
        (
            figures.ns.median - base.ns.median,
            figures.allocations - base.allocations,
        )
    }
}

pub(crate) fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// The versions of a package in a lock file, separated by slashes.
pub(crate) fn locked(lock: &str, package: &str) -> String {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    let mut versions = Vec::new();
    while lines.any(|line| line == name) {
        let version = lines.next().unwrap_or_default();
        versions.extend(
            version
                .strip_prefix("version = \"")
                .and_then(|rest| rest.strip_suffix('"')),
        );
    }
    versions.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_of_the_heading_is_locked() {
        for package in PACKAGES {
            assert!(
                locked(LOCK, package).starts_with(|c: char| c.is_ascii_digit()),
                "{package}"
            );
        }
        assert_eq!(locked(LOCK, "no-such-package"), "");
    }
}
