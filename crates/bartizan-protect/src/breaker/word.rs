//! The state of a circuit in one word: what it does, which generation that is, and until when.

use super::State;
use crate::window::Tick;

/// `state:3 | generation:24 | until:37`, so that one load admits and one compare-and-swap changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word(u64);

const UNTIL_BITS: u32 = 37;
const GENERATION_BITS: u32 = 24;
const UNTIL_MASK: u64 = (1 << UNTIL_BITS) - 1;
const GENERATION_MASK: u64 = (1 << GENERATION_BITS) - 1;

/// No such moment. The ones before it are four years of milliseconds; a circuit that is older than
/// that opens for no time at all.
pub(super) const NEVER: Tick = UNTIL_MASK;

// === impl Word ===

impl Word {
    /// A new circuit's.
    pub(super) const CLOSED: Self = Self::new(State::Closed, 0, NEVER);

    pub(super) const fn new(state: State, generation: u32, until: Tick) -> Self {
        let until = if until < NEVER { until } else { NEVER };
        Self(
            (state as u64) << (UNTIL_BITS + GENERATION_BITS)
                | (generation as u64 & GENERATION_MASK) << UNTIL_BITS
                | until,
        )
    }

    /// The word of the next generation.
    pub(super) const fn next(self, state: State, until: Tick) -> Self {
        Self::new(state, self.generation().wrapping_add(1), until)
    }

    /// The same state with another moment.
    pub(super) const fn with_until(self, until: Tick) -> Self {
        let until = if until < NEVER { until } else { NEVER };
        Self(self.0 & !UNTIL_MASK | until)
    }

    pub(super) const fn state(self) -> State {
        // Only words made above are read, so that every number below 6 is all there is.
        State::ALL[(self.0 >> (UNTIL_BITS + GENERATION_BITS)) as usize]
    }

    pub(super) const fn generation(self) -> u32 {
        (self.0 >> UNTIL_BITS & GENERATION_MASK) as u32
    }

    /// Open: rejects until then. Half-open: has no slot for a probe until then. Closed and metrics
    /// only: then a call in flight becomes slow.
    pub(super) const fn until(self) -> Tick {
        self.0 & UNTIL_MASK
    }

    /// Whether it lets every call through, with nothing to look at first: the way of nearly all.
    pub(super) const fn serves_all(self) -> bool {
        matches!(self.state(), State::Closed | State::MetricsOnly) && self.until() == NEVER
    }

    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(super) const fn bits(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_number_of_a_state_is_its_place_among_all() {
        for (place, state) in State::ALL.into_iter().enumerate() {
            assert_eq!(state as usize, place);
        }
    }

    #[test]
    fn generations_start_anew_and_what_is_too_far_away_is_never() {
        let last = Word::new(State::Open, (1 << GENERATION_BITS) - 1, u64::MAX);
        assert_eq!(last.until(), NEVER);
        assert_eq!(last.with_until(u64::MAX), last);
        let next = last.next(State::HalfOpen, 0);
        assert_eq!((next.state(), next.generation()), (State::HalfOpen, 0));
    }

    proptest! {
        #[test]
        fn what_is_put_in_comes_out(
            state in proptest::sample::select(&State::ALL[..]),
            generation in 0_u32..1 << GENERATION_BITS,
            until in 0..=NEVER,
            other in 0..=NEVER,
        ) {
            let word = Word::from_bits(Word::new(state, generation, until).bits());
            prop_assert_eq!(word.state(), state);
            prop_assert_eq!(word.generation(), generation);
            prop_assert_eq!(word.until(), until);
            prop_assert_eq!(word.with_until(other), Word::new(state, generation, other));
        }
    }
}
