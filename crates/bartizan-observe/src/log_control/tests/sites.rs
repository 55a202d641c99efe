//! Many call sites and threads.

use tracing::Metadata;
use tracing::callsite::{Callsite, Identifier};
use tracing::subscriber::Interest;

use super::*;

struct Here(&'static Metadata<'static>);

impl Callsite for Here {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.0
    }
}

macro_rules! site {
    ($level:ident) => {{
        static META: Metadata<'static> = tracing::metadata! {
            name: "event",
            target: "shop",
            level: tracing::Level::$level,
            fields: tracing::fieldset!("message"),
            callsite: &HERE,
            kind: tracing::metadata::Kind::EVENT,
        };
        static HERE: Here = Here(&META);
        &META
    }};
}

fn limits(rate: u32, burst: u32, time: &Time) -> LogLimits {
    LogControl::by_hand(limit(rate, burst), &time.clock()).limits
}

#[test]
fn each_call_site_has_a_limit_of_its_own() {
    let limits = limits(1, 2, &Time::new());
    let sites = [site!(INFO), site!(DEBUG), site!(WARN)];
    let ids: Vec<Identifier> = sites.iter().map(|site| site.callsite()).collect();
    assert!(ids[0] != ids[1]);
    let passed = sites.map(|site| (0..20).filter(|_| limits.decide(site).is_some()).count());
    assert_eq!(passed, [2, 2, 8]);
    let stats = limits.stats();
    assert_eq!(
        (stats.suppressed, stats.untold, stats.call_sites),
        (48, 48, 3)
    );
}

#[test]
fn without_a_limit_nothing_is_left_out_and_nothing_is_kept() {
    let limits = LogControl::new(LogLimit::off()).limits;
    let site = site!(TRACE);
    assert!((0..10_000).all(|_| limits.decide(site) == Some(0)));
    assert_eq!(limits.stats(), LogLimitStats::default());
}

#[test]
fn the_sums_add_up_whatever_threads_do() {
    const EACH: u64 = 2000;
    let time = Time::new();
    let limits = limits(1000, 5, &time);
    let site = site!(INFO);
    let work = || {
        let (mut passed, mut told) = (0, 0);
        for _ in 0..EACH {
            time.pass(Duration::from_micros(50));
            if let Some(suppressed) = limits.decide(site) {
                passed += 1;
                told += suppressed;
            }
        }
        (passed, told)
    };
    let (passed, told) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        let sums = threads.into_iter().map(|thread| thread.join().unwrap());
        sums.fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
    });
    let stats = limits.stats();
    assert!(stats.suppressed > 0 && told > 0, "{stats:?}");
    assert_eq!(passed + stats.suppressed, 8 * EACH);
    assert_eq!(told + stats.untold, stats.suppressed);
}
