//! What a collector has to do with requests: nothing, whatever it does; and how long one that is
//! well takes to get everything at the end.

mod far;
mod flushes;
mod report;
mod requests;

use std::io::{self, Write};

use crate::BoxError;
use crate::options::Rounds;

/// Measures both, and writes a table of each, and one JSON array if it is asked for.
pub(crate) fn run(rounds: &Rounds, json: bool) -> Result<(), BoxError> {
    let requests = requests::measure(rounds)?;
    let flushes = flushes::measure(rounds.count)?;
    let mut out = io::stdout().lock();
    report::write_requests(&mut out, &requests, rounds)?;
    report::write_flushes(&mut out, &flushes)?;
    if json {
        let rows = report::json_rows(&requests, &flushes);
        writeln!(out, "{}", serde_json::Value::Array(rows))?;
    }
    Ok(())
}

/// By nearest rank; 0 if there are none.
fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let mut values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(percentile(&mut values, 50), 100.0);
        assert_eq!(percentile(&mut values, 99), 198.0);
        assert_eq!(percentile(&mut [], 99), 0.0);
    }

    #[test]
    fn no_collector_stands_in_the_way_of_a_request_and_every_span_is_told_of()
    -> Result<(), BoxError> {
        let rounds = Rounds {
            count: 2,
            requests: 20,
            warm_up: 5,
        };
        let requests = requests::measure(&rounds)?;
        assert_eq!(requests.rows.len(), 9);
        for row in &requests.rows {
            let spans = row.spans;
            assert_eq!(spans.ended, 50, "{}: {spans}", row.name);
            let lost_otherwise = spans.dropped.total() - spans.dropped.unreachable;
            match row.name {
                "healthy" | "slow" => assert_eq!(spans.exported, 50, "{}: {spans}", row.name),
                // It is gone when it is gone; what was sent has been answered.
                "flapping" => assert_eq!(lost_otherwise, 0, "{spans}"),
                "refused" => assert_eq!(spans.dropped.unreachable, 50, "{spans}"),
                "black hole" | "reset" => {
                    assert_eq!(spans.unconfirmed, 50, "{}: {spans}", row.name);
                }
                _ => assert_eq!(spans.dropped.total(), 50, "{}: {spans}", row.name),
            }
        }
        assert_eq!(flushes::measure(1)?.len(), 4);
        Ok(())
    }
}
