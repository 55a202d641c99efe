//! A handler's panic as an answer.

use std::any::Any;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use bartizan_observe::request::CaughtPanic;
use tower_http::catch_panic::{CatchPanic, ResponseForPanic};
use tower_layer::Layer;

use crate::Problem;
use crate::edge::Rebody;

/// Answers 500 as [`Problem`] where a handler panics, instead of closing the connection on the
/// client.
///
/// tower-http's layer, whose answers are marked, so that the layers of this crate still record the
/// request as *panicked*. Put it inside of them. What the panic said is in the log and not in the
/// answer. A panic in a response's body comes too late for another answer and is not caught.
///
/// ```
/// use axum::{Router, routing::get};
/// use bartizan::{CatchPanicLayer, Telemetry};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = Telemetry::builder().build()?;
/// let app: Router = Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(CatchPanicLayer::new())
///     .layer(bartizan::stack().with_telemetry(&telemetry).build()?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct CatchPanicLayer(());

/// Makes the answer of a [`CatchPanicLayer`].
#[derive(Debug, Clone, Copy)]
pub struct PanicProblem(());

// === impl CatchPanicLayer ===

impl CatchPanicLayer {
    /// The layer, which has no settings.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for CatchPanicLayer {
    type Service = Rebody<CatchPanic<S, PanicProblem>>;

    fn layer(&self, inner: S) -> Self::Service {
        Rebody::new(CatchPanic::custom(inner, PanicProblem(())))
    }
}

// === impl PanicProblem ===

impl ResponseForPanic for PanicProblem {
    type ResponseBody = Body;

    fn response_for_panic(&mut self, panic: Box<dyn Any + Send>) -> Response<Body> {
        tracing::error!(panic = said(&*panic), "a handler panicked");
        let mut response = Problem::new(StatusCode::INTERNAL_SERVER_ERROR).into_response();
        response.extensions_mut().insert(CaughtPanic);
        response
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(not a text)")
}
