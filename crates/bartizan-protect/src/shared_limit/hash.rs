use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};

/// SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012): the same in every process, whatever it
/// was built with and runs on, which the standard library's hashers do not promise.
#[derive(Debug, Clone)]
pub(super) struct SipHasher128(SipHasher24);

// === impl SipHasher128 ===

impl SipHasher128 {
    pub(super) fn new(secret: &[u8; 16]) -> Self {
        Self(SipHasher24::new_with_key(secret))
    }

    pub(super) fn finish128(&self) -> u128 {
        self.0.finish128().as_u128()
    }
}

impl Hasher for SipHasher128 {
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    // The default is in the machine's own order.
    fn write_u64(&mut self, number: u64) {
        self.write(&number.to_le_bytes());
    }

    fn finish(&self) -> u64 {
        self.finish128() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_hashes_as_its_authors_do() {
        let secret = std::array::from_fn(|at| at as u8);
        let hash = |length: u8| {
            let mut hasher = SipHasher128::new(&secret);
            hasher.write(&(0..length).collect::<Vec<_>>());
            hasher.finish128().to_le_bytes()
        };
        // The first of the authors' vectors.
        assert_eq!(
            hash(0),
            0xa381_7f04_ba25_a8e6_6df6_7214_c755_0293_u128.to_be_bytes()
        );
        assert_eq!(
            hash(1),
            0xda87_c1d8_6b99_af44_3476_5911_9b22_fc45_u128.to_be_bytes()
        );
    }

    #[test]
    fn words_and_bytes_are_the_same() {
        let new = || SipHasher128::new(&[7; 16]);
        let (mut words, mut bytes) = (new(), new());
        words.write_u8(1);
        words.write_u64(0x0908_0706_0504_0302);
        bytes.write(&[1, 2, 3, 4]);
        bytes.write(&[5, 6, 7, 8, 9]);
        assert_eq!(words.finish128(), bytes.finish128());
        assert_ne!(words.finish(), new().finish());
    }
}
