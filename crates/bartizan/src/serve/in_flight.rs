//! The requests under way on one connection, so that what is cut off can be named.
//!
//! A table per connection and not one for all: its lock is never contended but by the HTTP/2
//! streams of one peer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bartizan_observe::names::header::X_REQUEST_ID;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};

/// How many requests of one connection are known by name; the rest are only counted. More than
/// the streams that a peer may have open, so that there is no rest but while streams are reset.
const MAX_KNOWN: usize = 256;

/// The table. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<Table>>);

/// Holds a request's place in the table, from its first byte to the end of its answer's body.
#[derive(Debug)]
pub(super) struct UnderWay {
    table: InFlight,
    /// `None` for a request that is only counted.
    slot: Option<usize>,
}

/// What is known of a request under way. Cheap to make: all of it shares the request's buffer.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) since: Instant,
    /// The one it came with, else the one its answer carries.
    pub(super) request_id: Option<HeaderValue>,
    /// Once the answer has begun.
    pub(super) status: Option<StatusCode>,
}

#[derive(Debug, Default)]
struct Table {
    slots: Vec<Option<Known>>,
    free: Vec<usize>,
    /// Requests under way that have no slot.
    unknown: u64,
    /// All requests there ever were.
    begun: u64,
}

// === impl InFlight ===

impl InFlight {
    pub(super) fn begin<B>(&self, request: &Request<B>, since: Instant) -> UnderWay {
        let known = Known {
            method: request.method().clone(),
            uri: request.uri().clone(),
            since,
            request_id: request.headers().get(X_REQUEST_ID).cloned(),
            status: None,
        };
        UnderWay {
            table: self.clone(),
            slot: self.lock().insert(known),
        }
    }

    /// How many requests there were so far.
    pub(super) fn begun(&self) -> u64 {
        self.lock().begun
    }

    /// The requests under way, and how many more there are.
    pub(super) fn snapshot(&self) -> (Vec<Known>, u64) {
        let table = self.lock();
        (
            table.slots.iter().flatten().cloned().collect(),
            table.unknown,
        )
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Table ===

impl Table {
    fn insert(&mut self, known: Known) -> Option<usize> {
        self.begun += 1;
        if let Some(slot) = self.free.pop() {
            self.slots[slot] = Some(known);
            Some(slot)
        } else if self.slots.len() < MAX_KNOWN {
            self.slots.push(Some(known));
            Some(self.slots.len() - 1)
        } else {
            self.unknown += 1;
            None
        }
    }
}

// === impl UnderWay ===

impl UnderWay {
    /// The answer has begun.
    pub(super) fn answered(&self, status: StatusCode, headers: &HeaderMap) {
        let Some(slot) = self.slot else { return };
        if let Some(known) = &mut self.table.lock().slots[slot] {
            known.status = Some(status);
            if known.request_id.is_none() {
                known.request_id = headers.get(X_REQUEST_ID).cloned();
            }
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut table = self.table.lock();
        match self.slot {
            Some(slot) => {
                table.slots[slot] = None;
                table.free.push(slot);
            }
            None => table.unknown -= 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    fn begin(table: &InFlight, path: &str) -> UnderWay {
        table.begin(&Request::get(path).body(()).unwrap(), Instant::now())
    }

    #[test]
    fn a_request_is_known_until_it_is_dropped_and_its_place_is_used_again() {
        let table = InFlight::default();
        let first = begin(&table, "/1");
        let second = begin(&table, "/2");
        drop(first);
        let third = begin(&table, "/3");
        let paths = || -> Vec<String> {
            let (known, _) = table.snapshot();
            known.iter().map(|known| known.uri.to_string()).collect()
        };
        assert_eq!(paths(), ["/3", "/2"]);
        drop((second, third));
        assert_eq!(paths(), [""; 0]);
        assert_eq!(table.begun(), 3);
    }

    #[test]
    fn the_request_id_is_the_requests_own_or_the_answers() {
        let table = InFlight::default();
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_static("made"));
        let id_of = |asked: &str| {
            let request = Request::get("/").header(X_REQUEST_ID, asked);
            let request = request.body(()).unwrap();
            #[expect(clippy::disallowed_methods, reason = "any instant will do")]
            let under_way = table.begin(&request, Instant::now());
            under_way.answered(StatusCode::OK, &headers);
            table.snapshot().0[0].request_id.clone()
        };
        assert_eq!(id_of("asked").unwrap(), "asked");
        let without = begin(&table, "/");
        without.answered(StatusCode::OK, &headers);
        let (known, _) = table.snapshot();
        assert_eq!(known[0].request_id.as_ref().unwrap(), "made");
        assert_eq!(known[0].status, Some(StatusCode::OK));
    }

    #[test]
    fn beyond_the_bound_requests_are_only_counted() {
        let table = InFlight::default();
        let all: Vec<_> = (0..MAX_KNOWN + 3).map(|_| begin(&table, "/")).collect();
        let (known, unknown) = table.snapshot();
        assert_eq!((known.len(), unknown), (MAX_KNOWN, 3));
        drop(all);
        let (known, unknown) = table.snapshot();
        assert_eq!((known.len(), unknown), (0, 0));
        assert_eq!(table.lock().free.len(), MAX_KNOWN);
    }
}
