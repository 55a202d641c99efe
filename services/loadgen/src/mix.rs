use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, header};
use serde::Deserialize;

use crate::{Answer, Client};

use self::Kind::{Invalid, List, Missing, Place, ReadBack, Repeat, TooMuch};

/// Out of twenty requests: how a shop is used, with a mistake now and then.
const TURNS: [Kind; 20] = [
    Place, List, ReadBack, Place, List, ReadBack, List, Place, ReadBack, Missing, Place, List,
    Repeat, Place, List, TooMuch, ReadBack, List, Place, Invalid,
];

/// What a client asks for next; the same sequence in every run, as far as the answers are.
#[derive(Debug)]
pub(crate) struct Mix {
    client: Client,
    turn: AtomicU64,
    /// What the keys begin with, so that those of another run are others.
    run: String,
    last: Mutex<Option<Placed>>,
}

/// The order that was placed last.
#[derive(Debug, Clone)]
struct Placed {
    id: i64,
    key: String,
    body: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Place,
    ReadBack,
    /// An order that was placed already, sent again.
    Repeat,
    /// An order that costs more than is authorised.
    TooMuch,
    /// An order that does not exist.
    Missing,
    /// An order for none.
    Invalid,
}

/// One request, and what it should be answered.
#[derive(Debug)]
pub(crate) struct Ask {
    client: Client,
    kind: Kind,
    path: String,
    body: String,
    /// Of an order, the same however often it is sent.
    key: Option<String>,
    /// The order that the answer has to be about.
    same_as: Option<i64>,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is what was asked for.
    Answered,
    /// It was refused, and rightly.
    Refused,
    /// Its client has asked for too much.
    Limited,
    /// It may be answered if it is sent again.
    Again,
    /// It should not have been.
    Wrong,
}

// === impl Mix ===

impl Mix {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            turn: AtomicU64::new(0),
            run: format!("{:016x}", rand::random::<u64>()),
            last: Mutex::new(None),
        }
    }

    pub(crate) fn next(&self) -> Ask {
        // Relaxed: the numbers only have to be different.
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        // Less than the number of turns, so it fits.
        let kind = TURNS[(turn % TURNS.len() as u64) as usize];
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let to = |kind, path: &str| Ask {
            client: self.client,
            kind,
            path: path.to_owned(),
            body: String::new(),
            key: None,
            same_as: None,
        };
        let order = |kind, product: u64, quantity: u64| Ask {
            body: format!(r#"{{"product_id":{product},"quantity":{quantity}}}"#),
            key: Some(format!("{}-{turn}", self.run)),
            ..to(kind, "/orders")
        };
        match (kind, last.as_ref()) {
            (List, _) | (ReadBack | Repeat, None) => to(List, "/products"),
            (ReadBack, Some(placed)) => to(ReadBack, &format!("/orders/{}", placed.id)),
            (Repeat, Some(placed)) => Ask {
                body: placed.body.clone(),
                key: Some(placed.key.clone()),
                same_as: Some(placed.id),
                ..order(Repeat, 1, 1)
            },
            (Missing, _) => to(Missing, &format!("/orders/{}", i64::MAX)),
            (Place, _) => order(Place, turn % 6 + 1, turn % 3 + 1),
            // A hundred of the dearest.
            (TooMuch, _) => order(TooMuch, 5, 100),
            (Invalid, _) => order(Invalid, 1, 0),
        }
    }

    /// Says what an answer means, and remembers an order to read back and to repeat.
    pub(crate) fn judge(&self, ask: &Ask, answer: &Answer) -> Verdict {
        let verdict = ask.judge(answer);
        if verdict == Verdict::Answered
            && ask.kind == Place
            && let (Some(id), Some(key)) = (order_id(&answer.body), &ask.key)
        {
            let placed = Placed {
                id,
                key: key.clone(),
                body: ask.body.clone(),
            };
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(placed);
        }
        verdict
    }
}

// === impl Ask ===

impl Ask {
    /// Who asks.
    pub(crate) const fn client(&self) -> Client {
        self.client
    }

    const fn method(&self) -> Method {
        match self.kind {
            Place | Repeat | TooMuch | Invalid => Method::POST,
            List | ReadBack | Missing => Method::GET,
        }
    }

    /// The request, the same each time.
    pub(crate) fn request(&self) -> Result<Request<Bytes>, String> {
        let mut request = Request::builder()
            .method(self.method())
            .uri(&self.path)
            .header(header::USER_AGENT, "bartizan-loadgen");
        if self.client == Client::Spike {
            // The other is known by its address.
            request = request.header("x-api-key", "spike");
        }
        if let Some(key) = &self.key {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                // A string, as the draft has it.
                .header("idempotency-key", format!("\"{key}\""));
        }
        request
            .body(Bytes::from(self.body.clone()))
            .map_err(|error| error.to_string())
    }

    fn judge(&self, answer: &Answer) -> Verdict {
        use Verdict::{Again, Answered, Limited, Refused, Wrong};

        const CREATED: u16 = 201;
        match (self.kind, answer.status.as_u16()) {
            // Who comes again at once has learnt nothing.
            (_, 429) => Limited,
            // Overloaded, unreachable or slow; whether it was done is not known.
            (_, 502..=504) => Again,
            (Place | TooMuch | Repeat, 409) if is_under_way(&answer.body) => Again,
            (List | ReadBack, 200) => Answered,
            // What is sent again after its answer was lost may have been placed before.
            (Place, 200 | CREATED) => Answered,
            (Place, 409) => Refused,
            (Repeat, 200 | CREATED) if order_id(&answer.body) == self.same_as => Answered,
            (TooMuch, 402) | (Missing, 404) | (Invalid, 422) => Refused,
            _ => Wrong,
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.method(), self.path, self.body)
    }
}

fn order_id(body: &[u8]) -> Option<i64> {
    #[derive(Deserialize)]
    struct Order {
        id: i64,
    }
    serde_json::from_slice(body).ok().map(|Order { id }| id)
}

/// Whether a 409 says that the same request is being worked on.
fn is_under_way(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Problem {
        #[serde(rename = "type")]
        kind: String,
    }
    serde_json::from_slice(body)
        .is_ok_and(|Problem { kind }| kind == "/problems/request-in-progress")
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn answer(status: u16, body: &'static str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    fn key(ask: &Ask) -> Option<&str> {
        ask.key.as_deref()
    }

    #[test]
    fn orders_are_read_back_and_repeated_once_one_was_placed() {
        let mix = Mix::new(Client::Steady);
        let first: Vec<_> = (0..3).map(|_| mix.next()).collect();
        assert_eq!(first[0].kind, Place);
        assert_eq!(first[2].path, "/products");

        let placed = answer(201, r#"{"id":7,"quantity":1}"#);
        assert_eq!(mix.judge(&first[0], &placed), Verdict::Answered);
        let later: Vec<_> = (3..13).map(|_| mix.next()).collect();
        assert_eq!(later[2].path, "/orders/7");
        let repeat = &later[9];
        assert_eq!((repeat.kind, key(repeat)), (Repeat, key(&first[0])));
        assert_eq!(repeat.body, first[0].body);
        assert_eq!(mix.judge(repeat, &placed), Verdict::Answered);
        assert_eq!(
            mix.judge(repeat, &answer(201, r#"{"id":8}"#)),
            Verdict::Wrong
        );
    }

    #[test]
    fn every_order_has_a_key_of_its_own_also_in_another_run() {
        let keys: std::collections::HashSet<_> = [Client::Steady, Client::Spike]
            .map(Mix::new)
            .iter()
            .flat_map(|mix| (0..20).map(|_| mix.next()).collect::<Vec<_>>())
            .filter(|ask| ask.kind != Repeat)
            .filter_map(|ask| ask.key)
            .collect();
        assert_eq!(keys.len(), 2 * 8);
    }

    #[test]
    fn a_request_is_the_same_each_time_and_an_answer_is_judged() {
        let mix = Mix::new(Client::Steady);
        let place = mix.next();
        let request = place.request().unwrap();
        assert_eq!(request.headers(), place.request().unwrap().headers());
        assert_eq!(
            request.headers()["idempotency-key"],
            format!("\"{}\"", key(&place).unwrap())
        );
        assert!(!request.headers().contains_key("x-api-key"));
        let spike = Mix::new(Client::Spike).next().request().unwrap();
        assert_eq!(spike.headers()["x-api-key"], "spike");
        let under_way = r#"{"type":"/problems/request-in-progress"}"#;
        let sold_out = r#"{"type":"/problems/out-of-stock"}"#;
        for (status, body, verdict) in [
            (201, "{}", Verdict::Answered),
            (200, "{}", Verdict::Answered),
            (409, sold_out, Verdict::Refused),
            (409, under_way, Verdict::Again),
            (429, "", Verdict::Limited),
            (502, "", Verdict::Again),
            (503, "", Verdict::Again),
            (504, "", Verdict::Again),
            (500, "", Verdict::Wrong),
            (404, "", Verdict::Wrong),
        ] {
            assert_eq!(
                mix.judge(&place, &answer(status, body)),
                verdict,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn mistakes_come_now_and_then_and_are_expected_to_be_refused() {
        let mix = Mix::new(Client::Steady);
        let asks: Vec<_> = (0..TURNS.len()).map(|_| mix.next()).collect();
        let refused = |status| {
            let answer = answer(status, "{}");
            let refused = |ask: &&Ask| ask.judge(&answer) == Verdict::Refused;
            asks.iter().filter(refused).count()
        };
        assert_eq!([402, 404, 422].map(refused), [1, 1, 1]);
    }
}
