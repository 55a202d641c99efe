//! Address blocks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A block of IPv4 or IPv6 addresses, written as `10.0.0.0/8`, `fd00::/8`, or as one address.
///
/// IPv4 addresses mapped into IPv6 are IPv4 addresses here, in blocks as in peers. So `::/0`
/// holds no IPv4 peer: name `0.0.0.0/0` for these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

/// The text is not a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidNetwork {
    /// What is before the slash is no address.
    #[error("the network {0:?} must be an IPv4 or IPv6 address, with or without a prefix length")]
    Address(String),
    /// What is behind the slash is no length for that kind of address.
    #[error("the prefix length of the network {network:?} must be a number from 0 to {max}")]
    Prefix {
        /// The text.
        network: String,
        /// The number of bits of the address.
        max: u8,
    },
    /// The address has bits behind the prefix, so it is unclear which block is meant.
    #[error(
        "the network {network:?} has bits set beyond its prefix, write {meant} if that is meant"
    )]
    HostBits {
        /// The text.
        network: String,
        /// The block that the address is in.
        meant: Network,
    },
}

// === impl Network ===

impl Network {
    /// Whether the address is in the block.
    #[must_use]
    pub const fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                mask_v4(address, self.prefix).to_bits() == base.to_bits()
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                mask_v6(address, self.prefix).to_bits() == base.to_bits()
            }
            _ => false,
        }
    }

    const fn new(address: IpAddr, prefix: u8) -> Self {
        let base = match address {
            IpAddr::V4(address) => IpAddr::V4(mask_v4(address, prefix)),
            IpAddr::V6(address) => IpAddr::V6(mask_v6(address, prefix)),
        };
        Self { base, prefix }
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let base = address.to_canonical();
        Self {
            base,
            prefix: bits(base),
        }
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let Ok(address) = address.parse::<IpAddr>() else {
            return Err(InvalidNetwork::Address(text.to_owned()));
        };
        let Some(prefix) = prefix else {
            return Ok(address.into());
        };
        let max = bits(address);
        // `u8::from_str` would take a sign.
        let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix
            .parse()
            .ok()
            .filter(|&prefix| digits && prefix <= max);
        let prefix = prefix.ok_or_else(|| InvalidNetwork::Prefix {
            network: text.to_owned(),
            max,
        })?;

        let meant = Self::new(address, prefix);
        if meant.base != address {
            return Err(InvalidNetwork::HostBits {
                network: text.to_owned(),
                meant,
            });
        }
        // A block of mapped addresses becomes the IPv4 block that its peers will be seen in.
        match (address, address.to_canonical()) {
            (IpAddr::V6(_), base @ IpAddr::V4(_)) if prefix >= 96 => Ok(Self {
                base,
                prefix: prefix - 96,
            }),
            _ => Ok(meant),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

const fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The first `prefix` bits. A shift by all bits of the type, for a prefix of zero, has none left.
const fn mask_v4(address: Ipv4Addr, prefix: u8) -> Ipv4Addr {
    let mask = match u32::MAX.checked_shl(32_u32.saturating_sub(prefix as u32)) {
        Some(mask) => mask,
        None => 0,
    };
    Ipv4Addr::from_bits(address.to_bits() & mask)
}

const fn mask_v6(address: Ipv6Addr, prefix: u8) -> Ipv6Addr {
    let mask = match u128::MAX.checked_shl(128_u32.saturating_sub(prefix as u32)) {
        Some(mask) => mask,
        None => 0,
    };
    Ipv6Addr::from_bits(address.to_bits() & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_block_holds_its_addresses_and_no_others() {
        for (block, address, inside) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("192.168.1.4/30", "192.168.1.7", true),
            ("192.168.1.4/30", "192.168.1.8", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "::ffff:10.0.0.1", false),
            ("fd00::/8", "fdff::1", true),
            ("fd00::/8", "fe00::1", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("::1", "::1", true),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "11.1.2.3", false),
            ("::ffff:10.0.0.1", "10.0.0.1", true),
        ] {
            let contains = network(block).contains(address.parse().unwrap());
            assert_eq!(contains, inside, "{address} in {block}");
        }
    }

    #[test]
    fn what_is_no_network_is_named() {
        for (text, message) in [
            ("", "the network \"\" must be an IPv4 or IPv6 address"),
            ("localhost", "the network \"localhost\" must be"),
            ("10.0.0/8", "the network \"10.0.0/8\" must be"),
            ("fe80::1%eth0", "the network \"fe80::1%eth0\" must be"),
            ("10.0.0.0/33", "must be a number from 0 to 32"),
            ("10.0.0.0/", "must be a number from 0 to 32"),
            ("10.0.0.0/+8", "must be a number from 0 to 32"),
            ("10.0.0.0/-1", "must be a number from 0 to 32"),
            ("fd00::/129", "must be a number from 0 to 128"),
            (
                "10.0.0.1/8",
                "\"10.0.0.1/8\" has bits set beyond its prefix, write 10.0.0.0/8",
            ),
            ("fd00::1/8", "write fd00::/8"),
        ] {
            let error = text.parse::<Network>().unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        for text in [
            "10.0.0.0/8",
            "0.0.0.0/0",
            "::/0",
            "fd00::/8",
            "::1/128",
            "127.0.0.1/32",
        ] {
            assert_eq!(network(text).to_string(), text);
        }
    }
}
