//! What was authorised, as a plain struct: no lock, no HTTP, and no clock either, since nothing
//! here expires.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use shop::keys::OrderId;

/// How many payments are remembered, so that sending a call again does nothing twice: about 20 MiB.
pub const MAX_PAYMENTS: usize = 100_000;

/// Money, in cents, more than none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Amount(i64);

/// A number that is no [`Amount`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("amount_cents is {0}, expected 1 or more")]
pub struct InvalidAmount(i64);

/// Money set aside for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Payment {
    /// Its number.
    pub id: u64,
    /// The order it is for.
    pub order_id: OrderId,
    /// How much.
    pub amount_cents: Amount,
    /// What has become of it.
    pub state: State,
}

/// What has become of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// The money is set aside.
    Authorised,
    /// It is free again.
    Voided,
}

/// A payment, and whether this call authorised it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "now or before, there is no third")]
pub enum Authorised {
    /// It was authorised now.
    Now(Payment),
    /// It was, for the same order and amount.
    Before(Payment),
}

/// What the book comes to, since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Totals {
    /// Payments that are authorised and not voided.
    pub payments: u64,
    /// What those come to, in cents.
    pub authorised_cents: i64,
    /// Payments that were voided.
    pub voided: u64,
    /// Payments that were declined.
    pub declined: u64,
}

/// Nothing was authorised.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthoriseError {
    /// It is too much.
    #[error("{amount} cents are over the limit of {limit}")]
    Declined {
        /// The amount asked for, in cents.
        amount: i64,
        /// The limit, in cents.
        limit: i64,
    },
    /// The order has a payment of another amount.
    #[error("order {order_id} has a payment of another amount")]
    Different {
        /// The order.
        order_id: OrderId,
    },
    /// The order's payment was voided.
    #[error("the payment of order {order_id} is voided")]
    Voided {
        /// The order.
        order_id: OrderId,
    },
}

/// The payments by their orders.
///
/// Bounded: the last [`MAX_PAYMENTS`] are remembered, and the oldest is forgotten first. Its money
/// stays in the [`Totals`].
#[derive(Debug)]
pub struct Book {
    limit: Amount,
    capacity: usize,
    /// `None` is a payment that was voided before it came.
    payments: HashMap<OrderId, Option<Payment>>,
    /// Their orders, oldest first.
    age: VecDeque<OrderId>,
    last_id: u64,
    totals: Totals,
}

// === impl Amount ===

impl Amount {
    /// The number of cents.
    #[must_use]
    pub const fn cents(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Amount {
    type Error = InvalidAmount;

    fn try_from(cents: i64) -> Result<Self, InvalidAmount> {
        if cents > 0 {
            Ok(Self(cents))
        } else {
            Err(InvalidAmount(cents))
        }
    }
}

impl From<Amount> for i64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

// === impl Book ===

impl Book {
    /// An empty one that authorises up to `limit` at once.
    #[must_use]
    pub fn new(limit: Amount) -> Self {
        Self {
            limit,
            capacity: MAX_PAYMENTS,
            payments: HashMap::new(),
            age: VecDeque::new(),
            last_id: 0,
            totals: Totals::default(),
        }
    }

    /// What it comes to.
    #[must_use]
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// Sets the amount aside for the order. Again for the same order it gives the payment that there
    /// is.
    ///
    /// # Errors
    ///
    /// See [`AuthoriseError`]; then nothing was set aside.
    pub fn authorise(
        &mut self,
        order_id: &OrderId,
        amount: Amount,
    ) -> Result<Authorised, AuthoriseError> {
        let order_id = order_id.clone();
        match self.payments.get(&order_id) {
            None => {}
            Some(Some(payment)) if payment.state == State::Authorised => {
                return if payment.amount_cents == amount {
                    Ok(Authorised::Before(payment.clone()))
                } else {
                    Err(AuthoriseError::Different { order_id })
                };
            }
            Some(_) => return Err(AuthoriseError::Voided { order_id }),
        }
        if amount > self.limit {
            self.totals.declined += 1;
            return Err(AuthoriseError::Declined {
                amount: amount.cents(),
                limit: self.limit.cents(),
            });
        }
        self.last_id += 1;
        let payment = Payment {
            id: self.last_id,
            order_id: order_id.clone(),
            amount_cents: amount,
            state: State::Authorised,
        };
        self.totals.payments += 1;
        // Saturating costs nothing and cannot wrap.
        self.totals.authorised_cents =
            (self.totals.authorised_cents).saturating_add(amount.cents());
        self.remember(order_id, Some(payment.clone()));
        Ok(Authorised::Now(payment))
    }

    /// Frees what is set aside for the order. Again it changes nothing; and where there is no
    /// payment yet, one that comes later is refused.
    pub fn void(&mut self, order_id: &OrderId) {
        match self.payments.get_mut(order_id) {
            Some(Some(payment)) if payment.state == State::Authorised => {
                payment.state = State::Voided;
                self.totals.payments -= 1;
                self.totals.authorised_cents -= payment.amount_cents.cents();
                self.totals.voided += 1;
            }
            Some(_) => {}
            None => self.remember(order_id.clone(), None),
        }
    }

    fn remember(&mut self, order_id: OrderId, payment: Option<Payment>) {
        if self.age.len() >= self.capacity
            && let Some(oldest) = self.age.pop_front()
        {
            self.payments.remove(&oldest);
        }
        self.age.push_back(order_id.clone());
        self.payments.insert(order_id, payment);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn order(name: &str) -> OrderId {
        OrderId::try_from(name.to_string()).unwrap()
    }

    fn cents(number: i64) -> Amount {
        Amount::try_from(number).unwrap()
    }

    fn money(book: &Book) -> (u64, i64) {
        (book.totals().payments, book.totals().authorised_cents)
    }

    #[test]
    fn a_payment_is_authorised_once_and_voided_once() {
        let mut book = Book::new(cents(100));
        let made = book.authorise(&order("a"), cents(60)).unwrap();
        let again = book.authorise(&order("a"), cents(60)).unwrap();
        assert!(matches!((made, again), (Authorised::Now(a), Authorised::Before(b)) if a == b));
        assert_eq!(money(&book), (1, 60));
        for _ in 0..2 {
            book.void(&order("a"));
            assert_eq!((money(&book), book.totals().voided), ((0, 0), 1));
        }
    }

    #[test]
    fn what_is_not_authorised_says_why() {
        let mut book = Book::new(cents(100));
        book.authorise(&order("a"), cents(60)).unwrap();
        book.void(&order("early"));
        for (name, amount, said) in [
            ("b", 101, "101 cents are over the limit of 100"),
            ("a", 61, "order a has a payment of another amount"),
            ("early", 1, "the payment of order early is voided"),
        ] {
            let error = book.authorise(&order(name), cents(amount)).unwrap_err();
            assert_eq!(error.to_string(), said);
        }
        assert_eq!((money(&book), book.totals().declined), ((1, 60), 1));
        // A decline is no payment: the next amount may be within the limit.
        assert!(book.authorise(&order("b"), cents(100)).is_ok());
    }

    #[test]
    fn only_so_many_are_remembered_and_the_money_of_the_forgotten_stays() {
        let mut book = Book {
            capacity: 2,
            ..Book::new(cents(100))
        };
        for name in ["a", "b", "c"] {
            book.authorise(&order(name), cents(10)).unwrap();
        }
        assert_eq!((book.payments.len(), book.age.len()), (2, 2));
        book.void(&order("a"));
        assert_eq!(money(&book), (3, 30));
    }

    proptest! {
        /// Against the simplest thing that could be right.
        #[test]
        fn the_totals_are_those_of_the_payments(
            calls in prop::collection::vec((any::<bool>(), 0..6_u8, 1..120_i64), 0..80)
        ) {
            let mut book = Book::new(cents(100));
            let mut model: HashMap<u8, Option<i64>> = HashMap::new();
            for (is_void, name, amount) in calls {
                if is_void {
                    book.void(&order(&name.to_string()));
                    model.insert(name, None);
                } else if book.authorise(&order(&name.to_string()), cents(amount)).is_ok() {
                    prop_assert!(amount <= 100);
                    let before = model.insert(name, Some(amount));
                    prop_assert!(before.is_none_or(|before| before == Some(amount)));
                }
                let authorised: Vec<i64> = model.values().copied().flatten().collect();
                prop_assert_eq!(
                    money(&book),
                    (authorised.len() as u64, authorised.iter().sum())
                );
            }
        }
    }
}
