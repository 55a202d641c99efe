//! Something between the order service and another, that makes one of its calls go wrong.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

/// A call that an order takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Reserve,
    Confirm,
    Release,
    Authorise,
    Void,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It fails and is not done.
    Fail,
    /// It is done and said to have failed.
    LoseAnswer,
    /// It is neither done nor answered.
    Hang,
    /// It is done and not answered.
    HangAfter,
    /// It is done once the gate is opened, whether or not somebody still waits.
    Late,
}

/// Both services' gates; clones are the same ones.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rules: Mutex<Vec<(Step, How)>>,
    /// A permit for each call that a rule was for.
    reached: Semaphore,
    /// Permits once the gate is opened.
    open: Semaphore,
    /// A permit for each late call that was done.
    done: Semaphore,
}

// === impl Gate ===

impl Gate {
    pub(crate) fn open() -> Self {
        Self(Arc::new(Inner {
            rules: Mutex::default(),
            reached: Semaphore::new(0),
            open: Semaphore::new(0),
            done: Semaphore::new(0),
        }))
    }

    pub(crate) fn set(&self, rules: &[(Step, How)]) {
        *self.0.rules.lock().unwrap() = rules.to_vec();
    }

    pub(crate) fn around(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), pass))
    }

    /// Waits for a call that a rule is for.
    pub(crate) async fn reached(&self) {
        self.0.reached.acquire().await.unwrap().forget();
    }

    /// Lets the late calls through, and waits until one is done.
    pub(crate) async fn let_late_through(&self) {
        self.0.open.add_permits(1);
        self.0.done.acquire().await.unwrap().forget();
    }
}

async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let step = step(&request);
    let rules = gate.0.rules.lock().unwrap().clone();
    let Some((_, how)) = rules.into_iter().find(|(other, _)| step == Some(*other)) else {
        return next.run(request).await;
    };
    let failed = StatusCode::INTERNAL_SERVER_ERROR;
    match how {
        How::Fail => failed.into_response(),
        How::LoseAnswer => {
            next.run(request).await;
            failed.into_response()
        }
        How::Hang => {
            gate.0.reached.add_permits(1);
            std::future::pending().await
        }
        How::HangAfter => {
            next.run(request).await;
            gate.0.reached.add_permits(1);
            std::future::pending().await
        }
        How::Late => {
            gate.0.reached.add_permits(1);
            let late = tokio::spawn(async move {
                gate.0.open.acquire().await.unwrap().forget();
                let answer = next.run(request).await;
                gate.0.done.add_permits(1);
                answer
            });
            late.await.unwrap()
        }
    }
}

fn step(request: &Request) -> Option<Step> {
    let path = request.uri().path();
    let is_stock = path.starts_with("/reservations/");
    match *request.method() {
        Method::PUT if is_stock => Some(Step::Reserve),
        Method::POST if is_stock => Some(Step::Confirm),
        Method::DELETE if is_stock => Some(Step::Release),
        Method::PUT => Some(Step::Authorise),
        Method::DELETE => Some(Step::Void),
        _ => None,
    }
}
