//! The hard paths as a server meets them: real sockets, several connections at the same time.
//!
//! What a body is polled for and when a future is dropped is decided by hyper here, and it is not
//! the same for HTTP/1.1 and HTTP/2.

mod cases;
mod client;
mod service;
mod verdict;

use std::future::IntoFuture;
use std::net::SocketAddr;

use bartizan::{Listener, into_make_service};
use http::Version;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::support::{Fixture, PATIENCE, Seen};
use cases::CASES;
use client::Connection;
use service::{Watch, router};
use verdict::assert_told;

/// All of them have a case's call under way at the same time.
const CONNECTIONS: usize = 3;

#[tokio::test]
async fn every_hard_path_over_http_1_leaves_the_telemetry_it_should() {
    assert_told(&served(Version::HTTP_11).await, "1.1", CONNECTIONS);
}

#[tokio::test]
async fn every_hard_path_over_http_2_leaves_the_telemetry_it_should() {
    assert_told(&served(Version::HTTP_2).await, "2", CONNECTIONS);
}

/// What is seen after every case has been through every connection.
async fn served(version: Version) -> Seen {
    let fixture = Fixture::new().await;
    let watch = Watch::new();
    let app = router(fixture.stack(), &watch);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(Listener::new(listener), into_make_service(app))
        .with_graceful_shutdown(async { drop(stopped.await) });
    let server = tokio::spawn(server.into_future());

    let driven = timeout(PATIENCE, drive(addr, version, &watch)).await;
    driven.expect("every call comes to its end");
    stop.send(()).unwrap();
    let ended = timeout(PATIENCE, server).await;
    ended.expect("no connection is left").unwrap().unwrap();
    fixture.finish().await
}

async fn drive(addr: SocketAddr, version: Version, watch: &Watch) {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(addr, version).await);
    }
    for case in CASES {
        let mut calls = Vec::new();
        for connection in &mut connections {
            calls.push(connection.begin(case, watch).await);
        }
        for call in calls {
            call.end(case).await;
        }
        // A server that has been left notices in its own time.
        watch.over(CONNECTIONS).await;
    }
}
