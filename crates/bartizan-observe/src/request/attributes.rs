//! The attributes of a server span, by the semantic conventions for HTTP.

use std::borrow::Cow;
use std::time::SystemTime;

use http::{Request, header};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{Link, SpanBuilder, SpanContext, SpanKind};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};

use super::facts::{Facts, authority, protocol_version, split_authority};
use super::options::RequestOptions;
use super::route::MatchedRoute;
use crate::capture::clip;
use crate::names::attr;
use crate::{PeerAddr, intern};

/// Room for all attributes of a usual request and its end, so that the list is allocated once, and
/// no more than the 1 KiB up to which allocators serve a request from a thread's own cache.
const ATTRIBUTES: usize = 1024 / size_of::<KeyValue>();

/// What is known when a span starts.
#[derive(Debug)]
pub(super) struct Start<'a, B> {
    pub(super) options: &'a RequestOptions,
    pub(super) request: &'a Request<B>,
    pub(super) facts: &'a Facts,
    pub(super) route: Option<&'a MatchedRoute>,
    pub(super) arrival: SystemTime,
    pub(super) link: Option<SpanContext>,
    /// Without the span; its baggage is only what the trust policy let in.
    pub(super) base: &'a Context,
}

impl<B> Start<'_, B> {
    /// The span, with its attributes only if they are wanted at the start.
    pub(super) fn builder(&self, with_attributes: bool) -> SpanBuilder {
        let name = match self.route {
            Some(route) => route.span_name(self.facts.method),
            None => Cow::Borrowed(self.facts.method.in_span_name()),
        };
        let mut builder = SpanBuilder::from_name(name)
            .with_kind(SpanKind::Server)
            .with_start_time(self.arrival);
        builder.attributes = with_attributes.then(|| self.attributes());
        builder.links = self
            .link
            .clone()
            .map(|sc| vec![Link::new(sc, Vec::new(), 0)]);
        builder
    }

    pub(super) fn attributes(&self) -> Vec<KeyValue> {
        let (request, facts) = (self.request, self.facts);
        let mut list = Vec::with_capacity(ATTRIBUTES);
        list.push(KeyValue::new(
            attr::HTTP_REQUEST_METHOD,
            facts.method.as_str(),
        ));
        if facts.method.is_other() {
            let original = clip(request.method().as_str()).to_owned();
            list.push(KeyValue::new(attr::HTTP_REQUEST_METHOD_ORIGINAL, original));
        }
        list.push(KeyValue::new(attr::URL_SCHEME, facts.scheme.as_str()));
        list.push(KeyValue::new(
            attr::URL_PATH,
            clip(path(request)).to_owned(),
        ));
        if let Some(query) = request.uri().query().filter(|query| !query.is_empty()) {
            list.push(KeyValue::new(
                attr::URL_QUERY,
                clip(&self.options.redaction.query(query)).to_owned(),
            ));
        }
        if let Some(route) = self.route {
            list.push(route_attribute(route));
        }
        if let Some(version) = protocol_version(facts.version) {
            list.push(KeyValue::new(attr::NETWORK_PROTOCOL_VERSION, version));
        }
        self.push_addresses(&mut list);
        if let Some(agent) = request.headers().get(header::USER_AGENT)
            && let Ok(agent) = agent.to_str()
        {
            list.push(KeyValue::new(
                attr::USER_AGENT_ORIGINAL,
                intern::recent(clip(agent)),
            ));
        }
        self.push_opted_in(&mut list);
        list
    }

    fn push_addresses(&self, list: &mut Vec<KeyValue>) {
        let facts = self.facts;
        let forwarded_host = facts
            .forwarded
            .as_ref()
            .and_then(|forwarded| forwarded.host.as_deref());
        if let Some((host, port)) = forwarded_host
            .or_else(|| authority(self.request))
            .and_then(split_authority)
        {
            let port = port.unwrap_or_else(|| facts.scheme.default_port());
            list.push(KeyValue::new(
                attr::SERVER_ADDRESS,
                intern::recent(clip(host)),
            ));
            list.push(KeyValue::new(attr::SERVER_PORT, i64::from(port)));
        }
        let peer = facts.peer.map(PeerAddr);
        let peer_text = peer.map(|peer| intern::recent(&peer.ip().to_string()));
        let client = facts
            .forwarded
            .as_ref()
            .and_then(|forwarded| forwarded.client);
        if let Some(client) = client
            .map(|ip| intern::recent(&ip.to_string()))
            .or_else(|| peer_text.clone())
        {
            list.push(KeyValue::new(attr::CLIENT_ADDRESS, client));
        }
        if let (Some(peer), Some(text)) = (peer, peer_text) {
            list.push(KeyValue::new(attr::NETWORK_PEER_ADDRESS, text));
            list.push(KeyValue::new(
                attr::NETWORK_PEER_PORT,
                i64::from(peer.port()),
            ));
        }
    }

    fn push_opted_in(&self, list: &mut Vec<KeyValue>) {
        for name in &self.options.request_headers {
            let values: Vec<StringValue> = self
                .request
                .headers()
                .get_all(name)
                .iter()
                .filter(|value| !value.is_sensitive())
                .filter_map(|value| value.to_str().ok())
                .map(|value| StringValue::from(clip(value).to_owned()))
                .collect();
            if !values.is_empty() {
                let key = format!("http.request.header.{name}");
                list.push(KeyValue::new(key, Value::Array(Array::String(values))));
            }
        }
        let chosen = self.options.chosen_baggage(self.base.baggage());
        list.extend(chosen.map(|(key, value)| KeyValue::new(key, value)));
    }
}

/// A request target without a path (CONNECT's, and `*`) asks for the root.
fn path<B>(request: &Request<B>) -> &str {
    match request.uri().path() {
        "" => "/",
        path => path,
    }
}

pub(super) fn route_attribute(route: &MatchedRoute) -> KeyValue {
    match route {
        MatchedRoute::Known(known) => KeyValue::new(attr::HTTP_ROUTE, known.template),
        MatchedRoute::Overflow(template) => {
            KeyValue::new(attr::HTTP_ROUTE, template.clone().into_string())
        }
    }
}
