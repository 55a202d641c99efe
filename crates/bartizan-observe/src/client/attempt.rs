//! One attempt from its start to its one end.

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bartizan_task::Task;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, response};
use hyper_util::client::legacy::connect::HttpInfo;
use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt, TraceFlags};
use opentelemetry::{Context, KeyValue};

use super::error_type;
use super::layer::{RequestIds, Shared};
use super::metrics::{Ended, Endpoint, version_name};
use super::target::Target;
use crate::Outcome;
use crate::intern;
use crate::message::is_event_stream;
use crate::method::KnownMethod;
use crate::names::{self, attr};

/// What an attempt is started with.
pub(super) struct Outgoing<'a> {
    pub(super) method: &'a Method,
    pub(super) target: Target<&'a str>,
    /// `None` where the URL is not absolute.
    pub(super) url: Option<&'a dyn fmt::Display>,
    pub(super) resends: u32,
    pub(super) body_bytes: Option<u64>,
}

/// The finish-once guard of an attempt: its span, its metrics and how it went so far.
///
/// Travels from the future into the response's body. Dropping it ends the attempt as cancelled
/// (no response yet), as a dropped body, or as a panic.
pub(super) struct Attempt {
    shared: Arc<Shared>,
    context: Context,
    endpoint: Arc<Endpoint>,
    started: Instant,
    /// So that the span's length is the monotonic clock's, whatever is done to the wall clock.
    started_wall: SystemTime,
    recording: bool,
    /// The `random` bit, where the attempt is the start of a trace of our own.
    random: TraceFlags,
    request_bytes: Option<u64>,
    response: Option<(StatusCode, Version)>,
    /// The other end of the connection, where the client tells.
    peer: Option<SocketAddr>,
    response_bytes: u64,
    /// Set while the attempt's own code runs; an unwind leaves it set.
    running: bool,
    ended: bool,
}

// === impl Attempt ===

impl Attempt {
    /// Starts the span and the clock. `outgoing` is looked at further only if the span records.
    pub(super) fn start(shared: &Arc<Shared>, outgoing: &Outgoing<'_>) -> Self {
        let started = shared.clock.now();
        let started_wall = shared.clock.wall(started);
        let method = KnownMethod::of(outgoing.method);
        let mut builder = SpanBuilder::from_name(method.in_span_name())
            .with_kind(SpanKind::Client)
            .with_start_time(started_wall);
        let early = shared.tracer.sampler_reads_attributes();
        if early {
            builder = builder.with_attributes(outgoing.attributes(method, shared));
        }
        // A copy, not a look: processors of spans may attach contexts of their own.
        let parent = Context::current();
        let context = shared.tracer.start(builder, &parent);
        let recording = context.span().is_recording();
        if recording && !early {
            context
                .span()
                .set_attributes(outgoing.attributes(method, shared));
        }
        let random = if parent.span().span_context().is_valid() {
            TraceFlags::NOT_SAMPLED
        } else {
            shared.tracer.random_bit()
        };
        Self {
            endpoint: shared.metrics.start(method, outgoing.target),
            shared: Arc::clone(shared),
            context,
            started,
            started_wall,
            recording,
            random,
            request_bytes: outgoing.body_bytes,
            response: None,
            peer: None,
            response_bytes: 0,
            running: false,
            ended: false,
        }
    }

    /// The context with the attempt's span.
    pub(super) const fn context(&self) -> &Context {
        &self.context
    }

    /// Writes what the far side needs: the trace context, and the request's id if it has none.
    pub(super) fn write_headers(&self, headers: &mut HeaderMap) {
        let formats = self.shared.tracer.formats();
        formats.inject(&self.context, self.random, headers);
        if self.shared.request_ids == RequestIds::Forwarded
            && !headers.contains_key(names::header::X_REQUEST_ID)
        {
            let id = Task::with_current(|task| {
                task.and_then(Task::request_id)
                    .and_then(|id| HeaderValue::from_str(id).ok())
            });
            if let Some(id) = id {
                headers.insert(names::header::X_REQUEST_ID, id);
            }
        }
    }

    /// Runs a piece of the attempt inside its context; notices if it panics.
    pub(super) fn run<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let _current = self.context.clone().attach();
        self.running = true;
        let done = work();
        self.running = false;
        done
    }

    /// Takes the response's head. Gives the attempt back if the body belongs to it.
    pub(super) fn respond(mut self, response: &response::Parts) -> Option<Self> {
        self.response = Some((response.status, response.version));
        self.peer = response.extensions.get().map(HttpInfo::remote_addr);
        if response.status == StatusCode::SWITCHING_PROTOCOLS {
            self.end(Outcome::Upgraded, None);
        } else if is_event_stream(&response.headers) {
            self.end(Outcome::Streaming, None);
        } else {
            return Some(self);
        }
        None
    }

    /// Counts bytes of the response's body.
    pub(super) const fn read(&mut self, bytes: usize) {
        self.response_bytes = self.response_bytes.saturating_add(bytes as u64);
    }

    /// The response's body has been read to its end.
    pub(super) fn complete(mut self) {
        self.end(Outcome::Completed, None);
    }

    /// The exchange failed: before the response, or in its body.
    pub(super) fn fail(mut self, error: &dyn Any, namer: Option<error_type::Namer>) {
        let name = self.shared.name_error(error, namer);
        let outcome = match self.response {
            None => Outcome::Error,
            Some(_) => Outcome::BodyError,
        };
        self.end(outcome, Some(name));
    }

    fn end(&mut self, outcome: Outcome, error: Option<&'static str>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let duration = self
            .shared
            .clock
            .now()
            .saturating_duration_since(self.started);
        let read_by_us = !matches!(outcome, Outcome::Upgraded | Outcome::Streaming);
        let ended = Ended {
            response: self.response,
            error,
            duration,
            request_bytes: self.request_bytes,
            response_bytes: self
                .response
                .filter(|_| read_by_us)
                .map(|_| self.response_bytes),
        };
        self.shared.metrics.end(&self.endpoint, &ended);
        if !self.recording {
            return;
        }
        let span = self.context.span();
        let mut attributes = Vec::with_capacity(6);
        if let Some((status, version)) = self.response {
            let status = i64::from(status.as_u16());
            attributes.push(KeyValue::new(attr::HTTP_RESPONSE_STATUS_CODE, status));
            let version = version_name(version);
            attributes.push(KeyValue::new(attr::NETWORK_PROTOCOL_VERSION, version));
        }
        if let Some(peer) = self.peer {
            let address = intern::recent(&peer.ip().to_canonical().to_string());
            attributes.push(KeyValue::new(attr::NETWORK_PEER_ADDRESS, address));
            let port = i64::from(peer.port());
            attributes.push(KeyValue::new(attr::NETWORK_PEER_PORT, port));
        }
        if let Some(error) = ended.error_type() {
            // No description: the attributes say it, and an error's text may hold a URL.
            span.set_status(Status::error(""));
            attributes.push(error);
        }
        attributes.push(KeyValue::new(attr::OUTCOME, outcome.as_str()));
        span.set_attributes(attributes);
        span.end_with_timestamp(self.started_wall + duration);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.running {
            self.end(Outcome::Panicked, Some(names::error_type::PANIC));
        } else if self.response.is_some() {
            self.end(Outcome::BodyDropped, None);
        } else {
            self.end(Outcome::Cancelled, None);
        }
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("span", self.context.span().span_context())
            .field("response", &self.response)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

// === impl Outgoing ===

impl Outgoing<'_> {
    fn attributes(&self, method: KnownMethod, shared: &Shared) -> Vec<KeyValue> {
        // Room for the six that come at the end too.
        let mut attributes = Vec::with_capacity(13);
        attributes.push(KeyValue::new(attr::HTTP_REQUEST_METHOD, method.as_str()));
        if method.is_other() {
            let original = self.method.as_str().to_owned();
            attributes.push(KeyValue::new(attr::HTTP_REQUEST_METHOD_ORIGINAL, original));
        }
        if let Some(address) = self.target.address {
            attributes.push(KeyValue::new(attr::SERVER_ADDRESS, address.to_owned()));
        }
        if let Some(port) = self.target.port {
            attributes.push(KeyValue::new(attr::SERVER_PORT, i64::from(port)));
        }
        if let Some(url) = self.url {
            let url = url.to_string();
            let url = shared.redaction.url(&url).into_owned();
            attributes.push(KeyValue::new(attr::URL_FULL, url));
        }
        if let Some(scheme) = self.target.scheme.as_str() {
            attributes.push(KeyValue::new(attr::URL_SCHEME, scheme));
        }
        if self.resends > 0 {
            let resends = i64::from(self.resends);
            attributes.push(KeyValue::new(attr::HTTP_REQUEST_RESEND_COUNT, resends));
        }
        attributes
    }
}
