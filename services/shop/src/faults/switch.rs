use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use bartizan::Problem;
use tokio::time::sleep;

use super::{Faults, Rolls};

/// The settings in force; clones are the same ones.
#[derive(Debug, Clone, Default)]
pub struct Switch(Arc<Mutex<Faults>>);

// === impl Switch ===

impl Switch {
    /// The settings in force.
    #[must_use]
    pub fn get(&self) -> Faults {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces them. A request that is held up already keeps its fate.
    pub fn set(&self, faults: Faults) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// Puts the faults around the routes that are there.
    ///
    /// Belongs inside Bartizan's stack, so that what goes wrong is seen like any other failure.
    pub fn around<S: Clone + Send + Sync + 'static>(&self, router: Router<S>) -> Router<S> {
        router.route_layer(from_fn_with_state(self.clone(), meddle))
    }
}

async fn meddle(State(switch): State<Switch>, request: Request, next: Next) -> Response {
    let faults = switch.get();
    if faults == Faults::default() {
        return next.run(request).await;
    }
    let fate = faults.fate(Rolls {
        delay: rand::random(),
        error: rand::random(),
    });
    if !fate.delay.is_zero() {
        sleep(fate.delay).await;
    }
    let status = fate.fails_with.map(StatusCode::from_u16);
    if let Some(Ok(status)) = status {
        return Problem::new(status)
            .with_type("/problems/fault")
            .with_title("Fault on purpose")
            .with_detail("the service was told to fail")
            .into_response();
    }
    next.run(request).await
}
