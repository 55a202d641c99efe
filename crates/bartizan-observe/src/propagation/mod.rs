//! W3C Trace Context (levels 1 and 2) and W3C Baggage, straight on [`http::HeaderMap`] and as an
//! OpenTelemetry propagator.
//!
//! The SDK's propagator reads the first header line only, takes malformed ids and loses the
//! random flag of level 2, so this is an implementation of our own, written from the
//! specifications' text. It never fails: a malformed `traceparent` restarts the trace, a
//! malformed `tracestate` is discarded alone, a malformed baggage member is dropped alone.
//!
//! ```
//! use bartizan_observe::propagation;
//! use http::HeaderMap;
//!
//! let mut headers = HeaderMap::new();
//! let line = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
//! headers.insert("traceparent", line.parse()?);
//!
//! let parent = propagation::extract(&headers).expect("the header is well-formed");
//! assert_eq!(parent.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
//! assert!(parent.is_sampled() && parent.is_remote());
//! # Ok::<(), http::header::InvalidHeaderValue>(())
//! ```
//!
//! Who may set the parent is a [`TrustPolicy`], asked before anything is read or sampled; a
//! server calls [`Remote::extract`] with its answer. What is sent on is what the context says:
//! [`inject`] replaces the lines that were there.
//!
//! [`Formats`] adds Zipkin's B3 headers. Not here: Jaeger's and X-Ray's, for which there is no crate
//! at this version of OpenTelemetry, and the withdrawn `traceresponse` header, in whose
//! place the specification's current draft has [`server_timing`].

mod b3;
mod baggage;
mod extract;
mod formats;
mod inject;
mod network;
mod propagator;
mod remainder;
mod remote;
mod traceparent;
mod tracestate;
mod trust;

#[cfg(test)]
mod tests;

pub use b3::B3;
pub use baggage::{MAX_BAGGAGE_BYTES, MAX_BAGGAGE_MEMBERS};
pub use extract::{extract, extract_baggage};
pub use formats::{Formats, FormatsPropagator};
pub(crate) use inject::server_timing_with;
pub use inject::{inject, server_timing};
pub use network::{InvalidNetwork, Network};
pub use propagator::W3cPropagator;
pub use remote::Remote;
pub use tracestate::MAX_TRACESTATE_MEMBERS;
pub use trust::{Trust, TrustPolicy};

/// Without the optional whitespace (spaces and tabs, RFC 9110 section 5.6.3) around it.
fn trim_ows(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
