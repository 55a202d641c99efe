use std::time::{Duration, Instant};

use super::Adaptive;
use super::window::Window;
use crate::bulkhead::ceiling::Sample;
use crate::chance::Chance;

/// The limit, and what it goes by. See [`Adaptive`].
#[derive(Debug)]
pub(in crate::bulkhead) struct Gradient {
    settings: Adaptive,
    /// Whole calls of it are the limit, when it is not lowered.
    limit: f64,
    /// The number of what is measured, which samples have to be of.
    epoch: u64,
    phase: Phase,
    window: Window,
    /// How long calls take with little to do, in seconds. `None` before it has been measured.
    unloaded: Option<f64>,
    /// The greatest limit since it has been.
    highest: f64,
    probe_at: Instant,
    chance: Chance,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// The limit is what it is, until then at least.
    Steady { until: Instant },
    /// The limit is lowered to `level`. `before` is how long calls took at the level above, where
    /// that is known. Calls that are refused for it after `patience` are not.
    Probing {
        level: f64,
        before: Option<f64>,
        patience: Instant,
    },
}

/// How fast a limit falls: by so much of what a window asks for.
const SMOOTHING: f64 = 0.2;

/// The most that a window asks for: half.
const LEAST_GRADIENT: f64 = 0.5;

/// Calls that take this part of the time they took at twice the limit, or more, do not queue up.
const NOT_FASTER: f64 = 0.9;

/// A probe is given up that is in the way for so many windows, and as many times as long as calls
/// take as it may need to be done, at one at a time.
const PATIENCE: u32 = 4;

/// By up to so much a length is shorter or longer.
const JITTER: f64 = 0.1;

// === impl Gradient ===

impl Gradient {
    pub(in crate::bulkhead) fn new(settings: Adaptive, seed: u64, now: Instant) -> Self {
        let limit = settings.initial() as f64;
        Self {
            settings,
            limit,
            epoch: 0,
            // What calls take under the initial limit may be far too long already.
            phase: Phase::probing(settings, limit, None, now),
            window: Window::default(),
            unloaded: None,
            highest: limit,
            probe_at: now,
            chance: Chance::new(seed),
        }
    }

    /// How many calls there may be now.
    pub(in crate::bulkhead) const fn limit(&self) -> usize {
        match self.phase {
            Phase::Steady { .. } => self.limit as usize,
            Phase::Probing { level, .. } => level as usize,
        }
    }

    /// How many the service is good for, as far as that is known.
    pub(in crate::bulkhead) const fn found(&self) -> usize {
        self.limit as usize
    }

    /// What a call that is admitted now counts for.
    pub(in crate::bulkhead) const fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(in crate::bulkhead) const fn is_probing(&self) -> bool {
        matches!(self.phase, Phase::Probing { .. })
    }

    /// How long calls take with little to do.
    pub(in crate::bulkhead) fn unloaded(&self) -> Option<Duration> {
        self.unloaded.map(Duration::from_secs_f64)
    }

    /// Goes on by other settings with what is known.
    pub(in crate::bulkhead) fn update(&mut self, settings: Adaptive, now: Instant) {
        self.settings = settings;
        self.limit = self.bounded(self.limit);
        self.highest = self.limit;
        self.probe_at = self.probe_at.min(now + settings.probe_every);
        match &mut self.phase {
            Phase::Steady { until } => *until = (*until).min(now + settings.window),
            Phase::Probing { level, .. } => *level = level.min(self.limit),
        }
    }

    /// A call has been served.
    pub(in crate::bulkhead) fn sample(&mut self, sample: Sample, now: Instant) {
        if sample.epoch != self.epoch {
            return;
        }
        self.window.add(sample.elapsed, sample.in_flight);
        if self.window.samples() < self.settings.min_samples {
            return;
        }
        match self.phase {
            Phase::Steady { until } if now < until => {}
            Phase::Steady { .. } => self.adjust(now),
            Phase::Probing { level, before, .. } => self.descend(level, before, now),
        }
    }

    /// A call is refused, or has to wait. A probe that has been in the way for too long, since calls
    /// of before do not end, is given up.
    pub(in crate::bulkhead) fn refused(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Probing { patience, .. } if now >= patience) {
            self.settle(now);
        }
    }

    /// Goes by the window that is full.
    fn adjust(&mut self, now: Instant) {
        let window = std::mem::take(&mut self.window);
        let mean = window.mean();
        let unloaded = self.unloaded.get_or_insert(mean);
        if mean < *unloaded {
            // Towards it, as a window may be fast by chance.
            *unloaded += SMOOTHING * (mean - *unloaded);
        }
        let gradient = (self.settings.tolerance * *unloaded / mean).clamp(LEAST_GRADIENT, 1.0);
        if gradient < 1.0 {
            self.limit = self.bounded(self.limit * (1.0 - SMOOTHING * (1.0 - gradient)));
        } else if 2 * window.peak() >= self.limit as usize {
            self.limit = self.bounded(self.limit + self.limit.sqrt());
        }
        self.highest = self.highest.max(self.limit);
        let fallen = self.limit <= self.settings.probe * self.highest;
        if now >= self.probe_at || fallen {
            self.probe(self.limit, Some(mean), now);
        } else {
            self.phase = self.steady(now);
        }
    }

    /// Goes by a probe at `level` that is done.
    fn descend(&mut self, level: f64, before: Option<f64>, now: Instant) {
        let mean = std::mem::take(&mut self.window).mean();
        let unloaded = match before {
            // As fast as at the level above: both were without a queue. Or slower, which is news.
            Some(before) if NOT_FASTER * mean >= before => mean,
            Some(before) if mean >= NOT_FASTER * before => f64::midpoint(mean, before),
            _ if level > 1.0 => return self.probe(level, Some(mean), now),
            _ => mean,
        };
        self.unloaded = Some(unloaded);
        self.settle(now);
    }

    fn probe(&mut self, above: f64, before: Option<f64>, now: Instant) {
        self.epoch += 1;
        self.phase = Phase::probing(self.settings, above, before, now);
    }

    /// The probe is over.
    fn settle(&mut self, now: Instant) {
        self.window = Window::default();
        self.highest = self.limit;
        // Where nothing is known, what comes next is no more than a guess.
        if self.unloaded.is_some() {
            self.probe_at = now + self.vary(self.settings.probe_every);
        }
        self.epoch += 1;
        self.phase = self.steady(now);
    }

    fn steady(&mut self, now: Instant) -> Phase {
        Phase::Steady {
            until: now + self.vary(self.settings.window),
        }
    }

    fn vary(&mut self, length: Duration) -> Duration {
        length.mul_f64(1.0 + JITTER * (2.0 * self.chance.next() - 1.0))
    }

    fn bounded(&self, limit: f64) -> f64 {
        limit.clamp(self.settings.min as f64, self.settings.max as f64)
    }
}

// === impl Phase ===

impl Phase {
    /// A level below `above`, of at least one call, which is what there is to measure.
    fn probing(settings: Adaptive, above: f64, before: Option<f64>, now: Instant) -> Self {
        let serial = before.unwrap_or_default() * f64::from(settings.min_samples);
        // What takes longer than a year is in nobody's way.
        let serial = Duration::from_secs_f64(serial.min(3e7));
        Self::Probing {
            level: (above * settings.probe).max(1.0),
            before,
            patience: now + PATIENCE * settings.window + serial,
        }
    }
}
