//! The `tracestate` field (Trace Context section 3.3): grammar, limits, combination of lines.
//!
//! Keys follow level 2, where `@` is a key character like the others, except in the first place.
//! Every key that level 1 allows, `tenant@system` included, is a key of level 2.

use opentelemetry::trace::TraceState;

use super::trim_ows;

/// How many members a `tracestate` may have, over all of its header lines. Default of the
/// specification and not to be raised: a list with more is not valid.
pub const MAX_TRACESTATE_MEMBERS: usize = 32;

/// The longest key, and the longest value, in characters.
const MAX_TEXT: usize = 256;

/// Valid members with distinct keys, in order. On the stack: most requests have one or two.
#[derive(Debug, Clone, Copy)]
pub(super) struct Members<'a> {
    list: [(&'a str, &'a str); MAX_TRACESTATE_MEMBERS],
    len: usize,
}

// === impl Members ===

impl<'a> Members<'a> {
    pub(super) const fn new() -> Self {
        Self {
            list: [("", ""); MAX_TRACESTATE_MEMBERS],
            len: 0,
        }
    }

    /// Reads all lines as one list; `None` if it is not valid, and then nothing of it may be used.
    ///
    /// Empty members are allowed and don't count. Of members with the same key the first one
    /// stays: the left-most entry is the most recent, and an entry stands for the last position
    /// in the trace.
    pub(super) fn parse(lines: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let mut members = Self::new();
        let mut seen = 0;
        for member in lines.flat_map(|line| line.split(|&byte| byte == b',')) {
            let member = trim_ows(member);
            if member.is_empty() {
                continue;
            }
            seen += 1;
            if seen > MAX_TRACESTATE_MEMBERS {
                return None;
            }
            let (key, value) = std::str::from_utf8(member).ok()?.split_once('=')?;
            if !is_key(key) || !is_value(value) {
                return None;
            }
            members.push(key, value);
        }
        Some(members)
    }

    /// Adds a member unless it is not valid, its key is there already, or the list is full.
    pub(super) fn push(&mut self, key: &'a str, value: &'a str) {
        // Spaces at the end are not part of a value, and could not be told from optional ones.
        let value = value.trim_end_matches(' ');
        let fits = self.len < MAX_TRACESTATE_MEMBERS && is_key(key) && is_value(value);
        if fits && self.get(key).is_none() {
            self.list[self.len] = (key, value);
            self.len += 1;
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.as_slice()
            .iter()
            .find(|member| member.0 == key)
            .map(|member| member.1)
    }

    pub(super) fn as_slice(&self) -> &[(&'a str, &'a str)] {
        &self.list[..self.len]
    }

    /// The members that the API's type takes, and whether those were all.
    ///
    /// It refuses valid keys of level 2: any with two `@`, and any with more than 13 characters
    /// behind the `@` (even level 1 allows 14). See [`Remainder`](super::remainder::Remainder)
    /// for what becomes of these. The type is also too lax where it parses (a value's leading
    /// `=` vanish) and does not look for equal keys, so it is given checked pairs only.
    pub(super) fn to_trace_state(self) -> (TraceState, bool) {
        let members = self.as_slice().iter().copied();
        if let Ok(state) = TraceState::from_key_value(members.clone()) {
            return (state, true);
        }
        let taken = members.filter(|&member| TraceState::from_key_value([member]).is_ok());
        (TraceState::from_key_value(taken).unwrap_or_default(), false)
    }

    /// The field value; `None` when there is nothing to send. A list longer than the 512
    /// characters that everyone must pass on is sent whole: it is bounded by its grammar.
    pub(super) fn to_header(self) -> Option<String> {
        let members = self.as_slice();
        let text: usize = members
            .iter()
            .map(|(key, value)| key.len() + value.len() + 2)
            .sum();
        // The exact length, so that the header value can take the allocation over as it is.
        let mut line = String::with_capacity(text.checked_sub(1)?);
        for (key, value) in members {
            if !line.is_empty() {
                line.push(',');
            }
            line.push_str(key);
            line.push('=');
            line.push_str(value);
        }
        Some(line)
    }
}

/// `( lcalpha / DIGIT ) 0*255( lcalpha / DIGIT / "_" / "-" / "*" / "/" / "@" )`
fn is_key(key: &str) -> bool {
    let is_start = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    key.len() <= MAX_TEXT
        && key.bytes().next().is_some_and(is_start)
        && key
            .bytes()
            .all(|byte| is_start(byte) || b"_-*/@".contains(&byte))
}

/// `0*255(chr) nblk-chr`: printable ASCII without `,` and `=`, not ending in a space.
fn is_value(value: &str) -> bool {
    value.len() <= MAX_TEXT
        && value.bytes().next_back().is_some_and(|byte| byte != b' ')
        && value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && byte != b',' && byte != b'=')
}
