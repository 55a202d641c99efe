use std::time::Duration;

use http::{HeaderValue, StatusCode};
use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::SpanData;
use reqwest_middleware::ClientWithMiddleware;
use tokio::net::TcpListener;

use super::*;
use crate::client::tests::server::{Server, ok, redirect, redirect_with, short};
use crate::names::{attr, metric};
use crate::test_support::{Nobody, Recorded, text};

fn client_of(recorded: &Recorded) -> ClientWithMiddleware {
    let builder = reqwest::Client::builder().no_proxy();
    client(builder, &ClientLayer::new(&recorded.telemetry)).unwrap()
}

fn facts(span: &SpanData) -> (String, Option<String>, String) {
    let said = |key| text(span, key);
    (
        said(attr::HTTP_RESPONSE_STATUS_CODE).unwrap_or_default(),
        said(attr::HTTP_REQUEST_RESEND_COUNT),
        said(attr::OUTCOME).unwrap_or_default(),
    )
}

#[tokio::test]
async fn a_body_is_part_of_its_span_and_the_url_survives() {
    let server = Server::start(|_| ok("hello")).await;
    let recorded = Recorded::new();
    let response = client_of(&recorded)
        .get(server.url("/x?sig=1"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.url().as_str(), server.url("/x?sig=1"));
    assert_eq!(response.content_length(), Some(5));
    assert_eq!(response.remote_addr(), Some(server.addr));
    assert!(
        recorded.spans.ended().is_empty(),
        "the body is not read yet"
    );
    assert_eq!(response.text().await.unwrap(), "hello");
    let span = recorded.span();
    assert_eq!(
        facts(&span),
        ("200".to_owned(), None, "completed".to_owned())
    );
    assert_eq!(
        text(&span, attr::URL_FULL),
        Some(server.url("/x?sig=REDACTED"))
    );
    assert_eq!(
        recorded.points(metric::CLIENT_RESPONSE_BODY_SIZE.name)[0].value,
        5.0
    );
}

#[tokio::test]
async fn each_hop_of_a_redirect_is_a_span_of_its_own() {
    let server = Server::start(|path| match path {
        "/0" => redirect(301, "/1"),
        "/1" => redirect(302, "2"),
        "/2" => redirect(307, "/3"),
        _ => ok("there"),
    })
    .await;
    let recorded = Recorded::new();
    let response = client_of(&recorded)
        .get(server.url("/0#part"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.url().as_str(), server.url("/3"));
    assert_eq!(response.text().await.unwrap(), "there");

    let spans = recorded.spans.ended();
    assert_eq!(text(&spans[3], attr::URL_FULL), Some(server.url("/3#part")));
    let seen: Vec<_> = spans.iter().map(facts).collect();
    let hop = |status: &str, count: Option<&str>| {
        (
            status.to_owned(),
            count.map(str::to_owned),
            "completed".to_owned(),
        )
    };
    assert_eq!(
        seen,
        [
            hop("301", None),
            hop("302", Some("1")),
            hop("307", Some("2")),
            hop("200", Some("3"))
        ]
    );
    for (span, request) in spans.iter().zip(server.requests()) {
        let id = span.span_context.span_id();
        assert!(
            request.contains(&format!("-{id}-")),
            "each hop carries its own span: {request}"
        );
        assert_eq!(request.matches("traceparent").count(), 1);
    }
}

#[tokio::test]
async fn a_redirects_own_body_is_read_so_that_its_hop_is_complete() {
    let server = Server::start(|path| match path {
        "/0" => redirect_with(301, "/1", "<html>moved</html>"),
        _ => ok("there"),
    })
    .await;
    let recorded = Recorded::new();
    let response = client_of(&recorded).get(server.url("/0")).send().await;
    assert_eq!(response.unwrap().text().await.unwrap(), "there");
    let ended = recorded.spans.ended();
    let outcomes: Vec<_> = ended.iter().map(|span| facts(span).2).collect();
    assert_eq!(outcomes, ["completed", "completed"]);
}

/// Refuses the first `refusals` streams over HTTP/2, and answers the rest.
async fn refusing(refusals: usize) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(socket).await.unwrap();
        let mut seen = 0;
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            seen += 1;
            if seen <= refusals {
                respond.send_reset(h2::Reason::REFUSED_STREAM);
            } else {
                respond
                    .send_response(http::Response::new(()), true)
                    .unwrap();
            }
        }
    });
    addr
}

fn http2_client(recorded: &Recorded) -> ClientWithMiddleware {
    let builder = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge();
    client(builder, &ClientLayer::new(&recorded.telemetry)).unwrap()
}

#[tokio::test]
async fn what_a_server_refuses_to_touch_is_sent_again_each_time_with_a_span() {
    let addr = refusing(2).await;
    let recorded = Recorded::new();
    let request = http2_client(&recorded)
        .post(format!("http://{addr}/"))
        .body("once");
    assert_eq!(request.send().await.unwrap().status(), 200);
    let counts: Vec<_> = recorded
        .spans
        .ended()
        .iter()
        .map(|span| facts(span).1)
        .collect();
    assert_eq!(counts, [None, Some("1".to_owned()), Some("2".to_owned())]);
}

#[tokio::test]
async fn a_server_that_goes_on_refusing_is_left_alone() {
    let addr = refusing(usize::MAX).await;
    let recorded = Recorded::new();
    let request = http2_client(&recorded).get(format!("http://{addr}/"));
    assert!(request.send().await.is_err());
    assert_eq!(recorded.spans.ended().len(), 1 + DEFAULT_MAX_REFUSED);
}

#[tokio::test]
async fn credentials_stay_with_their_origin() {
    let other = Server::start(|_| ok("")).await;
    let elsewhere = other.url("/");
    let server = Server::start(move |path| match path {
        "/0" => redirect(302, "/1"),
        _ => redirect(302, &elsewhere),
    })
    .await;
    let recorded = Recorded::new();
    let names = ["authorization", "cookie", "proxy-authorization"];
    let mut request = client_of(&recorded)
        .get(server.url("/0"))
        .header("x-kept", "1");
    for name in names {
        request = request.header(name, "secret");
    }
    request.send().await.unwrap();
    let carries = |request: &str| names.map(|name| request.contains(&format!("\r\n{name}: ")));
    for request in server.requests() {
        assert_eq!(carries(&request), [true; 3]);
    }
    assert_eq!(carries(&other.requests()[0]), [false; 3]);
    assert!(other.requests()[0].contains("x-kept: 1"));
}

#[tokio::test]
async fn the_status_decides_whether_method_and_body_are_sent_again() {
    for (method, status, again) in [
        ("POST", 301, "get"),
        ("POST", 302, "get"),
        ("POST", 303, "get"),
        ("PUT", 302, "put"),
        ("PUT", 303, "get"),
        ("POST", 307, "post"),
        ("PUT", 308, "put"),
    ] {
        let server = Server::start(move |path| match path {
            "/0" => redirect(status, "/1"),
            _ => ok(""),
        })
        .await;
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        client_of(&Recorded::new())
            .request(method.clone(), server.url("/0"))
            .header("content-type", "text/plain")
            .body("payload")
            .send()
            .await
            .unwrap();
        let second = &server.requests()[1];
        assert!(
            second.starts_with(&format!("{again} /1 ")),
            "{method} {status}: {second}"
        );
        let whole = again != "get";
        assert_eq!(
            second.ends_with("payload"),
            whole,
            "{method} {status}: {second}"
        );
        assert_eq!(
            second.contains("content-type"),
            whole,
            "{method} {status}: {second}"
        );
    }
}

#[tokio::test]
async fn a_redirect_that_cannot_be_followed_is_the_answer() {
    let server = Server::start(|path| match path {
        "/no-location" => "HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "/scheme" => redirect(302, "ftp://a/"),
        "/invalid" => redirect(302, "http://["),
        _ => redirect(307, "/1"),
    })
    .await;
    let client = client_of(&Recorded::new());
    for path in ["/no-location", "/scheme", "/invalid"] {
        let response = client.get(server.url(path)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::FOUND, "{path}");
    }
    let stream = Body::wrap(http_body_util::Full::<bytes::Bytes>::from("once"));
    let response = client.put(server.url("/stream")).body(stream).send();
    assert_eq!(
        response.await.unwrap().status(),
        StatusCode::TEMPORARY_REDIRECT
    );
}

#[tokio::test]
async fn a_loop_ends_with_an_error_that_does_not_show_the_url() {
    let server = Server::start(|_| redirect(302, "/again?sig=secret")).await;
    let recorded = Recorded::new();
    let error = client_of(&recorded)
        .get(server.url("/"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "redirected more than 10 times, the last time to 127.0.0.1"
    );
    assert_eq!(recorded.spans.ended().len(), 11);
    let active = recorded.points(metric::CLIENT_ACTIVE_REQUESTS.name);
    assert_eq!(active.iter().map(|point| point.value).sum::<f64>(), 0.0);
}

#[tokio::test]
async fn failures_are_named() {
    let nobody = Nobody::new();
    let server = Server::start(|path| {
        if path == "/short" {
            short()
        } else {
            String::new()
        }
    })
    .await;
    for (url, name, outcome) in [
        (format!("http://{}/", nobody.addr()), "connect", "error"),
        (server.url("/hang-up"), "connection_closed", "error"),
        (server.url("/short"), "connection_closed", "body_error"),
    ] {
        let recorded = Recorded::new();
        if let Ok(response) = client_of(&recorded).get(url).send().await {
            assert!(response.bytes().await.is_err());
        }
        let span = recorded.span();
        assert_eq!(span.status, Status::error(""));
        assert_eq!(text(&span, attr::ERROR_TYPE).as_deref(), Some(name));
        assert_eq!(text(&span, attr::OUTCOME).as_deref(), Some(outcome));
    }
}

#[tokio::test]
async fn a_timeout_of_reqwest_is_a_timeout() {
    // Connections reach the backlog, where nobody takes them.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let recorded = Recorded::new();
    let request = client_of(&recorded)
        .get(url)
        .timeout(Duration::from_millis(20));
    assert!(request.send().await.is_err());
    assert_eq!(
        text(&recorded.span(), attr::ERROR_TYPE).as_deref(),
        Some("timeout")
    );
}

#[tokio::test]
async fn middleware_that_sends_again_is_counted_without_its_help() {
    struct Twice;

    #[async_trait]
    impl Middleware for Twice {
        async fn handle(
            &self,
            request: Request,
            extensions: &mut Extensions,
            next: Next<'_>,
        ) -> reqwest_middleware::Result<Response> {
            let again = request.try_clone().expect("it has no body");
            next.clone().run(request, extensions).await?;
            next.run(again, extensions).await
        }
    }

    let server = Server::start(|_| ok("")).await;
    let recorded = Recorded::new();
    ensure_crypto_provider();
    let inner = reqwest::Client::builder().no_proxy().build().unwrap();
    let spans = RequestSpans::new(&ClientLayer::new(&recorded.telemetry));
    let client = ClientBuilder::new(inner).with(Twice).with(spans).build();
    let own = HeaderValue::from_static("own");
    client
        .get(server.url("/"))
        .header("x-request-id", own)
        .send()
        .await
        .unwrap();
    let counts: Vec<_> = recorded
        .spans
        .ended()
        .iter()
        .map(|span| facts(span).1)
        .collect();
    assert_eq!(counts, [None, Some("1".to_owned())]);
}

#[tokio::test]
async fn a_dropped_call_is_cancelled() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let recorded = Recorded::new();
    let mut sent = tokio_test::task::spawn(client_of(&recorded).get(url).send());
    assert!(sent.poll().is_pending());
    drop(sent);
    let span = recorded.span();
    assert_eq!(span.status, Status::Unset);
    assert_eq!(facts(&span), (String::new(), None, "cancelled".to_owned()));
}
