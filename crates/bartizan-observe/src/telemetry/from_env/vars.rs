use std::cell::RefCell;
use std::num::NonZeroU32;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::super::error::TelemetryError;

/// A source of variables. An empty value is the same as none, as the specification has it.
pub(super) struct Vars<'a> {
    source: &'a dyn Fn(&str) -> Option<String>,
    ignored: RefCell<Vec<TelemetryError>>,
}

impl<'a> Vars<'a> {
    pub(super) fn new(source: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            source,
            ignored: RefCell::default(),
        }
    }

    /// What the specification has ignored with a warning.
    pub(super) fn into_ignored(self) -> Vec<TelemetryError> {
        self.ignored.into_inner()
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        let value = (self.source)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// One of several words, in any case. Another is ignored with a warning: "If the user provides a
    /// value the implementation does not recognize, the implementation MUST generate a warning and
    /// gracefully ignore the setting" (Environment Variable Specification, "Enum").
    pub(super) fn choice<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Option<T> {
        let value = self.get(name)?;
        let found = word(words, &value);
        if found.is_none() {
            self.ignore(name, &value, &one_of(words));
        }
        found
    }

    /// Several of several words, in any case, separated by commas and each once.
    pub(super) fn choices<T: Copy + PartialEq>(
        &self,
        name: &str,
        words: &[(&str, T)],
    ) -> Option<Vec<T>> {
        let value = self.get(name)?;
        let mut chosen = Vec::new();
        for part in value.split(',').map(str::trim).filter(|it| !it.is_empty()) {
            match word(words, part) {
                Some(it) if chosen.contains(&it) => {}
                Some(it) => chosen.push(it),
                None => self.ignore(name, part, &one_of(words)),
            }
        }
        // All of it unusable is the same as unset.
        (!chosen.is_empty()).then_some(chosen)
    }

    /// A value that is ignored where it cannot be used, as [`Self::choice`] does.
    pub(super) fn lenient<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(name)?;
        let it = read(&value);
        if it.is_none() {
            self.ignore(name, &value, expected);
        }
        it
    }

    pub(super) fn ignore(&self, name: &str, value: &str, expected: &str) {
        let ignored = TelemetryError::invalid(name, value, expected);
        self.ignored.borrow_mut().push(ignored);
    }

    /// Milliseconds, at least one.
    pub(super) fn millis(&self, name: &str) -> Result<Option<Duration>, TelemetryError> {
        let count = self.parse(name, "a positive number of milliseconds", positive)?;
        Ok(count.map(|millis| Duration::from_millis(u64::from(millis.get()))))
    }

    /// A count or length, which may be zero.
    pub(super) fn limit(&self, name: &str) -> Result<Option<u32>, TelemetryError> {
        self.parse(name, "a number from 0 up", |text| text.parse().ok())
    }

    /// A number of items, at least one.
    pub(super) fn items(&self, name: &str) -> Result<Option<usize>, TelemetryError> {
        let count = self.parse(name, "a positive number", positive)?;
        Ok(count.and_then(|items| usize::try_from(items.get()).ok()))
    }

    pub(super) fn parse<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, TelemetryError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match read(&value) {
            Some(it) => Ok(Some(it)),
            None => Err(TelemetryError::invalid(name, value, expected)),
        }
    }
}

fn word<T: Copy>(words: &[(&str, T)], text: &str) -> Option<T> {
    let found = words
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(text));
    found.map(|(_, it)| *it)
}

fn one_of<T>(words: &[(&str, T)]) -> String {
    let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    format!("one of {}", words.join(", "))
}

fn positive(text: &str) -> Option<NonZeroU32> {
    text.parse().ok()
}

/// The members of `key=value,key=value`, values percent-decoded; `None` when one is none such.
pub(super) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    text.split(',')
        .map(str::trim)
        .filter(|member| !member.is_empty())
        .map(|member| {
            let (key, value) = member.split_once('=')?;
            let key = key.trim();
            let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
            (!key.is_empty()).then(|| (key.to_owned(), value.into_owned()))
        })
        .collect()
}
