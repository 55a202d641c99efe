//! What a response's head decides: whether the request is over with it, and what it is told.

use bartizan_task::TaskRef;
use http::header::Entry;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::Body;

use super::body::{Ending, ResponseBody};
use super::end::{End, Ends};
use super::ending::{BodyEnding, StreamEnding};
use super::on_close::OnClose;
use super::record::Record;
use super::span::RequestSpan;
use crate::Outcome;
use crate::message::{content_length, is_event_stream};
use crate::names::header::{SERVER_TIMING, X_REQUEST_ID};

/// Put on a response that was made from a caught panic, so that the request is still recorded as
/// *panicked*.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaughtPanic;

/// Takes over a response: sets our headers, and ends the request now or with the body.
pub(super) fn respond<B: Body>(
    record: TaskRef<Record>,
    on_close: Option<OnClose>,
    response: Response<B>,
) -> Response<ResponseBody<B>> {
    let (mut head, body) = response.into_parts();
    record.learn_route_from(&head.extensions);
    set_headers(&record, &mut head.headers);

    let now = record.now();
    let to_headers = record.age(now);
    let status = head.status;
    let caught_panic = head.extensions.get::<CaughtPanic>().is_some();
    let at_headers = |outcome| End {
        outcome,
        status: Some(status),
        to_headers: Some(to_headers),
        duration: to_headers,
        at: now,
        response_bytes: 0,
    };

    let is_over = body.is_end_stream() || record.facts.is_head || has_no_body(status);
    let ending = if is_upgrade(&record, status) {
        record.end(&at_headers(Outcome::Upgraded));
        if let Some(on_close) = on_close {
            on_close.hold(StreamEnding::new(record, status, now, Outcome::Upgraded));
        }
        Ending::Nothing
    } else if is_over {
        let outcome = if caught_panic {
            Outcome::Panicked
        } else {
            Outcome::Completed
        };
        record.end(&at_headers(outcome));
        Ending::Nothing
    } else if is_event_stream(&head.headers) {
        record.end(&at_headers(Outcome::Streaming));
        Ending::Stream(Box::new(StreamEnding::new(
            record,
            status,
            now,
            Outcome::Streaming,
        )))
    } else {
        let expected = body
            .size_hint()
            .exact()
            .or_else(|| content_length(&head.headers));
        Ending::Body(BodyEnding::new(
            record,
            status,
            to_headers,
            expected,
            caught_panic,
        ))
    };
    Response::from_parts(head, ResponseBody::new(body, ending))
}

fn set_headers(record: &TaskRef<Record>, headers: &mut HeaderMap) {
    // A handler that sets its own id knows why.
    if let Some(id) = record.request_id()
        && let Entry::Vacant(place) = headers.entry(X_REQUEST_ID)
        && let Ok(id) = HeaderValue::from_bytes(id.as_bytes())
    {
        place.insert(id);
    }
    if let Some(timing) = record.span.get().and_then(RequestSpan::server_timing) {
        headers.append(SERVER_TIMING, timing);
    }
}

/// Switched protocols, or opened a tunnel, which HTTP/2 does by an extended CONNECT.
fn is_upgrade(record: &Record, status: StatusCode) -> bool {
    status == StatusCode::SWITCHING_PROTOCOLS || (record.facts.is_connect && status.is_success())
}

/// Statuses whose body, should there be one, no server sends.
const fn has_no_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}
