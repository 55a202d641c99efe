//! Which directives hold, and until when.

use std::sync::Arc;
use std::time::Instant;

/// The configured directives, and those that hold in their place.
#[derive(Debug)]
pub(super) struct Directives {
    base: String,
    over: Option<Override>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Override {
    directives: String,
    until: Option<Instant>,
    by: Arc<str>,
}

/// Directives have changed; for telling people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) from: String,
    pub(super) to: String,
    /// Who has asked for what held before, when that is over because its time is up.
    pub(super) by: Arc<str>,
}

impl Directives {
    pub(super) const fn new(base: String) -> Self {
        Self { base, over: None }
    }

    pub(super) fn current(&self) -> &str {
        self.over
            .as_ref()
            .map_or(&self.base, |over| &over.directives)
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn until(&self) -> Option<Instant> {
        self.over.as_ref()?.until
    }

    /// An override stays.
    pub(super) fn set_base(&mut self, base: String) {
        self.base = base;
    }

    /// Takes the place of an earlier override and of its end.
    pub(super) fn set(
        &mut self,
        directives: String,
        until: Option<Instant>,
        by: Arc<str>,
    ) -> Changed {
        let from = self.current().to_owned();
        self.over = Some(Override {
            directives: directives.clone(),
            until,
            by: Arc::clone(&by),
        });
        Changed {
            from,
            to: directives,
            by,
        }
    }

    /// Back to the base; `None` when nothing else held.
    pub(super) fn reset(&mut self) -> Option<Changed> {
        let over = self.over.take()?;
        Some(Changed {
            from: over.directives,
            to: self.base.clone(),
            by: over.by,
        })
    }

    /// Back to the base when it is time.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Changed> {
        if self.until()? > now {
            return None;
        }
        self.reset()
    }
}
