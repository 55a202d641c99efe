//! What the service asks of the database, as blocking functions on a connection.

use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Row, TransactionBehavior};

use super::statement::Statement;
use super::{Begun, Unsettled};
use crate::{NewOrder, Order, Status};

/// The columns of an [`Order`], in the order in which [`order_of`] reads them.
macro_rules! order_columns {
    () => {
        "id, product_id, quantity, status, total_cents, reason, created_at"
    };
}

const INSERT_ORDER: Statement = Statement {
    name: "INSERT orders",
    operation: "INSERT",
    collection: Some("orders"),
    text: concat!(
        "INSERT INTO orders (reference, idempotency_key, product_id, quantity) \
         VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (idempotency_key) \
         WHERE idempotency_key IS NOT NULL AND status IN ('pending', 'placed') DO NOTHING \
         RETURNING ",
        order_columns!()
    ),
};

const FIND_BY_KEY: Statement = Statement {
    name: "SELECT orders",
    operation: "SELECT",
    collection: Some("orders"),
    text: concat!(
        "SELECT ",
        order_columns!(),
        " FROM orders WHERE idempotency_key = ?1 AND status IN ('pending', 'placed')"
    ),
};

const FIND_ORDER: Statement = Statement {
    name: "SELECT orders",
    operation: "SELECT",
    collection: Some("orders"),
    text: concat!("SELECT ", order_columns!(), " FROM orders WHERE id = ?1"),
};

const PLACE_ORDER: Statement = Statement {
    name: "UPDATE orders",
    operation: "UPDATE",
    collection: Some("orders"),
    text: concat!(
        "UPDATE orders SET status = 'placed', total_cents = ?2 \
         WHERE id = ?1 AND status = 'pending' RETURNING ",
        order_columns!()
    ),
};

const UNDO_ORDER: Statement = Statement {
    name: "UPDATE orders",
    operation: "UPDATE",
    collection: Some("orders"),
    text: "UPDATE orders SET status = 'undoing', reason = coalesce(reason, ?2) \
           WHERE id = ?1 AND status IN ('pending', 'undoing')",
};

const REJECT_ORDER: Statement = Statement {
    name: "UPDATE orders",
    operation: "UPDATE",
    collection: Some("orders"),
    text: "UPDATE orders SET status = 'rejected' WHERE id = ?1 AND status = 'undoing'",
};

/// A span of its own because this is where a file database waits for the disk.
const COMMIT: Statement = Statement {
    name: "COMMIT",
    operation: "COMMIT",
    collection: None,
    text: "COMMIT",
};

/// Not a [`Statement`]: it is asked every few seconds on nobody's behalf, and each span would be a
/// trace of its own.
const FIND_UNSETTLED: &str = "SELECT id, reference FROM orders \
     WHERE status IN ('pending', 'undoing') ORDER BY id LIMIT ?1";

/// Reads the file, which `SELECT 1` does not.
const LOOK: &str = "SELECT EXISTS (SELECT 1 FROM orders)";

/// Without a span, like the sweeper's: nobody's request asks.
pub(super) fn look(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row(LOOK, [], |_| Ok(()))
}

pub(super) fn order(connection: &Connection, id: i64) -> rusqlite::Result<Option<Order>> {
    FIND_ORDER.run(|sql| connection.query_row(sql, [id], order_of).optional())
}

pub(super) fn begin(
    connection: &mut Connection,
    reference: &str,
    key: Option<&str>,
    new: NewOrder,
) -> rusqlite::Result<Begun> {
    // Immediate: a read lock that is upgraded later cannot wait for another writer, only fail.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let values = (reference, key, new.product_id, new.quantity.get());
    let made = INSERT_ORDER.run(|sql| {
        let row = transaction.query_row(sql, values, order_of);
        row.optional()
    })?;
    let begun = match made {
        Some(order) => Begun::Now(order),
        // Only a key conflicts.
        None => Begun::Before(FIND_BY_KEY.run(|sql| transaction.query_row(sql, [key], order_of))?),
    };
    COMMIT.run(|_| transaction.commit())?;
    Ok(begun)
}

/// `None` if the order is not pending any more.
pub(super) fn place(
    connection: &Connection,
    id: i64,
    total_cents: i64,
) -> rusqlite::Result<Option<Order>> {
    PLACE_ORDER.run(|sql| {
        let row = connection.query_row(sql, [id, total_cents], order_of);
        row.optional()
    })
}

/// Whether the order is one to be undone.
pub(super) fn undo(connection: &Connection, id: i64, reason: &str) -> rusqlite::Result<bool> {
    UNDO_ORDER.run(|sql| Ok(connection.execute(sql, (id, reason))? > 0))
}

pub(super) fn reject(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    REJECT_ORDER.run(|sql| connection.execute(sql, [id]).map(drop))
}

pub(super) fn unsettled(connection: &Connection, most: u32) -> rusqlite::Result<Vec<Unsettled>> {
    let mut statement = connection.prepare(FIND_UNSETTLED)?;
    let rows = statement.query_map([most], |row| {
        Ok(Unsettled {
            id: row.get(0)?,
            reference: row.get(1)?,
        })
    })?;
    rows.collect()
}

fn order_of(row: &Row<'_>) -> rusqlite::Result<Order> {
    let status: String = row.get(3)?;
    let unknown = || {
        let error = format!("an order is {status}, which is no status");
        Error::FromSqlConversionFailure(3, Type::Text, error.into())
    };
    Ok(Order {
        id: row.get(0)?,
        product_id: row.get(1)?,
        quantity: row.get(2)?,
        status: Status::from_str(&status).ok_or_else(unknown)?,
        total_cents: row.get(4)?,
        reason: row.get(5)?,
        created_at: row.get(6)?,
    })
}
