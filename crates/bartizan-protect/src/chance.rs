/// Small numbers of chance, from a seed: SplitMix64 (Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators", OOPSLA 2014).
#[derive(Debug)]
pub(crate) struct Chance(u64);

// === impl Chance ===

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From 0 to below 1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        // As many bits as a float of this size holds.
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_spread_over_the_range() {
        let mut chance = Chance::new(0);
        let mut tenths = [0; 10];
        for _ in 0..10_000 {
            tenths[(chance.next() * 10.0) as usize] += 1;
        }
        assert!(tenths.iter().all(|hits| (900..1_100).contains(hits)));
    }
}
