//! From which address a request comes, as far as it can be known, and whether anybody may call from there.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::config::NetworkSettings;

const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Knows callers' addresses.
#[derive(Clone, Debug)]
pub(crate) struct Callers(Arc<NetworkSettings>);

impl Callers {
    pub(crate) fn new(settings: NetworkSettings) -> Self {
        Self(Arc::new(settings))
    }

    /// The caller's address: the connection's peer, or, where that is a proxy of ours, whom the proxy names.
    pub(super) fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let proxies = &self.0.proxies;
        if !has(proxies, peer) {
            return peer;
        }
        behind(proxies, headers).unwrap_or(peer)
    }

    /// Whether anybody may call from there.
    pub(super) fn let_in(&self, address: IpAddr) -> bool {
        self.0
            .allowed
            .as_ref()
            .is_none_or(|allowed| has(allowed, address))
    }
}

/// The last address of the header that is no proxy's, or the first if all are. None where there is no header, or an address can't be read.
///
/// Each proxy writes behind what it was sent whom it was sent it by. So from the end on each address was written by a proxy of ours, up to the first that
/// is none: what stands before it is what a stranger wrote, and is not looked at.
fn behind(proxies: &[IpNet], headers: &HeaderMap) -> Option<IpAddr> {
    let mut farthest = None;
    // Several lines are one list (RFC 9110, 5.3).
    for line in headers.get_all(FORWARDED).iter().rev() {
        for hop in line.to_str().ok()?.rsplit(',') {
            let hop = address(hop.trim_matches([' ', '\t']))?;
            if !has(proxies, hop) {
                return Some(hop);
            }
            farthest = Some(hop);
        }
    }
    farthest
}

/// An address, perhaps in brackets, perhaps with a port, as some proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    let address: Option<IpAddr> = text.parse().ok().or_else(with_port).or_else(bracketed);
    address.map(|address| address.to_canonical())
}

fn has(ranges: &[IpNet], address: IpAddr) -> bool {
    ranges.iter().any(|range| range.contains(&address))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn callers() -> Callers {
        let proxies = ["10.0.0.0/29", "2001:db8::/64"];
        Callers::new(NetworkSettings {
            proxies: proxies.iter().map(|range| range.parse().unwrap()).collect(),
            allowed: None,
        })
    }

    fn told(peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                FORWARDED,
                http::HeaderValue::from_bytes(line.as_bytes()).unwrap(),
            );
        }
        callers()
            .address(peer.parse().unwrap(), &headers)
            .to_string()
    }

    #[test]
    fn the_last_hop_that_is_no_proxy_of_ours_is_the_caller() {
        for (lines, caller) in [
            (&[] as &[&str], PROXY),
            (&["198.51.100.7"], "198.51.100.7"),
            (&["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            (&["203.0.113.9,198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            (
                &["203.0.113.9", "198.51.100.7", "10.0.0.2,10.0.0.3"],
                "198.51.100.7",
            ),
            (&["198.51.100.7, 2001:db8::5"], "198.51.100.7"),
            (&["10.0.0.4, 10.0.0.5"], "10.0.0.4"),
            (&["::ffff:198.51.100.7"], "198.51.100.7"),
            (&["198.51.100.7:4711"], "198.51.100.7"),
            (&["[2001:db9::1]:443"], "2001:db9::1"),
            (&["[2001:db9::1]"], "2001:db9::1"),
            (&["\t198.51.100.7 ,\t10.0.0.2 "], "198.51.100.7"),
        ] {
            assert_eq!(told(PROXY, lines), caller, "{lines:?}");
        }
    }

    #[test]
    fn a_hop_that_cant_be_read_leaves_the_peers_own_address() {
        for line in [
            "",
            "unknown",
            "198.51.100.7, ",
            "_hidden",
            "198.51.100",
            "198.51.100.7.",
            "0x7f.1",
            "198.51.100.7, unknown",
            "fe80::1%eth0",
            "\"198.51.100.7\"",
            "198.51.100.7, 10.0.0.2, x",
            "café",
        ] {
            assert_eq!(told(PROXY, &[line]), PROXY, "{line:?}");
        }
    }

    #[test]
    fn what_a_stranger_wrote_before_its_own_address_moves_nothing() {
        for before in [
            "10.0.0.1",
            "unknown",
            "127.0.0.1",
            ",,,",
            "10.0.0.1, 10.0.0.2",
            "\u{e9}",
        ] {
            let line = format!("{before}, 198.51.100.7");
            let expected = if before.is_ascii() {
                "198.51.100.7"
            } else {
                PROXY
            };
            assert_eq!(told(PROXY, &[&line]), expected, "{line:?}");
            assert_eq!(told(PROXY, &[before, "198.51.100.7"]), "198.51.100.7");
        }
    }

    #[test]
    fn nobody_but_a_proxy_of_ours_is_believed() {
        for peer in ["10.0.0.8", "198.51.100.7", "::1", "2001:db8:0:1::1"] {
            assert_eq!(told(peer, &["127.0.0.1"]), peer);
        }
    }

    proptest! {
        /// Whatever a caller writes: the address is the one that the proxy wrote behind it.
        #[test]
        fn no_header_makes_a_caller_another(before in "[ -~]{0,60}") {
            prop_assert_eq!(told(PROXY, &[&before, "198.51.100.7"]), "198.51.100.7");
            prop_assert_eq!(told(PROXY, &[&format!("{before},198.51.100.7")]), "198.51.100.7");
            prop_assert_eq!(told("198.51.100.7", &[&before]), "198.51.100.7");
        }
    }

    #[test]
    fn only_addresses_of_the_list_are_let_in() {
        let some = Callers::new(NetworkSettings {
            proxies: Vec::new(),
            allowed: Some(vec!["192.0.2.0/24".parse().unwrap()]),
        });
        for (address, some_let_in) in [("192.0.2.7", true), ("192.0.3.7", false), ("::1", false)] {
            let address = address.parse().unwrap();
            assert_eq!(some.let_in(address), some_let_in, "{address}");
            assert!(callers().let_in(address));
        }
    }
}
