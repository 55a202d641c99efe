use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use shop::keys::IdempotencyKey;

/// How long an answer is kept: longer than anybody retries by himself, and short enough for a day's
/// keys not to pile up.
pub const DEFAULT_TTL: Duration = Duration::from_secs(600);

/// The most keys that are kept, answered and under way.
pub const MAX_KEYS: usize = 8_000;

/// The most that keys, requests and answers take, in bytes, counted without the table around them.
pub const MAX_KEPT: usize = 8 << 20;

/// Whose key it is, and which.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Id {
    pub(super) client: IpAddr,
    pub(super) key: IdempotencyKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) ttl: Duration,
    pub(super) keys: usize,
    pub(super) bytes: usize,
}

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision<A> {
    Run,
    Replay(A),
    InProgress,
    Reused,
    Full,
}

/// Answers by their keys: no clock, no lock, no HTTP.
///
/// Within its limits the oldest answer is forgotten first, whoever's it is; a request under way is
/// not. Where all that is there is under way, a further one is refused.
#[derive(Debug)]
pub(super) struct Store<A> {
    entries: HashMap<Id, Entry<A>>,
    /// The answered, oldest first. All are kept equally long, so the first expires first.
    answered: VecDeque<(Instant, Id)>,
    bytes: usize,
    limits: Limits,
}

#[derive(Debug)]
struct Entry<A> {
    payload: Bytes,
    /// `None` while it is under way.
    answer: Option<A>,
    bytes: usize,
}

// === impl Store ===

impl<A: Clone> Store<A> {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            entries: HashMap::new(),
            answered: VecDeque::new(),
            bytes: 0,
            limits,
        }
    }

    pub(super) fn begin(&mut self, now: Instant, id: &Id, payload: &Bytes) -> Decision<A> {
        self.expire(now);
        if let Some(entry) = self.entries.get(id) {
            // A request that is under way may be told so only if it is the same.
            return match &entry.answer {
                _ if entry.payload != *payload => Decision::Reused,
                None => Decision::InProgress,
                Some(answer) => Decision::Replay(answer.clone()),
            };
        }
        let bytes = id.key.as_str().len() + payload.len();
        self.make_room(1, bytes);
        if self.entries.len() >= self.limits.keys || self.bytes + bytes > self.limits.bytes {
            return Decision::Full;
        }
        let entry = Entry {
            // A clone would keep the connection's whole read buffer, many times as large.
            payload: Bytes::copy_from_slice(payload),
            answer: None,
            bytes,
        };
        self.bytes += bytes;
        self.entries.insert(id.clone(), entry);
        Decision::Run
    }

    /// Keeps the answer, of this many bytes, or forgets the key if it does not fit.
    pub(super) fn finish(&mut self, now: Instant, id: &Id, answer: A, bytes: usize) {
        self.expire(now);
        self.make_room(0, bytes);
        if self.bytes + bytes > self.limits.bytes {
            self.abandon(id);
            return;
        }
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        entry.answer = Some(answer);
        entry.bytes += bytes;
        self.bytes += bytes;
        self.answered.push_back((now, id.clone()));
    }

    /// Forgets a request that has no answer.
    pub(super) fn abandon(&mut self, id: &Id) {
        if let Some(entry) = self.entries.remove(id) {
            self.bytes -= entry.bytes;
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some((answered, _)) = self.answered.front()
            && now.saturating_duration_since(*answered) >= self.limits.ttl
        {
            self.forget_oldest();
        }
    }

    fn make_room(&mut self, keys: usize, bytes: usize) {
        while self.entries.len() + keys > self.limits.keys || self.bytes + bytes > self.limits.bytes
        {
            if !self.forget_oldest() {
                return;
            }
        }
    }

    fn forget_oldest(&mut self) -> bool {
        let Some((_, id)) = self.answered.pop_front() else {
            return false;
        };
        self.abandon(&id);
        true
    }
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            ttl: DEFAULT_TTL,
            keys: MAX_KEYS,
            bytes: MAX_KEPT,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::Decision::{Full, InProgress, Replay, Reused, Run};
    use super::*;

    const LIMITS: Limits = Limits {
        ttl: Duration::from_secs(60),
        keys: 3,
        bytes: 100,
    };

    fn start() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn id(client: u8, key: &'static str) -> Id {
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", HeaderValue::from_static(key));
        let key = IdempotencyKey::from_headers(&headers, 99).unwrap().unwrap();
        Id {
            client: IpAddr::from([10, 0, 0, client]),
            key,
        }
    }

    const fn body(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn a_key_runs_once_and_then_has_its_answer() {
        let (mut store, now) = (Store::new(LIMITS), start());
        let a = id(1, "a");
        assert_eq!(store.begin(now, &a, &body("x")), Run);
        assert_eq!(store.begin(now, &a, &body("x")), InProgress);
        assert_eq!(store.begin(now, &a, &body("y")), Reused);
        store.finish(now, &a, 201, 10);
        assert_eq!(store.begin(now, &a, &body("x")), Replay(201));
        assert_eq!(store.begin(now, &a, &body("y")), Reused);
        // Another client's key is another key.
        assert_eq!(store.begin(now, &id(2, "a"), &body("y")), Run);
    }

    #[test]
    fn a_request_that_is_kept_does_not_keep_the_buffer_that_it_came_in() {
        let (mut store, now) = (Store::<u16>::new(LIMITS), start());
        let payload = Bytes::from(vec![b'x'; 10]);
        assert_eq!(store.begin(now, &id(1, "a"), &payload), Run);
        assert!(payload.is_unique());
    }

    #[test]
    fn what_was_abandoned_can_run_again() {
        let (mut store, now) = (Store::<u16>::new(LIMITS), start());
        let a = id(1, "a");
        assert_eq!(store.begin(now, &a, &body("x")), Run);
        store.abandon(&a);
        assert_eq!(store.begin(now, &a, &body("y")), Run);
        assert_eq!(store.bytes, 2);
    }

    #[test]
    fn an_answer_is_kept_for_its_time_from_when_it_was_given() {
        let (mut store, now) = (Store::new(LIMITS), start());
        let a = id(1, "a");
        store.begin(now, &a, &body("x"));
        let answered = now + Duration::from_secs(5);
        store.finish(answered, &a, 201, 10);
        let almost = answered + LIMITS.ttl - Duration::from_nanos(1);
        assert_eq!(store.begin(almost, &a, &body("x")), Replay(201));
        assert_eq!(store.begin(answered + LIMITS.ttl, &a, &body("x")), Run);
    }

    #[test]
    fn the_oldest_answer_makes_room_and_what_is_under_way_does_not() {
        let (mut store, now) = (Store::new(LIMITS), start());
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|key| id(1, key));
        for each in [&a, &b, &c] {
            assert_eq!(store.begin(now, each, &body("x")), Run);
        }
        assert_eq!(store.begin(now, &d, &body("x")), Full);
        store.finish(now, &b, 201, 10);
        assert_eq!(store.begin(now, &d, &body("x")), Run);
        assert_eq!(store.begin(now, &a, &body("x")), InProgress);
        // It was forgotten, and there is no room for it now.
        assert_eq!(store.begin(now, &b, &body("x")), Full);
        assert_eq!(store.entries.len(), LIMITS.keys);
    }

    #[test]
    fn what_is_kept_is_bounded_in_bytes_as_well() {
        let (mut store, now) = (Store::new(LIMITS), start());
        let [a, b, c] = ["a", "b", "c"].map(|key| id(1, key));
        store.begin(now, &a, &body("x"));
        store.finish(now, &a, 1, 90);
        store.begin(now, &b, &body("x"));
        store.finish(now, &b, 2, 90);
        assert_eq!(store.begin(now, &b, &body("x")), Replay(2));
        assert_eq!(store.begin(now, &a, &body("x")), Run);
        // An answer that would not fit into an empty store is not kept.
        store.finish(now, &a, 1, 101);
        assert_eq!(store.begin(now, &a, &body("x")), Run);
        store.abandon(&a);
        // Nor is a request taken that would not.
        let huge = Bytes::from(vec![b'x'; 100]);
        assert_eq!(store.begin(now, &c, &huge), Full);
        assert_eq!(
            (store.bytes, store.entries.len(), store.answered.len()),
            (0, 0, 0)
        );
    }
}
