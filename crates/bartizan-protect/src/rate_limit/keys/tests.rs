use std::hash::DefaultHasher;

use http::{HeaderValue, Request};
use proptest::prelude::*;

use super::*;

const X_FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED: &str = "forwarded";
const PROXY: &str = "10.0.0.1";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn parts(lines: &[(&str, &[u8])]) -> Parts {
    let mut parts = Request::new(()).into_parts().0;
    for (name, value) in lines {
        let name: HeaderName = name.parse().unwrap();
        if let Ok(value) = HeaderValue::from_bytes(value) {
            parts.headers.append(name, value);
        }
    }
    parts
}

/// Proxies are in 10.0.0.0/8.
fn is_proxy(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.octets()[0] == 10)
}

fn client(proxies: &Proxies, peer: Option<&str>, lines: &[(&str, &[u8])]) -> Option<IpAddr> {
    let parts = parts(lines);
    let peer = peer.map(ip);
    proxies.client(Head {
        parts: &parts,
        peer: peer.as_ref(),
    })
}

fn behind_networks(header: &str, value: &str) -> Option<IpAddr> {
    let proxies = proxies(header, Trusted::by(is_proxy));
    client(&proxies, Some(PROXY), &[(header, value.as_bytes())])
}

fn proxies(header: &str, trusted: Trusted) -> Proxies {
    match header {
        X_FORWARDED_FOR => Proxies::x_forwarded_for(trusted),
        _ => Proxies::forwarded(trusted),
    }
}

/// What a client sends, what the proxies in front of us make of it in the two headers, and who it
/// is: the one that the outermost trusted proxy has been called by.
const ATTEMPTS: &[(&str, &str, &str)] = &[
    // Nothing sent: only the proxy's entry.
    ("203.0.113.7", "for=203.0.113.7", "203.0.113.7"),
    (
        "6.6.6.6, 203.0.113.7",
        "for=6.6.6.6, for=203.0.113.7",
        "203.0.113.7",
    ),
    // A proxy's address, to be taken for one and looked behind.
    (
        "6.6.6.6, 10.9.9.9, 203.0.113.7",
        "for=6.6.6.6, for=10.9.9.9, for=203.0.113.7",
        "203.0.113.7",
    ),
    // With ports, which must not make an entry unreadable.
    (
        "6.6.6.6, 203.0.113.7:4711",
        "for=6.6.6.6, for=\"203.0.113.7:4711\"",
        "203.0.113.7",
    ),
    (
        "6.6.6.6, 203.0.113.7:4711",
        "for=6.6.6.6, for=203.0.113.7:4711",
        "203.0.113.7",
    ),
    (
        "6.6.6.6, [2001:db8::1]:4711",
        "for=6.6.6.6, for=\"[2001:db8::1]:4711\"",
        "2001:db8::1",
    ),
    (
        "6.6.6.6, [2001:db8::1]",
        "for=6.6.6.6, For=\"[2001:db8::1]\"",
        "2001:db8::1",
    ),
    (
        "6.6.6.6, 2001:db8::1",
        "for=6.6.6.6;by=x, proto=https;for=\"[2001:db8::1]\"",
        "2001:db8::1",
    ),
    // IPv4 in IPv6's clothes.
    (
        "::ffff:203.0.113.7",
        "for=\"[::ffff:203.0.113.7]\"",
        "203.0.113.7",
    ),
    // Two proxies of ours.
    (
        "6.6.6.6, 203.0.113.7, 10.0.0.2",
        "for=6.6.6.6, for=203.0.113.7, for=10.0.0.2",
        "203.0.113.7",
    ),
    // An entry that is none ends it, and the last proxy of ours stands for whoever called it.
    (
        "6.6.6.6, unknown, 10.0.0.2",
        "for=6.6.6.6, for=unknown, for=10.0.0.2",
        "10.0.0.2",
    ),
    ("6.6.6.6, _hidden", "for=6.6.6.6, for=_hidden", PROXY),
    ("6.6.6.6, ", "for=6.6.6.6, ", PROXY),
    (
        "6.6.6.6, 1.2.3.4.5",
        "for=6.6.6.6, for=1.2.3.4;for=5.6.7.8",
        PROXY,
    ),
    (
        "6.6.6.6, 203.0.113.7:",
        "for=6.6.6.6, for=\"203.0.113.7",
        PROXY,
    ),
    ("6.6.6.6, [203.0.113.7]", "for=6.6.6.6, for", PROXY),
    // A quote left open, to swallow what the proxy appends.
    (
        "\"6.6.6.6, 203.0.113.7",
        "for=\"6.6.6.6, for=203.0.113.7",
        "203.0.113.7",
    ),
    (
        "6.6.6.6\\, 203.0.113.7",
        "for=\"6.6.6.6\\, for=203.0.113.7",
        "203.0.113.7",
    ),
];

#[test]
fn no_client_can_pass_for_another() {
    for (x_forwarded_for, forwarded, expected) in ATTEMPTS {
        let client = Some(ip(expected));
        let found = behind_networks(X_FORWARDED_FOR, x_forwarded_for);
        assert_eq!(found, client, "{x_forwarded_for}");
        assert_eq!(behind_networks(FORWARDED, forwarded), client, "{forwarded}");
    }
}

#[test]
fn a_header_that_the_proxies_do_not_write_is_the_clients_and_is_not_read() {
    let lines: &[(&str, &[u8])] = &[
        (X_FORWARDED_FOR, b"203.0.113.7"),
        (FORWARDED, b"for=6.6.6.6"),
    ];
    let networks = Trusted::by(is_proxy);
    let de_facto = Proxies::x_forwarded_for(networks.clone());
    assert_eq!(
        client(&de_facto, Some(PROXY), lines),
        Some(ip("203.0.113.7"))
    );
    let standard = Proxies::forwarded(networks);
    assert_eq!(client(&standard, Some(PROXY), &lines[..1]), Some(ip(PROXY)));
}

#[test]
fn a_header_of_whoever_is_no_proxy_is_not_read() {
    let proxies = Proxies::x_forwarded_for(Trusted::by(is_proxy));
    let lines: &[(&str, &[u8])] = &[(X_FORWARDED_FOR, b"6.6.6.6")];
    assert_eq!(
        client(&proxies, Some("198.51.100.1"), lines),
        Some(ip("198.51.100.1"))
    );
    // Who knows who that is?
    assert_eq!(client(&proxies, None, lines), None);
}

#[test]
fn so_many_hops_are_believed_and_no_more() {
    let lines: &[(&str, &[u8])] = &[
        (X_FORWARDED_FOR, b"6.6.6.6, 203.0.113.7"),
        (X_FORWARDED_FOR, b"192.0.2.2"),
    ];
    for (hops, expected) in [
        (0, PROXY),
        (1, "192.0.2.2"),
        (2, "203.0.113.7"),
        (9, "6.6.6.6"),
    ] {
        let proxies = Proxies::x_forwarded_for(Trusted::hops(hops));
        assert_eq!(
            client(&proxies, Some(PROXY), lines),
            Some(ip(expected)),
            "{hops} hops"
        );
    }
    let one = Proxies::x_forwarded_for(Trusted::hops(1));
    assert_eq!(
        client(&one, None, lines),
        Some(ip("192.0.2.2")),
        "over a socket without addresses"
    );
    assert_eq!(client(&one, None, &[]), None);
    // What is broken ends it, and nothing behind it is believed.
    let two = Proxies::x_forwarded_for(Trusted::hops(2));
    for broken in [
        &b"6.6.6.6, unknown"[..],
        b"6.6.6.6, 192.0.2.2:x",
        b"6.6.6.6, \xff",
    ] {
        let lines: &[(&str, &[u8])] = &[(X_FORWARDED_FOR, b"6.6.6.6"), (X_FORWARDED_FOR, broken)];
        assert_eq!(client(&one, Some(PROXY), lines), Some(ip(PROXY)));
        assert_eq!(client(&two, Some(PROXY), lines), Some(ip(PROXY)));
    }
}

fn hash(keys: &Keys, peer: Option<&str>, lines: &[(&str, &[u8])]) -> Option<u64> {
    let parts = parts(lines);
    let mut hasher = DefaultHasher::new();
    let peer = peer.map(ip);
    keys.hash(
        Head {
            parts: &parts,
            peer: peer.as_ref(),
        },
        &mut hasher,
    )?;
    Some(hasher.finish())
}

#[test]
fn a_peer_is_an_address_or_a_network_of_one_subscriber() {
    let key = |peer| hash(&Keys::peer(), Some(peer), &[]).unwrap();
    assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    assert_eq!(key("192.0.2.1"), key("::ffff:192.0.2.1"));
    assert_eq!(
        key("2001:db8:1:2::1"),
        key("2001:db8:1:2:ffff:ffff:ffff:ffff")
    );
    assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
    assert_ne!(key("192.0.2.1"), key("c000:201::"));
    assert_eq!(hash(&Keys::peer(), None, &[]), None);
}

#[test]
fn no_two_combinations_are_one() {
    let (a, b) = (HeaderName::from_static("a"), HeaderName::from_static("b"));
    let keys = Keys::header(a).and(Keys::api_key(b));
    let key = |a: &'static str, b: &'static str| {
        hash(&keys, None, &[("a", a.as_bytes()), ("b", b.as_bytes())])
    };
    assert_eq!(key("x", "yz"), key("x", "yz"));
    assert_ne!(key("x", "yz"), key("xy", "z"));
    assert_ne!(key("", "xyz"), key("xyz", ""));
    assert_eq!(hash(&keys, None, &[("a", b"x")]), None, "a part is missing");
}

#[test]
fn names_show_what_may_be_shown() {
    let keys = Keys::peer()
        .and(Keys::client(Proxies::x_forwarded_for(Trusted::hops(1))))
        .and(Keys::api_key(HeaderName::from_static("key")))
        .and(Keys::header(HeaderName::from_static("tenant")))
        .and(Keys::by(|parts| Some(parts.method.as_str().into())));
    let parts = parts(&[
        ("key", b"hunter2"),
        ("tenant", b"acme"),
        (X_FORWARDED_FOR, b"2001:db8:1:2:3:4:5:6"),
    ]);
    let peer = Some(ip("192.0.2.1"));
    let name = keys.name(Head {
        parts: &parts,
        peer: peer.as_ref(),
    });
    assert_eq!(
        name.as_deref(),
        Some("192.0.2.1 2001:db8:1:2::/64 (secret) acme GET")
    );
    assert!(!format!("{keys:?}").contains("hunter2"));
}

/// What an entry may look like: bytes, and what is nearly an address.
fn entries() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60),
        "[ ,;=\"\\\\\\[\\]:.0-9a-fFor_]{0,60}".prop_map(String::into_bytes),
        "(for=)?\"?\\[?[0-9a-f:.]{1,20}\\]?(:[0-9]{1,6})?\"?".prop_map(String::into_bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    /// Whatever a client sends, in however many lines, the proxy's own entry decides, and nothing
    /// panics.
    #[test]
    fn whatever_comes_before_it_the_proxys_entry_decides(
        lines in prop::collection::vec(entries(), 0..4),
        same_line in any::<bool>(),
        port in prop::option::of(any::<u16>()),
        address in any::<u32>().prop_map(|bits| IpAddr::from(bits.to_be_bytes())),
    ) {
        prop_assume!(!is_proxy(address));
        for header in [X_FORWARDED_FOR, FORWARDED] {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            let entry = match header {
                X_FORWARDED_FOR => format!("{address}{port}"),
                _ => format!("for=\"{address}{port}\";proto=http"),
            };
            let mut sent: Vec<(&str, Vec<u8>)> =
                lines.iter().map(|line| (header, line.clone())).collect();
            match sent.last_mut() {
                Some((_, line)) if same_line => {
                    line.retain(|byte| (b' '..=b'~').contains(byte));
                    line.extend_from_slice(b", ");
                    line.extend_from_slice(entry.as_bytes());
                }
                _ => sent.push((header, entry.into_bytes())),
            }
            let sent: Vec<(&str, &[u8])> = sent.iter().map(|(name, line)| (*name, &**line)).collect();
            for trusted in [Trusted::hops(1), Trusted::by(is_proxy)] {
                let found = client(&proxies(header, trusted), Some(PROXY), &sent);
                prop_assert_eq!(found, Some(address));
            }
        }
    }

    /// Every address is read as it was written, in each way in which it can be.
    #[test]
    fn addresses_are_read_as_they_are_written(bits in any::<u128>(), v4 in any::<u32>(), port: u16) {
        for address in [IpAddr::from(bits.to_be_bytes()), IpAddr::from(v4.to_be_bytes())] {
            let socket = std::net::SocketAddr::new(address, port).to_string();
            for text in [address.to_string(), socket.clone(), format!("  {socket} ")] {
                prop_assert_eq!(address::parse(&text), Some(address.to_canonical()));
            }
            let element = format!("proto=https; for=\"{socket}\"");
            prop_assert_eq!(address::of_element(&element), Some(address.to_canonical()));
        }
    }
}
