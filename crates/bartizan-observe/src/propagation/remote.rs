//! What a request brings along, as far as it is trusted.

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::trace::{SpanContext, TraceContextExt};

use super::remainder::Remainder;
use super::{Formats, Trust, extract, extract_baggage, formats};

/// What the caller sent, after the [`TrustPolicy`](super::TrustPolicy) has spoken and before the
/// sampler is asked.
///
/// ```
/// use bartizan_observe::propagation::{Remote, Trust};
/// use http::HeaderMap;
///
/// let mut headers = HeaderMap::new();
/// let line = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// headers.insert("traceparent", line.parse()?);
/// headers.insert("baggage", "user=alice".parse()?);
///
/// let remote = Remote::extract(&headers, Trust::Link);
/// assert!(remote.parent.is_none() && remote.link.is_some() && remote.baggage.is_none());
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Remote {
    /// The span to be the parent; only with [`Trust::Trust`].
    pub parent: Option<SpanContext>,
    /// The span to link to from a trace of our own; only with [`Trust::Link`].
    pub link: Option<SpanContext>,
    /// The caller's baggage; only with [`Trust::Trust`].
    pub baggage: Option<Baggage>,
    remainder: Option<Remainder>,
}

// === impl Remote ===

impl Remote {
    /// Reads as much of the headers as `trust` allows; nothing at all for [`Trust::Ignore`].
    #[must_use]
    pub fn extract(headers: &HeaderMap, trust: Trust) -> Self {
        Self::extract_as(Formats::default(), headers, trust)
    }

    /// The same from headers of other formats.
    #[must_use]
    pub fn extract_as(formats: Formats, headers: &HeaderMap, trust: Trust) -> Self {
        let w3c = || {
            formats
                .trace_context
                .then(|| extract::span_and_remainder(headers))
                .flatten()
        };
        let b3 = || formats::b3_of(formats, headers).map(|parent| (parent, None));
        match trust {
            Trust::Trust => {
                let (parent, remainder) = w3c().or_else(b3).unzip();
                let baggage = formats.baggage.then(|| extract_baggage(headers)).flatten();
                Self {
                    parent,
                    link: None,
                    baggage,
                    remainder: remainder.flatten(),
                }
            }
            Trust::Link => Self {
                link: w3c().or_else(b3).map(|(parent, _)| parent),
                ..Self::default()
            },
            Trust::Ignore => Self::default(),
        }
    }

    /// `base` with the parent and the baggage in it, as a local root of what the request does.
    ///
    /// The context also takes what of the `tracestate` does not fit into a [`SpanContext`], so
    /// derive the request's context from this one.
    #[must_use]
    pub fn into_context(self, base: &Context) -> Context {
        let mut cx = base.clone();
        if let Some(parent) = self.parent {
            cx = cx.with_remote_span_context(parent);
        }
        if let Some(baggage) = self.baggage {
            cx = cx.with_baggage(baggage);
        }
        if let Some(remainder) = self.remainder {
            cx = cx.with_value(remainder);
        }
        cx
    }
}
