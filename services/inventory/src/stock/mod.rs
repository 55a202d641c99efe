//! Who gets what, as a plain struct: no clock, no lock, no HTTP.

mod model;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

use shop::Quantity;
use shop::keys::OrderId;

pub use model::{
    Catalogue, ConfirmError, DEFAULT_TTL, Limits, MAX_FINISHED, MAX_HELD, Product, Reservation,
    ReserveError, Reserved, Row, State,
};

/// The products and their reservations.
///
/// Of each product, what is available, reserved and sold add up to what there was, always. A
/// reservation is held until it is confirmed, released or expires; what expired goes back to the
/// shelf with the next call.
///
/// Bounded: at most [`Limits::max_held`] reservations are held, and a further one is refused. Of
/// those that are over, the last [`Limits::max_finished`] are remembered, the oldest being forgotten
/// first; a call about a forgotten one finds none.
#[derive(Debug)]
pub struct Stock {
    shelves: Vec<Shelf>,
    entries: HashMap<OrderId, Entry>,
    /// The held reservations by when they expire; the number tells equals apart.
    held: BTreeMap<(Instant, u64), OrderId>,
    /// The entries that are not held, oldest first.
    finished: VecDeque<OrderId>,
    last_id: u64,
    limits: Limits,
}

#[derive(Debug)]
struct Shelf {
    product: Product,
    reserved: i64,
    sold: i64,
}

#[derive(Debug)]
enum Entry {
    /// `expires` is the key in `held`, while it is held.
    Known {
        reservation: Reservation,
        expires: Instant,
    },
    /// Released before it came.
    Unwanted,
}

// === impl Stock ===

impl Stock {
    /// Full shelves.
    #[must_use]
    pub fn new(catalogue: Catalogue, limits: Limits) -> Self {
        let shelf = |product| Shelf {
            product,
            reserved: 0,
            sold: 0,
        };
        Self {
            shelves: catalogue.products.into_iter().map(shelf).collect(),
            entries: HashMap::new(),
            held: BTreeMap::new(),
            finished: VecDeque::new(),
            last_id: 0,
            limits,
        }
    }

    /// The products, with what is available of each.
    pub fn products(&mut self, now: Instant) -> Vec<Product> {
        self.expire(now);
        let products = self.shelves.iter().map(|shelf| shelf.product.clone());
        products.collect()
    }

    /// Where all there is of each product is.
    pub fn ledger(&mut self, now: Instant) -> Vec<Row> {
        self.expire(now);
        let rows = self.shelves.iter().map(|shelf| Row {
            product_id: shelf.product.id,
            available: shelf.product.stock,
            reserved: shelf.reserved,
            sold: shelf.sold,
        });
        rows.collect()
    }

    /// Takes the quantity off the shelf and holds it for the order. Again for the same order it
    /// gives the reservation that there is.
    ///
    /// # Errors
    ///
    /// See [`ReserveError`]; then nothing was taken.
    pub fn reserve(
        &mut self,
        now: Instant,
        order_id: &OrderId,
        product_id: i64,
        quantity: Quantity,
    ) -> Result<Reserved, ReserveError> {
        self.expire(now);
        let quantity = quantity.get();
        if let Some(entry) = self.entries.get(order_id) {
            return entry.reserved_before(order_id, product_id, quantity);
        }
        if self.held.len() >= self.limits.max_held {
            let first = self.held.first_key_value();
            return Err(ReserveError::Full {
                retry_after: first.map_or(self.limits.ttl, |((expires, _), _)| {
                    expires.saturating_duration_since(now)
                }),
            });
        }
        let shelf = (self.shelves.iter_mut())
            .find(|shelf| shelf.product.id == product_id)
            .ok_or(ReserveError::UnknownProduct { product_id })?;
        let left = shelf.product.stock;
        if left < quantity {
            return Err(ReserveError::OutOfStock { product_id, left });
        }
        shelf.product.stock -= quantity;
        shelf.reserved += quantity;

        self.last_id += 1;
        let reservation = Reservation {
            id: self.last_id,
            order_id: order_id.clone(),
            product_id,
            quantity,
            price_cents: shelf.product.price_cents,
            state: State::Held,
        };
        let expires = now + self.limits.ttl;
        self.held
            .insert((expires, reservation.id), order_id.clone());
        let entry = Entry::Known {
            reservation: reservation.clone(),
            expires,
        };
        self.entries.insert(order_id.clone(), entry);
        Ok(Reserved::Now(reservation))
    }

    /// Sells what is held for the order. Again it changes nothing.
    ///
    /// # Errors
    ///
    /// When there is no reservation, or it was released or has expired.
    pub fn confirm(
        &mut self,
        now: Instant,
        order_id: &OrderId,
    ) -> Result<Reservation, ConfirmError> {
        self.expire(now);
        let order_id = order_id.clone();
        match self.entries.get(&order_id) {
            None | Some(Entry::Unwanted) => return Err(ConfirmError::Unknown { order_id }),
            Some(Entry::Known { reservation, .. }) => match reservation.state {
                State::Held => {}
                State::Confirmed => return Ok(reservation.clone()),
                state @ (State::Released | State::Expired) => {
                    return Err(ConfirmError::Over { order_id, state });
                }
            },
        }
        // Just seen to be held.
        (self.settle(&order_id, State::Confirmed)).ok_or(ConfirmError::Unknown { order_id })
    }

    /// Puts back what is held for the order, or was sold to it. Again it changes nothing; and
    /// where there is no reservation yet, one that comes later is refused.
    pub fn release(&mut self, now: Instant, order_id: &OrderId) {
        self.expire(now);
        if self.entries.contains_key(order_id) {
            self.settle(order_id, State::Released);
        } else {
            self.entries.insert(order_id.clone(), Entry::Unwanted);
            self.finish(order_id.clone());
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some(first) = self.held.first_entry()
            && first.key().0 <= now
        {
            let order_id = first.get().clone();
            self.settle(&order_id, State::Expired);
        }
    }

    /// Moves a reservation on to `state` and its quantity with it; `None` if that is no move.
    fn settle(&mut self, order_id: &OrderId, state: State) -> Option<Reservation> {
        let Some(Entry::Known {
            reservation,
            expires,
        }) = self.entries.get_mut(order_id)
        else {
            return None;
        };
        let shelf =
            (self.shelves.iter_mut()).find(|shelf| shelf.product.id == reservation.product_id)?;
        let quantity = reservation.quantity;
        match (reservation.state, state) {
            (State::Held, State::Confirmed) => {
                shelf.reserved -= quantity;
                shelf.sold += quantity;
            }
            (State::Held, State::Released | State::Expired) => {
                shelf.reserved -= quantity;
                shelf.product.stock += quantity;
            }
            (State::Confirmed, State::Released) => {
                shelf.sold -= quantity;
                shelf.product.stock += quantity;
            }
            _ => return None,
        }
        let was_held = reservation.state == State::Held;
        reservation.state = state;
        let settled = reservation.clone();
        if was_held {
            self.held.remove(&(*expires, settled.id));
            self.finish(order_id.clone());
        }
        Some(settled)
    }

    /// Counts an entry among those that are over, and forgets the oldest if they are too many.
    fn finish(&mut self, order_id: OrderId) {
        self.finished.push_back(order_id);
        if self.finished.len() > self.limits.max_finished
            && let Some(oldest) = self.finished.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }
}

// === impl Entry ===

impl Entry {
    fn reserved_before(
        &self,
        order_id: &OrderId,
        product_id: i64,
        quantity: i64,
    ) -> Result<Reserved, ReserveError> {
        let over = |state| ReserveError::Over {
            order_id: order_id.clone(),
            state,
        };
        let Self::Known { reservation, .. } = self else {
            return Err(over(State::Released));
        };
        match reservation.state {
            State::Released | State::Expired => Err(over(reservation.state)),
            _ if (reservation.product_id, reservation.quantity) != (product_id, quantity) => {
                Err(ReserveError::Different {
                    order_id: order_id.clone(),
                })
            }
            _ => Ok(Reserved::Before(reservation.clone())),
        }
    }
}
