use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C and SIGTERM, which both ask the demo to end.
#[derive(Debug)]
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one. Cancel safe.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Whether it was one of them that ended a process.
pub(crate) fn ended(status: ExitStatus) -> bool {
    [SignalKind::interrupt(), SignalKind::terminate()]
        .map(|kind| Some(kind.as_raw_value()))
        .contains(&status.signal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_process_is_told_from_a_crashed_and_an_ended_one() {
        // As `wait` gives them: a signal's number is in the low bits, an exit code above them.
        for (raw, expected) in [
            (2, true),
            (15, true),
            (9, false),
            (2 << 8, false),
            (0, false),
        ] {
            assert_eq!(ended(ExitStatus::from_raw(raw)), expected, "{raw}");
        }
    }
}
