//! The phases of a server, one after the other.

use std::future::Future;
use std::time::Duration;

use axum::Router;
use bartizan_observe::Clock;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use super::accept::Acceptor;
use super::flush::flush;
use super::lifecycle::Lifecycle;
use super::phases::{Phase, Timeline};
use super::report::{CutOff, ServeReport};
use super::server::Limits;
use super::serving::Serving;
use super::stop::{Asked, Stop};
use crate::Telemetry;

/// The most that the flush may take after an end at once: a healthy collector needs milliseconds.
const SHORT_FLUSH: Duration = Duration::from_millis(500);

/// A server that runs.
#[derive(Debug)]
pub(super) struct Run {
    limits: Limits,
    lifecycle: Lifecycle,
    timeline: Timeline,
    clock: Clock,
    serving: Serving,
}

/// Whether there is still time to wait for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    InGoodOrder,
    AtOnce,
}

/// What was cut off at the end of the drain.
#[derive(Debug, Default)]
struct Cut {
    requests: CutOff,
    connections: u64,
}

// === impl Run ===

impl Run {
    pub(super) fn new(app: Router, lifecycle: Lifecycle, limits: Limits) -> Self {
        let clock = Clock::default();
        Self {
            limits,
            timeline: Timeline::new(clock.now()),
            serving: Serving::new(app, lifecycle.clone(), clock.clone()),
            lifecycle,
            clock,
        }
    }

    pub(super) async fn serve(
        mut self,
        listener: TcpListener,
        mut stop: Stop,
        last: impl Future<Output = ()>,
        telemetry: Telemetry,
    ) -> ServeReport {
        let mut acceptor = Acceptor::new(listener);
        self.enter(Phase::Ready);
        let asked = self.serving.accept_until(&mut acceptor, stop.asked()).await;

        let mut pace = match asked {
            Asked::End => Pace::AtOnce,
            Asked::Stop | Asked::StopByHand => Pace::InGoodOrder,
        };
        if asked == Asked::Stop && !self.limits.grace.is_zero() {
            self.enter(Phase::Grace);
            let over = unless_again(sleep(self.limits.grace), &mut stop);
            pace = self.serving.accept_until(&mut acceptor, over).await;
        }

        if pace == Pace::InGoodOrder {
            self.serving.take_waiting(&mut acceptor).await;
            drop(acceptor);
            self.enter(Phase::Draining);
            let drain = self.limits.drain;
            pace = unless_again(
                async {
                    // What is left after the deadline is seen below.
                    let _in_time = timeout(drain, self.serving.all_ended()).await;
                },
                &mut stop,
            )
            .await;
        } else {
            drop(acceptor);
        }
        let cut = self.cut_what_is_left().await;
        if pace == Pace::InGoodOrder {
            // What takes longer is dropped with the time that it had.
            let last = async { drop(timeout(self.limits.drain, last).await) };
            pace = unless_again(last, &mut stop).await;
        }

        self.enter(Phase::Flushing);
        let deadline = match pace {
            Pace::InGoodOrder => self.limits.flush,
            Pace::AtOnce => SHORT_FLUSH.min(self.limits.flush),
        };
        let telemetry = flush(telemetry, deadline).await;
        self.enter(Phase::Stopped);
        ServeReport {
            telemetry,
            phases: self.timeline.entries(|at| self.clock.wall(at)),
            requests: self.serving.requests(),
            cut_off: cut.requests,
            connections_cut: cut.connections,
            at_once: pace == Pace::AtOnce,
        }
    }

    fn enter(&mut self, phase: Phase) {
        if self.timeline.enter(phase, self.clock.now()) {
            // Before the line, which may block: readiness must not lag.
            self.lifecycle.advance(phase);
            tracing::info!(%phase, "server phase");
        }
    }

    async fn cut_what_is_left(&mut self) -> Cut {
        let Some(left) = self.serving.left() else {
            return Cut::default();
        };
        self.enter(Phase::Cancelling);
        let connections = left.connections;
        let requests = CutOff::new(left, self.clock.now());
        // Before anything is cancelled: this is the last that is heard of them should one block.
        requests.tell();
        if connections > 0 {
            tracing::info!(connections, "connections without a request cut off");
        }
        self.serving.cut_off().await;
        Cut {
            requests,
            connections,
        }
    }
}

/// Waits, unless a stop is asked for once more.
async fn unless_again(wait: impl Future<Output = ()>, stop: &mut Stop) -> Pace {
    tokio::select! {
        biased;
        () = wait => Pace::InGoodOrder,
        () = stop.again() => Pace::AtOnce,
    }
}
