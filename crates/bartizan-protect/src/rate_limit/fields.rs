//! What answers say of limits in their heads: `RateLimit-Policy` and `RateLimit` by
//! draft-ietf-httpapi-ratelimit-headers-10, and `Retry-After` (RFC 9110, section 10.2.3).

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::core::Core;
use super::{Decision, Decisions, Mode, Quota};

/// The field with the quotas.
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The field with what is left of them.
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// What an answer says of limits in its head.
///
/// Policies in [shadow](super::Mode) say nothing. In `RateLimit-Policy`, `q` is the rate and `w` its
/// time, in whole seconds; in `RateLimit`, `r` is what is left of the burst, and `t` when there is
/// one more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    policies: HeaderValue,
    limits: HeaderValue,
    retry_after: Option<HeaderValue>,
}

/// Which answers say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Answers {
    /// All.
    #[default]
    All,
    /// Those that are rejections.
    Rejections,
    /// None.
    None,
}

// === impl Fields ===

impl Fields {
    /// `None` where no policy has anything to say.
    pub(super) fn new(core: &Core, decisions: &Decisions) -> Option<Self> {
        let retry_after = decisions.retry_after().map(retry_after);
        let mut policies = Vec::with_capacity(64);
        let mut limits = Vec::with_capacity(64);
        for (at, decision) in decisions.iter() {
            if decision.mode() == Mode::Shadow {
                continue;
            }
            let name = &core.limits[at].said;
            policy(&mut policies, name, decision.quota());
            limit(&mut limits, name, decision, retry_after);
        }
        // Nobody was asked, or all of them in shadow.
        if limits.is_empty() {
            return None;
        }
        Some(Self {
            policies: value(policies)?,
            limits: value(limits)?,
            retry_after: retry_after.map(HeaderValue::from),
        })
    }

    /// Adds them to the head of an answer. Lists grow by what is there already, which other limits
    /// further in have said.
    pub fn add_to(self, headers: &mut HeaderMap) {
        headers.append(RATE_LIMIT_POLICY, self.policies);
        headers.append(RATE_LIMIT, self.limits);
        if let Some(retry_after) = self.retry_after {
            headers.insert(RETRY_AFTER, retry_after);
        }
    }
}

/// Always one: names are visible ASCII, and the rest is ours.
fn value(mut list: Vec<u8>) -> Option<HeaderValue> {
    // A list without slack becomes a value as it is.
    list.shrink_to_fit();
    HeaderValue::try_from(list).ok()
}

/// Whole seconds, never less than it takes, and never none: whoever is told 0 is back at once.
fn retry_after(wait: Duration) -> u64 {
    seconds(wait).max(1)
}

fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// Adds a quota to the list.
fn policy(list: &mut Vec<u8>, name: &[u8], quota: &Quota) {
    item(list, name);
    let window = seconds(quota.per());
    // A window of another length than whole seconds becomes one, at the same rate.
    let units = match quota.per().subsec_nanos() {
        0 => quota.rate().into(),
        _ => {
            let units = u128::from(quota.rate()) * u128::from(window) * 1_000_000_000;
            (units / quota.per().as_nanos()) as u64
        }
    };
    parameter(list, b";q=", units);
    parameter(list, b";w=", window);
}

/// Adds what is left of a quota to the list.
fn limit(list: &mut Vec<u8>, name: &[u8], decision: &Decision, retry_after: Option<u64>) {
    item(list, name);
    parameter(list, b";r=", decision.remaining().into());
    let next = decision.next_unit().map(seconds);
    // The draft does not want to hear of a time after `Retry-After`, which a policy may have that
    // is not why it is sent.
    let next = next.filter(|next| retry_after.is_none_or(|after| *next <= after));
    if let Some(next) = next {
        parameter(list, b";t=", next);
    }
}

/// Begins a member of the list.
fn item(list: &mut Vec<u8>, name: &[u8]) {
    if !list.is_empty() {
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(name);
}

/// A name as a string of RFC 9651.
pub(super) fn string(name: &str) -> Box<[u8]> {
    let mut string = vec![b'"'];
    for byte in name.bytes() {
        if matches!(byte, b'"' | b'\\') {
            string.push(b'\\');
        }
        string.push(byte);
    }
    string.push(b'"');
    string.into()
}

/// Adds a number.
fn parameter(list: &mut Vec<u8>, name: &[u8], number: u64) {
    list.extend_from_slice(name);
    list.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests;
