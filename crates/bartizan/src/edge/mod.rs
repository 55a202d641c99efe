//! What a service needs at its edge: limits, cross-origin rules, and answers where there would be
//! none.
//!
//! Layers of tower-http where there is one, told to answer with [`Problem`](crate::Problem). Each
//! goes on a router alone; [`stack()`](crate::stack) has them as options and knows their order.

mod body_limit;
mod cors;
mod decompression;
mod options;
mod origin;
mod rebody;
mod sensitive;

pub use body_limit::{BodyLimit, BodyLimitFuture, BodyLimitLayer, DEFAULT_BODY_LIMIT};
pub use cors::{CorsLayer, DEFAULT_CORS_MAX_AGE};
pub use decompression::{Decompression, DecompressionFuture, DecompressionLayer, Plain};
pub use options::{Bare, Edge, EdgeService};
pub use origin::{InvalidOrigin, Origin};
pub use rebody::{Rebody, RebodyFuture};
pub use sensitive::SensitiveHeadersLayer;
