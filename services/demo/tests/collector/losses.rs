//! What is left when one of the two is killed: all that was acknowledged.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::task::JoinHandle;

use crate::chain::Chain;
use crate::sender::{Ids, NAME, Sender};
use crate::shop::{Shop, place};
use crate::support::eventually::eventually;

/// Spans that are acknowledged before or after something happens, so that it happens in the midst of
/// them.
const SOME: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_collector_loses_nothing_that_it_acknowledged() {
    let Some(mut chain) = Chain::start("memory").await else {
        return;
    };
    let shop = Shop::open(&chain.collector, &[("RATE_LIMIT__ENABLED", "false")]).await;
    let customers = Customers::of(&shop);
    let sender = Sender::start(chain.collector.http, 0);
    for _ in 0..3 {
        sends_more(&sender).await;
        chain.collector.program.kill().await;
        chain.collector.program.start().await;
    }
    sends_more(&sender).await;
    let acknowledged = sender.stop().await;
    assert!(customers.leave().await > 0);
    let reports = shop.close().await;

    arrives(&chain, &acknowledged).await;
    for (name, report) in reports {
        // Who has sent it and had no answer does not know, so that there may be more of it.
        let (least, more) = (report.spans.exported, report.spans.unconfirmed);
        assert!(least > 0, "{name}: {report}");
        let found = eventually(&format!("{least} spans of {name}"), async || {
            let spans = chain.spans().await.into_iter();
            let of_it = spans.filter(|span| span.service == name);
            let ids: BTreeSet<_> = of_it.map(|span| (span.trace, span.id)).collect();
            let found = ids.len() as u64;
            (found >= least).then_some(found)
        })
        .await;
        assert!(found <= least + more, "{found} of {name}: {report}");
        // Log records have no ids: one that was sent twice counts twice.
        let logs = chain.logs().into_iter();
        let logs = logs.filter(|(service, _)| service == name).count() as u64;
        assert!(logs >= report.logs.exported, "{logs} of {name}: {report}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_jaeger_had_not_yet_accepted_comes_when_it_is_back() {
    let Some(mut chain) = Chain::start("memory").await else {
        return;
    };
    let before = Sender::start(chain.collector.http, 0);
    sends_more(&before).await;
    let before = before.stop().await;
    arrives(&chain, &before).await;
    chain.jaeger.program.kill().await;

    // The Collector goes on taking.
    let meanwhile = Sender::start(chain.collector.http, 1_000_000);
    sends_more(&meanwhile).await;
    chain.jaeger.program.start().await;
    sends_more(&meanwhile).await;
    let meanwhile = meanwhile.stop().await;
    arrives(&chain, &meanwhile).await;
    // And this is what in memory means.
    let found = found(&chain).await;
    assert!(found.is_disjoint(&before), "{} are there", found.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jaeger_with_files_that_is_killed_loses_nothing_at_all() {
    let Some(mut chain) = Chain::start("badger").await else {
        return;
    };
    let sender = Sender::start(chain.collector.http, 0);
    for _ in 0..3 {
        sends_more(&sender).await;
        let stored = eventually("spans in Jaeger", async || {
            let found = found(&chain).await;
            (!found.is_empty()).then_some(found)
        })
        .await;
        chain.jaeger.program.kill().await;
        chain.jaeger.program.start().await;
        let left = found(&chain).await;
        assert!(
            stored.is_subset(&left),
            "{} of {}",
            left.len(),
            stored.len()
        );
    }
    sends_more(&sender).await;
    let acknowledged = sender.stop().await;
    arrives(&chain, &acknowledged).await;
    assert_eq!(chain.jaeger.services().await, [NAME.to_owned()].into());
}

/// Waits until more are acknowledged than are now.
async fn sends_more(sender: &Sender) {
    let enough = sender.acknowledged().len() + SOME;
    eventually("acknowledgements", async || {
        (sender.acknowledged().len() >= enough).then_some(())
    })
    .await;
}

/// The sender's spans that Jaeger has.
async fn found(chain: &Chain) -> Ids {
    let spans = chain.jaeger.find(NAME).await.into_iter();
    spans.map(|span| (span.trace, span.id)).collect()
}

/// Waits until Jaeger has all of these.
async fn arrives(chain: &Chain, acknowledged: &Ids) {
    let all = acknowledged.len();
    eventually(&format!("all {all} spans in Jaeger"), async || {
        found(chain).await.is_superset(acknowledged).then_some(())
    })
    .await;
}

/// One who orders again and again, whatever the answer is.
struct Customers {
    leaving: Arc<AtomicBool>,
    served: Arc<AtomicU64>,
    ordering: JoinHandle<()>,
}

// === impl Customers ===

impl Customers {
    fn of(shop: &Shop) -> Self {
        let (leaving, served) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (left, count) = (Arc::clone(&leaving), Arc::clone(&served));
        let gateway = shop.gateway();
        let ordering = tokio::spawn(async move {
            while !left.load(Ordering::Relaxed) {
                let number = count.fetch_add(1, Ordering::Relaxed);
                place(gateway, &format!("order-{number}")).await;
            }
        });
        Self {
            leaving,
            served,
            ordering,
        }
    }

    /// Waits for the order that is under way, and gives how many there were.
    async fn leave(self) -> u64 {
        self.leaving.store(true, Ordering::Relaxed);
        self.ordering.await.unwrap();
        self.served.load(Ordering::Relaxed)
    }
}
