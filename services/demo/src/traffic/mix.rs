use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use http::{Method, StatusCode};
use serde::Deserialize;

use self::Kind::{Invalid, List, Missing, Place, ReadBack};

/// Out of twenty requests: how a shop is used, with a mistake now and then.
const TURNS: [Kind; 20] = [
    Place, List, ReadBack, Place, List, ReadBack, List, Place, ReadBack, Missing, Place, List,
    ReadBack, Place, List, Place, ReadBack, List, Place, Invalid,
];

/// What to ask for next; the same sequence in every run, as far as the answers are.
#[derive(Debug, Default)]
pub(super) struct Mix {
    turn: AtomicU64,
    /// The order placed last, 0 for none yet.
    last_order: AtomicI64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Place,
    ReadBack,
    /// An order that does not exist.
    Missing,
    /// An order for none.
    Invalid,
}

/// One request, and what it should be answered.
#[derive(Debug)]
pub(super) struct Ask {
    kind: Kind,
    path: String,
    body: String,
}

// === impl Mix ===

impl Mix {
    pub(super) fn next(&self) -> Ask {
        // Relaxed: the numbers only have to be different.
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        // Less than the number of turns, so it fits.
        let kind = TURNS[(turn % TURNS.len() as u64) as usize];
        let last_order = self.last_order.load(Ordering::Relaxed);
        match kind {
            ReadBack if last_order == 0 => Ask::to(List, "/products"),
            List => Ask::to(List, "/products"),
            ReadBack => Ask::to(ReadBack, format!("/orders/{last_order}")),
            Missing => Ask::to(Missing, format!("/orders/{}", i64::MAX)),
            Place => Ask::order(Place, turn % 6 + 1, turn % 3 + 1),
            Invalid => Ask::order(Invalid, 1, 0),
        }
    }

    /// Remembers an order to read back.
    pub(super) fn answered(&self, ask: &Ask, status: StatusCode, body: &[u8]) {
        #[derive(Deserialize)]
        struct Placed {
            id: i64,
        }
        if ask.kind == Place
            && status == StatusCode::CREATED
            && let Ok(Placed { id }) = serde_json::from_slice(body)
        {
            self.last_order.store(id, Ordering::Relaxed);
        }
    }
}

// === impl Ask ===

impl Ask {
    fn to(kind: Kind, path: impl Into<String>) -> Self {
        Self {
            kind,
            path: path.into(),
            body: String::new(),
        }
    }

    fn order(kind: Kind, product_id: u64, quantity: u64) -> Self {
        let body = format!(r#"{{"product_id":{product_id},"quantity":{quantity}}}"#);
        Self {
            kind,
            path: "/orders".to_owned(),
            body,
        }
    }

    pub(super) const fn method(&self) -> Method {
        match self.kind {
            Place | Invalid => Method::POST,
            List | ReadBack | Missing => Method::GET,
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn body(&self) -> &str {
        &self.body
    }

    pub(super) fn expects(&self, status: StatusCode) -> bool {
        let expected = match self.kind {
            List | ReadBack => [StatusCode::OK].as_slice(),
            // Selling out is an answer, not an error.
            Place => &[StatusCode::CREATED, StatusCode::CONFLICT],
            Missing => &[StatusCode::NOT_FOUND],
            Invalid => &[StatusCode::UNPROCESSABLE_ENTITY],
        };
        expected.contains(&status)
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.method(), self.path, self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_back_once_one_was_placed() {
        let mix = Mix::default();
        let first: Vec<_> = (0..3).map(|_| mix.next()).collect();
        assert_eq!(first[0].kind, Place);
        assert_eq!(first[2].path(), "/products");

        mix.answered(&first[0], StatusCode::CREATED, br#"{"id":7,"quantity":1}"#);
        let read = (3..6).map(|_| mix.next()).last().unwrap();
        assert_eq!(read.path(), "/orders/7");
        assert!(read.expects(StatusCode::OK) && !read.expects(StatusCode::NOT_FOUND));
    }

    #[test]
    fn mistakes_come_now_and_then_and_are_expected_to_be_refused() {
        let mix = Mix::default();
        let asks: Vec<_> = (0..TURNS.len()).map(|_| mix.next()).collect();
        let refused = |status| asks.iter().filter(|ask| ask.expects(status)).count();
        assert_eq!(refused(StatusCode::NOT_FOUND), 1);
        assert_eq!(refused(StatusCode::UNPROCESSABLE_ENTITY), 1);
        assert_eq!(refused(StatusCode::INTERNAL_SERVER_ERROR), 0);
    }
}
