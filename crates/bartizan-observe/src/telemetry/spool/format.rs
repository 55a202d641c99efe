//! How one batch lies in a file. Pure: bytes in, bytes out.
//!
//! A header of [`HEADER`] bytes, numbers with the lowest byte first, and then the OTLP request as
//! it is sent:
//!
//! | bytes | |
//! |---|---|
//! | 0 to 6 | `BZSPOOL` |
//! | 7 | the version, 1 |
//! | 8 | the signal: 1 for spans, 2 for log records |
//! | 9 to 11 | 0 |
//! | 12 to 15 | how many items |
//! | 16 to 19 | how many bytes follow the header |
//! | 20 to 23 | the CRC-32 of these |
//! | 24 to 27 | the CRC-32 of all of the header before |
//!
//! The header has a sum of its own, so that the counts can be believed before the rest is read.

use flate2::Crc;

use super::super::transport::Signal;

/// How long the header is.
pub(super) const HEADER: usize = 28;

const MAGIC: [u8; 8] = *b"BZSPOOL\x01";
/// Where the header's own sum begins.
const SUM: usize = HEADER - 4;

/// What a sound header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) items: u32,
    length: u32,
    sum: u32,
}

/// Why a file is none of ours, or not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Torn {
    #[error("it has no sound header")]
    Header,
    #[error("it is of another version or signal")]
    Kind,
    #[error("it is too short or too long")]
    Length,
    #[error("its bytes do not have their sum")]
    Sum,
}

/// The header before `message`; `None` when that is too large for any file.
pub(super) fn head(signal: Signal, items: u64, message: &[u8]) -> Option<[u8; HEADER]> {
    let items = u32::try_from(items).ok()?;
    let length = u32::try_from(message.len()).ok()?;
    let mut head = [0; HEADER];
    head[..8].copy_from_slice(&MAGIC);
    head[8] = kind(signal);
    head[12..16].copy_from_slice(&items.to_le_bytes());
    head[16..20].copy_from_slice(&length.to_le_bytes());
    head[20..SUM].copy_from_slice(&sum(message).to_le_bytes());
    let own = sum(&head[..SUM]);
    head[SUM..].copy_from_slice(&own.to_le_bytes());
    Some(head)
}

/// Reads the header of a file that is `length` bytes long.
pub(super) fn read_head(signal: Signal, head: &[u8], length: u64) -> Result<Head, Torn> {
    let head: &[u8; HEADER] = head.first_chunk().ok_or(Torn::Header)?;
    let number =
        |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    if head[..7] != MAGIC[..7] || number(SUM) != sum(&head[..SUM]) {
        return Err(Torn::Header);
    }
    if head[7] != MAGIC[7] || head[8] != kind(signal) {
        return Err(Torn::Kind);
    }
    let read = Head {
        items: number(12),
        length: number(16),
        sum: number(20),
    };
    if length != HEADER as u64 + u64::from(read.length) {
        return Err(Torn::Length);
    }
    Ok(read)
}

/// Takes a whole file apart.
pub(super) fn read(signal: Signal, file: &[u8]) -> Result<(Head, &[u8]), Torn> {
    let head = read_head(signal, file, file.len() as u64)?;
    let message = &file[HEADER..];
    if head.sum == sum(message) {
        Ok((head, message))
    } else {
        Err(Torn::Sum)
    }
}

const fn kind(signal: Signal) -> u8 {
    match signal {
        Signal::Traces => 1,
        Signal::Logs => 2,
        // Not spooled.
        Signal::Metrics => 0,
    }
}

fn sum(bytes: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum.sum()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn file(items: u64, message: &[u8]) -> Vec<u8> {
        let mut file = head(Signal::Traces, items, message).unwrap().to_vec();
        file.extend_from_slice(message);
        file
    }

    #[test]
    fn what_is_no_file_of_this_kind_is_told_from_a_torn_one() {
        let sound = file(3, b"spans");
        let mut newer = sound.clone();
        newer[7] = 2;
        let own = sum(&newer[..SUM]);
        newer[SUM..HEADER].copy_from_slice(&own.to_le_bytes());
        for (bytes, expected) in [
            (&[][..], Torn::Header),
            (b"PNG, which is something else altogether", Torn::Header),
            (&sound[..HEADER], Torn::Length),
            (&[&sound[..], b"!"].concat(), Torn::Length),
            (&newer, Torn::Kind),
        ] {
            assert_eq!(read(Signal::Traces, bytes), Err(expected));
        }
        assert_eq!(read(Signal::Logs, &sound), Err(Torn::Kind));
        assert_eq!(head(Signal::Traces, 1 << 32, b""), None);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(items in any::<u32>(), message in vec(any::<u8>(), 0..300)) {
            let file = file(u64::from(items), &message);
            let (head, read) = read(Signal::Traces, &file).unwrap();
            prop_assert_eq!((head.items, read), (items, &message[..]));
        }

        #[test]
        fn whatever_is_cut_off_is_missed(
            message in vec(any::<u8>(), 0..300),
            at in any::<prop::sample::Index>(),
        ) {
            let file = file(7, &message);
            prop_assert!(read(Signal::Traces, &file[..at.index(file.len())]).is_err());
        }

        #[test]
        fn a_bit_that_has_flipped_is_noticed(
            message in vec(any::<u8>(), 0..300),
            at in any::<prop::sample::Index>(),
            bit in 0..8_u32,
        ) {
            let mut file = file(7, &message);
            let at = at.index(file.len());
            file[at] ^= 1 << bit;
            prop_assert!(read(Signal::Traces, &file).is_err());
        }

        #[test]
        fn no_bytes_at_all_make_it_panic(bytes in vec(any::<u8>(), 0..100)) {
            let _ = read(Signal::Logs, &bytes);
        }
    }
}
