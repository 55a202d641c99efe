use bartizan_observe::client::{Client, ClientLayer};
use bartizan_observe::telemetry::Telemetry;
use tower_layer::Layer;

use super::{Policy, PolicyLayer};

/// An upstream's whole stack around a tower client; made by
/// [`Outbound::layer`](super::Outbound::layer).
#[derive(Debug)]
pub struct OutboundLayer<B> {
    policy: PolicyLayer<B>,
    client: ClientLayer,
}

// === impl OutboundLayer ===

impl<B> OutboundLayer<B> {
    pub(super) fn new(policy: PolicyLayer<B>, telemetry: &Telemetry) -> Self {
        Self {
            policy,
            client: ClientLayer::new(telemetry),
        }
    }

    /// How the attempts are seen. Default: [`ClientLayer::new`].
    #[must_use]
    pub fn with_client(mut self, client: ClientLayer) -> Self {
        self.client = client;
        self
    }
}

impl<S, B> Layer<S> for OutboundLayer<B> {
    type Service = Policy<Client<S>, B>;

    fn layer(&self, inner: S) -> Self::Service {
        self.policy.layer(self.client.layer(inner))
    }
}

// Not derived, which would ask for bodies that can be cloned.
impl<B> Clone for OutboundLayer<B> {
    fn clone(&self) -> Self {
        Self {
            policy: self.policy.clone(),
            client: self.client.clone(),
        }
    }
}
