use std::fmt;

use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use super::ids;

/// Which traces are recorded.
///
/// These samplers look at the parent and the trace id alone, so the request layer can ask them
/// before it builds anything: what an unsampled request costs depends on it. Default:
/// [`Sampler::parent_based`] over [`Sampler::ALWAYS_ON`], as the specification demands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    root: Ratio,
    parent_based: bool,
}

/// The part of all traces that is sampled, compared as the specification's `TraceIdRatioBased`
/// does: with the low 63 bits of the trace id.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ratio {
    /// Ids below this are sampled; `1 << 63` takes all.
    below: u64,
}

/// The ratio is not a number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("a sampling ratio must be a number from 0 to 1, not {0}")]
pub struct InvalidRatio(f64);

// === impl Sampler ===

impl Sampler {
    /// Records everything.
    pub const ALWAYS_ON: Self = Self {
        root: Ratio::ALL,
        parent_based: false,
    };
    /// Records nothing.
    pub const ALWAYS_OFF: Self = Self {
        root: Ratio::NONE,
        parent_based: false,
    };

    /// Records the given part of all traces, the same ones in every service that uses this rule.
    ///
    /// # Errors
    ///
    /// When `ratio` is not a number from 0 to 1.
    pub fn trace_id_ratio(ratio: f64) -> Result<Self, InvalidRatio> {
        Ok(Self {
            root: Ratio::try_new(ratio)?,
            parent_based: false,
        })
    }

    /// Follows the parent where there is one, and this sampler where there is none.
    #[must_use]
    pub const fn parent_based(self) -> Self {
        Self {
            root: self.root,
            parent_based: true,
        }
    }

    /// Whether a span with this parent and trace id is recorded.
    #[must_use]
    pub fn samples(&self, parent: Option<&SpanContext>, trace_id: TraceId) -> bool {
        match parent {
            Some(parent) if self.parent_based => parent.is_sampled(),
            _ => self.root.takes(trace_id),
        }
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::ALWAYS_ON.parent_based()
    }
}

impl fmt::Display for Sampler {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.parent_based {
            f.write_str("parent-based ")?;
        }
        match self.root {
            Ratio::ALL => f.write_str("all traces"),
            Ratio::NONE => f.write_str("no traces"),
            Ratio { below } => {
                let percent = below as f64 / (1_u64 << 63) as f64 * 100.0;
                write!(f, "{} % of traces", (percent * 1e4).round() / 1e4)
            }
        }
    }
}

impl ShouldSample for Sampler {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        _name: &str,
        _span_kind: &SpanKind,
        _attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let parent = parent_context.map(TraceContextExt::span);
        let parent = parent
            .as_ref()
            .map(|span| span.span_context())
            .filter(|sc| sc.is_valid());
        let sampled = ids::is_chosen(trace_id) || self.samples(parent, trace_id);
        SamplingResult {
            decision: if sampled {
                SamplingDecision::RecordAndSample
            } else {
                SamplingDecision::Drop
            },
            attributes: Vec::new(),
            trace_state: parent.map_or(TraceState::NONE, |parent| parent.trace_state().clone()),
        }
    }
}

// === impl Ratio ===

impl Ratio {
    const ALL: Self = Self { below: 1 << 63 };
    const NONE: Self = Self { below: 0 };

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the ratio is checked to be within 0..=1, so the product is within 0..=2^63"
    )]
    fn try_new(ratio: f64) -> Result<Self, InvalidRatio> {
        if !(0.0..=1.0).contains(&ratio) {
            return Err(InvalidRatio(ratio));
        }
        Ok(Self {
            below: (ratio * (1_u64 << 63) as f64) as u64,
        })
    }

    fn takes(self, trace_id: TraceId) -> bool {
        let [.., a, b, c, d, e, f, g, h] = trace_id.to_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1 < self.below
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanId, TraceFlags};

    use super::*;

    fn parent(flags: TraceFlags) -> SpanContext {
        SpanContext::new(
            TraceId::from(7),
            SpanId::from(7),
            flags,
            true,
            TraceState::NONE,
        )
    }

    #[test]
    fn the_parent_decides_only_where_it_is_asked() {
        let id = TraceId::from(7);
        let (on, off) = (parent(TraceFlags::SAMPLED), parent(TraceFlags::NOT_SAMPLED));
        let sampler = Sampler::ALWAYS_OFF.parent_based();
        assert!(sampler.samples(Some(&on), id));
        assert!(!sampler.samples(Some(&off), id));
        assert!(!sampler.samples(None, id));
        assert!(Sampler::ALWAYS_ON.samples(Some(&off), id));
        assert!(!Sampler::ALWAYS_OFF.samples(Some(&on), id));
    }

    #[test]
    fn a_ratio_takes_about_its_part_and_the_sdk_agrees() {
        let ours = Sampler::trace_id_ratio(0.25).unwrap();
        let theirs = opentelemetry_sdk::trace::Sampler::TraceIdRatioBased(0.25);
        let mut taken = 0;
        for _ in 0..10_000 {
            let id = ids::new_trace_id();
            let sampled = ours.samples(None, id);
            taken += u32::from(sampled);
            let sdk = theirs.should_sample(None, id, "", &SpanKind::Server, &[], &[]);
            assert_eq!(sampled, sdk.decision == SamplingDecision::RecordAndSample);
        }
        assert!((2_000..3_000).contains(&taken), "{taken}");
    }

    #[test]
    fn ratios_outside_of_zero_to_one_are_refused() {
        for ratio in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(Sampler::trace_id_ratio(ratio).is_err(), "{ratio}");
        }
        assert!(
            Sampler::trace_id_ratio(1.0)
                .unwrap()
                .samples(None, TraceId::from(u128::MAX))
        );
        assert!(
            !Sampler::trace_id_ratio(0.0)
                .unwrap()
                .samples(None, TraceId::from(1))
        );
    }
}
