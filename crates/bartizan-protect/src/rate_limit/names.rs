use std::sync::{Mutex, MutexGuard, PoisonError};

/// The names of the keys that matter, as many as there are places; a new one may take another's.
#[derive(Debug)]
pub(super) struct Names(Mutex<Box<[Option<Named>]>>);

#[derive(Debug, Clone)]
struct Named {
    key: u64,
    name: Box<str>,
}

/// How long a name is at most, in bytes: an IPv6 network fits, and what a client makes up does not
/// cost more.
const MAX_NAME: usize = 64;

/// How many places are looked at for a name.
const LOOKS: usize = 8;

// === impl Names ===

impl Names {
    pub(super) fn new(max: usize) -> Option<Self> {
        (max > 0).then(|| Self(Mutex::new(vec![None; max].into())))
    }

    /// Keeps the name of `key`, unless it is there, or somebody else is at it: no request waits
    /// here.
    pub(super) fn keep(&self, key: u64, name: impl FnOnce() -> Option<String>) {
        let known = match self.0.try_lock() {
            Ok(mut names) => place(&mut names, key)
                .as_ref()
                .is_some_and(|it| it.key == key),
            Err(_) => true,
        };
        if known {
            return;
        }
        // What makes the name is not ours, so no lock is held.
        let Some(mut name) = name() else { return };
        name.truncate(name.floor_char_boundary(MAX_NAME));
        let name = name.into();
        *place(&mut self.lock(), key) = Some(Named { key, name });
    }

    pub(super) fn get(&self, key: u64) -> Option<String> {
        let mut names = self.lock();
        let named = place(&mut names, key).as_ref()?;
        (named.key == key).then(|| named.name.to_string())
    }

    fn lock(&self) -> MutexGuard<'_, Box<[Option<Named>]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the name of `key` is, or else where it goes: to a place that is free, or to another's.
fn place(names: &mut [Option<Named>], key: u64) -> &mut Option<Named> {
    let first = ((u128::from(key) * names.len() as u128) >> 64) as usize;
    let places = (first..).take(LOOKS.min(names.len()));
    let places = places.map(|place| place % names.len());
    let is_of = |place: &usize| names[*place].as_ref().is_some_and(|it| it.key == key);
    let is_free = |place: &usize| names[*place].is_none();
    let own = places.clone().find(is_of);
    let place = own
        .or_else(|| places.clone().find(is_free))
        .unwrap_or(first);
    &mut names[place]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_up_to_a_number_and_a_length() {
        assert!(Names::new(0).is_none());
        let names = Names::new(1).unwrap();
        names.keep(7, || Some("ä".repeat(100)));
        assert_eq!(names.get(7), Some("ä".repeat(32)));
        assert_eq!(names.get(8), None);
        names.keep(7, || panic!("it is known"));
        names.keep(8, || None);
        assert!(names.get(7).is_some());
        names.keep(8, || Some("eight".to_owned()));
        assert_eq!(names.get(8).as_deref(), Some("eight"));
        assert_eq!(names.get(7), None);
    }

    #[test]
    fn a_free_place_is_taken_before_anothers() {
        let names = Names::new(LOOKS).unwrap();
        for key in 0..LOOKS as u64 {
            names.keep(key, || Some(key.to_string()));
        }
        for key in 0..LOOKS as u64 {
            assert_eq!(names.get(key), Some(key.to_string()));
        }
        names.keep(100, || Some("100".to_owned()));
        assert_eq!(names.get(100).as_deref(), Some("100"));
        let kept = (0..LOOKS as u64).filter(|key| names.get(*key).is_some());
        assert_eq!(kept.count(), LOOKS - 1);
    }
}
