//! The server's life, and above all its end.

mod client;
mod cut;
mod drain;
mod exit;
mod grace;
mod replica;
mod robust;
#[cfg(unix)]
mod signals;

pub(crate) use client::Client;
pub(crate) use grace::with_readyz;
pub(crate) use replica::{Gate, NEVER, Replica, within};
