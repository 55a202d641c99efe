//! What holds whatever a client sends, for the fuzzer and for tests on stable Rust.

use std::net::Ipv4Addr;
use std::time::Duration;

use bartizan_protect::rate_limit::{Keys, Policy, Proxies, Quota, RateLimiter, Trusted};
use http::request::Parts;
use http::{HeaderValue, Request};

const PROXY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

/// Whoever has called our proxy.
const CLIENT: &str = "192.0.2.7";

/// How a proxy adds to a header that is there.
#[derive(Clone, Copy, PartialEq)]
enum Appends {
    Line,
    /// To the last line.
    Member,
}

/// # Panics
///
/// When it is not so.
pub(crate) fn check(data: &[u8]) {
    let forged = data.split(|byte| *byte == b'\n');
    // Whatever is no header never gets to a server.
    let forged: Vec<_> = forged
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    for (header, client) in [
        ("x-forwarded-for", CLIENT.to_owned()),
        ("forwarded", format!("for={CLIENT}")),
    ] {
        let limiter = |trusted: Trusted| {
            limiter(match header {
                "forwarded" => Proxies::forwarded(trusted),
                _ => Proxies::x_forwarded_for(trusted),
            })
        };
        for trusted in [Trusted::hops(1), Trusted::by(|ip| ip == PROXY)] {
            let limiter = limiter(trusted);
            let passes = |request| limiter.check(&request).allow();
            assert!(passes(through_proxy(header, &[], &client, Appends::Line)));
            // Its budget is used up, and nobody else's is.
            for appends in [Appends::Line, Appends::Member] {
                let request = through_proxy(header, &forged, &client, appends);
                assert!(!passes(request), "{forged:?} makes another client");
            }
        }
        // Where proxies are counted that are not there, it is somebody's.
        for hops in [0, 2, usize::MAX] {
            let limiter = limiter(Trusted::hops(hops));
            assert!(limiter.check(&request(header, &forged)).allow());
        }
    }
}

/// One request for each client.
fn limiter(proxies: Proxies) -> RateLimiter {
    let quota = Quota::new(1, Duration::from_secs(24 * 60 * 60), 1).expect("a quota");
    let keys = Keys::client(proxies);
    let policy = Policy::new("client", quota).with_keys(keys);
    RateLimiter::builder()
        .with_policy(policy.with_capacity(1))
        .with_peer(|_| Some(PROXY.into()))
        .build()
        .expect("a limiter")
}

fn through_proxy(header: &str, forged: &[HeaderValue], client: &str, appends: Appends) -> Parts {
    let mut lines = forged.to_vec();
    let line = match lines.pop_if(|_| appends == Appends::Member) {
        Some(last) => [last.as_bytes(), b", ", client.as_bytes()].concat(),
        None => client.into(),
    };
    lines.push(HeaderValue::from_bytes(&line).expect("both were headers"));
    request(header, &lines)
}

fn request(header: &str, lines: &[HeaderValue]) -> Parts {
    let mut builder = Request::builder();
    for line in lines {
        builder = builder.header(header, line);
    }
    builder.body(()).expect("a request").into_parts().0
}
