//! The end, asked for from everywhere, over each transport, with the collector in each state.

mod callers;

use std::time::Instant;

pub(super) use self::callers::in_panic_hook;
use self::callers::{CALLERS, Caller};
use super::collector::Received;
use super::*;
use crate::Clock;

/// What is recorded before the collector changes, when a case says that its connections are used.
const BEFORE: Load = Load { spans: 2, logs: 1 };

/// What is there at the end: more than one batch of each.
const AT_THE_END: Load = Load {
    spans: 1_300,
    logs: 700,
};

/// The metrics have the same instrument each time, which makes one collection.
const COLLECTION: u64 = 1;

#[derive(Debug, Clone, Copy)]
struct Load {
    spans: usize,
    logs: usize,
}

/// The collector, when the end comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Far {
    Healthy,
    /// It went away and has come back, and no connection of before is left.
    Restarted,
    /// Nobody listens.
    Dead,
    /// It takes connections and requests, and says nothing.
    BlackHole,
}

/// One cell of the matrix.
#[derive(Debug, Clone, Copy)]
struct Case {
    caller: Caller,
    protocol: OtlpProtocol,
    far: Far,
    /// Whether the connections have been used and are idle, or there are none yet.
    idle: bool,
}

/// Telemetry with its load, at the moment before its end.
struct Life {
    telemetry: Telemetry,
    far: Standing,
    deadline: Duration,
    before: Instant,
}

/// Who is there, if anybody is, and what came to those before.
enum Standing {
    Collector(Collector, Received),
    Nobody {
        _port: Box<dyn Send>,
        before: Received,
    },
}

/// What a life has come to.
struct Outcome {
    report: Report,
    took: Duration,
    received: Received,
}

#[test]
fn the_end_is_prompt_and_told_to_the_last_item_from_anywhere() {
    // The callers that wait for a black hole do so at the same time.
    std::thread::scope(|scope| {
        for caller in CALLERS {
            scope.spawn(move || cases_of(caller).for_each(check));
        }
    });
}

fn cases_of(caller: Caller) -> impl Iterator<Item = Case> {
    let fars = [Far::Healthy, Far::Restarted, Far::Dead, Far::BlackHole];
    let cells = fars.into_iter().flat_map(|far| {
        let states = [(far, false), (far, true)];
        states
            .into_iter()
            .filter(|state| *state != (Far::Restarted, false))
    });
    cells.flat_map(move |(far, idle)| {
        BOTH.map(|protocol| Case {
            caller,
            protocol,
            far,
            idle,
        })
    })
}

fn check(case: Case) {
    let Outcome {
        report,
        took,
        received,
    } = case.caller.run(case);
    let what = format!("{case:?} after {took:?}: {report}");
    let (spans, logs, metrics) = (report.spans, report.logs, report.metrics.collections);
    let before = case.before();
    let load = AT_THE_END;
    let signals = [
        (spans, before.spans as u64, load.spans as u64),
        (logs, before.logs as u64, load.logs as u64),
        (metrics, u64::from(case.idle) * COLLECTION, COLLECTION),
    ];
    for (signal, before, load) in signals {
        assert_settled(&signal);
        case.far.check(&signal, before, load, &what);
    }
    for (signal, distinct) in [
        (spans, received.span_ids().len()),
        (logs, received.log_texts().len()),
    ] {
        let at_most = signal.exported + signal.unconfirmed;
        let distinct = distinct as u64;
        assert!((signal.exported..=at_most).contains(&distinct), "{what}");
    }
    match case.far {
        Far::BlackHole => assert!(took >= SHORT, "{what}"),
        _ => assert!(took < PLENTY / 2, "{what}"),
    }
}

// === impl Far ===

impl Far {
    /// Of `load`, which came after the `before` that was delivered.
    fn check(self, signal: &SignalReport, before: u64, load: u64, what: &str) {
        let all = before + load;
        let exported = match self {
            Self::Healthy | Self::Restarted => all,
            Self::Dead | Self::BlackHole => before,
        };
        assert_eq!(signal.exported, exported, "{what}");
        if self == Self::BlackHole {
            // The last collection of metrics is made if there is time.
            let at_least = if load == COLLECTION { before } else { all };
            assert!((at_least..=all).contains(&signal.ended), "{what}");
            let unanswered = signal.unconfirmed + signal.dropped.deadline;
            assert_eq!(unanswered, signal.ended - before, "{what}");
            return;
        }
        assert_eq!(signal.ended, all, "{what}");
        // A connection that is being closed may still take one request.
        let mut gone = signal.dropped.unreachable;
        if before > 0 && signal.unconfirmed <= DEFAULT_MAX_BATCH as u64 {
            gone += signal.unconfirmed;
        }
        assert_eq!(gone, all - exported, "{what}");
    }
}

// === impl Case ===

impl Case {
    const fn before(&self) -> Load {
        if self.idle {
            BEFORE
        } else {
            Load { spans: 0, logs: 0 }
        }
    }

    /// Lives up to the end, on the calling thread.
    fn begin(self) -> Life {
        let first = if self.idle { Far::Healthy } else { self.far };
        let (addr, first) = Standing::new(first, self.far);
        let telemetry = exporting(config(addr, self.protocol)).build().unwrap();
        let far = if self.idle {
            record(&telemetry, BEFORE);
            assert!(telemetry.force_flush(PLENTY), "{self:?}");
            first.turn(self.far)
        } else {
            first
        };
        record(&telemetry, AT_THE_END);
        let deadline = match self.far {
            Far::BlackHole => SHORT,
            _ => PLENTY,
        };
        Life {
            telemetry,
            far,
            deadline,
            before: Clock::default().now(),
        }
    }
}

fn record(telemetry: &Telemetry, load: Load) {
    let requests = telemetry.meter().u64_counter("requests").build();
    requests.add(1, &[]);
    end_spans(telemetry, load.spans);
    emit_logs(telemetry, load.logs);
}

// === impl Life ===

impl Life {
    fn shutdown(self) -> Outcome {
        let report = self.telemetry.shutdown(self.deadline);
        self.over(report)
    }

    async fn shutdown_async(self) -> Outcome {
        let report = self.telemetry.shutdown_async(self.deadline).await;
        self.over(report)
    }

    fn over(self, report: Report) -> Outcome {
        Outcome {
            report,
            took: Clock::default().now() - self.before,
            received: self.far.received(),
        }
    }
}

// === impl Standing ===

impl Standing {
    /// Starts as `first`, in a way that lets it become `then`.
    fn new(first: Far, then: Far) -> (SocketAddr, Self) {
        let behaviour = match (first, then) {
            (Far::Dead, _) => {
                let nobody = Nobody::new();
                let addr = nobody.addr();
                let nobody = Self::Nobody {
                    _port: Box::new(nobody),
                    before: Received::default(),
                };
                return (addr, nobody);
            }
            (Far::BlackHole, _) => Behaviour::Mute,
            // One request of each signal comes before.
            (_, Far::BlackHole) => Behaviour::first(3, &Behaviour::Accept, Behaviour::Hang),
            _ => Behaviour::Accept,
        };
        let collector = Collector::start(behaviour);
        (
            collector.addr(),
            Self::Collector(collector, Received::default()),
        )
    }

    fn turn(self, far: Far) -> Self {
        match (self, far) {
            (Self::Collector(collector, _), Far::Dead) => {
                let (before, port) = collector.leave();
                Self::Nobody {
                    _port: Box::new(port),
                    before,
                }
            }
            (Self::Collector(collector, _), Far::Restarted) => {
                let addr = collector.addr();
                let (received, _port) = collector.leave();
                Self::Collector(Collector::start_at(addr, Behaviour::Accept), received)
            }
            (same, _) => same,
        }
    }

    fn received(self) -> Received {
        match self {
            Self::Nobody { before, .. } => before,
            Self::Collector(collector, mut all) => {
                all.add(collector.stop());
                all
            }
        }
    }
}
