//! Steady requests to the gateway, from a client that is not traced: every trace begins in the
//! gateway.

mod mix;
mod tally;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use self::mix::{Ask, Mix};
use self::tally::Tally;
pub(crate) use self::tally::{Counts, Live};

/// The most requests under way at once. Above it they are not sent but counted as skipped: a
/// stalled service must not make the client grow.
pub const MAX_IN_FLIGHT: usize = 1024;

/// After this a request without an answer has failed; longer than any deadline in the services.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(10);

/// A timer fires up to this late by itself. A request that starts later than that after its time is
/// measured from the time it was due, so that a client that cannot keep up does not hide it.
const TIMER_SLACK: Duration = Duration::from_millis(2);

type Http = Client<HttpConnector, Full<Bytes>>;

/// Running traffic. Dropping it sends no further requests.
#[derive(Debug)]
pub(crate) struct Traffic {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    tally: Arc<Tally>,
}

/// Sends one request after the other, whether or not those before were answered.
struct Sender {
    http: Http,
    gateway: SocketAddr,
    mix: Arc<Mix>,
    tally: Arc<Tally>,
}

// === impl Traffic ===

impl Traffic {
    /// Sends `rate` requests a second to `gateway`.
    pub(crate) fn start(gateway: SocketAddr, rate: NonZeroU32) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let tally = Arc::new(Tally::default());
        let sender = Sender {
            http: Client::builder(TokioExecutor::new()).build(connector),
            gateway,
            mix: Arc::default(),
            tally: Arc::clone(&tally),
        };
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(sender.run(Duration::from_secs(1) / rate.get(), stopped));
        Self { stop, task, tally }
    }

    /// How it goes, with the latencies since the last look.
    pub(crate) fn look(&self) -> Live {
        self.tally.look()
    }

    /// Sends no more, waits for the answers under way, and gives the counts.
    pub(crate) async fn finish(self) -> Counts {
        drop(self.stop);
        // Fails only if the task panicked, and then what it counted is still what happened.
        let _ = self.task.await;
        self.tally.counts()
    }
}

// === impl Sender ===

impl Sender {
    async fn run(self, period: Duration, mut stopped: oneshot::Receiver<()>) {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut under_way = JoinSet::new();
        loop {
            let due = tokio::select! {
                biased;
                _ = &mut stopped => break,
                due = ticks.tick() => due,
            };
            while under_way.try_join_next().is_some() {}
            if under_way.len() < MAX_IN_FLIGHT {
                under_way.spawn(self.send(due));
            } else {
                self.tally.skipped();
            }
        }
        while under_way.join_next().await.is_some() {}
    }

    /// One request from its due time to the end of its answer.
    fn send(&self, due: Instant) -> impl Future<Output = ()> + Send + 'static {
        let ask = self.mix.next();
        let (http, gateway) = (self.http.clone(), self.gateway);
        let (mix, tally) = (Arc::clone(&self.mix), Arc::clone(&self.tally));
        async move {
            let now = Instant::now();
            let start = if now.duration_since(due) > TIMER_SLACK {
                due
            } else {
                now
            };
            let result = match timeout(REQUEST_DEADLINE, ask_for(&http, gateway, &ask)).await {
                Ok(result) => result,
                Err(_) => Err(format!("no answer within {REQUEST_DEADLINE:?}")),
            };
            let took = Instant::now().duration_since(start);
            match result {
                Ok((status, body)) if ask.expects(status) => {
                    mix.answered(&ask, status, &body);
                    tally.answered(took);
                }
                Ok((status, _)) => tally.failed(took, || format!("{ask} was answered {status}")),
                Err(error) => tally.failed(took, || format!("{ask}: {error}")),
            }
        }
    }
}

async fn ask_for(
    http: &Http,
    gateway: SocketAddr,
    ask: &Ask,
) -> Result<(StatusCode, Bytes), String> {
    let request = Request::builder()
        .method(ask.method())
        .uri(format!("http://{gateway}{}", ask.path()))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "bartizan-demo")
        .body(Full::from(ask.body().to_owned()))
        .map_err(|error| error.to_string())?;
    let response = http
        .request(request)
        .await
        .map_err(|error| error.to_string())?;
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .map_err(|error| error.to_string())?;
    Ok((status, body.to_bytes()))
}
