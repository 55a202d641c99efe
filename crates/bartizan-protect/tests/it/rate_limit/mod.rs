mod defects;
mod fields;
mod fuzz;
mod keys;
mod layer;
mod limiter;
mod operate;
mod oracle;
mod settle;
mod sf;
mod threads;

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bartizan_protect::rate_limit::{Policy, Quota, RateLimiter, RateLimiterBuilder};
use bartizan_protect::{Error, Timer};
use http::request::Parts;
use http::{Request, Response};
use hyper::rt::Sleep;
use tower::{Service, ServiceExt};

const SECOND: Duration = Duration::from_secs(1);

/// Who is at the other end, as a server puts it into the extensions.
#[derive(Debug, Clone, Copy)]
struct Peer(IpAddr);

/// A clock that is told the time.
#[derive(Debug, Clone)]
struct Clock {
    start: Instant,
    nanos: Arc<AtomicU64>,
}

/// Calls a service once it is ready.
async fn send<S>(service: &mut S, request: Request<()>) -> Result<S::Response, S::Error>
where
    S: Service<Request<()>, Error: std::fmt::Debug>,
{
    service.ready().await.unwrap().call(request).await
}

// === impl Clock ===

impl Clock {
    fn new() -> Self {
        Self {
            start: tokio::time::Instant::now().into_std(),
            nanos: Arc::default(),
        }
    }

    fn advance(&self, by: Duration) -> Duration {
        let by = by.as_nanos() as u64;
        Duration::from_nanos(self.nanos.fetch_add(by, Ordering::SeqCst) + by)
    }
}

impl hyper::rt::Timer for Clock {
    fn sleep(&self, _: Duration) -> Pin<Box<dyn Sleep>> {
        panic!("a limiter waits for nothing");
    }

    fn sleep_until(&self, _: Instant) -> Pin<Box<dyn Sleep>> {
        panic!("a limiter waits for nothing");
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_nanos(self.nanos.load(Ordering::SeqCst))
    }
}

fn quota(rate: u32, burst: u32) -> Quota {
    Quota::new(rate, SECOND, burst).unwrap()
}

/// A limiter whose peers are [`Peer`]s.
fn builder() -> RateLimiterBuilder {
    RateLimiter::builder().with_peer(|parts| Some(parts.extensions.get::<Peer>()?.0))
}

fn limiter(policy: Policy) -> (RateLimiter, Clock) {
    let clock = Clock::new();
    let builder = builder().with_timer(Timer::new(clock.clone()));
    (builder.with_policy(policy).build().unwrap(), clock)
}

/// A request of somebody with these headers.
fn request(peer: Option<&str>, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::builder();
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(()).unwrap();
    if let Some(peer) = peer {
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
    }
    request
}

fn parts(peer: Option<&str>, headers: &[(&str, &str)]) -> Parts {
    request(peer, headers).into_parts().0
}

/// A service that answers everything.
async fn answer<B>(_: Request<B>) -> Result<Response<()>, std::io::Error> {
    Ok(Response::new(()))
}

#[test]
fn what_it_is_made_of_goes_anywhere() {
    use bartizan_protect::rate_limit::*;
    fn anywhere<T: Send + Sync + std::fmt::Debug>() {}
    anywhere::<RateLimitLayer>();
    anywhere::<RateLimit<()>>();
    anywhere::<RateLimiterBuilder>();
    anywhere::<ResponseFuture<std::future::Ready<()>>>();
    anywhere::<Decisions>();
    anywhere::<Reservation>();
    anywhere::<Usage>();
    anywhere::<Error>();
}
