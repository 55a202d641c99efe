//! A request as a client sends it, and its trace through the services.

use std::time::Duration;

use bartizan::Telemetry;
use http::HeaderName;
use opentelemetry::trace::{Span, SpanContext, SpanKind, Tracer};

use super::backend::{Backend, Missing, Trace};
use super::client::{Answer, Client};
use super::environment::SERVICE;
use super::export::{SPAN, flush};
use super::report::Step;
use crate::text::answered;
use crate::url::Url;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What the request layer puts on every response.
const REQUEST_ID: &str = "x-request-id";

/// What else is worth to be shown of a response.
const SHOWN: [&str; 5] = [
    REQUEST_ID,
    "ratelimit-policy",
    "ratelimit",
    "retry-after",
    "server-timing",
];

/// Asks, within a client span of the doctor's own, which is the trace's root.
pub(super) async fn ask(
    client: &Client,
    url: &Url,
    telemetry: &Telemetry,
    limit: Duration,
) -> (Step, SpanContext) {
    let tracer = telemetry.tracer();
    let builder = tracer.span_builder(SPAN).with_kind(SpanKind::Client);
    let mut span = tracer.build(builder);
    let context = span.span_context().clone();
    let traceparent = format!("00-{}-{}-01", context.trace_id(), context.span_id());
    let answer = client.get(url, Some((TRACEPARENT, &traceparent))).await;
    span.end();
    flush(telemetry, limit).await;
    let step = match answer {
        Ok(answer) => judge(url, &answer),
        Err(why) => Step::failed(
            "gateway",
            format!("{url}: {why}"),
            "start the gateway, or give the address where it listens",
        ),
    };
    (step, context)
}

fn judge(url: &Url, answer: &Answer) -> Step {
    const NAME: &str = "gateway";
    if !answer.status.is_success() {
        return Step::failed(
            NAME,
            format!("{url}: {}", answered(answer.status, &answer.body)),
            "give the URL of a route that answers 2xx and calls another service",
        );
    }
    let shown: Vec<_> = SHOWN
        .into_iter()
        .filter_map(|name| {
            let value = answer.headers.get(name)?;
            Some(format!(
                "{name}: {}",
                String::from_utf8_lossy(value.as_bytes())
            ))
        })
        .collect();
    if !answer.headers.contains_key(REQUEST_ID) {
        return Step::failed(
            NAME,
            format!("{url}: {} without {REQUEST_ID}", answer.status),
            "put bartizan::stack() around the routes, and let no proxy take the header away",
        );
    }
    Step::ok(NAME, format!("{}; {}", answer.status, shown.join("; ")))
}

/// Whether the trace of that request went through at least two services and is whole.
pub(super) async fn trace(
    client: &Client,
    backend: &Backend,
    context: &SpanContext,
    limit: Duration,
) -> Step {
    const NAME: &str = "gateway trace";
    let id = context.trace_id().to_string();
    let found = backend.wait_for(client, &id, limit, is_whole).await;
    match found {
        Ok(trace) => Step::ok(NAME, format!("{backend} has {trace}: trace {id}")),
        Err(Missing::Unwell(why)) => {
            Step::failed(NAME, format!("{backend}: {why}"), "see the step before")
        }
        Err(Missing::Absent) => Step::failed(
            NAME,
            format!("{backend} has no trace {id}"),
            "see where the services send their spans, and whether the gateway trusts the caller's \
             traceparent or samples less than all traces",
        ),
        Err(Missing::Partial(trace)) => Step::failed(
            NAME,
            format!(
                "{backend} has {trace}, {} without their parent: trace {id}",
                trace.orphans()
            ),
            "every service of the route has to export to the same place, and outbound calls have to \
             go through a Bartizan client, which passes traceparent on; --timeout waits longer",
        ),
    }
}

fn is_whole(trace: &Trace) -> bool {
    let services = trace.services();
    let others = services.iter().filter(|service| **service != SERVICE);
    others.count() >= 2 && trace.orphans() == 0
}

#[cfg(test)]
mod tests {
    use super::super::backend::Span;
    use super::*;

    #[test]
    fn a_trace_is_whole_with_two_services_and_without_orphans() {
        let span = |id: &str, parent: Option<&str>, service: &str| Span {
            id: id.to_owned(),
            parent: parent.map(str::to_owned),
            service: service.to_owned(),
        };
        let mut trace = Trace {
            spans: vec![span("0a", None, SERVICE), span("0b", Some("0a"), "gateway")],
        };
        assert!(!is_whole(&trace), "one service");
        trace.spans.push(span("0d", Some("0c"), "inventory"));
        assert!(!is_whole(&trace), "the span between is missing");
        trace.spans.push(span("0c", Some("0b"), "gateway"));
        assert!(is_whole(&trace));
    }
}
