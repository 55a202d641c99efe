//! The series and their bounds.

use std::time::Duration;

use http_body_util::Full;
use tokio::time::advance;
use tower::{Layer, ServiceExt};

use super::*;
use crate::names::metric;

const DURATION: &str = metric::CLIENT_REQUEST_DURATION.name;
const ACTIVE: &str = metric::CLIENT_ACTIVE_REQUESTS.name;

fn active(recorded: &Recorded) -> f64 {
    recorded
        .points(ACTIVE)
        .iter()
        .map(|point| point.value)
        .sum()
}

#[tokio::test(start_paused = true)]
async fn series_are_told_apart_by_what_the_conventions_name() {
    let mut rig = Rig::new();
    rig.complete(
        get("http://shop:8080/items?a=1"),
        answer(200, [Step::Data("abc")]),
    )
    .await;
    rig.complete(
        get("http://shop:8080/other"),
        answer(200, [Step::Data("de")]),
    )
    .await;
    rig.complete(get("https://shop/"), answer(503, [])).await;
    let mut points = rig.recorded.points(DURATION);
    points.sort_by_key(|point| std::cmp::Reverse(point.count));
    let labels = |point: &crate::test_support::Point| point.labels.join(" ");
    assert_eq!(points.len(), 2);
    assert_eq!(
        (labels(&points[0]).as_str(), points[0].count),
        (
            "http.request.method=GET http.response.status_code=200 network.protocol.version=1.1 \
             server.address=shop server.port=8080 url.scheme=http",
            2
        )
    );
    assert_eq!(
        labels(&points[1]),
        "error.type=503 http.request.method=GET http.response.status_code=503 \
         network.protocol.version=1.1 server.address=shop server.port=443 url.scheme=https"
    );
}

#[tokio::test(start_paused = true)]
async fn labels_are_those_that_the_names_promise() {
    let mut rig = Rig::new();
    rig.complete(get("http://shop/"), answer(503, [Step::Data("x")]))
        .await;
    for metric in [
        metric::CLIENT_REQUEST_DURATION,
        metric::CLIENT_ACTIVE_REQUESTS,
        metric::CLIENT_REQUEST_BODY_SIZE,
        metric::CLIENT_RESPONSE_BODY_SIZE,
    ] {
        let points = rig.recorded.points(metric.name);
        assert_eq!(points.len(), 1, "{}", metric.name);
        for label in &points[0].labels {
            let (key, _) = label.split_once('=').unwrap();
            assert!(metric.labels.contains(&key), "{} has {key}", metric.name);
        }
    }
}

#[tokio::test]
async fn bodies_are_measured_where_their_size_is_known() {
    let recorded = Recorded::new();
    let service = tower::service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, io::Error>(answer(200, [Step::Data("ab"), Step::Data("cde")]))
    });
    let client = ClientLayer::new(&recorded.telemetry).layer(service);
    let request = Request::post("http://shop/")
        .body(Full::from("1234567"))
        .unwrap();
    read(client.oneshot(request).await.unwrap()).await.unwrap();
    let size = |name| {
        recorded
            .points(name)
            .iter()
            .map(|point| point.value)
            .sum::<f64>()
    };
    assert_eq!(size(metric::CLIENT_REQUEST_BODY_SIZE.name), 7.0);
    assert_eq!(size(metric::CLIENT_RESPONSE_BODY_SIZE.name), 5.0);
}

#[tokio::test(start_paused = true)]
async fn a_size_that_was_never_measured_has_no_series() {
    let mut rig = Rig::new();
    let (pending, ..) = rig.send(get("http://shop/")).await;
    drop(pending);
    assert_eq!(
        rig.recorded.points(metric::CLIENT_REQUEST_BODY_SIZE.name)[0].count,
        1
    );
    assert_eq!(
        rig.recorded.points(metric::CLIENT_RESPONSE_BODY_SIZE.name),
        []
    );
}

#[tokio::test(start_paused = true)]
async fn active_requests_return_to_zero_after_any_mix_of_ends() {
    let mut rig = Rig::new();
    rig.complete(get("http://shop/"), answer(200, [Step::Data("x")]))
        .await;
    drop(rig.exchange(answer(500, [Step::Hang])).await);
    assert!(
        read(rig.exchange(answer(200, [Step::Fail])).await)
            .await
            .is_err()
    );
    let (pending, _, respond) = rig.send(get("https://other:1/")).await;
    let (cancelled, ..) = rig.send(get("http://shop/")).await;
    assert_eq!(active(&rig.recorded), 2.0);
    drop(cancelled);
    respond.send_error("no");
    assert!(pending.await.is_err());
    let switched = rig.exchange(answer(101, [])).await;
    let streaming = {
        let mut stream = answer(200, [Step::Hang]);
        let event_stream = "text/event-stream".parse().unwrap();
        stream
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, event_stream);
        rig.exchange(stream).await
    };
    assert_eq!(active(&rig.recorded), 0.0);
    drop((switched, streaming));
    advance(Duration::from_secs(1)).await;
    assert_eq!(active(&rig.recorded), 0.0);
    assert_eq!(
        rig.recorded
            .points(DURATION)
            .iter()
            .map(|point| point.count)
            .sum::<u64>(),
        7
    );
    assert_eq!(rig.recorded.spans.ended().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn servers_and_series_past_the_bound_share_one_series() {
    let mut rig = Rig::with(|layer| layer.with_max_series(2));
    for host in 0..20 {
        let url = format!("http://host{host}/");
        rig.complete(get(&url), answer(200, [])).await;
        rig.complete(get(&url), answer(404, [])).await;
    }
    for name in [DURATION, ACTIVE] {
        let points = rig.recorded.points(name);
        let overflow: Vec<_> = points
            .iter()
            .filter(|point| point.labels == ["otel.metric.overflow=true"])
            .collect();
        assert_eq!((points.len(), overflow.len()), (3, 1), "{points:#?}");
    }
    assert_eq!(active(&rig.recorded), 0.0);
    assert_eq!(
        rig.recorded
            .points(DURATION)
            .iter()
            .map(|point| point.count)
            .sum::<u64>(),
        40
    );
}

#[tokio::test(start_paused = true)]
async fn a_name_too_long_for_dns_gets_no_series_of_its_own() {
    let mut rig = Rig::new();
    let url = format!("http://{}/", "a".repeat(256));
    rig.complete(get(&url), answer(200, [])).await;
    let points = rig.recorded.points(DURATION);
    assert_eq!(points[0].labels, ["otel.metric.overflow=true"]);
}

#[tokio::test]
async fn all_services_of_a_layer_share_its_series_and_its_bound() {
    let recorded = Recorded::new();
    let layer = ClientLayer::new(&recorded.telemetry).with_max_series(1);
    for host in ["a", "b"] {
        let service = tower::service_fn(|_: Sent| async { Ok::<_, io::Error>(answer(200, [])) });
        layer
            .layer(service)
            .oneshot(get(&format!("http://{host}/")))
            .await
            .unwrap();
    }
    let labels: Vec<_> = recorded
        .points(DURATION)
        .into_iter()
        .map(|point| point.labels.len())
        .collect();
    assert!(
        labels.contains(&1),
        "the second server found the table full: {labels:?}"
    );
}
