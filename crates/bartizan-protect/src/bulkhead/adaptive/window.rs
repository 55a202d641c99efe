use std::time::Duration;

/// How long the calls took that ended of late, and how many there were at a time.
#[derive(Debug, Default)]
pub(super) struct Window {
    samples: u32,
    /// In seconds.
    sum: f64,
    peak: usize,
}

// === impl Window ===

impl Window {
    pub(super) fn add(&mut self, elapsed: Duration, in_flight: usize) {
        // What takes no time at all is nothing to divide by.
        self.sum += elapsed.as_secs_f64().max(1e-6);
        self.samples = self.samples.saturating_add(1);
        self.peak = self.peak.max(in_flight);
    }

    pub(super) const fn samples(&self) -> u32 {
        self.samples
    }

    /// The most calls at a time that one of the samples was among.
    pub(super) const fn peak(&self) -> usize {
        self.peak
    }

    /// In seconds; of a window with samples.
    pub(super) fn mean(&self) -> f64 {
        self.sum / f64::from(self.samples)
    }
}
