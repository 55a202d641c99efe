//! Calls through the layer.

use bartizan_protect::Error;
use bartizan_protect::shed::Priorities;
use tokio::time;
use tower::{Layer, ServiceExt, service_fn};

use super::*;
use crate::coop::{Polite, in_a_used_up_task};

#[tokio::test(start_paused = true)]
async fn health_probes_and_what_is_critical_get_through_and_others_do_not() {
    let told = Told::default();
    let layer = LoadShedLayer::new("shop", Config::default(), told.source());
    let service = layer.layer(service_fn(answer));
    overload(layer.handle(), &told, 10).await;
    assert_eq!(layer.handle().snapshot().pressure, 2.0);
    for path in ["/livez", "/readyz", "/healthz"] {
        let answer = service.clone().oneshot(request(path)).await;
        assert!(answer.is_ok(), "{path}");
    }
    let mut important = request("/orders");
    important.extensions_mut().insert(Priority::Critical);
    assert!(service.clone().oneshot(important).await.is_ok());

    let error = service.oneshot(request("/orders")).await.unwrap_err();
    assert!(error.is_rejection());
    // Twenty calm intervals, until nothing of it is shed any more.
    assert_eq!(error.retry_after(), Some(2_000 * MS));
    let Error::Shed(rejected) = &error else {
        panic!("{error}");
    };
    assert_eq!(rejected.priority(), Priority::Default);
    assert_eq!(rejected.pressure(), 2.0);
    assert_eq!(
        error.to_string(),
        "shop is overloaded: a call of default priority was shed"
    );
    let shed = layer.handle().snapshot().shed.map(|(_, count)| count);
    assert_eq!(shed, [0, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn priorities_are_found_as_one_wants() {
    let told = Told::default();
    let layer = LoadShedLayer::new("shop", Config::default(), told.source()).with_priorities(
        Priorities::by(|parts| match parts.uri.path() {
            "/export" => Priority::Sheddable,
            _ => Priority::Default,
        }),
    );
    let service = layer.layer(service_fn(answer));
    overload(layer.handle(), &told, 4).await;
    assert_eq!(layer.handle().snapshot().pressure, 1.0);
    for (path, served) in [("/export", false), ("/orders", true)] {
        let answer = service.clone().oneshot(request(path)).await;
        assert_eq!(answer.is_ok(), served, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_wants_to_know_is_told() {
    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<Vec<String>>>);
    impl Observer for Notes {
        fn rejected(&self, rejected: &Rejected) {
            self.0.lock().unwrap().push(rejected.to_string());
        }
        fn changed(&self, change: &PressureChange<'_>) {
            let PressureChange {
                shedder, from, to, ..
            } = change;
            self.0
                .lock()
                .unwrap()
                .push(format!("{shedder}: {from} to {to}"));
        }
    }
    let notes = Notes::default();
    let told = Told::default();
    let shedder = ShedderBuilder::new("shop", Config::default(), told.source())
        .with_observer(notes.clone())
        .build();
    overload(&shedder, &told, 4).await;
    assert!(shedder.admit(Priority::Sheddable).is_err());
    told.tell(0.0, Duration::ZERO);
    time::advance(100 * MS).await;
    shedder.admit(Priority::Critical).unwrap();
    time::advance(100 * MS).await;
    shedder.admit(Priority::Critical).unwrap();
    assert_eq!(
        *notes.0.lock().unwrap(),
        [
            "shop: 0 to 0.25",
            "shop: 0.25 to 0.5",
            "shop: 0.5 to 0.75",
            "shop: 0.75 to 1",
            "shop is overloaded: a call of sheddable priority was shed",
            "shop: 1 to 1.25",
            "shop: 1.25 to 1.2",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_that_lets_others_run_first_is_not_overloaded() {
    // apollo router #9034: tower's `LoadShed` takes any service that is not ready for one that is
    // overloaded, and tokio has a task that has run for long enough find nothing ready.
    let layer = LoadShedLayer::new("shop", Config::default(), Told::default().source());
    let polite = Polite::default();
    let service = layer.layer(polite.clone());
    let answer = in_a_used_up_task(service.oneshot(request("/orders"))).await;
    assert!(answer.is_ok());
    assert_eq!(polite.yielded(), 1);
}
