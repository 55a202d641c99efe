//! The child's side: being one of the services.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::thread;

use bartizan::ExitPolicy;
use bartizan::telemetry::Report;
use serde::{Deserialize, Serialize};
use shop::Service;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::Error;

/// The argument before the name of the service that this process should be.
pub const ROLE_ARGUMENT: &str = "__service";

/// Which service a child process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// The public front.
    Gateway,
    /// The order service.
    Orders,
    /// The inventory.
    Inventory,
    /// The payments.
    Payments,
}

/// What a child tells the demo: a line of JSON among the log lines on its standard output.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Message {
    /// It listens, and is about to serve.
    Ready(Ready),
    /// It has drained and flushed; its last words.
    Report(Box<Report>),
}

/// Where a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) address: SocketAddr,
    /// Where its admin port is, if it has one.
    pub(crate) admin: Option<SocketAddr>,
}

// === impl Role ===

impl Role {
    /// Every role, the callers before the called.
    pub(crate) const ALL: [Self; 4] =
        [Self::Gateway, Self::Orders, Self::Inventory, Self::Payments];

    /// The service's name, also in its telemetry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Orders => "orders",
            Self::Inventory => "inventory",
            Self::Payments => "payments",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The option that sets its port.
    pub(crate) const fn port_option(self) -> &'static str {
        match self {
            Self::Gateway => "--gateway-port",
            Self::Orders => "--orders-port",
            Self::Inventory => "--inventory-port",
            Self::Payments => "--payments-port",
        }
    }

    /// The option that sets its admin port.
    pub(crate) const fn admin_port_option(self) -> &'static str {
        match self {
            Self::Gateway => "--gateway-admin-port",
            Self::Orders => "--orders-admin-port",
            Self::Inventory => "--inventory-admin-port",
            Self::Payments => "--payments-admin-port",
        }
    }

    async fn start(self) -> Result<Service, shop::Error> {
        match self {
            Self::Gateway => gateway::start(&gateway::loader().load()?).await,
            Self::Orders => orders::start(&orders::loader().load()?).await,
            Self::Inventory => inventory::start(&inventory::loader().load()?).await,
            Self::Payments => payments::start(&payments::loader().load()?).await,
        }
    }
}

/// Serves as `role` until standard input ends or SIGTERM comes, then drains, flushes, reports, and
/// gives the exit code.
///
/// # Errors
///
/// When the configuration is wrong, the service cannot start or serve, or the demo is gone.
pub async fn serve(role: Role) -> Result<u8, Error> {
    // First of all: a Ctrl-C while the service starts is the demo's to answer as well.
    let stop = stop().map_err(Error::Signals)?;
    let failed = |error| Error::of(role, error);
    let service = role.start().await.map_err(failed)?.with_stop(stop);
    let (address, admin) = (service.address(), service.admin());
    tell(&Message::Ready(Ready { address, admin }))?;
    let report = service.serve().await.map_err(failed)?;
    let code = report.exit_code(ExitPolicy::default());
    tell(&Message::Report(Box::new(report.telemetry)))?;
    Ok(code)
}

/// Ends when the demo closes this process's standard input, or dies, or on SIGTERM.
///
/// Ctrl-C in a terminal goes to the whole process group. It is for the demo, which lets its traffic
/// finish and then closes the pipe; a service that stopped by itself would fail the last requests.
fn stop() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    // Listening is what takes the signal's default action away.
    let interrupt = signal(SignalKind::interrupt())?;
    // A thread of its own and not tokio's stdin: the runtime would wait for the read to return
    // before it goes down. The thread ends with the pipe or the process.
    let (open, closed) = oneshot::channel::<()>();
    thread::Builder::new().name("stdin".into()).spawn(move || {
        // An unreadable pipe is as good as a closed one.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        drop(open);
    })?;
    Ok(async move {
        tokio::select! {
            _ = closed => {}
            _ = terminate.recv() => {}
        }
        drop(interrupt);
    })
}

fn tell(message: &Message) -> Result<(), Error> {
    let mut line = serde_json::to_vec(message).map_err(|error| Error::Output(error.into()))?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)
        .and_then(|()| out.flush())
        .map_err(Error::Output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_is_no_message_even_in_json() {
        let ready = Ready {
            address: ([127, 0, 0, 1], 80).into(),
            admin: None,
        };
        let said = serde_json::to_string(&Message::Ready(ready)).unwrap();
        assert!(
            matches!(serde_json::from_str(&said), Ok(Message::Ready(_))),
            "{said}"
        );
        for line in [
            "",
            "ready",
            r#"{"level":"INFO","ready":"127.0.0.1:80"}"#,
            r#"{"ready":1}"#,
            r#"{"ready":{"address":"here"}}"#,
        ] {
            assert!(serde_json::from_str::<Message>(line).is_err(), "{line}");
        }
    }
}
