use std::io::{self, Write};

use serde_json::{Value, json};

use super::contention::Contended;
use super::measure::{Figures, bases};
use super::row::Row;
use super::series::Series;
use crate::options::Rounds;
use crate::report::{LOCK, locked, tenths};

/// The packages whose versions the figures of breakers depend on.
pub(crate) const PACKAGES: &[&str] = &[
    "failsafe",
    "recloser",
    "tokio",
    "tower-resilience-circuitbreaker",
];

/// The rows with what was measured of them.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    pub(crate) rows: &'a [Row],
    pub(crate) figures: &'a [Figures],
    pub(crate) instructions: Option<&'a [f64]>,
    /// The packages whose versions the figures depend on.
    pub(crate) packages: &'a [&'a str],
}

/// What a row costs over the bases of its path.
#[derive(Debug)]
struct Over {
    bare: f64,
    clock: f64,
    instructions: Option<f64>,
}

pub(crate) fn write_series<const N: usize>(
    out: &mut impl Write,
    series: &[Series<N>],
) -> io::Result<()> {
    for Series { title, sizes, rows } in series {
        writeln!(out, "\nns per call by {title}; the fastest round\n")?;
        let sizes: String = sizes.iter().map(|size| format!(" {size:>10}")).collect();
        writeln!(out, "{:<24}{sizes}", "row")?;
        for (name, figures) in rows {
            let figures: String = figures.iter().map(|ns| format!(" {ns:>10.0}")).collect();
            writeln!(out, "{name:<24}{figures}")?;
        }
    }
    Ok(())
}

pub(crate) fn write_contention(
    out: &mut impl Write,
    through: &str,
    rows: &[Contended],
) -> io::Result<()> {
    writeln!(
        out,
        "\nns per call of each thread, through one {through}; the median round\n"
    )?;
    writeln!(out, "{:<24} {:>10} {:>10}", "row", "1 thread", "2 threads")?;
    for Contended { name, one, two } in rows {
        writeln!(out, "{name:<24} {one:>10.0} {two:>10.0}")?;
    }
    Ok(())
}

/// An object for each row of the series and of the contention.
pub(crate) fn json<const N: usize>(
    series: &[Series<N>],
    contention: &[Contended],
) -> impl Iterator<Item = Value> {
    let series = series.iter().flat_map(|series| {
        series.rows.iter().map(|(name, ns)| {
            json!({
                "name": format!("{}, {name}", series.title),
                "sizes": &series.sizes[..],
                "ns": ns.map(tenths).to_vec(),
            })
        })
    });
    let contention = contention.iter().map(|row| {
        json!({
            "name": format!("contention, {}", row.name),
            "ns_one_thread": tenths(row.one),
            "ns_two_threads": tenths(row.two),
        })
    });
    series.chain(contention)
}

// === impl Table ===

impl Table<'_> {
    pub(crate) fn write(&self, out: &mut impl Write, rounds: &Rounds) -> io::Result<()> {
        let Rounds {
            count,
            requests,
            warm_up,
        } = rounds;
        let version = |name: &&str| format!("{name} {}", locked(LOCK, name));
        let versions: Vec<_> = self.packages.iter().map(version).collect();
        writeln!(out, "{}", versions.join(", "))?;
        writeln!(
            out,
            "per call, in the fastest of {count} rounds of {requests} calls per row after \
             {warm_up} unmeasured ones\n"
        )?;
        writeln!(
            out,
            "{:<24} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}  what",
            "row", "ns", "median", "+ns", "+clock", "allocs", "+instr"
        )?;
        for (index, (row, figures)) in self.rows.iter().zip(self.figures).enumerate() {
            let over = self.over(index);
            let instructions = over
                .instructions
                .map_or_else(|| "-".to_owned(), |count| format!("{count:+.0}"));
            writeln!(
                out,
                "{:<24} {:>8.1} {:>8.1} {:>+8.1} {:>+8.1} {:>8.1} {instructions:>8}  {}",
                row.name,
                figures.ns,
                figures.median,
                over.bare,
                over.clock,
                figures.allocations,
                row.about
            )?;
        }
        Ok(())
    }

    pub(crate) fn json(&self) -> impl Iterator<Item = Value> {
        let rows = self.rows.iter().zip(self.figures).enumerate();
        rows.map(|(index, (row, figures))| {
            let over = self.over(index);
            json!({
                "name": row.name,
                "ns": tenths(figures.ns),
                "ns_median": tenths(figures.median),
                "ns_over_bare": tenths(over.bare),
                "ns_over_clock": tenths(over.clock),
                "allocs": tenths(figures.allocations),
                "instructions_over_bare": over.instructions.map(tenths),
            })
        })
    }

    /// A row over the bases, both of the fastest round.
    fn over(&self, index: usize) -> Over {
        let [bare, clock] = bases(self.rows, self.rows[index].path).unwrap_or([index; 2]);
        let over = |base: usize| self.figures[index].ns - self.figures[base].ns;
        Over {
            bare: over(bare),
            clock: over(clock),
            instructions: self.instructions.map(|counts| counts[index] - counts[bare]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_of_the_heading_is_locked() {
        for package in PACKAGES {
            assert!(!locked(LOCK, package).is_empty(), "{package}");
        }
    }
}
