use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use tokio::time::timeout;

use crate::{Target, Upstream};

/// How long setting faults may take.
pub const SET_DEADLINE: Duration = Duration::from_secs(2);

/// Where the faults of each service are set.
#[derive(Debug, Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "whoever makes it has both or knows which is missing"
)]
pub struct FaultPorts<T> {
    /// The payments' admin port, if it is known.
    pub payments: Option<T>,
    /// The inventory's.
    pub inventory: Option<T>,
}

// === impl FaultPorts ===

impl<T: Target> FaultPorts<T> {
    /// Sets the faults of one service.
    pub(crate) async fn set(&self, upstream: Upstream, faults: &'static str) -> Result<(), String> {
        let (name, port) = match upstream {
            Upstream::Payments => ("payments", &self.payments),
            Upstream::Inventory => ("inventory", &self.inventory),
        };
        let Some(port) = port else {
            return Err(format!("nobody said where the admin port of {name} is"));
        };
        let request = Request::builder()
            .method(Method::PUT)
            .uri("/faults")
            .body(Bytes::from_static(faults.as_bytes()))
            .map_err(|error| error.to_string())?;
        match timeout(SET_DEADLINE, port.send(request)).await {
            Ok(Ok(answer)) if answer.status.is_success() => Ok(()),
            Ok(Ok(answer)) => Err(format!("{name} answered {} to {faults}", answer.status)),
            Ok(Err(error)) => Err(format!("{name}: {error}")),
            Err(_) => Err(format!("{name} did not answer within {SET_DEADLINE:?}")),
        }
    }
}
