//! What a process tree reports over OTLP, kept in memory and made readable.
//!
//! A demo or a developer's machine should show whole traces without a collector, a database or a
//! dashboard running next to it. [`Receiver`] takes OTLP over gRPC and HTTP, [`Store`] keeps what
//! arrives within a fixed number of bytes, [`waterfall`](fn@waterfall) draws a trace with its log
//! lines for a terminal, and [`router`](fn@router) shows the same to a browser, read-only.
//!
//! ```
//! use std::{net::Ipv4Addr, sync::Arc};
//!
//! use bartizan_panel::{Receiver, Store};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let store = Arc::new(Store::default());
//! let any = (Ipv4Addr::LOCALHOST, 0).into();
//! let receiver = Receiver::bind(any, any, store.clone()).await?;
//! assert_ne!(receiver.grpc_addr().port(), 0);
//! assert!(store.traces().is_empty());
//! receiver.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing here authenticates anybody: bind to loopback, or put the listeners behind something
//! that does.

#[cfg(test)]
mod fixture;
mod receiver;
mod router;
mod store;
pub mod view;
mod waterfall;

pub use receiver::{
    BindError, DEFAULT_MAX_MESSAGE_BYTES, MAX_CONNECTIONS, MAX_PARTS, MAX_RECORDS, Receiver,
    STOP_GRACE, Sink,
};
pub use router::{DEFAULT_LIMIT, MAX_LIMIT, router};
pub use store::{DEFAULT_MAX_BYTES, MAX_SERIES, MAX_SERVICES, Stats, Store, Trace};
pub use waterfall::{DEFAULT_WIDTH, MAX_LINES, MIN_WIDTH, waterfall, waterfall_with_width};
