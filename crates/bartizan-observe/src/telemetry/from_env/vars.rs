use std::num::NonZeroU32;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::super::error::TelemetryError;

/// A source of variables. An empty value is the same as none, as the specification has it.
pub(super) struct Vars<'a>(pub(super) &'a dyn Fn(&str) -> Option<String>);

impl Vars<'_> {
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let value = self.0(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// One of several words, in any case.
    pub(super) fn choice<T: Copy>(
        &self,
        name: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, TelemetryError> {
        let expected: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        self.parse(name, &format!("one of {}", expected.join(", ")), |value| {
            words
                .iter()
                .find(|(word, _)| word.eq_ignore_ascii_case(value))
                .map(|(_, it)| *it)
        })
    }

    /// Milliseconds, at least one.
    pub(super) fn millis(&self, name: &str) -> Result<Option<Duration>, TelemetryError> {
        let count = self.parse(name, "a positive number of milliseconds", positive)?;
        Ok(count.map(|millis| Duration::from_millis(u64::from(millis.get()))))
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
