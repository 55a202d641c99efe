use std::fmt;
use std::ops::Deref;

use uuid::Uuid;

/// Room for a UUID's text (36 bytes) without an allocation.
const INLINE: usize = 38;

/// The id that ties together everything done for one request: 1 to 128 visible ASCII characters.
///
/// Ids of up to 38 bytes, UUIDs among them, are held in place; longer ones cost one allocation.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    /// The first `len` bytes of `bytes` are visible ASCII, the rest zero.
    Inline {
        len: u8,
        bytes: [u8; INLINE],
    },
    Boxed(Box<str>),
}

/// The text is no request id: empty, over 128 bytes, or not all visible ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidRequestId(());

// === impl RequestId ===

impl RequestId {
    /// The most bytes an id may have; a longer one could be used to bloat every log line.
    pub const MAX_LEN: usize = 128;

    /// Takes an id as it came from outside.
    ///
    /// # Errors
    ///
    /// When `bytes` is empty, longer than [`Self::MAX_LEN`], or has a byte outside `!`..=`~`.
    pub fn try_from_bytes(bytes: &[u8]) -> Result<Self, InvalidRequestId> {
        if bytes.is_empty()
            || bytes.len() > Self::MAX_LEN
            || !bytes.iter().all(u8::is_ascii_graphic)
        {
            return Err(InvalidRequestId(()));
        }
        if bytes.len() <= INLINE {
            let mut inline = [0; INLINE];
            inline[..bytes.len()].copy_from_slice(bytes);
            // At most INLINE, so it fits.
            let len = u8::try_from(bytes.len()).map_err(|_| InvalidRequestId(()))?;
            return Ok(Self(Repr::Inline { len, bytes: inline }));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| InvalidRequestId(()))?;
        Ok(Self(Repr::Boxed(text.into())))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever put in, so the check cannot fail.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The id as bytes, each visible ASCII: what a header takes, without a check for UTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Repr::Boxed(text) => text.as_bytes(),
        }
    }
}

/// The UUID's text in lower case, as RFC 9562 writes it.
impl From<Uuid> for RequestId {
    fn from(uuid: Uuid) -> Self {
        const LEN: u8 = 36;
        let mut bytes = [0; INLINE];
        uuid.hyphenated().encode_lower(&mut bytes);
        Self(Repr::Inline { len: LEN, bytes })
    }
}

impl Deref for RequestId {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({:?})", self.as_str())
    }
}

// === impl InvalidRequestId ===

impl fmt::Display for InvalidRequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request id must be 1 to 128 visible ASCII characters")
    }
}

impl std::error::Error for InvalidRequestId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_ascii_up_to_128_bytes_is_taken_as_it_is() {
        for text in [
            "a",
            "0190b6ce-8d7a-7000-8000-000000000000",
            &"x".repeat(39),
            &"~".repeat(128),
        ] {
            assert_eq!(
                RequestId::try_from_bytes(text.as_bytes()).unwrap().as_str(),
                text
            );
        }
    }

    #[test]
    fn a_uuid_is_an_id() {
        let uuid = Uuid::from_u128(0x0190b6ce_8d7a_7000_8000_000000000000);
        assert_eq!(&*RequestId::from(uuid), uuid.to_string());
    }

    #[test]
    fn everything_else_is_refused() {
        let long = "x".repeat(129);
        for bytes in [
            b"".as_slice(),
            b"a b",
            b"a\n",
            b"\x7f",
            "é".as_bytes(),
            long.as_bytes(),
        ] {
            assert!(RequestId::try_from_bytes(bytes).is_err(), "{bytes:?}");
        }
    }
}
