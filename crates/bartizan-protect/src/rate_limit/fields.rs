//! What answers say of limits in their heads: `RateLimit-Policy` and `RateLimit` by
//! draft-ietf-httpapi-ratelimit-headers-10, and `Retry-After` (RFC 9110, section 10.2.3).

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};
use smallvec::SmallVec;

use super::core::Core;
use super::limit::Limit;
use super::{Decisions, Mode, Quota};

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

/// What one policy has to say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    /// Its name, as [`string`] makes it.
    pub(crate) name: &'a [u8],
    pub(crate) quota: Quota,
    pub(crate) remaining: u32,
    pub(crate) next_unit: Option<Duration>,
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

/// A list that is being written, on the stack unless there are many policies. What is sent is a copy
/// of its exact size.
type List = SmallVec<[u8; 128]>;

// === impl Fields ===

impl Fields {
    /// `None` where no policy has anything to say.
    pub(super) fn new(core: &Core, decisions: &Decisions) -> Option<Self> {
        let meant = decisions
            .iter()
            .filter(|(_, decision)| decision.mode() != Mode::Shadow);
        let said = meant.map(|(at, decision)| Said {
            name: &core.limits[at].said,
            quota: *decision.quota(),
            remaining: decision.remaining(),
            next_unit: decision.next_unit(),
        });
        let as_built = core.said.as_ref().filter(|_| is_as_built(core, decisions));
        Self::with(as_built, said, decisions.retry_after())
    }

    /// The same of whatever has policies.
    pub(crate) fn of<'a>(
        all: impl Iterator<Item = Said<'a>>,
        wait: Option<Duration>,
    ) -> Option<Self> {
        Self::with(None, all, wait)
    }

    /// The same, where the list of quotas may be there already.
    fn with<'a>(
        policies: Option<&HeaderValue>,
        all: impl Iterator<Item = Said<'a>>,
        wait: Option<Duration>,
    ) -> Option<Self> {
        let retry_after = wait.map(retry_after);
        let (mut quotas, mut limits) = (List::new(), List::new());
        for said in all {
            if policies.is_none() {
                policy(&mut quotas, said.name, &said.quota);
            }
            limit(&mut limits, &said, retry_after);
        }
        // Nobody was asked, or all of them in shadow.
        if limits.is_empty() {
            return None;
        }
        Some(Self {
            policies: policies.cloned().or_else(|| value(&quotas))?,
            limits: value(&limits)?,
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

/// The list of quotas of answers for which all policies were asked as they were built, so that it
/// is made once and not for each of them.
pub(super) fn as_built(limits: &[Limit]) -> Option<HeaderValue> {
    let mut list = List::new();
    for Limit {
        policy: it, said, ..
    } in limits
    {
        if it.mode != Mode::Shadow {
            policy(&mut list, said, &it.quota);
        }
    }
    value(&list)
}

fn is_as_built(core: &Core, decisions: &Decisions) -> bool {
    let mut all = decisions.iter();
    all.len() == core.limits.len()
        && all.all(|(at, decision)| {
            let built = &core.limits[at].policy;
            decision.mode() == built.mode && *decision.quota() == built.quota
        })
}

/// Always one: names are visible ASCII, and the rest is ours.
fn value(list: &List) -> Option<HeaderValue> {
    HeaderValue::from_bytes(list).ok()
}

/// Whole seconds, never less than it takes, and never none: whoever is told 0 is back at once.
fn retry_after(wait: Duration) -> u64 {
    seconds(wait).max(1)
}

fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// Adds a quota to the list.
fn policy(list: &mut List, name: &[u8], quota: &Quota) {
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
fn limit(list: &mut List, said: &Said<'_>, retry_after: Option<u64>) {
    item(list, said.name);
    parameter(list, b";r=", said.remaining.into());
    let next = said.next_unit.map(seconds);
    // The draft does not want to hear of a time after `Retry-After`, which a policy may have that
    // is not why it is sent.
    let next = next.filter(|next| retry_after.is_none_or(|after| *next <= after));
    if let Some(next) = next {
        parameter(list, b";t=", next);
    }
}

/// Begins a member of the list.
fn item(list: &mut List, name: &[u8]) {
    if !list.is_empty() {
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(name);
}

/// A name as a string of RFC 9651.
pub(crate) fn string(name: &str) -> Box<[u8]> {
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
fn parameter(list: &mut List, name: &[u8], number: u64) {
    list.extend_from_slice(name);
    list.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests;
