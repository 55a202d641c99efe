//! The `traceparent` field (Trace Context section 3.2): a parser and a formatter over bytes that
//! allocate nothing.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId};

use super::trim_ows;

/// The length of a version `00` field: two, 32, 16 and two digits, and three dashes.
pub(super) const LEN: usize = 55;

/// The flags that have a meaning: `sampled`, and `random` of level 2. The specification has
/// senders of version `00` set all others to zero.
const KNOWN_FLAGS: TraceFlags = TraceFlags::new(0x03);

/// What a `traceparent` says. Both ids are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traceparent {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) flags: TraceFlags,
}

// === impl Traceparent ===

impl Traceparent {
    /// Reads one field value; anything that is not one is `None`.
    ///
    /// A higher version is read as far as it agrees with version `00`, which is all that the
    /// specification lets a receiver assume about it.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let (head, rest) = trim_ows(value).split_first_chunk::<LEN>()?;
        if head[2] != b'-' || head[35] != b'-' || head[52] != b'-' {
            return None;
        }
        let [version] = hex(&head[..2])?;
        let complete = match version {
            0x00 => rest.is_empty(),
            0xff => false,
            _ => matches!(rest, [] | [b'-', ..]),
        };
        if !complete {
            return None;
        }
        let trace_id = TraceId::from_bytes(hex(&head[3..35])?);
        let span_id = SpanId::from_bytes(hex(&head[36..52])?);
        let [flags] = hex(&head[53..])?;
        if trace_id == TraceId::INVALID || span_id == SpanId::INVALID {
            return None;
        }
        Some(Self {
            trace_id,
            span_id,
            flags: TraceFlags::new(flags) & KNOWN_FLAGS,
        })
    }

    /// What to send for a span, if its ids are valid.
    pub(super) fn of(span: &SpanContext) -> Option<Self> {
        span.is_valid().then(|| Self {
            trace_id: span.trace_id(),
            span_id: span.span_id(),
            flags: span.trace_flags() & KNOWN_FLAGS,
        })
    }

    /// The same with these flags set too.
    pub(super) fn with_flags(mut self, flags: TraceFlags) -> Self {
        self.flags = self.flags | (flags & KNOWN_FLAGS);
        self
    }

    /// The field value, always in version `00`.
    pub(super) fn format(&self) -> [u8; LEN] {
        let mut line = [b'-'; LEN];
        put_hex(&mut line[..2], [0x00]);
        put_hex(&mut line[3..35], self.trace_id.to_bytes());
        put_hex(&mut line[36..52], self.span_id.to_bytes());
        put_hex(&mut line[53..], [self.flags.to_u8()]);
        line
    }
}

/// The value of each lowercase hex digit; [`NOT_HEX`] for every other byte.
const DIGITS: [u8; 256] = digits();
const NOT_HEX: u8 = 0xff;

const fn digits() -> [u8; 256] {
    let mut table = [NOT_HEX; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit as usize] as usize] = digit;
        digit += 1;
    }
    table
}

/// Reads `2 * N` lowercase hex digits. All of them are looked at before the answer, which leaves
/// the loop without branches.
fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let (pairs, _) = text.as_chunks::<2>();
    let mut bytes = [0; N];
    let mut seen = 0;
    for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
        let (high, low) = (DIGITS[usize::from(high)], DIGITS[usize::from(low)]);
        seen |= high | low;
        *byte = high << 4 | low;
    }
    (seen < 16).then_some(bytes)
}

fn put_hex<const N: usize>(text: &mut [u8], bytes: [u8; N]) {
    let (pairs, _) = text.as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(bytes) {
        let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble & 0x0f)];
        *pair = [digit(byte >> 4), digit(byte)];
    }
}
