use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::ConnectInfo;
use http::Request;

use crate::breakers::upstream::{Ask, Body};

/// Whom requests come from, one after the other and then from the first again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addresses {
    count: u32,
    whose: Whose,
}

#[derive(Debug, Clone, Copy)]
enum Whose {
    /// All threads have the same.
    Shared,
    /// Two threads that start one after the other have none in common.
    Own,
}

static THREADS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    // Per thread, so that threads have only what they measure in common.
    static NEXT: Cell<u32> = const { Cell::new(0) };
    static THREAD: u32 = THREADS.fetch_add(1, Ordering::Relaxed) % 2;
}

// === impl Addresses ===

impl Addresses {
    /// So many, for all threads; the private network that they are of has 2^24.
    pub(super) const fn shared(count: u32) -> Self {
        let whose = Whose::Shared;
        Self { count, whose }
    }

    /// So many for each of two threads.
    pub(super) const fn own(count: u32) -> Self {
        let whose = Whose::Own;
        Self { count, whose }
    }

    pub(super) fn next(self) -> IpAddr {
        let next = NEXT.get();
        let at = if next < self.count { next } else { 0 };
        NEXT.set(at + 1);
        let first = match self.whose {
            Whose::Shared => 0,
            Whose::Own => THREAD.with(|thread| thread * self.count),
        };
        Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 0).to_bits() + first + at).into()
    }

    /// The request, as axum hands it on from the next of them.
    pub(super) fn request(self, ask: &Ask) -> Request<Body> {
        let mut request = ask.request();
        let peer = SocketAddr::new(self.next(), 50_000);
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use super::*;

    #[test]
    fn there_are_as_many_addresses_as_it_says() {
        for count in [1, 7] {
            let addresses = Addresses::shared(count);
            let seen: BTreeSet<_> = (0..3 * count).map(|_| addresses.next()).collect();
            assert_eq!(seen.len(), count as usize);
        }
    }

    #[test]
    fn a_request_says_whom_it_comes_from() {
        let request = Addresses::shared(1).request(&Ask::good());
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        assert_eq!(peer.map(|it| it.ip()), Some([10, 0, 0, 0].into()));
    }

    #[test]
    fn threads_share_addresses_or_have_their_own() {
        let start = |addresses: Addresses| thread::spawn(move || addresses.next());
        let differ = |addresses| {
            let [one, other] = [start(addresses), start(addresses)];
            one.join().unwrap() != other.join().unwrap()
        };
        // Threads of other tests may come between two of ours, and not always.
        assert!((0..100).any(|_| differ(Addresses::own(1))));
        assert!((0..100).all(|_| !differ(Addresses::shared(1))));
    }
}
