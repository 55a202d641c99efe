//! How much a request unpacks to, told from its bytes before anything is unpacked.
//!
//! An empty span takes two bytes on the wire and some 300 in memory, so a message of a few
//! megabytes (and of a few kilobytes, compressed) can ask for a gigabyte. This counts what the
//! decoder would make of the bytes: one pass, nothing allocated, nothing read twice.

mod shape;

use self::shape::What;
pub(super) use self::shape::{LOGS, METRICS, Shape, TRACES};

/// The most records that a request may hold: spans, log records and data points, and the
/// resources, scopes and metrics that they come under. Exporters send batches of hundreds to
/// thousands. What is unpacked of as many empty ones takes some 15 MB.
pub const MAX_RECORDS: usize = 50_000;

/// The most parts that a request's records may have: attributes, events, links, exemplars and the
/// elements of values. Real ones hardly fit more into a message of the longest length; what is
/// unpacked of as many empty ones takes some 50 MB.
pub const MAX_PARTS: usize = 500_000;

/// How deep messages may be nested: as deep as the decoder goes.
const MAX_DEPTH: u32 = 100;

// Of the wire format: how a field's value is written.
const VARINT: u32 = 0;
const FIXED_64: u32 = 1;
const LENGTH_DELIMITED: u32 = 2;
const GROUP_START: u32 = 3;
const GROUP_END: u32 = 4;
const FIXED_32: u32 = 5;

/// What a request holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) records: usize,
    pub(super) parts: usize,
}

/// A request that holds more than is unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the request holds {} records with {} parts; at most {MAX_RECORDS} with {MAX_PARTS} are taken",
    .0.records, .0.parts
)]
pub(super) struct TooMuch(Size);

/// A position in a request.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    size: Size,
}

/// Refuses a request that holds too much. Whether it is well-formed is for the decoder to say.
pub(super) fn check(bytes: &[u8], request: &Shape) -> Result<(), TooMuch> {
    let size = measure(bytes, request);
    if size.records > MAX_RECORDS || size.parts > MAX_PARTS {
        return Err(TooMuch(size));
    }
    Ok(())
}

/// Counts what the decoder makes of a message of this shape: exactly that of one as encoders write
/// it, and never less.
fn measure(bytes: &[u8], request: &Shape) -> Size {
    let mut reader = Reader {
        bytes,
        at: 0,
        size: Size::default(),
    };
    // `None` is malformed. The decoder stops there as well, and has made what was counted so far.
    let _malformed = reader.message(request, bytes.len(), MAX_DEPTH);
    reader.size
}

// === impl Reader ===

impl Reader<'_> {
    /// Reads a message up to `end`.
    ///
    /// What is inside may run over that end, which is noticed only behind it: the decoder does the
    /// same, and has unpacked all of it by then.
    fn message(&mut self, shape: &Shape, end: usize, depth: u32) -> Option<()> {
        while self.at < end {
            let (field, wire) = self.key()?;
            let Some((what, inner)) = shape.field(field) else {
                self.skip(field, wire, depth)?;
                continue;
            };
            if wire != LENGTH_DELIMITED {
                return None;
            }
            let end = self.end()?;
            let depth = depth.checked_sub(1)?;
            match what {
                What::Record => self.size.records += 1,
                What::Part => self.size.parts += 1,
                What::Inline => {}
            }
            self.message(inner, end, depth)?;
        }
        (self.at == end).then_some(())
    }

    /// A field's number, and how its value is written.
    fn key(&mut self) -> Option<(u32, u32)> {
        let key = u32::try_from(self.varint()?).ok()?;
        let (field, wire) = (key >> 3, key & 7);
        (field != 0).then_some((field, wire))
    }

    /// Passes over the value of a field that holds no messages, or that nobody knows.
    fn skip(&mut self, field: u32, wire: u32, depth: u32) -> Option<()> {
        match wire {
            VARINT => self.varint().map(|_| ()),
            FIXED_64 => self.advance(8),
            FIXED_32 => self.advance(4),
            LENGTH_DELIMITED => {
                self.at = self.end()?;
                Some(())
            }
            GROUP_START => self.group(field, depth.checked_sub(1)?),
            _ => None,
        }
    }

    /// Passes over a group, an old way to nest messages, up to its end.
    fn group(&mut self, group: u32, depth: u32) -> Option<()> {
        loop {
            let (field, wire) = self.key()?;
            if wire == GROUP_END {
                return (field == group).then_some(());
            }
            self.skip(field, wire, depth)?;
        }
    }

    /// Reads a length, and gives the position that it leads to.
    fn end(&mut self) -> Option<usize> {
        let length = usize::try_from(self.varint()?).ok()?;
        let end = self.at.checked_add(length)?;
        (end <= self.bytes.len()).then_some(end)
    }

    fn advance(&mut self, length: usize) -> Option<()> {
        let end = self.at.checked_add(length)?;
        (end <= self.bytes.len()).then(|| self.at = end)
    }

    /// A whole number, seven bits a byte, the lowest first.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                // Of the tenth byte only the lowest bit is left.
                return (shift < 63 || byte < 2).then_some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
