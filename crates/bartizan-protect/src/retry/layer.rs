use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use tower_layer::Layer;

use super::replay::CloneBody;
use super::{Answer, Budget, Config, Observer, Retry, is_transient};
use crate::Timer;
use crate::chance::Chance;
use crate::timeout::DeadlineSource;

/// Sends requests again that have failed, within a budget. See the [module](super).
///
/// The [`Budget`] lives in the layer: every service that it makes shares it, and so does every
/// clone. `B` is the body of the requests.
pub struct RetryLayer<B> {
    settings: Arc<Settings>,
    clone_body: CloneBody<B>,
}

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) config: Config,
    pub(super) budget: Budget,
    pub(super) classify: Arc<Classify>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) deadlines: DeadlineSource,
    pub(super) timer: Timer,
    chance: Arc<Mutex<Chance>>,
}

type Classify = dyn Fn(Answer<'_>) -> bool + Send + Sync;

// === impl RetryLayer ===

impl<B: Clone> RetryLayer<B> {
    /// Retries requests whose bodies are plain values, such as `Full` and `Empty` of
    /// `http-body-util`.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self::with_body_clone(config, |body| Some(body.clone()))
    }
}

impl<B> RetryLayer<B> {
    /// Retries requests whose bodies may have a copy, or none: `reqwest::Body::try_clone` for
    /// reqwest's, and for axum's `|body| body.is_end_stream().then(Body::empty)`, as there is
    /// nothing else of a stream that could be sent twice.
    ///
    /// Asked for each request that may be sent again, before it is sent for the first time. A plain
    /// function and no trait, so that it works for bodies whose crate knows nothing of this one.
    #[must_use]
    pub fn with_body_clone(config: Config, clone_body: fn(&B) -> Option<B>) -> Self {
        let seed = RandomState::new().build_hasher().finish();
        Self {
            settings: Arc::new(Settings {
                config,
                budget: Budget::default(),
                classify: Arc::new(is_transient),
                observer: Arc::new(()),
                deadlines: DeadlineSource::default(),
                timer: Timer::default(),
                chance: Arc::new(Mutex::new(Chance::new(seed))),
            }),
            clone_body,
        }
    }

    /// The budget that retries are taken from. Default: one of its own, by [`Budget::default`].
    #[must_use]
    pub fn with_budget(self, budget: Budget) -> Self {
        self.with(|settings| settings.budget = budget)
    }

    /// After which answers another attempt is worthwhile. Default: [`is_transient`].
    ///
    /// Not asked about [rejections](crate::Error::is_rejection), which are never retried.
    #[must_use]
    pub fn with_classify(
        self,
        classify: impl Fn(Answer<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.with(|settings| settings.classify = Arc::new(classify))
    }

    /// Who is told what becomes of failed attempts. Default: nobody.
    #[must_use]
    pub fn with_observer(self, observer: impl Observer) -> Self {
        self.with(|settings| settings.observer = Arc::new(observer))
    }

    /// Who knows of callers' deadlines besides the request. Default: nobody.
    #[must_use]
    pub fn with_deadline_source(self, source: DeadlineSource) -> Self {
        self.with(|settings| settings.deadlines = source)
    }

    /// Where the time is read and waited for. Default: tokio's clock.
    #[must_use]
    pub fn with_timer(self, timer: Timer) -> Self {
        self.with(|settings| settings.timer = timer)
    }

    /// The budget, to look at and to give to another layer.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.settings.budget
    }

    fn with(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(Arc::make_mut(&mut self.settings));
        self
    }
}

impl<S, B> Layer<S> for RetryLayer<B> {
    type Service = Retry<S, B>;

    fn layer(&self, inner: S) -> Retry<S, B> {
        Retry::new(inner, Arc::clone(&self.settings), self.clone_body)
    }
}

// Not derived, which would ask for bodies that can be cloned.
impl<B> Clone for RetryLayer<B> {
    fn clone(&self) -> Self {
        Self {
            settings: Arc::clone(&self.settings),
            clone_body: self.clone_body,
        }
    }
}

impl<B> fmt::Debug for RetryLayer<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryLayer")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

// === impl Settings ===

impl Settings {
    /// From 0 to below 1.
    pub(super) fn chance(&self) -> f64 {
        let chance = self.chance.lock();
        chance.unwrap_or_else(PoisonError::into_inner).next()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("config", &self.config)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}
