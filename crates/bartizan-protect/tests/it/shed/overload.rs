//! Load shedding and the bulkhead that it goes by, under more than they can do.

use bartizan_protect::bulkhead::{self, Adaptive, Bulkhead, BulkheadLayer};
use bartizan_protect::shed::LoadSource;
use tokio::task::JoinSet;
use tokio::time;
use tower::{Layer, ServiceExt, service_fn};

use super::*;

/// What has become of the calls of a priority.
#[derive(Debug, Default)]
struct Fates {
    served: u32,
    shed: u32,
    /// Refused by the bulkhead.
    saturated: u32,
}

async fn work(request: In) -> Result<Out, Infallible> {
    let done = time::Instant::now() + 10 * MS;
    time::sleep_until(done).await;
    answer(request).await
}

/// Ten calls at a time of ten milliseconds each, which is a thousand a second, are asked for three
/// thousand: 300 critical, 900 default, 1 800 sheddable ones. Gives what became of them in the
/// second half of ten seconds.
async fn rush() -> [Fates; 3] {
    let config = bulkhead::Config::builder(10).with_max_queue(100);
    let bulkhead = BulkheadLayer::new("shop", config.build().unwrap());
    let source = bulkhead.handle().clone();
    let shed = LoadShedLayer::new("shop", Config::default(), source);
    let service = shed.layer(bulkhead.layer(service_fn(work)));
    let mut fates: [Fates; 3] = Default::default();
    let mut calls = JoinSet::new();
    for millisecond in 0..10_000 {
        for call in 0..3 {
            let priority = match (millisecond * 3 + call) % 10 {
                0 => Priority::Critical,
                1..=3 => Priority::Default,
                _ => Priority::Sheddable,
            };
            let mut request = request("/orders");
            request.extensions_mut().insert(priority);
            let service = service.clone();
            calls.spawn(async move { (millisecond, priority, service.oneshot(request).await) });
        }
        time::advance(MS).await;
        while let Some(done) = calls.try_join_next() {
            let (began, priority, answer) = done.unwrap();
            let fates = &mut fates[priority as usize];
            if began >= 5_000 {
                match answer {
                    Ok(_) => fates.served += 1,
                    Err(bartizan_protect::Error::Shed(_)) => fates.shed += 1,
                    Err(_) => fates.saturated += 1,
                }
            }
        }
    }
    fates
}

#[tokio::test(start_paused = true)]
async fn what_matters_more_is_served_before_what_matters_less() {
    let [sheddable, default, critical] = rush().await;
    let all = format!("{sheddable:?} {default:?} {critical:?}");
    assert_eq!(critical.shed, 0, "{all}");
    assert!(critical.served > 1_400, "{all}");
    // Nobody who matters waits for nothing.
    assert!(critical.saturated < 15, "{all}");
    assert!(default.served > 2_400, "{all}");
    assert!(sheddable.shed > 7_000, "{all}");
    let served = sheddable.served + default.served + critical.served;
    assert!(served > 4_250, "{all}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_lowered_to_measure_is_no_load() {
    let adaptive = Adaptive::default().with_initial(16);
    let config = bulkhead::Config::builder(adaptive).build().unwrap();
    let bulkhead = Bulkhead::new("shop", config);
    assert_eq!(bulkhead.snapshot().limit, 8);
    let permits: Vec<_> = (0..8).map(|_| bulkhead.try_acquire().unwrap()).collect();
    assert_eq!(bulkhead.load().saturation, 0.5);
    let _waiting = bulkhead.acquire();
    time::advance(30 * MS).await;
    assert_eq!(bulkhead.load().queue_wait, 30 * MS);
    drop(permits);
    assert_eq!(bulkhead.load().queue_wait, Duration::ZERO);
}
