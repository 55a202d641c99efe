//! What a process tells whoever started it.

use super::report::ServeReport;

/// The exit code when requests were cut off. Not 1 (failed), 2 (usage), 64 to 78 (`sysexits.h`),
/// 101 (a panic in `main`) or above 128 (a signal), all of which mean something else.
pub const EXIT_CUT_OFF: u8 = 10;

/// The exit code when telemetry was lost, and no request.
pub const EXIT_TELEMETRY_LOST: u8 = 11;

/// Which ends a supervisor is to see as failures.
///
/// | | clean | telemetry lost | requests cut off |
/// |---|---|---|---|
/// | [`Lenient`](Self::Lenient) | 0 | 0 | 0 |
/// | [`Requests`](Self::Requests), the default | 0 | 0 | [10](EXIT_CUT_OFF) |
/// | [`Strict`](Self::Strict) | 0 | [11](EXIT_TELEMETRY_LOST) | [10](EXIT_CUT_OFF) |
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitPolicy {
    /// Ending is success, as for a supervisor that restarts whatever fails and should not.
    Lenient,
    /// A client that got no answer is a failure. A collector that was away is not: it would mark
    /// every service of the fleet as failed.
    #[default]
    Requests,
    /// Telemetry that was dropped or never acknowledged is a failure, too: for audits and tests.
    Strict,
}

// === impl ServeReport ===

impl ServeReport {
    /// What `main` returns, for [`std::process::ExitCode::from`]; the table is at [`ExitPolicy`].
    #[must_use]
    pub const fn exit_code(&self, policy: ExitPolicy) -> u8 {
        let (requests, telemetry) = match policy {
            ExitPolicy::Lenient => (false, false),
            ExitPolicy::Requests => (true, false),
            ExitPolicy::Strict => (true, true),
        };
        if requests && self.cut_off.total > 0 {
            EXIT_CUT_OFF
        } else if telemetry && self.telemetry_lost() > 0 {
            EXIT_TELEMETRY_LOST
        } else {
            0
        }
    }
}
