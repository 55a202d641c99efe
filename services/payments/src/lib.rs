//! The demo's payments: authorises the amount of an order, and voids it when the order falls
//! through. No money moves. Everything is kept in memory and starts anew with the process.
//!
//! | request | answers |
//! |---|---|
//! | `PUT /payments/{order id}` with `{"amount_cents": 4900}` | 201, again 200; 400, 402, 409, 413, 415, 422 |
//! | `DELETE /payments/{order id}` | 204; 400 |
//! | `GET /ledger` | 200: what was authorised, voided and declined |
//! | `GET /healthz` | 200 as long as this process serves |
//!
//! A payment is authorised and voided by the order's id, which the caller has before it calls: both
//! can be sent again, and a payment whose answer was lost can be voided. One that is voided before
//! it came is refused when it comes.
//!
//! What goes wrong is told as `application/problem+json` (RFC 9457), with the `trace_id` where there
//! is one. What goes wrong on purpose is set through the admin port, see [`shop::faults`]:
//!
//! ```sh
//! curl -X PUT http://127.0.0.1:8093/faults -d '{"latency_ms": 300, "jitter_ms": 100, "error_rate": 0.1}'
//! ```

mod book;
mod config;
mod error;
mod ledger;
mod routes;
mod service;

pub use book::{
    Amount, AuthoriseError, Authorised, Book, InvalidAmount, MAX_PAYMENTS, Payment, State, Totals,
};
pub use config::{Config, DEFAULT_ADMIN_BIND, DEFAULT_BIND, DEFAULT_LIMIT_CENTS, loader};
pub use ledger::Ledger;
pub use routes::{NewPayment, router};
pub use service::start;
