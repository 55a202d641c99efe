mod raw;

use std::time::Duration;

use bartizan_observe::telemetry::Telemetry;
use bartizan_protect::retry;
use serde::{Deserialize, Serialize};

use self::raw::RawOutbound;
use crate::breaker;
use crate::outbound::{InvalidOutbound, Outbound, OutboundBuilder};

/// The longest time for a call: ten minutes.
pub const MAX_CALL: Duration = Duration::from_secs(600);

/// What the way to one upstream can be told, as a section of a service's configuration.
///
/// ```toml
/// [payments]
/// timeout = "5s"               # for the whole call, up to 10m
/// attempt_timeout = "1s500ms"  # for one attempt, to the response's head
/// propagate_deadline = true    # tells the upstream what is left, in x-request-timeout-ms
///
/// [payments.retry]
/// max_attempts = 3             # with the first, up to 16
/// backoff = "25ms"             # bound of the first pause, which doubles with each
/// max_backoff = "1s"
/// max_retry_after = "5s"       # the longest retry-after that is waited for
/// budget = 0.2                 # retries for each request, 0 to 1
/// reserve_per_second = 10      # retries in any case
///
/// [payments.breaker]
/// enabled = true
/// failure_rate = 0.5           # opens when so many of the calls in the window failed
/// min_calls = 10               # if there are so many
/// window = "10s"
/// consecutive_failures = 0     # opens when so many in a row failed; 0 for never
/// slow_threshold = "1s"
/// slow_rate = 0.0              # opens when so many in the window were slow; 0 for never
/// open_time = "5s"             # doubles with each opening in a row
/// max_open_time = "1m"
/// probes = 3                   # that have to succeed before it closes
/// ```
///
/// These are the defaults. It is valid by construction: reading it is the only way to change it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "RawOutbound", into = "RawOutbound")]
pub struct OutboundConfig {
    raw: RawOutbound,
    retry: retry::Config,
    breaker: breaker::Config,
}

// === impl OutboundConfig ===

impl OutboundConfig {
    /// How long a call may take as a whole.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.raw.timeout
    }

    /// The way to the upstream that is called `name`, with a circuit and a budget of its own.
    ///
    /// # Errors
    ///
    /// None that a value which was read could bring about.
    pub fn outbound(&self, name: &str, telemetry: &Telemetry) -> Result<Outbound, InvalidOutbound> {
        self.builder(name, telemetry).build()
    }

    /// The same, with what only code can say still to be said.
    pub fn builder(&self, name: &str, telemetry: &Telemetry) -> OutboundBuilder {
        let mut builder = Outbound::builder(name, telemetry)
            .with_timeout(self.raw.timeout)
            .with_attempt_timeout(self.raw.attempt_timeout)
            .with_retry(self.retry.clone())
            // Checked when it was read; made here, so that each upstream has its own.
            .with_budget(self.raw.retry.budget().unwrap_or_default());
        if !self.raw.propagate_deadline {
            builder = builder.without_propagation();
        }
        if self.raw.breaker.enabled {
            builder.with_breaker(self.breaker.clone())
        } else {
            builder.without_breaker()
        }
    }
}
