//! Load for the demo's shop, from outside: it knows the gateway's public API and the fault ports,
//! and nothing else of ours.
//!
//! **Open loop.** Requests are sent when the [`Schedule`] says and not when earlier ones were
//! answered, as customers come who do not know of one another. A latency counts from the moment the
//! request was due, whatever held it up. So a server that stalls for a second is seen as a second of
//! slow requests, and not as one slow request and a pause in which nobody asked, which is called
//! coordinated omission.
//!
//! **Bounded.** In time, in number, and in requests under way, above which what is due is counted
//! as skipped.
//!
//! **Two clients.** In a spike, all that is more than otherwise comes from a client of its own, which
//! sends `x-api-key: spike`. An answer of 429 is counted by client, as neither an error nor a reason
//! to come again: it shows whether a limit hits the one and spares the other.
//!
//! **Once.** An order keeps its `idempotency-key` however often it is sent, so that retries after an
//! answer was lost place nothing twice. Now and then an order that was placed is sent again, and has
//! to get the same answer.

mod faults;
mod load;
mod mix;
mod scenario;
mod schedule;
mod summary;
mod tally;
mod target;

pub mod arguments;
pub mod options;

pub use faults::{FaultPorts, SET_DEADLINE};
pub use load::{Limits, Load, MAX_ATTEMPTS, MAX_IN_FLIGHT, REQUEST_DEADLINE, RETRY_DELAY, run};
pub use scenario::{
    Change, DEFAULT_CYCLE, PAYMENTS_OUTAGE, Plan, SCENARIOS, SLOW_INVENTORY, SPIKE_FACTOR,
    Scenario, Upstream,
};
pub use schedule::{Client, Due, Phase, Schedule};
pub use summary::Summary;
pub use tally::{Counts, Live};
pub use target::{Answer, Http, InvalidTarget, Remote, Target};
