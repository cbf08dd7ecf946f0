//! What an operator allows beyond the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Deserialize;
use url::Host;

use super::{Forbidden, verdict};

/// A host that an operator allows although it is not public, and to which `http` may be allowed:
/// `localhost`, `localhost:3000`, `10.1.2.3`, `[::1]:8080`, `192.168.0.0/16`. Without a port, every port.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AllowedHost {
    which: Which,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Which {
    /// A name, in lower case, IDNA-encoded, without a dot at its end.
    Name(String),
    /// An address (a network of one) or a network.
    Network(IpNet),
}

/// A text that is no [`AllowedHost`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is neither a host name nor an address nor a network (such as 10.0.0.0/8), with or without a port"
)]
pub struct NotAHost(String);

impl FromStr for AllowedHost {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Self, NotAHost> {
        let network = |network: IpNet, port| Self {
            which: Which::Network(network.trunc()),
            port,
        };
        if let Ok(net) = text.parse::<IpNet>() {
            return Ok(network(net, None));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(network(address.to_canonical().into(), None));
        }
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return Ok(network(socket.ip().to_canonical().into(), Some(socket.port())));
        }
        let refused = || NotAHost(text.to_owned());
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !text.ends_with(']') => (host, Some(port.parse().map_err(|_| refused())?)),
            _ => (text, None),
        };
        match Host::parse(host).map_err(|_| refused())? {
            Host::Domain(name) => {
                let name = without_dot(&name);
                is_name(name)
                    .then(|| Self {
                        which: Which::Name(name.to_owned()),
                        port,
                    })
                    .ok_or_else(refused)
            }
            Host::Ipv4(address) => Ok(network(IpAddr::V4(address).into(), port)),
            Host::Ipv6(address) => Ok(network(IpAddr::V6(address).to_canonical().into(), port)),
        }
    }
}

impl TryFrom<String> for AllowedHost {
    type Error = NotAHost;

    fn try_from(text: String) -> Result<Self, NotAHost> {
        text.parse()
    }
}

/// What an operator allows beyond public `https` hosts. By default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AllowList {
    /// Whether plain `http` is allowed, to the hosts of the list only.
    pub http: bool,
    /// Hosts that need not be public. A name in it is allowed wherever it leads, except to a cloud's metadata
    /// service, which has to be listed by its address.
    pub hosts: Vec<AllowedHost>,
}

impl AllowList {
    /// What lets programs on the same machine be called: `localhost` and the loopback addresses, `http` included.
    #[must_use]
    pub fn loopback() -> Self {
        let network = |network| AllowedHost {
            which: Which::Network(network),
            port: None,
        };
        Self {
            http: true,
            hosts: vec![
                AllowedHost {
                    which: Which::Name("localhost".to_owned()),
                    port: None,
                },
                network(IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8))),
                network(IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128))),
            ],
        }
    }

    /// Whether `address` may be dialled for a URL with this host (a name, or an address with or without brackets). To
    /// be asked with the very address that is then connected to.
    ///
    /// # Errors
    /// The reason, for an address that is neither public nor allowed.
    pub fn may_dial(&self, host: &str, address: SocketAddr) -> Result<(), Forbidden> {
        verdict(address.ip()).or_else(|why| {
            let allowed = self.lists_address(address.ip(), address.port())
                || (why != Forbidden::Metadata && self.lists_name(without_dot(host), address.port()));
            if allowed { Ok(()) } else { Err(why) }
        })
    }

    /// [`AllowList::may_dial`] without the reason.
    #[must_use]
    pub fn permits(&self, host: &str, address: SocketAddr) -> bool {
        self.may_dial(host, address).is_ok()
    }

    pub(super) fn lists_name(&self, name: &str, port: u16) -> bool {
        self.hosts.iter().any(|host| {
            matches!(&host.which, Which::Name(own) if own.eq_ignore_ascii_case(name))
                && host.port.is_none_or(|own| own == port)
        })
    }

    pub(super) fn lists_address(&self, address: IpAddr, port: u16) -> bool {
        let address = address.to_canonical();
        self.hosts.iter().any(|host| {
            matches!(&host.which, Which::Network(network) if network.contains(&address))
                && host.port.is_none_or(|own| own == port)
        })
    }
}

/// A name without the dot at its end, which only says that it is complete.
pub(super) fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Whether a name has the lengths that DNS allows (RFC 1035, section 2.3.4), and no characters but those of host names
/// (RFC 1123, section 2.1) and the underscore, which some use.
pub(super) fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(hosts: &[&str]) -> AllowList {
        AllowList {
            http: true,
            hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
        }
    }

    fn socket(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn nothing_private_is_dialled_unless_listed() {
        let none = AllowList::default();
        assert_eq!(none.may_dial("example.com", socket("93.184.216.34:443")), Ok(()));
        assert_eq!(
            none.may_dial("example.com", socket("10.0.0.1:443")),
            Err(Forbidden::Private)
        );
        assert_eq!(
            none.may_dial("localhost", socket("127.0.0.1:443")),
            Err(Forbidden::Loopback)
        );
        assert_eq!(
            none.may_dial("[::1]", socket("[::1]:443")),
            Err(Forbidden::Loopback)
        );
        assert!(!none.permits("example.com", socket("[::ffff:127.0.0.1]:443")));
    }

    #[test]
    fn names_addresses_networks_and_ports_are_listed() {
        for (entry, host, address, allowed) in [
            ("hooks.dev", "hooks.dev", "10.0.0.1:443", true),
            ("hooks.dev", "HOOKS.dev.", "10.0.0.1:443", true),
            ("Hooks.Dev.", "hooks.dev", "10.0.0.1:443", true),
            ("hooks.dev", "other.dev", "10.0.0.1:443", false),
            ("hooks.dev", "a.hooks.dev", "10.0.0.1:443", false),
            ("hooks.dev:8443", "hooks.dev", "10.0.0.1:8443", true),
            ("hooks.dev:8443", "hooks.dev", "10.0.0.1:443", false),
            ("10.0.0.1", "any.name", "10.0.0.1:443", true),
            ("10.0.0.1", "any.name", "[::ffff:10.0.0.1]:443", true),
            ("10.0.0.1", "any.name", "10.0.0.2:443", false),
            ("10.0.0.1:80", "any.name", "10.0.0.1:443", false),
            ("10.1.2.3/8", "any.name", "10.200.0.1:443", true),
            ("10.0.0.0/8", "any.name", "11.0.0.1:443", true),
            ("10.0.0.0/8", "any.name", "172.16.0.1:443", false),
            ("[fd00::1]:8443", "any.name", "[fd00::1]:8443", true),
            ("[fd00::1]:8443", "any.name", "[fd00::1]:443", false),
            ("fd00::/8", "any.name", "[fd12::1]:443", true),
            ("::1", "localhost", "[::1]:443", true),
            ("[::1]", "localhost", "[::1]:443", true),
            ("127.1", "localhost", "127.0.0.1:443", true),
            ("localhost", "localhost", "127.0.0.1:443", true),
            ("bücher.example", "xn--bcher-kva.example", "10.0.0.1:443", true),
        ] {
            assert_eq!(
                list(&[entry]).permits(host, socket(address)),
                allowed,
                "{entry}: {host} at {address}"
            );
        }
    }

    #[test]
    fn a_listed_name_does_not_lead_to_the_metadata_service() {
        let metadata = socket("169.254.169.254:80");
        assert_eq!(
            list(&["hooks.dev"]).may_dial("hooks.dev", metadata),
            Err(Forbidden::Metadata)
        );
        assert!(list(&["169.254.169.254"]).permits("hooks.dev", metadata));
    }

    #[test]
    fn loopback_is_this_machine_and_no_more() {
        let list = AllowList::loopback();
        assert!(list.http);
        for address in [
            "127.0.0.1:80",
            "127.9.9.9:3000",
            "[::1]:80",
            "[::ffff:127.0.0.1]:80",
        ] {
            assert!(list.permits("any.name", socket(address)), "{address}");
        }
        for address in ["10.0.0.1:80", "169.254.169.254:80", "0.0.0.0:80", "[fe80::1]:80"] {
            assert!(!list.permits("any.name", socket(address)), "{address}");
        }
    }

    #[test]
    fn what_is_no_host_is_told() {
        for text in [
            "",
            " ",
            ":80",
            "a b",
            "host:port",
            "host:70000",
            "10.0.0.0/33",
            "http://localhost",
            "a..b",
            "1.2.3.4.5",
            "[::1",
            "*",
        ] {
            let fault = text.parse::<AllowedHost>();
            assert_eq!(fault, Err(NotAHost(text.to_owned())), "{text:?}");
        }
    }

    #[test]
    fn a_configuration_is_read() {
        let read = |text| serde_json::from_str::<AllowList>(text);
        assert_eq!(read("{}").unwrap(), AllowList::default());
        assert_eq!(
            read(r#"{"http": true, "hosts": ["localhost:3000", "10.0.0.0/8"]}"#).unwrap(),
            list(&["localhost:3000", "10.0.0.0/8"])
        );
        let fault = read(r#"{"hosts": ["http://x"]}"#).unwrap_err().to_string();
        assert!(fault.contains("http://x"), "{fault}");
        assert!(read(r#"{"host": []}"#).is_err());
    }
}
