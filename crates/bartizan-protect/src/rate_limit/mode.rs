use std::sync::atomic::{AtomicU8, Ordering};

/// Whether a policy means it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Mode {
    /// What it does not allow is rejected.
    #[default]
    Enforce,
    /// It decides, charges, counts and tells as if it were enforced, and rejects nothing.
    Shadow,
    /// It is not asked.
    Disabled,
}

/// A mode that is changed while it is read.
#[derive(Debug)]
pub(crate) struct ModeCell(AtomicU8);

// === impl ModeCell ===

impl ModeCell {
    pub(crate) const fn new(mode: Mode) -> Self {
        Self(AtomicU8::new(mode as u8))
    }

    // Nothing else is published by it: a request sees the one or the other.
    #[inline]
    pub(crate) fn get(&self) -> Mode {
        match self.0.load(Ordering::Relaxed) {
            0 => Mode::Enforce,
            1 => Mode::Shadow,
            _ => Mode::Disabled,
        }
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.0.store(mode as u8, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_read_as_it_was_set() {
        let cell = ModeCell::new(Mode::default());
        assert_eq!(cell.get(), Mode::Enforce);
        for mode in [Mode::Shadow, Mode::Disabled, Mode::Enforce] {
            cell.set(mode);
            assert_eq!(cell.get(), mode);
        }
    }
}
