use std::hash::Hasher;

/// SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012): the same in every process, whatever it
/// was built with and runs on, which the standard library's hashers do not promise.
#[derive(Debug, Clone)]
pub(super) struct SipHasher128 {
    v: [u64; 4],
    /// The bytes of the word that is not whole yet, and how many have come at all.
    tail: u64,
    length: u64,
}

// === impl SipHasher128 ===

impl SipHasher128 {
    pub(super) fn new(secret: &[u8; 16]) -> Self {
        let secret = u128::from_le_bytes(*secret);
        let (k0, k1) = (secret as u64, (secret >> 64) as u64);
        Self {
            v: [
                k0 ^ 0x736f_6d65_7073_6575,
                k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
                k0 ^ 0x6c79_6765_6e65_7261,
                k1 ^ 0x7465_6462_7974_6573,
            ],
            tail: 0,
            length: 0,
        }
    }

    pub(super) fn finish128(&self) -> u128 {
        let mut state = self.clone();
        let last = state.tail | (state.length << 56);
        state.word(last);
        state.v[2] ^= 0xee;
        state.rounds(4);
        let low = state.v.iter().fold(0, |all, v| all ^ v);
        state.v[1] ^= 0xdd;
        state.rounds(4);
        let high = state.v.iter().fold(0, |all, v| all ^ v);
        (u128::from(high) << 64) | u128::from(low)
    }

    fn word(&mut self, word: u64) {
        self.v[3] ^= word;
        self.rounds(2);
        self.v[0] ^= word;
    }

    fn rounds(&mut self, rounds: usize) {
        let [mut a, mut b, mut c, mut d] = self.v;
        for _ in 0..rounds {
            a = a.wrapping_add(b);
            b = b.rotate_left(13) ^ a;
            a = a.rotate_left(32);
            c = c.wrapping_add(d);
            d = d.rotate_left(16) ^ c;
            a = a.wrapping_add(d);
            d = d.rotate_left(21) ^ a;
            c = c.wrapping_add(b);
            b = b.rotate_left(17) ^ c;
            c = c.rotate_left(32);
        }
        self.v = [a, b, c, d];
    }
}

impl Hasher for SipHasher128 {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let at = self.length % 8;
            self.tail |= u64::from(*byte) << (8 * at);
            self.length += 1;
            if at == 7 {
                let word = std::mem::take(&mut self.tail);
                self.word(word);
            }
        }
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
