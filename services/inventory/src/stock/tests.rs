use std::time::Duration;

use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits {
    ttl: Duration::from_secs(60),
    max_held: 3,
    max_finished: 4,
};

fn start() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn stock() -> Stock {
    Stock::new(Catalogue::with_stock(10), LIMITS)
}

fn order(name: &str) -> OrderId {
    OrderId::try_from(name.to_string()).unwrap()
}

fn quantity(number: i64) -> Quantity {
    Quantity::try_from(number).unwrap()
}

/// Available, reserved and sold of the first product.
fn row(stock: &mut Stock, now: Instant) -> (i64, i64, i64) {
    let row = stock.ledger(now)[0];
    (row.available, row.reserved, row.sold)
}

#[test]
fn a_reservation_is_held_then_sold_then_put_back() {
    let (mut stock, now, id) = (stock(), start(), order("a"));
    let made = stock.reserve(now, &id, 1, quantity(4)).unwrap();
    let Reserved::Now(reservation) = made else {
        panic!("{made:?}");
    };
    assert_eq!(
        (reservation.price_cents, reservation.state),
        (4_900, State::Held)
    );
    assert_eq!(row(&mut stock, now), (6, 4, 0));

    assert_eq!(stock.confirm(now, &id).unwrap().state, State::Confirmed);
    assert_eq!(row(&mut stock, now), (6, 0, 4));

    stock.release(now, &id);
    assert_eq!(row(&mut stock, now), (10, 0, 0));
}

#[test]
fn each_call_can_be_sent_again() {
    let (mut stock, now, id) = (stock(), start(), order("a"));
    let made = stock.reserve(now, &id, 1, quantity(4)).unwrap();
    let again = stock.reserve(now, &id, 1, quantity(4)).unwrap();
    assert!(matches!((made, again), (Reserved::Now(a), Reserved::Before(b)) if a == b));
    assert_eq!(stock.confirm(now, &id), stock.confirm(now, &id));
    assert_eq!(row(&mut stock, now), (6, 0, 4));
    stock.release(now, &id);
    stock.release(now, &id);
    assert_eq!(row(&mut stock, now), (10, 0, 0));
}

#[test]
fn an_order_reserves_one_thing_and_only_while_it_lasts() {
    let (mut stock, now, id) = (stock(), start(), order("a"));
    stock.reserve(now, &id, 1, quantity(4)).unwrap();
    for (product, number) in [(1, 3), (2, 4)] {
        let error = stock.reserve(now, &id, product, quantity(number));
        assert!(
            matches!(error, Err(ReserveError::Different { .. })),
            "{error:?}"
        );
    }
    stock.release(now, &id);
    let error = stock.reserve(now, &id, 1, quantity(4)).unwrap_err();
    assert_eq!(error.to_string(), "the reservation of order a is released");
    let error = stock.confirm(now, &id).unwrap_err();
    assert_eq!(error.to_string(), "the reservation of order a is released");
}

#[test]
fn what_was_released_before_it_came_is_refused_when_it_comes() {
    let (mut stock, now, id) = (stock(), start(), order("late"));
    stock.release(now, &id);
    let error = stock.reserve(now, &id, 1, quantity(1));
    assert!(matches!(error, Err(ReserveError::Over { .. })), "{error:?}");
    assert_eq!(row(&mut stock, now), (10, 0, 0));
}

#[test]
fn what_nobody_confirms_goes_back_when_its_time_is_over() {
    let (mut stock, now, id) = (stock(), start(), order("a"));
    stock.reserve(now, &id, 1, quantity(4)).unwrap();
    let almost = now + LIMITS.ttl - Duration::from_nanos(1);
    assert_eq!(row(&mut stock, almost), (6, 4, 0));
    let over = now + LIMITS.ttl;
    let error = stock.confirm(over, &id).unwrap_err();
    assert_eq!(error.to_string(), "the reservation of order a is expired");
    assert_eq!(row(&mut stock, over), (10, 0, 0));
}

#[test]
fn what_is_sold_does_not_expire() {
    let (mut stock, now, id) = (stock(), start(), order("a"));
    stock.reserve(now, &id, 1, quantity(4)).unwrap();
    stock.confirm(now, &id).unwrap();
    assert_eq!(row(&mut stock, now + 2 * LIMITS.ttl), (6, 0, 4));
}

#[test]
fn what_is_not_there_cannot_be_reserved() {
    let (mut stock, now) = (stock(), start());
    let error = stock.reserve(now, &order("a"), 7, quantity(1)).unwrap_err();
    assert_eq!(error.to_string(), "there is no product 7");
    let error = stock
        .reserve(now, &order("a"), 1, quantity(11))
        .unwrap_err();
    assert_eq!(error.to_string(), "product 1 has only 10 left");
    let error = stock.confirm(now, &order("a")).unwrap_err();
    assert_eq!(error.to_string(), "order a has no reservation");
}

#[test]
fn only_so_many_are_held_and_the_next_is_told_when_to_come() {
    let (mut stock, now) = (stock(), start());
    for name in 0..LIMITS.max_held {
        let at = now + Duration::from_secs(name as u64);
        stock
            .reserve(at, &order(&name.to_string()), 1, quantity(1))
            .unwrap();
    }
    let at = now + Duration::from_secs(10);
    assert_eq!(
        stock.reserve(at, &order("late"), 1, quantity(1)),
        Err(ReserveError::Full {
            retry_after: Duration::from_secs(50)
        })
    );
    let at = now + LIMITS.ttl;
    assert!(stock.reserve(at, &order("late"), 1, quantity(1)).is_ok());
}

#[test]
fn only_so_many_are_remembered_the_oldest_being_forgotten_first() {
    let (mut stock, now) = (stock(), start());
    for name in 0..=LIMITS.max_finished {
        stock
            .reserve(now, &order(&name.to_string()), 1, quantity(1))
            .unwrap();
        stock.confirm(now, &order(&name.to_string())).unwrap();
    }
    assert!(stock.confirm(now, &order("0")).is_err());
    assert!(stock.confirm(now, &order("1")).is_ok());
    assert_eq!(stock.entries.len(), LIMITS.max_finished);
    assert_eq!(row(&mut stock, now), (5, 0, 5));
}

proptest! {
    /// Whatever is called in whatever order: nothing is lost, nothing is sold twice, nothing grows.
    #[test]
    fn the_ledger_always_adds_up(
        calls in prop::collection::vec((0..3_u8, 0..8_u8, 1..3_i64, 1..6_i64, 0..40_u64), 0..80)
    ) {
        let (mut stock, mut now) = (stock(), start());
        for (call, name, product, number, seconds) in calls {
            now += Duration::from_secs(seconds);
            let id = order(&name.to_string());
            match call {
                0 => drop(stock.reserve(now, &id, product, quantity(number))),
                1 => drop(stock.confirm(now, &id)),
                _ => stock.release(now, &id),
            }
            for row in stock.ledger(now) {
                let parts = [row.available, row.reserved, row.sold];
                prop_assert_eq!(parts.iter().sum::<i64>(), 10);
                prop_assert!(parts.iter().all(|&part| part >= 0), "{:?}", row);
            }
            prop_assert!(stock.held.len() <= LIMITS.max_held);
            prop_assert!(stock.finished.len() <= LIMITS.max_finished);
            prop_assert_eq!(stock.entries.len(), stock.held.len() + stock.finished.len());
        }
    }
}
