//! The request layer: what every request to a server leaves behind.
//!
//! One machine gives three signals: a server span, the HTTP metrics, and an access-log line.
//! [`ObserveLayer`] gives them together; [`TraceLayer`], [`MetricsLayer`] and [`RequestLogLayer`]
//! one each, and agree on ids, times and outcome when they are stacked.
//!
//! Why a machine of its own and not a set of callbacks: a request can end in eight ways
//! ([`Outcome`](crate::Outcome)), three of which run no code but a destructor. Each signal that
//! finds that out for itself gets some of them wrong. Here one guard moves from the future into the
//! body and ends everything once.
//!
//! Put it outermost, inside of a layer that marks sensitive headers only. Layers that answer by
//! themselves (body limits, catch-panic, CORS, compression) belong inside, so that their answers
//! are seen too; a catch-panic layer marks its response with [`CaughtPanic`].
//!
//! What it does not do: it reads no request body (a body whose length is not announced has no
//! `http.server.request.body.size`), and it never records a header that it was not asked for.

mod attributes;
mod body;
mod end;
mod ending;
mod facts;
mod forwarded;
mod fronts;
mod future;
mod head;
mod layer;
mod machine;
mod metrics;
mod on_close;
mod options;
mod record;
mod request_id;
mod route;
mod sampling;
mod service;
mod span;
mod verdict;

pub(crate) use record::random_bit;

pub use body::ResponseBody;
pub use facts::Scheme;
pub use fronts::{MetricsLayer, RequestLogLayer, TraceLayer};
pub use future::ResponseFuture;
pub use head::CaughtPanic;
pub use layer::{ObserveLayer, ObserveLayerBuilder};
pub use metrics::DEFAULT_MAX_SERIES;
pub use on_close::OnClose;
pub use options::{DEFAULT_SLOW_THRESHOLD, PeerFn, RequestOptions, RouteFn, SamplingAttributes};
pub use route::Route;
pub use service::Observe;
