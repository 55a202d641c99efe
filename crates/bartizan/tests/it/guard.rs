//! Guarded work that is no request: its task, its span, and what is counted of it.

use std::future::{pending, poll_fn};
use std::io;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::routing::get as on_get;
use bartizan::breaker::{self, Outcome, State};
use bartizan::bulkhead;
use bartizan::guard::{Error, GuardBuilder};
use bartizan::rate_limit::{Keys, Policy, Quota};
use bartizan::task::Task;
use bartizan::{Guard, Telemetry, TimeoutLayer, guard};
use bartizan_testkit::{PointValue, SpanKind, SpanView, StatusCode};
use tokio::time;
use tokio_test::task;

use crate::support::{Fixture, Seen, fetch, get, text};

const SECOND: Duration = Duration::from_secs(1);

/// One call at a time, and one that waits; a failure opens the circuit.
fn cards(telemetry: &Telemetry) -> GuardBuilder {
    let bulkhead = bulkhead::Config::builder(1).with_max_queue(1);
    let breaker = breaker::Config::builder().without_failure_rate();
    Guard::builder("cards", telemetry)
        .with_bulkhead(bulkhead.build().unwrap())
        .with_breaker(breaker.with_consecutive_failures(1).build().unwrap())
        .with_timeout(SECOND)
}

fn guard() -> Guard {
    let telemetry = Telemetry::builder().build().unwrap();
    cards(&telemetry).build().unwrap()
}

async fn done() -> io::Result<&'static str> {
    Ok("done")
}

async fn failed() -> io::Result<&'static str> {
    Err(io::Error::other("card 4111 1111 1111 1111 declined"))
}

fn named<'a>(seen: &'a Seen, name: &str) -> &'a SpanView {
    let mut spans = seen.spans.iter().filter(|span| span.name == name);
    let span = spans.next().unwrap();
    assert_eq!(spans.next(), None);
    span
}

fn counted(seen: &Seen, metric: &str, key: &str, value: &str) -> PointValue {
    let points = seen.points(metric);
    let found = points
        .iter()
        .rfind(|point| point.attributes.get(key).and_then(|said| said.as_str()) == Some(value));
    found.map_or(PointValue::None, |point| point.value.clone())
}

#[tokio::test]
async fn work_for_a_request_is_a_task_and_a_span_below_it() {
    let fixture = Fixture::new().await;
    let guard = cards(&fixture.telemetry).build().unwrap();
    let handler = async move || {
        let request = Task::current().unwrap();
        let work = async {
            let task = Task::current().unwrap();
            Ok::<_, io::Error>((task.name().to_owned(), task.parent_id(), task.root_id()))
        };
        // Wherever it is done.
        let call = tokio::spawn(guard.run("charge card", work));
        let (name, parent, root) = call.await.unwrap().unwrap();
        assert_eq!(name, "charge card");
        assert_eq!(parent, Some(request.id()));
        assert_eq!(root, request.root_id());
        assert_eq!(Task::current().unwrap().id(), request.id());
        "ok"
    };
    let app = Router::new()
        .route("/", on_get(handler))
        .layer(fixture.stack());
    assert_eq!(fetch(&app, get("/")).await.status(), 200);
    let seen = fixture.finish().await;
    let span = named(&seen, "charge card");
    assert_eq!(span.kind, SpanKind::Internal);
    assert_eq!(span.parent_span_id, Some(seen.only_span().span_id));
    assert_eq!(text(span, "bartizan.outcome"), Some("completed"));
    assert_eq!(span.status, StatusCode::Unset);
    assert!(span.end_unix_nanos >= span.start_unix_nanos);
    let admitted = counted(
        &seen,
        "bartizan.bulkhead.calls",
        "bartizan.bulkhead.result",
        "admitted",
    );
    assert_eq!(admitted, PointValue::Int(1));
    let succeeded = counted(
        &seen,
        "bartizan.breaker.calls",
        "bartizan.breaker.outcome",
        "success",
    );
    assert_eq!(succeeded, PointValue::Int(1));
}

#[tokio::test(start_paused = true)]
async fn every_end_has_its_name_and_no_text_of_an_error() {
    let fixture = Fixture::new().await;
    let quota = Quota::new(1, 1000 * SECOND, 1).unwrap();
    let policy = Policy::new("tenant", quota).with_keys(Keys::by(|_| None));
    let limited = cards(&fixture.telemetry).with_rate_limit([policy]).unwrap();
    let limited = limited.build().unwrap();
    let made = || cards(&fixture.telemetry).build().unwrap();

    limited.run_for("first", "acme", done()).await.unwrap();
    let error = limited.run_for("limited", "acme", done()).await;
    assert!(matches!(error, Err(Error::RateLimited(_))), "{error:?}");
    let guard = made();
    let error = guard.run("failed", failed()).await;
    assert!(matches!(error, Err(Error::Failed(_))), "{error:?}");
    let error = guard.run("open", done()).await;
    assert!(matches!(error, Err(Error::CircuitOpen(_))), "{error:?}");
    let hangs = || pending::<io::Result<&'static str>>();
    let error = made().run("late", hangs()).await;
    assert!(matches!(error, Err(Error::TimedOut(_))), "{error:?}");
    let guard = made();
    let mut first = task::spawn(guard.run("dropped", hangs()));
    let mut second = task::spawn(guard.run("waited", hangs()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    let error = guard.run("saturated", done()).await;
    assert!(matches!(error, Err(Error::Saturated(_))), "{error:?}");
    drop((second, first));
    let panics = async { panic!("as planned") };
    let call = tokio::spawn(made().run::<_, (), io::Error>("panicked", panics));
    assert!(call.await.unwrap_err().is_panic());
    drop(made().run("never polled", done()));

    let seen = fixture.finish().await;
    for (name, outcome, error) in [
        ("first", "completed", None),
        ("limited", "error", Some("rate_limited")),
        ("failed", "error", Some("_OTHER")),
        ("open", "error", Some("circuit_open")),
        ("late", "error", Some("timeout")),
        ("dropped", "cancelled", None),
        ("waited", "cancelled", None),
        ("saturated", "error", Some("saturated")),
        ("panicked", "panicked", Some("panic")),
    ] {
        let span = named(&seen, name);
        assert_eq!(text(span, "bartizan.outcome"), Some(outcome), "{name}");
        assert_eq!(text(span, "error.type"), error, "{name}");
        let status = match error {
            Some(_) => StatusCode::Error,
            None => StatusCode::Unset,
        };
        assert_eq!(span.status, status, "{name}");
        assert!(!format!("{span:?}").contains("4111"), "{span:#?}");
    }
    assert_eq!(seen.spans.len(), 9);
    for (name, event) in [
        ("limited", "bartizan.rate_limit.rejected"),
        ("open", "bartizan.breaker.rejected"),
        ("saturated", "bartizan.bulkhead.rejected"),
    ] {
        let events = &named(&seen, name).events;
        assert!(events.iter().any(|it| it.name == event), "{events:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_can_be_dropped_after_any_poll() {
    for polls in 0..8 {
        let fixture = Fixture::new().await;
        let guard = cards(&fixture.telemetry).build().unwrap();
        let bulkhead = guard.bulkhead().unwrap().clone();
        let mut holder = Some(bulkhead.try_acquire().unwrap());
        let mut left = 2;
        let work = poll_fn(move |_| {
            if left == 0 {
                return Poll::Ready(Ok::<_, io::Error>(()));
            }
            left -= 1;
            Poll::Pending
        });
        let mut call = task::spawn(guard.run("charge card", work));
        let mut is_done = false;
        for poll in 0..polls {
            if poll == 2 {
                holder.take();
            }
            if call.poll().is_ready() {
                is_done = true;
                break;
            }
        }
        assert_eq!(is_done, polls >= 5, "{polls}");
        drop(call);
        drop(holder);
        let snapshot = bulkhead.snapshot();
        assert_eq!((snapshot.in_flight, snapshot.queued), (0, 0), "{polls}");
        assert_eq!(guard.breaker().unwrap().snapshot().state, State::Closed);
        assert!(Task::current().is_none());
        let seen = fixture.finish().await;
        let outcomes: Vec<_> = seen
            .spans
            .iter()
            .map(|span| text(span, "bartizan.outcome").unwrap())
            .collect();
        let expected: &[_] = match polls {
            0 => &[],
            1..5 => &["cancelled"],
            _ => &["completed"],
        };
        assert_eq!(outcomes, expected, "{polls}");
    }
}

#[tokio::test(start_paused = true)]
async fn there_is_no_more_time_than_the_request_has() {
    let guard = guard();
    let request = Task::root("request", None);
    let start = time::Instant::now();
    request.set_deadline((start + SECOND / 4).into_std());
    let current = request.attach();
    let call = guard.run("charge card", pending::<io::Result<()>>());
    let next = guard.run("charge card", done());
    drop(current);
    let error = call.await.unwrap_err();
    assert!(matches!(error, Error::TimedOut(_)), "{error}");
    assert_eq!(start.elapsed(), SECOND / 4);
    let error = next.await.unwrap_err();
    assert!(matches!(error, Error::NoTimeLeft(_)), "{error}");
    // It may have been too short for anybody.
    assert_eq!(guard.breaker().unwrap().snapshot().state, State::Closed);
    guard.run("charge card", done()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_layer_is_the_requests() {
    let fixture = Fixture::new().await;
    let guard = cards(&fixture.telemetry).build().unwrap();
    let handler = {
        let guard = guard.clone();
        async move || {
            let work = async {
                let left = Task::current().and_then(|task| task.deadline());
                Ok::<_, io::Error>(left.is_some())
            };
            assert!(guard.run("asks", work).await.unwrap());
            let hangs = pending::<io::Result<()>>();
            guard.run("hangs", hangs).await.unwrap_err().to_string()
        }
    };
    let app = Router::new()
        .route("/", on_get(handler))
        .layer(TimeoutLayer::new(SECOND / 4).unwrap())
        .layer(fixture.stack());
    let start = time::Instant::now();
    let answer = fetch(&app, get("/")).await;
    // Cut off inside, in time for the handler to answer.
    assert_eq!(answer.status(), 200);
    let said = String::from_utf8(answer.into_body()).unwrap();
    assert_eq!(said, "not answered within the 250ms left of the caller's");
    assert_eq!(start.elapsed(), SECOND / 4);
}

#[tokio::test(start_paused = true)]
async fn what_is_a_failure_and_what_it_costs_is_up_to_the_caller() {
    let quota = Quota::new(1, 1000 * SECOND, 3).unwrap();
    let telemetry = Telemetry::builder().build().unwrap();
    let guard = cards(&telemetry)
        .with_rate_limit([Policy::new("all", quota)])
        .unwrap()
        .build()
        .unwrap();
    let declined = guard.run("charge card", failed()).with_cost(2);
    let result = declined.with_classify(|_| Outcome::Success).await;
    assert!(matches!(result, Err(Error::Failed(_))), "{result:?}");
    assert_eq!(guard.breaker().unwrap().snapshot().state, State::Closed);
    let error = guard.run("charge card", done()).with_cost(2).await;
    assert!(matches!(error, Err(Error::RateLimited(_))), "{error:?}");
    guard.run("charge card", done()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn its_parts_can_be_those_of_others() {
    let one = guard();
    let telemetry = Telemetry::builder().build().unwrap();
    let other = Guard::builder("other", &telemetry)
        .with_breaker_of(one.breaker().unwrap().clone())
        .with_bulkhead_of(one.bulkhead().unwrap().clone())
        .build()
        .unwrap();
    one.run("charge card", failed()).await.unwrap_err();
    let error = other.run("charge card", done()).await.unwrap_err();
    assert!(matches!(error, Error::CircuitOpen(_)), "{error}");
    assert!(other.rate_limiter().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_handler_answers_as_the_layers_do() {
    let quota = Quota::new(1, 20 * SECOND, 1).unwrap();
    let telemetry = Telemetry::builder().build().unwrap();
    let guard = cards(&telemetry)
        .with_rate_limit([Policy::new("charges", quota)])
        .unwrap()
        .build()
        .unwrap();
    let error = guard.run("charge card", failed()).await.unwrap_err();
    let error = guard::answer(error).unwrap_err();
    assert_eq!(error.to_string(), "card 4111 1111 1111 1111 declined");

    let error = guard.run("charge card", done()).await.unwrap_err();
    let answer = guard::answer(error).unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "20");
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["violated-policies"], serde_json::json!(["charges"]));
}
