use std::time::Duration;

use bartizan::{TimeoutLayer, Trust, TrustPolicy};

use crate::Error;

/// The longest that a service works for a request: more than any caller in the shop waits.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the shop's own services are: on this machine, or in a private network.
const OWN: [&str; 6] = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
];

/// [`REQUEST_TIMEOUT`], or what a caller says that is one of the shop's own.
///
/// # Errors
///
/// None that could come of what is written here.
pub fn timeout() -> Result<TimeoutLayer, Error> {
    let own: Result<Vec<_>, _> = OWN.into_iter().map(str::parse).collect();
    let own = TrustPolicy::networks(own.map_err(Error::start)?, Trust::Ignore);
    let layer = TimeoutLayer::new(REQUEST_TIMEOUT).map_err(Error::start)?;
    Ok(layer.with_deadlines_of(own))
}
