use axum::body::Body;
use axum::http::Request;
use bartizan_observe::telemetry::Telemetry;
use bartizan_protect::bulkhead::{self, Bulkhead, BulkheadBuilder, BulkheadService, Config};
use tower_layer::Layer;
use tower_service::Service;

use super::BulkheadObserver;
use crate::protect::rescue::{Passing, Rescue};

/// Answers 503 as [`Problem`](crate::Problem) where there are as many requests as there may be at a
/// time, and no place to wait.
///
/// What becomes of calls is told as metrics and, for rejections, as events of the current span. All
/// routes and connections share the bulkhead. Put it inside of the request layer, so that what it
/// rejects has a trace and a line.
///
/// ```
/// use axum::{Router, routing::get};
/// use bartizan::bulkhead::Config;
/// use bartizan::{BulkheadLayer, Telemetry};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = Telemetry::builder().build()?;
/// let reports = BulkheadLayer::new("reports", Config::builder(8).build()?, &telemetry);
/// let app: Router = Router::new()
///     .route("/report", get(|| async { "a report" }).layer(reports))
///     .layer(bartizan::stack().with_telemetry(&telemetry).build()?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct BulkheadLayer {
    layer: bulkhead::BulkheadLayer<BulkheadObserver>,
}

// === impl BulkheadLayer ===

impl BulkheadLayer {
    /// A bulkhead that is called `name` in all that is said of it.
    #[must_use]
    pub fn new(name: &str, config: Config, telemetry: &Telemetry) -> Self {
        let observer = BulkheadObserver::new(name, telemetry.meter());
        Self::of(
            BulkheadBuilder::new(name, config)
                .with_observer(observer)
                .build(),
        )
    }

    /// Around a bulkhead that others go through as well.
    #[must_use]
    pub const fn of(bulkhead: Bulkhead<BulkheadObserver>) -> Self {
        Self {
            layer: bulkhead::BulkheadLayer::of(bulkhead),
        }
    }

    /// A request keeps its place to the end of the response's body. Default: to its head.
    #[must_use]
    pub fn until_end(mut self) -> Self {
        self.layer = self.layer.until_end();
        self
    }

    /// The bulkhead, to look at and to operate.
    #[must_use]
    pub const fn handle(&self) -> &Bulkhead<BulkheadObserver> {
        self.layer.handle()
    }
}

impl<S: Service<Request<Body>>> Layer<S> for BulkheadLayer {
    type Service = Rescue<BulkheadService<Passing<S>, BulkheadObserver>, S::Error>;

    fn layer(&self, inner: S) -> Self::Service {
        Rescue::new(self.layer.layer(Passing(inner)))
    }
}
