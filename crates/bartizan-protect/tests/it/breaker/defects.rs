//! Defects that breakers are known for, as tests that this one does not have them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bartizan_protect::Timer;
use bartizan_protect::breaker::{BreakerBuilder, CircuitBreakerLayer, Config, State};
use bartizan_protect::timeout::{Deadline, TimeoutLayer};
use http::{Request, Response};
use http_body_util::Empty;
use hyper_util::rt::TokioTimer;
use tokio::sync::oneshot;
use tokio::time;
use tower::timeout::Timeout;
use tower::{Layer, Service, ServiceExt};

use super::upstream::{
    Plan, SECOND, Upstream, assert_rejected, call, calls, in_a_row, layer, ripe, snapshot, spawn,
    state,
};

/// tower-resilience: counters that only ever grow, so that the circuit opened after as many failures
/// as there had been successes.
#[tokio::test(start_paused = true)]
async fn ten_thousand_successes_do_not_outvote_the_failures_that_follow() {
    let window = Config::builder().with_count_window(100);
    let layer = layer(window.with_failure_rate(0.5, 100));
    calls(&layer, 10_000, 200).await;
    calls(&layer, 49, 500).await;
    assert_eq!(state(&layer), State::Closed);
    calls(&layer, 1, 500).await;
    assert_eq!(state(&layer), State::Open);
}

/// tower-resilience: a call of before the circuit opened was taken for the probe. (Polly #217,
/// gobreaker #122)
#[tokio::test(start_paused = true)]
async fn a_call_from_before_does_not_close_the_circuit_in_a_probes_place() {
    let layer = layer(in_a_row(1).with_probes(1));
    let (answer, told) = oneshot::channel();
    let slow = spawn(&layer, Plan::When(told)).await;
    calls(&layer, 1, 500).await;
    time::advance(SECOND).await;
    let (fail_probe, probe_told) = oneshot::channel();
    let probe = spawn(&layer, Plan::When(probe_told)).await;
    assert_eq!(state(&layer), State::HalfOpen);

    answer.send(200).unwrap();
    slow.await.unwrap().unwrap();
    assert_eq!(state(&layer), State::HalfOpen);
    assert_eq!(snapshot(&layer).stale, 1);
    assert_rejected(call(&layer, Plan::Status(200)).await);

    fail_probe.send(500).unwrap();
    probe.await.unwrap().unwrap();
    assert_eq!(state(&layer), State::Open);
}

/// The other way round: nor does its failure open it again.
#[tokio::test(start_paused = true)]
async fn a_call_from_before_does_not_fail_in_a_probes_place() {
    let layer = layer(in_a_row(1).with_probes(1));
    let (answer, told) = oneshot::channel();
    let slow = spawn(&layer, Plan::When(told)).await;
    calls(&layer, 1, 500).await;
    time::advance(SECOND).await;
    let (pass_probe, probe_told) = oneshot::channel();
    let probe = spawn(&layer, Plan::When(probe_told)).await;
    answer.send(500).unwrap();
    slow.await.unwrap().unwrap();
    assert_eq!(state(&layer), State::HalfOpen);
    pass_probe.send(200).unwrap();
    probe.await.unwrap().unwrap();
    assert_eq!(state(&layer), State::Closed);
}

/// tower-resilience: a timeout outside the breaker drops the calls, and nothing was counted.
#[tokio::test(start_paused = true)]
async fn calls_that_a_timeout_outside_cuts_off_open_the_circuit() {
    let layer = layer(Config::builder().with_slow_threshold(SECOND));
    let mut tasks = Vec::new();
    for _ in 0..200 {
        let service = Timeout::new(layer.layer(Upstream), 2 * SECOND);
        tasks.push(tokio::spawn(service.oneshot(Request::new(Plan::Hang))));
    }
    for task in tasks {
        let error = task.await.unwrap().unwrap_err();
        assert!(error.is::<tower::timeout::error::Elapsed>());
    }
    assert_eq!(state(&layer), State::Open);
    assert_eq!(snapshot(&layer).stale, 190);
}

/// cerberus #738: callers that had lost interest opened the breaker of a healthy database.
#[tokio::test(start_paused = true)]
async fn impatient_clients_do_not_open_the_circuit() {
    let layer = layer(in_a_row(1).with_slow_threshold(SECOND));
    for _ in 0..200 {
        let hangs = spawn(&layer, Plan::Hang).await;
        time::advance(SECOND / 2).await;
        hangs.abort();
        assert!(hangs.await.unwrap_err().is_cancelled());
    }
    let snapshot = snapshot(&layer);
    assert_eq!((snapshot.state, snapshot.calls), (State::Closed, 0));
}

/// tower-resilience: a call that panicked was no call.
#[tokio::test(start_paused = true)]
async fn calls_that_panic_open_the_circuit() {
    let layer = layer(in_a_row(100));
    for _ in 0..100 {
        assert_eq!(state(&layer), State::Closed);
        let panics = spawn(&layer, Plan::Panic).await;
        assert!(panics.await.unwrap_err().is_panic());
    }
    assert_eq!(state(&layer), State::Open);
}

/// tower-resilience, resilience4j #2028: a probe that hung kept the circuit half-open for ever.
#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_does_not_hang_the_circuit() {
    let layer = ripe(in_a_row(1).with_probes(1).with_probe_lease(10 * SECOND)).await;
    let hung = spawn(&layer, Plan::Hang).await;
    time::advance(10 * SECOND).await;
    // Its lease is over: it has failed, and the circuit is open as long as ever.
    assert_rejected(call(&layer, Plan::Status(200)).await);
    assert_eq!(state(&layer), State::Open);
    time::advance(SECOND).await;
    call(&layer, Plan::Status(200)).await.unwrap();
    assert_eq!(state(&layer), State::Closed);
    assert!(!hung.is_finished());
}

/// tower-resilience: the cost of a call grew with the number of calls in the time window. Ours has a
/// ring of buckets, which cannot grow, and moves on by at most its length
/// (`window::time::tests`); what is left to depend on the calls is how often one looks at the clock.
#[tokio::test(start_paused = true)]
async fn a_call_reads_the_clock_twice_however_many_there_were() {
    let clock = CountingTimer::default();
    let window = Config::builder()
        .with_time_window(60 * SECOND)
        .with_slow_rate(0.9, 10);
    let breaker = BreakerBuilder::new("upstream", window.build().unwrap())
        .with_timer(Timer::new(clock.clone()))
        .build();
    let layer = CircuitBreakerLayer::of(breaker);
    for _ in 0..20_000 {
        let before = clock.reads();
        call(&layer, Plan::Status(200)).await.unwrap();
        assert_eq!(clock.reads() - before, 2);
    }
    assert_eq!(snapshot(&layer).calls, 20_000);
}

/// recloser, failsafe, resilience4j #1432: everybody who came at half-open was a probe.
#[tokio::test(start_paused = true)]
async fn no_more_calls_are_probes_than_there_may_be() {
    let layer = ripe(in_a_row(1).with_probes(3)).await;
    let mut tasks = Vec::new();
    for _ in 0..500 {
        let layer = layer.clone();
        tasks.push(tokio::spawn(async move {
            call(&layer, Plan::Late(SECOND, 200)).await
        }));
    }
    let mut passed = 0;
    for task in tasks {
        passed += usize::from(task.await.unwrap().is_ok());
    }
    assert_eq!(passed, 3);
    assert_eq!(snapshot(&layer).rejected, 497);
    assert_eq!(state(&layer), State::Closed);
}

/// tower's `ConcurrencyLimit`: a clone that was readied and left alone kept the others waiting.
#[tokio::test(start_paused = true)]
async fn a_clone_that_is_ready_and_idle_takes_no_probe_away() {
    let layer = ripe(in_a_row(1).with_probes(1)).await;
    let mut idle = layer.layer(Upstream);
    let idle = ServiceExt::<Request<Plan>>::ready(&mut idle).await.unwrap();
    assert_eq!(
        (snapshot(&layer).state, snapshot(&layer).probes),
        (State::Open, 0)
    );
    call(&layer, Plan::Status(200)).await.unwrap();
    assert_eq!(state(&layer), State::Closed);
    idle.call(Request::new(Plan::Status(200))).await.unwrap();
}

/// linkerd, resilience4j #389 and #1935: a probe that was cancelled before its response kept its
/// permit.
#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_gives_its_slot_back() {
    let layer = ripe(in_a_row(1).with_probes(1)).await;
    for _ in 0..10 {
        let probe = spawn(&layer, Plan::Hang).await;
        assert_eq!(snapshot(&layer).probes, 1);
        assert_rejected(call(&layer, Plan::Status(200)).await);
        probe.abort();
        assert!(probe.await.unwrap_err().is_cancelled());
        assert_eq!(snapshot(&layer).probes, 0);
    }
    call(&layer, Plan::Status(200)).await.unwrap();
    assert_eq!(state(&layer), State::Closed);
}

/// Polly #1979: a probe that was cancelled closed the circuit.
#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_does_not_close_the_circuit() {
    let layer = ripe(in_a_row(1).with_probes(1)).await;
    let probe = spawn(&layer, Plan::Hang).await;
    probe.abort();
    assert!(probe.await.unwrap_err().is_cancelled());
    assert_eq!(state(&layer), State::HalfOpen);
    // Nor does one that has waited long enough to say something; it has failed.
    let probe = spawn(&layer, Plan::Hang).await;
    time::advance(SECOND).await;
    probe.abort();
    assert!(probe.await.unwrap_err().is_cancelled());
    assert_eq!(state(&layer), State::Open);
}

/// resilience4j #544: an error that was to be ignored kept the probe's permit.
#[tokio::test(start_paused = true)]
async fn an_ignored_outcome_gives_the_probes_slot_back() {
    let layer = ripe(in_a_row(1).with_probes(1)).await;
    for _ in 0..10 {
        let refused = call(&layer, Plan::Rejection).await.unwrap();
        assert_eq!(refused.status(), 503);
        assert_eq!(
            (state(&layer), snapshot(&layer).probes),
            (State::HalfOpen, 0)
        );
    }
    call(&layer, Plan::Status(200)).await.unwrap();
    assert_eq!(state(&layer), State::Closed);
}

/// Envoy #25487: what a limiter on our side had refused was counted as the host's failure.
#[tokio::test(start_paused = true)]
async fn what_our_own_layers_refuse_is_no_failure_of_the_service() {
    let (outer, open) = (layer(in_a_row(1)), layer(in_a_row(1)));
    calls(&open, 1, 500).await;
    for _ in 0..100 {
        let refused = call(&open, Plan::Status(200)).await.unwrap_err();
        let error = call(&outer, Plan::Refused(refused)).await.unwrap_err();
        assert!(error.is_rejection());
        call(&outer, Plan::Rejection).await.unwrap();
    }
    let snapshot = snapshot(&outer);
    assert_eq!((snapshot.state, snapshot.calls), (State::Closed, 0));
}

/// Two breakers, one in the other: the outer one knows the inner one's rejection for what it is.
#[tokio::test(start_paused = true)]
async fn a_breaker_within_a_breaker_is_not_counted_as_a_failure() {
    let (outer, inner) = (layer(in_a_row(2)), layer(in_a_row(1)));
    let mut service = outer.layer(inner.layer(Upstream));
    let mut call = async |plan| {
        service
            .ready()
            .await
            .unwrap()
            .call(Request::new(plan))
            .await
    };
    call(Plan::Fail).await.unwrap_err();
    for _ in 0..10 {
        let error = call(Plan::Status(200)).await.unwrap_err();
        assert!(error.is_rejection());
    }
    assert_eq!(state(&inner), State::Open);
    assert_eq!((state(&outer), snapshot(&outer).calls), (State::Closed, 1));
}

/// A timer that counts who looks at it.
#[derive(Debug, Clone, Default)]
struct CountingTimer(Arc<AtomicUsize>);

// === impl CountingTimer ===

impl CountingTimer {
    fn reads(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl hyper::rt::Timer for CountingTimer {
    fn sleep(&self, duration: std::time::Duration) -> std::pin::Pin<Box<dyn hyper::rt::Sleep>> {
        TokioTimer::new().sleep(duration)
    }

    fn sleep_until(&self, deadline: Instant) -> std::pin::Pin<Box<dyn hyper::rt::Sleep>> {
        TokioTimer::new().sleep_until(deadline)
    }

    fn now(&self) -> Instant {
        self.0.fetch_add(1, Ordering::Relaxed);
        TokioTimer::new().now()
    }
}

/// A caller's deadline may be too short for anybody, and would open the circuit for everybody.
#[tokio::test(start_paused = true)]
async fn callers_without_patience_do_not_open_the_circuit() {
    let breaker = layer(in_a_row(3));
    let timeout = TimeoutLayer::new(SECOND * 30).unwrap();
    let hangs = tower::service_fn(async |_: Request<()>| {
        std::future::pending::<Result<Response<Empty<&[u8]>>, std::io::Error>>().await
    });
    let service = breaker.layer(timeout.layer(hangs));
    for _ in 0..20 {
        let mut request = Request::new(());
        let soon = Timer::default().now() + SECOND / 20;
        request.extensions_mut().insert(Deadline(soon));
        service.clone().oneshot(request).await.unwrap_err();
    }
    assert_eq!(snapshot(&breaker).calls, 0);
    for _ in 0..3 {
        service.clone().oneshot(Request::new(())).await.unwrap_err();
    }
    assert_eq!(state(&breaker), State::Open);
}
