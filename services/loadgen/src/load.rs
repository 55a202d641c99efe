use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout_at};

use crate::mix::{Ask, Mix, Verdict};
use crate::options::Options;
use crate::tally::{End, Tally};
use crate::{Answer, Client, Counts, Due, FaultPorts, Live, Plan, Summary, Target};

/// The most requests under way at once. Above it they are not sent but counted as skipped: a
/// stalled service must not make the client grow.
pub const MAX_IN_FLIGHT: usize = 1024;

/// After this, counted from when it was due, a request without an answer has failed; longer than
/// any deadline in the services.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(10);

/// How often a request is sent at most. Three in all get over a service that is replaced, and do
/// not triple the load on one that is down for long, since each waits before it comes again.
pub const MAX_ATTEMPTS: u32 = 3;

/// How long a request waits before it is sent again, twice as long the next time; longer if the
/// answer says so.
pub const RETRY_DELAY: Duration = Duration::from_millis(100);

/// How often the progress line is printed.
const PROGRESS_PERIOD: Duration = Duration::from_secs(1);

/// When it is over by itself, whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "in time and in number, there is no third"
)]
pub struct Limits {
    /// Requests that were due after this are not sent.
    pub length: Option<Duration>,
    /// No more requests than these are sent.
    pub requests: Option<u64>,
}

/// Running traffic. Dropping it sends no further requests.
#[derive(Debug)]
pub struct Load {
    /// Ends the traffic when it is dropped.
    stop: Option<oneshot::Sender<()>>,
    sending: JoinHandle<()>,
    tally: Arc<Tally>,
}

/// Sends one request after the other, whether or not those before were answered.
struct Sender<T> {
    target: T,
    plan: Plan,
    ports: FaultPorts<T>,
    limits: Limits,
    steady: Arc<Mix>,
    spike: Arc<Mix>,
    tally: Arc<Tally>,
}

/// Runs what the options ask for until it is over or `interrupted`, with a progress line each second
/// on standard error, and gives what came of it.
pub async fn run<T: Target>(
    options: &Options,
    target: T,
    ports: FaultPorts<T>,
    interrupted: impl Future<Output = ()>,
) -> Summary {
    let start = Instant::now();
    let plan = options.scenario.plan(options.rate, Some(options.length));
    let limits = Limits {
        length: Some(options.length),
        requests: options.requests,
    };
    let mut load = Load::start(target, plan, ports, limits);
    let mut ticks = interval_at(start + PROGRESS_PERIOD, PROGRESS_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            () = load.over() => break,
            () = &mut interrupted => break,
            _ = ticks.tick() => {
                // Nothing is left to try if standard error is closed.
                let _ = writeln!(io::stderr(), "{}", load.look());
            }
        }
    }
    let counts = load.finish().await;
    Summary::of(options, &counts, Instant::now().duration_since(start))
}

// === impl Load ===

impl Load {
    /// Starts to do what the plan says.
    ///
    /// # Panics
    ///
    /// When called outside of a tokio runtime.
    #[must_use = "dropping it ends the traffic"]
    pub fn start<T: Target>(target: T, plan: Plan, ports: FaultPorts<T>, limits: Limits) -> Self {
        let tally = Arc::new(Tally::default());
        let sender = Sender {
            target,
            plan,
            ports,
            limits,
            steady: Arc::new(Mix::new(Client::Steady)),
            spike: Arc::new(Mix::new(Client::Spike)),
            tally: Arc::clone(&tally),
        };
        let (stop, stopped) = oneshot::channel();
        Self {
            stop: Some(stop),
            sending: tokio::spawn(sender.run(stopped)),
            tally,
        }
    }

    /// How it goes, with the latencies since the last look.
    #[must_use]
    pub fn look(&self) -> Live {
        self.tally.look()
    }

    /// Waits until it is over by itself and every request has ended. Cancel safe.
    pub async fn over(&mut self) {
        if !self.sending.is_finished() {
            // Fails only if the task panicked, and then it is over as well.
            let _ = (&mut self.sending).await;
        }
    }

    /// Sends no more, waits for the answers under way, and gives the counts. What was made to fail
    /// works again.
    pub async fn finish(mut self) -> Counts {
        self.stop = None;
        self.over().await;
        self.tally.counts()
    }
}

// === impl Sender ===

impl<T: Target> Sender<T> {
    async fn run(self, mut stopped: oneshot::Receiver<()>) {
        let start = Instant::now();
        let mut under_way = JoinSet::new();
        tokio::select! {
            biased;
            _ = &mut stopped => {}
            () = self.send_all(start, &mut under_way) => {}
            () = self.break_things(start) => {}
        }
        self.mend_things().await;
        while under_way.join_next().await.is_some() {}
    }

    /// Until a limit is reached.
    async fn send_all(&self, start: Instant, under_way: &mut JoinSet<()>) {
        let requests = self.limits.requests.unwrap_or(u64::MAX);
        for n in 0..requests {
            let due = self.plan.schedule.due(n);
            if self.limits.length.is_some_and(|length| due.at >= length) {
                // It lasts as long as was asked for, and not until the last request.
                sleep_until(start + self.limits.length.unwrap_or_default()).await;
                return;
            }
            sleep_until(start + due.at).await;
            while under_way.try_join_next().is_some() {}
            if under_way.len() < MAX_IN_FLIGHT {
                under_way.spawn(self.send(start, due));
            } else {
                self.tally.skipped();
            }
        }
    }

    /// Never ends.
    async fn break_things(&self, start: Instant) {
        for n in 0.. {
            let Some(change) = self.plan.change(n) else {
                break;
            };
            sleep_until(start + change.at).await;
            if let Err(why) = self.ports.set(change.upstream, change.faults).await {
                self.tally.faults_not_set(why);
            }
        }
        std::future::pending().await
    }

    async fn mend_things(&self) {
        if let Some(change) = self.plan.change(0)
            && let Err(why) = self.ports.set(change.upstream, "{}").await
        {
            self.tally.faults_not_set(why);
        }
    }

    /// One request from its due time to the end of its last answer.
    fn send(&self, start: Instant, due: Due) -> impl Future<Output = ()> + Send + 'static {
        let mix = match due.client {
            Client::Steady => &self.steady,
            Client::Spike => &self.spike,
        };
        let (mix, ask, due) = (Arc::clone(mix), mix.next(), start + due.at);
        let target = self.target.clone();
        let tally = Arc::clone(&self.tally);
        async move {
            let asked = ask_for(&target, &ask, &mix, &tally);
            let end = match timeout_at(due + REQUEST_DEADLINE, asked).await {
                Ok(end) => end,
                Err(_) => End::Failed(format!("{ask}: no answer within {REQUEST_DEADLINE:?}")),
            };
            tally.ended(Instant::now().duration_since(due), end);
        }
    }
}

/// Sends a request, and again where that may help.
async fn ask_for<T: Target>(target: &T, ask: &Ask, mix: &Mix, tally: &Tally) -> End {
    let mut attempt = 1;
    loop {
        let answer = match ask.request() {
            Ok(request) => target.send(request).await,
            Err(error) => Err(error),
        };
        let verdict = match &answer {
            Ok(answer) => mix.judge(ask, answer),
            Err(_) => Verdict::Again,
        };
        match verdict {
            Verdict::Answered => return End::Answered,
            Verdict::Refused => return End::Refused,
            Verdict::Limited => return End::Limited(ask.client()),
            Verdict::Again if attempt < MAX_ATTEMPTS => {}
            Verdict::Again | Verdict::Wrong => {
                return End::Failed(match answer {
                    Ok(answer) => format!("{ask} was answered {}", answer.status),
                    Err(error) => format!("{ask}: {error}"),
                });
            }
        }
        tally.retried();
        sleep(delay(attempt, answer.as_ref().ok())).await;
        attempt += 1;
    }
}

fn delay(attempt: u32, answer: Option<&Answer>) -> Duration {
    let delay = RETRY_DELAY.saturating_mul(1 << attempt.saturating_sub(1).min(8));
    let asked_for = answer.and_then(|answer| answer.retry_after);
    delay.max(asked_for.unwrap_or_default())
}
