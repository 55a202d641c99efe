//! What answers say of limits in their heads, as this replica sees them.

use super::Decisions;
use super::limit::Limits;
use crate::rate_limit::{Fields, Mode, Said};

/// `None` where no policy has anything to say.
pub(super) fn of(limits: &Limits, decisions: &Decisions) -> Option<Fields> {
    let meant = decisions
        .iter()
        .filter(|(_, decision)| decision.mode() != Mode::Shadow);
    let said = meant.filter_map(|(at, decision)| {
        Some(Said {
            name: &limits.all[at].said,
            quota: *decision.quota(),
            remaining: decision.remaining()?,
            next_unit: decision.next_unit(),
        })
    });
    Fields::of(said, decisions.retry_after())
}
