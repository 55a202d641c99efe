//! What both test targets that run the services as processes have: each says in its `main.rs` how
//! long it waits (`DEADLINE`) and how often it looks meanwhile (`PACE`).

pub(crate) mod eventually;
pub(crate) mod http;
pub(crate) mod service;
pub(crate) mod services;
