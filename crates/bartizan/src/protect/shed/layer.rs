use axum::body::Body;
use axum::http::Request;
use bartizan_observe::telemetry::Telemetry;
use bartizan_protect::shed::{
    self, Config, LoadShed, LoadSource, Priorities, Shedder, ShedderBuilder,
};
use tower_layer::Layer;
use tower_service::Service;

use super::ShedObserver;
use crate::protect::rescue::{Passing, Rescue};

/// Answers 503 as [`Problem`](crate::Problem) to the least important requests while there is too
/// much to do. Health probes are never shed.
///
/// What is shed is told as metrics and events of the current span. Put it inside of the request
/// layer and outside of what it asks for its load, such as a
/// [`BulkheadLayer`](crate::BulkheadLayer).
///
/// ```
/// use axum::{Router, routing::get};
/// use bartizan::{BulkheadLayer, LoadShedLayer, Telemetry, bulkhead, shed};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = Telemetry::builder().build()?;
/// let config = bulkhead::Config::builder(100).build()?;
/// let bulkhead = BulkheadLayer::new("app", config, &telemetry);
/// let load = bulkhead.handle().clone();
/// let app: Router = Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(bulkhead)
///     .layer(LoadShedLayer::new("app", shed::Config::default(), load, &telemetry))
///     .layer(bartizan::stack().with_telemetry(&telemetry).build()?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct LoadShedLayer {
    layer: shed::LoadShedLayer<ShedObserver>,
}

// === impl LoadShedLayer ===

impl LoadShedLayer {
    /// Sheds by what `source` says, and is called `name` in all that is said of it.
    #[must_use]
    pub fn new(name: &str, config: Config, source: impl LoadSource, telemetry: &Telemetry) -> Self {
        let observer = ShedObserver::new(name, telemetry.meter());
        Self::of(
            ShedderBuilder::new(name, config, source)
                .with_observer(observer)
                .build(),
        )
    }

    /// As `shedder` says, which others may ask as well.
    #[must_use]
    pub fn of(shedder: Shedder<ShedObserver>) -> Self {
        Self {
            layer: shed::LoadShedLayer::of(shedder),
        }
    }

    /// How the priority of a request is found. Default: [`Priorities::by_path`].
    #[must_use]
    pub fn with_priorities(mut self, priorities: Priorities) -> Self {
        self.layer = self.layer.with_priorities(priorities);
        self
    }

    /// What sheds, to look at and to operate.
    #[must_use]
    pub const fn handle(&self) -> &Shedder<ShedObserver> {
        self.layer.handle()
    }
}

impl<S: Service<Request<Body>>> Layer<S> for LoadShedLayer {
    type Service = Rescue<LoadShed<Passing<S>, ShedObserver>, S::Error>;

    fn layer(&self, inner: S) -> Self::Service {
        Rescue::new(self.layer.layer(Passing(inner)))
    }
}
