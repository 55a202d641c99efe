//! What does not take the server down, and what does.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use bartizan::observe::request::OnClose;
use bartizan::{PeerAddr, Phase};
use http::{Extensions, StatusCode, Version};
use tokio::sync::Semaphore;

use super::replica::within;
use super::{Client, Replica};

const BOTH: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

#[tokio::test]
async fn a_handler_that_panics_does_not_stop_the_server() {
    async fn panics() {
        panic!("as it should");
    }

    for version in BOTH {
        let app = Router::new()
            .route("/panics", get(panics))
            .route("/", get(|| async { "hello" }));
        let replica = Replica::start(app).await;
        let mut victim = Client::connect(replica.addr, version).await;
        // No layer here makes an answer of it.
        within(victim.try_fetch("/panics")).await.unwrap_err();
        let mut other = Client::connect(replica.addr, version).await;
        assert_eq!(other.fetch("/").await.status(), StatusCode::OK);
        let (report, _) = replica.stop(Phase::Draining).await.ended().await;
        assert_eq!((report.requests, report.cut_off.total), (2, 0), "{report}");
    }
}

#[tokio::test]
async fn each_request_knows_its_peer() {
    async fn peers(ConnectInfo(peer): ConnectInfo<SocketAddr>, known: Extensions) -> String {
        assert_eq!(known.get::<PeerAddr>(), Some(&PeerAddr(peer)));
        assert!(known.get::<OnClose>().is_some());
        peer.to_string()
    }

    let replica = Replica::start(Router::new().route("/", get(peers))).await;
    for version in BOTH {
        let mut client = Client::connect(replica.addr, version).await;
        let body = client.fetch("/").await.into_body();
        assert!(body.starts_with(b"127.0.0.1:"), "{body:?}");
    }
    replica.stop(Phase::Draining).await.ended().await;
}

#[tokio::test]
async fn a_server_that_is_dropped_takes_its_requests_along() {
    struct Dropped(Arc<Semaphore>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.add_permits(1);
        }
    }

    for version in BOTH {
        let gate = super::Gate::new();
        let dropped = Arc::new(Semaphore::new(0));
        let (in_handler, at_gate) = (Arc::clone(&dropped), gate.clone());
        let hang = move || {
            let (dropped, gate) = (Dropped(in_handler.clone()), at_gate.clone());
            async move {
                gate.pass().await;
                drop(dropped);
            }
        };
        let replica = Replica::start(Router::new().route("/", get(hang))).await;
        let mut client = Client::connect(replica.addr, version).await;
        let answer = tokio::spawn(client.send("/"));
        gate.entered().await;
        let lifecycle = replica.drop_it().await;
        drop(within(dropped.acquire()).await.unwrap());
        within(answer).await.unwrap().unwrap_err();
        assert_eq!(lifecycle.phase(), Phase::Stopped);
    }
}
