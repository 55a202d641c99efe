//! Instructions per call, as valgrind counts them: the same on a busy machine as on an idle one.

use std::env;
use std::process::Command;

use super::row::Row;
use crate::BoxError;

const CALLS: u64 = 10_000;

/// Runs each row of a `mode` of this program in a process of its own, under valgrind.
///
/// Valgrind makes a system call of each clock reading, whose inside is not in the figures.
pub(crate) fn of(mode: &str, rows: &[Row]) -> Result<Vec<f64>, BoxError> {
    rows.iter().map(|row| count(mode, row.name)).collect()
}

fn count(mode: &str, row: &str) -> Result<f64, BoxError> {
    let done = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*measured_loop*"])
        .arg("--callgrind-out-file=/dev/null")
        .arg(env::current_exe()?)
        .args([mode, "--row", row, "--iterations"])
        .arg(CALLS.to_string())
        .output()
        .map_err(|error| format!("--instructions takes valgrind, which does not start: {error}"))?;
    let said = String::from_utf8_lossy(&done.stderr);
    let collected = collected(&said).filter(|_| done.status.success());
    let collected = collected.ok_or_else(|| format!("valgrind has not counted {row}: {said}"))?;
    Ok(collected as f64 / CALLS as f64)
}

/// The count at the end of what callgrind says.
fn collected(said: &str) -> Option<u64> {
    let (_, count) = said.rsplit_once("Collected :")?;
    count.lines().next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found_in_what_callgrind_says() {
        let said =
            "==1== Events    : Ir\n==1== Collected : 12345\n==1== \n==1== I   refs:  12,345\n";
        assert_eq!(collected(said), Some(12_345));
        assert_eq!(collected("==1== nothing\n"), None);
    }
}
