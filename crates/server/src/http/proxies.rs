//! For whom a request is that comes through proxies of the operator's own.
//!
//! Each proxy appends the address that it was called from to `X-Forwarded-For`. What is left of the entry that the operator's
//! outermost proxy wrote was sent by whoever called it, and may be anything. So the header is read from its right end, for as
//! long as whoever wrote the entry is trusted: the first address that is no proxy's is the visitor's. `Forwarded` (RFC 7239)
//! is not read: two headers that tell the same would give a forger the choice of the one that the proxy does not set.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::{IpNet, Ipv4Net};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The most entries that are looked at: nobody has more proxies of their own.
const MOST_HOPS: usize = 32;

/// Proxies whose word is taken for whom a request is; by default none is trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

/// A text that names no network whose proxies could be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotANetwork {
    /// It is nothing of the kind.
    #[error("{0:?} is neither an address nor a network, such as 10.0.0.5 or 10.0.0.0/8")]
    Unreadable(String),
    /// It is IPv4 in IPv6 (RFC 4291, section 2.5.5.2), as which no address is read here.
    #[error("{text:?} is a network of IPv4 written as IPv6, and would match nobody: write {instead}")]
    Mapped {
        /// What was written.
        text: String,
        /// What means the same.
        instead: IpNet,
    },
}

impl Proxies {
    /// Trusts these addresses and networks (`10.0.0.5`, `10.0.0.0/8`, `fd00::/8`).
    ///
    /// # Errors
    /// [`NotANetwork`] for the first that is none.
    pub fn parse(texts: &[String]) -> Result<Self, NotANetwork> {
        let network = |text: &String| {
            let trimmed = text.trim();
            let address = || {
                trimmed
                    .parse::<IpAddr>()
                    .map(|address| IpNet::from(address.to_canonical()))
            };
            let parsed = trimmed.parse::<IpNet>().map(|network| network.trunc());
            let network = parsed
                .or_else(|_| address())
                .map_err(|_| NotANetwork::Unreadable(text.clone()))?;
            match unmapped(network) {
                Some(instead) => Err(NotANetwork::Mapped {
                    text: text.clone(),
                    instead,
                }),
                None => Ok(network),
            }
        };
        texts.iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The address of whoever sent the request that came from `peer`. Where a trusted proxy has written what is no address,
    /// it is the proxy's own.
    #[must_use]
    pub fn visitor(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut visitor = peer.to_canonical();
        if self.0.is_empty() {
            return visitor;
        }
        let lines: Vec<&[u8]> = headers
            .get_all(&X_FORWARDED_FOR)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        // Byte by byte: what a visitor has put to the left may be no text, and must not hide what proxies wrote.
        let entries = lines
            .iter()
            .rev()
            .flat_map(|line| line.rsplit(|byte| *byte == b','));
        for entry in entries.take(MOST_HOPS) {
            if !self.trust(visitor) {
                break;
            }
            let text = std::str::from_utf8(entry).ok();
            let Some(before) = text.and_then(|text| address(text.trim())) else {
                break;
            };
            visitor = before;
        }
        visitor
    }
}

/// The network of IPv4 that one of IPv6 stands for.
fn unmapped(network: IpNet) -> Option<IpNet> {
    let IpNet::V6(network) = network else { return None };
    let length = network.prefix_len().checked_sub(96)?;
    let address = network.addr().to_ipv4_mapped()?;
    Some(Ipv4Net::new(address, length).ok()?.into())
}

/// An address as proxies write it: with or without a port, IPv6 perhaps in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let found = bare
        .parse()
        .ok()
        .or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    found.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(texts: &[&str]) -> Proxies {
        Proxies::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    fn visitor(trusted: &[&str], peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        proxies(trusted)
            .visitor(peer.parse().unwrap(), &headers)
            .to_string()
    }

    #[test]
    fn the_first_address_from_the_right_that_is_no_proxy_counts() {
        let own = ["10.0.0.0/8", "192.0.2.7", "fd00::/8"];
        for (peer, lines, expected) in [
            // Nobody is believed who is not trusted.
            ("203.0.113.9", vec!["198.51.100.1"], "203.0.113.9"),
            ("10.1.2.3", vec![], "10.1.2.3"),
            ("10.1.2.3", vec!["198.51.100.1"], "198.51.100.1"),
            // What the visitor made up is to the left of what the proxy wrote.
            (
                "10.1.2.3",
                vec!["1.1.1.1, 10.9.9.9, 198.51.100.1"],
                "198.51.100.1",
            ),
            ("10.1.2.3", vec!["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            // Two proxies, one behind the other.
            (
                "10.1.2.3",
                vec!["1.1.1.1, 198.51.100.1, 192.0.2.7"],
                "198.51.100.1",
            ),
            (
                "10.1.2.3",
                vec!["1.1.1.1, 198.51.100.1", "192.0.2.7"],
                "198.51.100.1",
            ),
            // All of them are proxies: the outermost.
            ("10.1.2.3", vec!["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
            // With a port, in IPv6, and IPv4 in IPv6.
            ("10.1.2.3", vec!["198.51.100.1:4711"], "198.51.100.1"),
            ("fd00::1", vec!["[2001:db8::1]:4711"], "2001:db8::1"),
            ("fd00::1", vec!["[2001:db8::1]"], "2001:db8::1"),
            ("::ffff:10.1.2.3", vec!["::ffff:198.51.100.1"], "198.51.100.1"),
            // No address: the proxy itself is counted, and nothing to the left of it is believed.
            ("10.1.2.3", vec!["198.51.100.1, unknown"], "10.1.2.3"),
            ("10.1.2.3", vec!["198.51.100.1,"], "10.1.2.3"),
            ("10.1.2.3", vec![""], "10.1.2.3"),
        ] {
            assert_eq!(visitor(&own, peer, &lines), expected, "{peer} {lines:?}");
        }
        assert_eq!(visitor(&[], "10.1.2.3", &["198.51.100.1"]), "10.1.2.3");
        let endless = "10.0.0.1, ".repeat(1_000) + "10.0.0.2";
        assert_eq!(visitor(&own, "10.1.2.3", &[&endless]), "10.0.0.1");
    }

    #[test]
    fn what_is_no_text_hides_nothing_to_the_right_of_it() {
        for (line, expected) in [
            (&b"\xff, 198.51.100.1"[..], "198.51.100.1"),
            (b"1.1.1.1\xe9, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
            (b"198.51.100.1, \xff", "10.1.2.3"),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line).unwrap());
            let found = proxies(&["10.0.0.0/8"]).visitor("10.1.2.3".parse().unwrap(), &headers);
            assert_eq!(found.to_string(), expected, "{line:?}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for text in ["", "proxy.example.com", "10.0.0.0/33", "10.0.0"] {
            let error = Proxies::parse(&["10.0.0.1".to_owned(), text.to_owned()]).unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
        assert_eq!(proxies(&["10.1.2.3/8"]), proxies(&["10.0.0.0/8"]));
        let mapped = Proxies::parse(&["::ffff:10.1.2.3/104".to_owned()]).unwrap_err();
        assert!(mapped.to_string().ends_with("write 10.0.0.0/8"), "{mapped}");
        assert_eq!(proxies(&["::ffff:10.1.2.3"]), proxies(&["10.1.2.3"]));
        assert_eq!(visitor(&["::/0"], "fd00::1", &["198.51.100.1"]), "198.51.100.1");
    }
}
