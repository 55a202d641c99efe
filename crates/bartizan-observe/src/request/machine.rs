use std::sync::Arc;

use super::metrics::ServerMetrics;
use super::options::RequestOptions;
use crate::access_log::AccessLog;
use crate::tracing_source::Tracer;

/// What a layer and all the services made of it share: which signals it gives, and how.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(super) tracer: Option<Tracer>,
    pub(super) metrics: Option<ServerMetrics>,
    pub(super) log: Option<AccessLog>,
    pub(super) options: RequestOptions,
}

impl Machine {
    pub(super) fn shared(
        tracer: Option<Tracer>,
        metrics: Option<ServerMetrics>,
        log: Option<AccessLog>,
        options: RequestOptions,
    ) -> Arc<Self> {
        Arc::new(Self {
            tracer,
            metrics,
            log,
            options,
        })
    }
}
