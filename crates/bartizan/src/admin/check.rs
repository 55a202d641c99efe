use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::BoxError;

/// How long a check may take: probes of container platforms wait for a second, and an answer that
/// says which check was too slow has to be back before that.
pub const DEFAULT_CHECK_TIMEOUT: Duration = Duration::from_millis(800);

/// How old a result may be: many probes a second cost one check, and none sees a state that is
/// older than it would wait for.
pub const DEFAULT_CHECK_MAX_AGE: Duration = Duration::from_secs(1);

type Run =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>> + Send + Sync>;

/// Whether something is there that a service depends on.
///
/// Checks run at the same time, each one once for all who ask meanwhile, and under suppressed
/// telemetry, so that probes fill no traces. One that fails, panics or takes too long has failed;
/// its error is in the answer, and a change is told in the log. A check that blocks its thread
/// cannot be timed out.
///
/// ```
/// use std::time::Duration;
///
/// use bartizan::admin::Check;
/// use tokio::net::TcpStream;
///
/// let check = Check::new("database", || async {
///     TcpStream::connect("127.0.0.1:5432").await.map(drop)
/// })
/// .with_timeout(Duration::from_millis(500));
/// ```
#[must_use = "a check does nothing until an admin router has it"]
pub struct Check {
    pub(super) name: String,
    pub(super) run: Run,
    pub(super) timeout: Duration,
    pub(super) max_age: Duration,
    pub(super) is_required: bool,
}

// === impl Check ===

impl Check {
    /// A check by the name that it has in answers.
    pub fn new<F, E>(name: impl Into<String>, run: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Self {
            name: name.into(),
            run: Box::new(move || {
                let future = run();
                Box::pin(async move { future.await.map_err(Into::into) })
            }),
            timeout: DEFAULT_CHECK_TIMEOUT,
            max_age: DEFAULT_CHECK_MAX_AGE,
            is_required: true,
        }
    }

    /// How long it may take. Default: [`DEFAULT_CHECK_TIMEOUT`].
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How old a result may be that is told again. Default: [`DEFAULT_CHECK_MAX_AGE`].
    pub const fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Is told and does not turn readiness red: for what the service can do without, and for what
    /// all replicas share, which no load balancer can route around. Default: it does.
    pub const fn optional(mut self) -> Self {
        self.is_required = false;
        self
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("name", &self.name)
            .field("timeout", &self.timeout)
            .field("max_age", &self.max_age)
            .field("is_required", &self.is_required)
            .finish_non_exhaustive()
    }
}
