//! The specifications' rules, each through the header map and through the propagator interface.

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry_http::HeaderExtractor;

use super::{Remote, Trust, W3cPropagator, extract, inject};

mod baggage;
mod properties;
mod sending;
mod traceparent;
mod tracestate;
mod trust;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn headers<'a>(lines: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// What is read from the headers, by both ways in.
fn read(headers: &HeaderMap) -> Option<SpanContext> {
    let ours = extract(headers);
    let cx = W3cPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
    let theirs = Some(cx.span().span_context().clone()).filter(SpanContext::is_valid);
    assert_eq!(ours, theirs, "{headers:?}");
    ours
}

/// What is passed on of the headers, by both ways through.
fn pass_on(headers: &HeaderMap) -> HashMap<String, String> {
    let cx = Remote::extract(headers, Trust::Trust).into_context(&Context::new());
    let mut sent = HeaderMap::new();
    inject(&cx, &mut sent);
    let ours: HashMap<_, _> = sent
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    assert_eq!(ours.len(), sent.len(), "one line each: {sent:?}");

    let propagator = W3cPropagator::new();
    let cx = propagator.extract_with_context(&Context::new(), &HeaderExtractor(headers));
    let mut theirs = HashMap::new();
    propagator.inject_context(&cx, &mut theirs);
    // The API's baggage has no order.
    let unordered = |sent: &HashMap<String, String>| {
        let mut sent = sent.clone();
        if let Some(line) = sent.get_mut("baggage") {
            let mut members: Vec<_> = line.split(',').collect();
            members.sort_unstable();
            *line = members.join(",");
        }
        sent
    };
    assert_eq!(unordered(&ours), unordered(&theirs));
    ours
}
