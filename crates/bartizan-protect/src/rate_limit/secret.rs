use std::hash::{BuildHasher, RandomState};

use siphasher::sip::SipHasher13;

/// What a limiter's keys are hashed by, which nobody else knows.
///
/// SipHash-1-3, as in the standard library's maps: clients choose what is hashed, and with a faster
/// hash that was not made to withstand them they could find keys that share a set, or a budget. The
/// library's own is as strong, and not compiled into what calls it.
pub(super) struct Secret(u64, u64);

// === impl Secret ===

impl Secret {
    /// Made of what the standard library's maps are keyed with.
    pub(super) fn random() -> Self {
        let random = || RandomState::new().hash_one(());
        Self(random(), random())
    }

    #[inline]
    pub(super) fn hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::Hasher;

    use super::*;

    #[test]
    fn no_two_limiters_have_one_secret() {
        let hash = || {
            let mut hasher = Secret::random().hasher();
            hasher.write_u64(1);
            hasher.finish()
        };
        assert_ne!(hash(), hash());
    }
}
