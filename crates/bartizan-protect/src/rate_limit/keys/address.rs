//! Addresses as proxies write them. `None` is for whatever is none, obfuscated ones (`_hidden`,
//! `unknown`) included.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The address of an entry of `X-Forwarded-For`: with or without a port, IPv6 with or without
/// brackets.
pub(super) fn parse(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let ip = entry
        .parse::<IpAddr>()
        .or_else(|_| entry.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .or_else(|| bracketed(entry))?;
    Some(ip.to_canonical())
}

/// The address in the one `for` pair of an element of `Forwarded`.
pub(super) fn of_element(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in element.split(';') {
        let (name, value) = pair.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("for") {
            continue;
        }
        // Two of them are against the RFC, and who is to say which one a proxy has written?
        if found.is_some() {
            return None;
        }
        found = Some(value.trim());
    }
    parse(unquoted(found?)?)
}

fn bracketed(entry: &str) -> Option<IpAddr> {
    let inside = entry.strip_prefix('[')?.strip_suffix(']')?;
    Some(inside.parse::<Ipv6Addr>().ok()?.into())
}

/// What is in the quotes, if there are any. No address needs an escape.
fn unquoted(value: &str) -> Option<&str> {
    match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"'),
        None => Some(value),
    }
}
