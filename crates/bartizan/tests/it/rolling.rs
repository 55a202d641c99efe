//! A rolling restart, as a load balancer and its clients see it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bartizan::{ExitPolicy, Lifecycle, Phase};
use http::{StatusCode, Version};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::serve::{Client, Replica, with_readyz};

/// Requests per client.
const REQUESTS: usize = 100;
const CLIENTS: usize = 6;

/// Where the replicas are at the moment; who deploys writes it.
type Registry = Arc<Mutex<Vec<SocketAddr>>>;

/// Counts answers, so that the restart goes on under load and not before or after it.
#[derive(Default)]
struct Progress {
    answered: AtomicUsize,
    more: Notify,
}

impl Progress {
    fn one_more(&self) {
        self.answered.fetch_add(1, Ordering::SeqCst);
        self.more.notify_waiters();
    }

    async fn reaches(&self, count: usize) {
        loop {
            let more = self.more.notified();
            if self.answered.load(Ordering::SeqCst) >= count {
                return;
            }
            more.await;
        }
    }
}

async fn replica() -> Replica {
    async fn order() -> &'static str {
        // A few turns of the runtime, so that requests overlap.
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        "an order"
    }

    let lifecycle = Lifecycle::new();
    let app = Router::new().route("/order", get(order));
    Replica::start_with(with_readyz(app, &lifecycle), |server| {
        // Whatever a client does not notice within it, it retries.
        let grace = Duration::from_millis(20);
        server.with_lifecycle(&lifecycle).with_grace(grace)
    })
    .await
}

/// A client that asks only who is ready, and sends again, elsewhere, what got no answer.
async fn buy(replicas: Registry, number: usize, progress: Arc<Progress>) {
    let version = [Version::HTTP_11, Version::HTTP_2][number / 2 % 2];
    let mut connection: Option<(SocketAddr, Client)> = None;
    // Half of them begin with either replica.
    let mut turn = number;
    for _ in 0..REQUESTS {
        loop {
            let (addr, mut client) = match connection.take() {
                Some(kept) => kept,
                None => {
                    let all = replicas.lock().unwrap().clone();
                    turn += 1;
                    let addr = all[turn % all.len()];
                    match Client::try_connect(addr, version).await {
                        Some(client) => (addr, client),
                        None => continue,
                    }
                }
            };
            if !client.is_usable().await {
                continue;
            }
            let ready = client.try_fetch("/readyz").await;
            if !ready.is_ok_and(|ready| ready.status() == StatusCode::OK) {
                continue;
            }
            if !client.is_usable().await {
                continue;
            }
            // No answer, only a connection that broke, is what may be asked again.
            let Ok(answer) = client.try_fetch("/order").await else {
                continue;
            };
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(answer.body(), "an order");
            progress.one_more();
            connection = Some((addr, client));
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_of_two_replicas_under_load_fails_no_request() {
    let mut old = vec![replica().await, replica().await];
    let replicas: Registry = Arc::new(Mutex::new(old.iter().map(|one| one.addr).collect()));
    let progress = Arc::new(Progress::default());
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(buy(replicas.clone(), number, progress.clone()));
    }

    let total = REQUESTS * CLIENTS;
    let mut new = Vec::new();
    for (nth, before) in [total / 4, total / 2].into_iter().enumerate() {
        progress.reaches(before).await;
        // The new one is up before the old one goes, as with Kubernetes' `maxUnavailable: 0`.
        let next = replica().await;
        let leaving = old.remove(0);
        replicas.lock().unwrap().push(next.addr);
        new.push(next);
        let addr = leaving.addr;
        let stopping = leaving.stop(Phase::Grace).await;
        // The registry is told late, as registries are.
        progress.reaches(before + total / 20).await;
        replicas.lock().unwrap().retain(|known| *known != addr);
        let (report, _) = stopping.ended().await;
        assert_eq!(report.cut_off.total, 0, "replica {nth}: {report}");
        assert_eq!(report.connections_cut, 0, "replica {nth}: {report}");
        assert_eq!(
            report.exit_code(ExitPolicy::Strict),
            0,
            "replica {nth}: {report}"
        );
        assert!(report.requests > 0, "replica {nth}: {report}");
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    assert_eq!(progress.answered.load(Ordering::SeqCst), total);
    let mut served = 0;
    for replica in new {
        let (report, _) = replica.stop(Phase::Grace).await.ended().await;
        assert_eq!(report.cut_off.total, 0, "{report}");
        served += report.served();
    }
    assert!(served > 0, "the new ones were asked");
}
