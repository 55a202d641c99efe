//! `bartizan probe` against servers of the test's own.

use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::stores::NOWHERE;
use crate::{LONG, bartizan, code, complaints};

async fn probe(arguments: &[&str]) -> Output {
    bartizan(&[&["probe"], arguments].concat(), &[]).await
}

async fn serve(listener: TcpListener) -> String {
    let url = format!("http://{}", listener.local_addr().unwrap());
    let rounds = Arc::new(AtomicUsize::new(0));
    let later = move || {
        let is_well = rounds.fetch_add(1, Ordering::SeqCst) >= 2;
        let status = if is_well { 200 } else { 503 };
        async move { StatusCode::from_u16(status).unwrap() }
    };
    let chunked = || async {
        let parts = ["a", "b"].map(Ok::<_, std::io::Error>);
        Body::from_stream(futures_util::stream::iter(parts))
    };
    let endless = || async {
        Body::from_stream(futures_util::stream::repeat_with(|| {
            Ok::<_, std::io::Error>([b'x'; 4096].as_slice())
        }))
    };
    let router = Router::new()
        .route("/well", get(|| async { "well" }))
        .route("/empty", get(|| async { StatusCode::NO_CONTENT }))
        .route("/chunked", get(chunked))
        .route("/endless", get(endless))
        .route("/later", get(later))
        .route(
            "/ill",
            get(|| async { (StatusCode::SERVICE_UNAVAILABLE, "stock:\n down") }),
        )
        .route("/moved", get(|| async { (StatusCode::FOUND, "") }));
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

async fn server() -> String {
    serve(TcpListener::bind("127.0.0.1:0").await.unwrap()).await
}

#[tokio::test]
async fn every_2xx_is_well_however_it_is_framed() {
    let base = server().await;
    let urls = ["well", "empty", "chunked", "endless"].map(|path| format!("{base}/{path}"));
    let mut arguments = vec!["--timeout", LONG];
    arguments.extend(urls.iter().map(String::as_str));
    let output = probe(&arguments).await;
    assert_eq!((code(&output), complaints(&output)), (0, String::new()));
}

#[tokio::test]
async fn each_that_is_not_well_has_a_line_that_says_why() {
    let base = server().await;
    let refused = format!("{NOWHERE}/");
    let (well, ill, moved) = (
        format!("{base}/well"),
        format!("{base}/ill"),
        format!("{base}/moved"),
    );
    let output = probe(&["--timeout", LONG, &ill, &well, &refused, &moved]).await;
    assert_eq!(code(&output), 1);
    let said = complaints(&output);
    let lines: Vec<_> = said.lines().collect();
    let [first, second, third] = lines[..] else {
        panic!("{said}");
    };
    let expected = format!("bartizan: {ill}: answered 503 Service Unavailable: stock: down");
    assert_eq!(first, expected);
    assert!(second.starts_with(&format!("bartizan: {refused}: no connection: ")));
    assert_eq!(third, format!("bartizan: {moved}: answered 302 Found"));
}

#[tokio::test]
async fn who_says_nothing_or_no_http_is_told_apart() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let output = probe(&["--timeout=50ms", &url]).await;
    assert_eq!(code(&output), 1);
    let expected = format!("bartizan: {url}: connected, but no answer within 50ms\n");
    assert_eq!(complaints(&output), expected);

    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", other.local_addr().unwrap());
    let babble = async {
        let (mut stream, _) = other.accept().await.unwrap();
        let mut read = [0; 1024];
        let _read = stream.read(&mut read).await.unwrap();
        stream.write_all(b"+OK ready\r\n\r\n").await.unwrap();
    };
    let arguments = ["--timeout", LONG, &url];
    let (output, ()) = tokio::join!(probe(&arguments), babble);
    assert_eq!(code(&output), 1);
    let said = complaints(&output);
    assert!(said.contains("connected, but no HTTP answer"), "{said}");
}

#[tokio::test]
async fn waiting_ends_when_all_are_well() {
    let base = server().await;
    let url = format!("{base}/later");
    assert_eq!(code(&probe(&[&url]).await), 1, "without --wait, once");
    let output = probe(&[
        "--wait",
        LONG,
        "--timeout",
        LONG,
        &url,
        &format!("{base}/well"),
    ])
    .await;
    assert_eq!((code(&output), complaints(&output)), (0, String::new()));
}

#[tokio::test]
async fn waiting_ends_when_the_time_is_up() {
    let url = format!("{}/ill", server().await);
    let output = probe(&["--wait", "1ms", "--timeout", LONG, &url]).await;
    assert_eq!(code(&output), 1);
    assert_eq!(complaints(&output).lines().count(), 1);
}

#[tokio::test]
async fn names_and_ipv6_addresses_are_resolved() {
    let url = server().await.replace("127.0.0.1", "localhost");
    let named = probe(&["--timeout", LONG, &format!("{url}/well")]).await;
    assert_eq!(code(&named), 0, "{}", complaints(&named));
    // Some containers have no IPv6 at all.
    if let Ok(listener) = TcpListener::bind("[::1]:0").await {
        let url = serve(listener).await;
        let output = probe(&["--timeout", LONG, &format!("{url}/well")]).await;
        assert_eq!(code(&output), 0, "{}", complaints(&output));
    }
    let unknown = probe(&["--timeout", LONG, "http://nowhere.invalid/"]).await;
    assert_eq!(code(&unknown), 1);
    let said = complaints(&unknown);
    assert!(
        said.contains("http://nowhere.invalid/: no connection: "),
        "{said}"
    );
}
