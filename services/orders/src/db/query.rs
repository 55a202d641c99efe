//! What the service asks of the database, as blocking functions on a connection.

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};

use super::PlaceError;
use super::statement::Statement;
use crate::{NewOrder, Order, Product};

const LIST_PRODUCTS: Statement = Statement {
    name: "SELECT products",
    operation: "SELECT",
    collection: Some("products"),
    text: "SELECT id, name, price_cents, stock FROM products ORDER BY id",
};

const FIND_PRODUCT: Statement = Statement {
    name: "SELECT products",
    operation: "SELECT",
    collection: Some("products"),
    text: "SELECT id, name, price_cents, stock FROM products WHERE id = ?1",
};

const TAKE_STOCK: Statement = Statement {
    name: "UPDATE products",
    operation: "UPDATE",
    collection: Some("products"),
    text: "UPDATE products SET stock = stock - ?2 WHERE id = ?1 AND stock >= ?2",
};

const INSERT_ORDER: Statement = Statement {
    name: "INSERT orders",
    operation: "INSERT",
    collection: Some("orders"),
    text: "INSERT INTO orders (product_id, quantity, total_cents) VALUES (?1, ?2, ?3) \
           RETURNING id, product_id, quantity, total_cents, placed_at",
};

const FIND_ORDER: Statement = Statement {
    name: "SELECT orders",
    operation: "SELECT",
    collection: Some("orders"),
    text: "SELECT id, product_id, quantity, total_cents, placed_at FROM orders WHERE id = ?1",
};

/// A span of its own because this is where a file database waits for the disk.
const COMMIT: Statement = Statement {
    name: "COMMIT",
    operation: "COMMIT",
    collection: None,
    text: "COMMIT",
};

pub(super) fn products(connection: &Connection) -> rusqlite::Result<Vec<Product>> {
    LIST_PRODUCTS.run(|sql| connection.prepare(sql)?.query_map([], product)?.collect())
}

pub(super) fn order(connection: &Connection, id: i64) -> rusqlite::Result<Option<Order>> {
    FIND_ORDER.run(|sql| connection.query_row(sql, [id], placed).optional())
}

pub(super) fn place(connection: &mut Connection, new: NewOrder) -> Result<Order, PlaceError> {
    let NewOrder {
        product_id,
        quantity,
    } = new;
    let quantity = quantity.get();
    // Immediate: a read lock that is upgraded later cannot wait for another writer, only fail.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;

    let product = FIND_PRODUCT
        .run(|sql| transaction.query_row(sql, [product_id], product).optional())?
        .ok_or(PlaceError::UnknownProduct { product_id })?;
    let taken = TAKE_STOCK.run(|sql| transaction.execute(sql, [product_id, quantity]))?;
    if taken == 0 {
        return Err(PlaceError::OutOfStock {
            product_id,
            left: product.stock,
        });
    }
    // At most 100 times a price of the table above; saturating costs nothing and cannot wrap.
    let total_cents = product.price_cents.saturating_mul(quantity);
    let order = INSERT_ORDER
        .run(|sql| transaction.query_row(sql, [product_id, quantity, total_cents], placed))?;
    COMMIT.run(|_| transaction.commit())?;
    Ok(order)
}

fn product(row: &Row<'_>) -> rusqlite::Result<Product> {
    Ok(Product {
        id: row.get(0)?,
        name: row.get(1)?,
        price_cents: row.get(2)?,
        stock: row.get(3)?,
    })
}

fn placed(row: &Row<'_>) -> rusqlite::Result<Order> {
    Ok(Order {
        id: row.get(0)?,
        product_id: row.get(1)?,
        quantity: row.get(2)?,
        total_cents: row.get(3)?,
        placed_at: row.get(4)?,
    })
}
