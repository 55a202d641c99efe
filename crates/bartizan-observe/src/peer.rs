use std::net::{IpAddr, SocketAddr};

/// The address of the socket at the other end of the connection, as a request extension.
///
/// Servers that know it insert it; the request layer never guesses it from headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PeerAddr(pub SocketAddr);

impl PeerAddr {
    /// The address without its port. An IPv4 address mapped into IPv6 is given as IPv4.
    #[must_use]
    pub const fn ip(self) -> IpAddr {
        self.0.ip().to_canonical()
    }

    /// The port.
    #[must_use]
    pub const fn port(self) -> u16 {
        self.0.port()
    }
}
