//! Strings that repeat from request to request, kept instead of copied.

use std::cell::RefCell;
use std::hash::BuildHasher;
use std::sync::{Arc, LazyLock};

use http::StatusCode;
use opentelemetry::StringValue;
use rustc_hash::FxBuildHasher;

use crate::table::Table;

/// Routes, and span names made of them, are the developer's: a service has tens of them. The bound
/// is there so that a router with generated routes cannot grow the process without end.
const MAX_STATIC: usize = 4096;

static STATIC: LazyLock<Table<&'static str, &'static str>> =
    LazyLock::new(|| Table::new(MAX_STATIC));

/// The text as a static string; `None` once [`MAX_STATIC`] different texts have been asked for.
///
/// Only for text that a client does not control.
pub(crate) fn leaked(text: &str) -> Option<&'static str> {
    let keep = |_| {
        let text: &'static str = Box::leak(text.into());
        (text, text)
    };
    STATIC
        .get_or_insert(&text, |kept| *kept == text, keep)
        .copied()
}

/// A status code's digits.
pub(crate) fn status_code(status: StatusCode) -> &'static str {
    // 900 codes at most, far below the bound even when every other entry is a route.
    leaked(status.as_str()).unwrap_or("_OTHER")
}

/// Entries per thread. Direct-mapped: a new text takes the place of the one in its slot.
const RECENT: usize = 64;
/// Longer texts are copied each time, which bounds a thread's table at 16 KiB.
const MAX_RECENT_LEN: usize = 256;

thread_local! {
    static LAST: RefCell<[Option<Arc<str>>; RECENT]> =
        const { RefCell::new([const { None }; RECENT]) };
}

/// The text as an attribute value that shares its allocation with earlier uses on this thread.
///
/// For client-controlled text of which a few values make up most of the traffic: user agents,
/// host names, proxies' addresses.
pub(crate) fn recent(text: &str) -> StringValue {
    if text.len() > MAX_RECENT_LEN {
        return StringValue::from(text.to_owned());
    }
    LAST.with_borrow_mut(|last| {
        // Whoever arranges collisions only makes us copy, as without the table.
        let at = (FxBuildHasher.hash_one(text) >> 32) as usize % RECENT;
        let slot = &mut last[at];
        match slot {
            Some(kept) if **kept == *text => StringValue::from(Arc::clone(kept)),
            _ => {
                let kept: Arc<str> = text.into();
                *slot = Some(Arc::clone(&kept));
                StringValue::from(kept)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_text_shares_its_allocation() {
        let (first, second) = (recent("curl/8.0"), recent("curl/8.0"));
        assert_eq!(first.as_str().as_ptr(), second.as_str().as_ptr());
        assert_eq!(
            leaked("/orders/{id}").map(str::as_ptr),
            leaked("/orders/{id}").map(str::as_ptr)
        );
    }

    #[test]
    fn long_texts_are_not_kept() {
        let long = "x".repeat(MAX_RECENT_LEN + 1);
        assert_ne!(
            recent(&long).as_str().as_ptr(),
            recent(&long).as_str().as_ptr()
        );
    }
}
