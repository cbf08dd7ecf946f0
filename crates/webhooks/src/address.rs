//! Which addresses may be dialled.
//!
//! Webhooks are called from inside of the operator's network, on behalf of whoever may save an endpoint. So only
//! addresses of the public internet are called: what the special-purpose registries of IANA list as not globally
//! reachable is refused, and so is what leads there by translation.
//!
//! The rules hold twice: [`EndpointUrl::parse`] when an endpoint is saved, and [`AllowList::may_dial`] for the address
//! that is dialled. A name that was harmless when the endpoint was saved and resolves to a private address later (DNS
//! rebinding) gets no further than the second. URLs are read as browsers read them (the URL Standard of WHATWG,
//! <https://url.spec.whatwg.org/>), so every spelling of an IPv4 address (`0x7f.1`, `2130706433`, `017700000001`,
//! full-width digits) is that address here.
//!
//! Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, RFC 8190),
//! <https://www.iana.org/assignments/iana-ipv4-special-registry> and
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>; IPv6 address space: of it, `2000::/3` alone is
//! assigned for global unicast, <https://www.iana.org/assignments/ipv6-address-space>.

mod allow;
mod endpoint_url;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

pub use allow::{AllowList, AllowedHost, NotAHost};
pub use endpoint_url::{EndpointUrl, MAX_URL_CHARACTERS, UrlFault};

/// Why an address is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Forbidden {
    /// No address at all, or a host of "this network".
    #[error("it is an unspecified address")]
    Unspecified,
    /// This machine.
    #[error("it is a loopback address")]
    Loopback,
    /// A private network.
    #[error("it is a private address")]
    Private,
    /// The same link.
    #[error("it is a link-local address")]
    LinkLocal,
    /// Where clouds hand out credentials to their machines.
    #[error("it is an address of a cloud's metadata service")]
    Metadata,
    /// Between a provider and its customers.
    #[error("it is an address of a provider's shared network")]
    CarrierGradeNat,
    /// Set aside for protocols.
    #[error("it is set aside for network protocols")]
    Protocol,
    /// For examples in texts.
    #[error("it is an address for documentation")]
    Documentation,
    /// For laboratories.
    #[error("it is an address for benchmarks")]
    Benchmarking,
    /// A group of hosts.
    #[error("it is a multicast address")]
    Multicast,
    /// Everybody on the link.
    #[error("it is the broadcast address")]
    Broadcast,
    /// Not assigned to anybody.
    #[error("it is not assigned for public use")]
    Reserved,
    /// The private addresses of IPv6.
    #[error("it is a unique local address")]
    UniqueLocal,
    /// Their predecessor.
    #[error("it is a site-local address")]
    SiteLocal,
    /// Leads to an IPv4 address by translation or through a tunnel.
    #[error("it stands for an IPv4 address behind a translator or a tunnel")]
    Transition,
    /// The key of a host, not a place.
    #[error("it is a cryptographic host identifier")]
    Orchid,
    /// Swallows what is sent to it.
    #[error("it is a discard address")]
    Discard,
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(segments: [u16; 8], prefix: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = segments;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

/// The forbidden networks of IPv4; the first that matches names the reason.
const V4: &[(Ipv4Net, Forbidden)] = &[
    // Amazon EC2 and most other clouds; the credentials of Amazon ECS tasks and EKS pods.
    (v4(169, 254, 169, 254, 32), Forbidden::Metadata),
    (v4(169, 254, 170, 2, 32), Forbidden::Metadata),
    (v4(169, 254, 170, 23, 32), Forbidden::Metadata),
    // Alibaba Cloud.
    (v4(100, 100, 100, 200, 32), Forbidden::Metadata),
    // Oracle Cloud, older instances.
    (v4(192, 0, 0, 192, 32), Forbidden::Metadata),
    // Azure's wire server: a public address, answered by the host a machine runs on.
    (v4(168, 63, 129, 16, 32), Forbidden::Metadata),
    // "This network" (RFC 791, section 3.2; RFC 1122, section 3.2.1.3).
    (v4(0, 0, 0, 0, 8), Forbidden::Unspecified),
    // Private use (RFC 1918).
    (v4(10, 0, 0, 0, 8), Forbidden::Private),
    (v4(172, 16, 0, 0, 12), Forbidden::Private),
    (v4(192, 168, 0, 0, 16), Forbidden::Private),
    // Shared address space (RFC 6598).
    (v4(100, 64, 0, 0, 10), Forbidden::CarrierGradeNat),
    // Loopback (RFC 1122, section 3.2.1.3).
    (v4(127, 0, 0, 0, 8), Forbidden::Loopback),
    // Link-local (RFC 3927).
    (v4(169, 254, 0, 0, 16), Forbidden::LinkLocal),
    // IETF protocol assignments (RFC 6890, section 2.1), DS-Lite (RFC 7335) and NAT64 discovery (RFC 8880) in it.
    (v4(192, 0, 0, 0, 24), Forbidden::Protocol),
    // TEST-NET-1, -2 and -3 (RFC 5737).
    (v4(192, 0, 2, 0, 24), Forbidden::Documentation),
    (v4(198, 51, 100, 0, 24), Forbidden::Documentation),
    (v4(203, 0, 113, 0, 24), Forbidden::Documentation),
    // 6to4 relays (RFC 3068, withdrawn by RFC 7526).
    (v4(192, 88, 99, 0, 24), Forbidden::Transition),
    // Benchmarking (RFC 2544).
    (v4(198, 18, 0, 0, 15), Forbidden::Benchmarking),
    // Multicast (RFC 5771).
    (v4(224, 0, 0, 0, 4), Forbidden::Multicast),
    // Limited broadcast (RFC 919, section 7; RFC 8190).
    (v4(255, 255, 255, 255, 32), Forbidden::Broadcast),
    // Reserved (RFC 1112, section 4).
    (v4(240, 0, 0, 0, 4), Forbidden::Reserved),
];

/// The forbidden networks of IPv6; the first that matches names the reason.
const V6: &[(Ipv6Net, Forbidden)] = &[
    // Amazon EC2; the credentials of EKS pods; Google Cloud.
    (
        v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128),
        Forbidden::Metadata,
    ),
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23], 128), Forbidden::Metadata),
    (v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128), Forbidden::Metadata),
    // Unspecified and loopback (RFC 4291, sections 2.5.2 and 2.5.3).
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), Forbidden::Unspecified),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), Forbidden::Loopback),
    // IPv4-compatible (RFC 4291, section 2.5.5.1, deprecated). IPv4-mapped ones were made IPv4 before.
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 96), Forbidden::Transition),
    // IPv4-translated (RFC 2765, section 2.1, now historic).
    (v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96), Forbidden::Transition),
    // NAT64, the well-known prefix (RFC 6052) and the one for local use (RFC 8215).
    (v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96), Forbidden::Transition),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), Forbidden::Transition),
    // Discard-only (RFC 6666).
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), Forbidden::Discard),
    // Teredo (RFC 4380).
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), Forbidden::Transition),
    // Benchmarking (RFC 5180).
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), Forbidden::Benchmarking),
    // ORCHID (RFC 4843) and ORCHIDv2 (RFC 7343).
    (v6([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28), Forbidden::Orchid),
    (v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28), Forbidden::Orchid),
    // IETF protocol assignments (RFC 2928): what is globally reachable of them are no hosts of the web.
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), Forbidden::Protocol),
    // Documentation (RFC 3849, RFC 9637).
    (
        v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
        Forbidden::Documentation,
    ),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), Forbidden::Documentation),
    // 6to4 (RFC 3056).
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), Forbidden::Transition),
    // Unique local (RFC 4193).
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), Forbidden::UniqueLocal),
    // Link-local (RFC 4291, section 2.5.6).
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), Forbidden::LinkLocal),
    // Site-local (RFC 3879).
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), Forbidden::SiteLocal),
    // Multicast (RFC 4291, section 2.7).
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), Forbidden::Multicast),
];

/// All that IPv6 assigns for global unicast.
const GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// Whether an address of the public internet may be called. An IPv4 address written as an IPv6 one
/// (`::ffff:127.0.0.1`) is judged as what it is.
///
/// # Errors
/// The reason, for an address that is not one of the public internet.
pub fn verdict(address: IpAddr) -> Result<(), Forbidden> {
    let found = match address.to_canonical() {
        IpAddr::V4(address) => V4
            .iter()
            .find(|(net, _)| net.contains(&address))
            .map(|(_, why)| *why),
        IpAddr::V6(address) => V6
            .iter()
            .find(|(net, _)| net.contains(&address))
            .map(|(_, why)| *why)
            .or_else(|| (!GLOBAL_UNICAST.contains(&address)).then_some(Forbidden::Reserved)),
    };
    found.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// First and last address of everything that must be refused, and why, written down apart from the networks above.
    const REFUSED: &[(&str, &str, Forbidden)] = &[
        ("0.0.0.0", "0.255.255.255", Forbidden::Unspecified),
        ("10.0.0.0", "10.255.255.255", Forbidden::Private),
        ("172.16.0.0", "172.31.255.255", Forbidden::Private),
        ("192.168.0.0", "192.168.255.255", Forbidden::Private),
        ("100.64.0.0", "100.100.100.199", Forbidden::CarrierGradeNat),
        ("100.100.100.200", "100.100.100.200", Forbidden::Metadata),
        ("100.100.100.201", "100.127.255.255", Forbidden::CarrierGradeNat),
        ("127.0.0.0", "127.255.255.255", Forbidden::Loopback),
        ("169.254.0.0", "169.254.169.253", Forbidden::LinkLocal),
        ("169.254.169.254", "169.254.169.254", Forbidden::Metadata),
        ("169.254.170.2", "169.254.170.2", Forbidden::Metadata),
        ("169.254.170.23", "169.254.170.23", Forbidden::Metadata),
        ("169.254.171.0", "169.254.255.255", Forbidden::LinkLocal),
        ("168.63.129.16", "168.63.129.16", Forbidden::Metadata),
        ("192.0.0.0", "192.0.0.191", Forbidden::Protocol),
        ("192.0.0.192", "192.0.0.192", Forbidden::Metadata),
        ("192.0.0.193", "192.0.0.255", Forbidden::Protocol),
        ("192.0.2.0", "192.0.2.255", Forbidden::Documentation),
        ("198.51.100.0", "198.51.100.255", Forbidden::Documentation),
        ("203.0.113.0", "203.0.113.255", Forbidden::Documentation),
        ("192.88.99.0", "192.88.99.255", Forbidden::Transition),
        ("198.18.0.0", "198.19.255.255", Forbidden::Benchmarking),
        ("224.0.0.0", "239.255.255.255", Forbidden::Multicast),
        ("240.0.0.0", "255.255.255.254", Forbidden::Reserved),
        ("255.255.255.255", "255.255.255.255", Forbidden::Broadcast),
        ("::", "::", Forbidden::Unspecified),
        ("::1", "::1", Forbidden::Loopback),
        ("::2", "::ffff:ffff", Forbidden::Transition),
        ("::ffff:0:0:0", "::ffff:0:ffff:ffff", Forbidden::Transition),
        ("64:ff9b::", "64:ff9b::ffff:ffff", Forbidden::Transition),
        (
            "64:ff9b:1::",
            "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
            Forbidden::Transition,
        ),
        ("100::", "100::ffff:ffff:ffff:ffff", Forbidden::Discard),
        // A prefix for dummies (RFC 9780) and segment routing (RFC 9602): outside of 2000::/3.
        (
            "100:0:0:1::",
            "100:0:0:1:ffff:ffff:ffff:ffff",
            Forbidden::Reserved,
        ),
        (
            "5f00::",
            "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::Reserved,
        ),
        (
            "200::",
            "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::Reserved,
        ),
        (
            "4000::",
            "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::Reserved,
        ),
        (
            "2001::",
            "2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::Transition,
        ),
        (
            "2001:1::",
            "2001:1:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::Protocol,
        ),
        (
            "2001:2::",
            "2001:2:0:ffff:ffff:ffff:ffff:ffff",
            Forbidden::Benchmarking,
        ),
        (
            "2001:10::",
            "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::Orchid,
        ),
        (
            "2001:20::",
            "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::Orchid,
        ),
        (
            "2001:30::",
            "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::Protocol,
        ),
        (
            "2001:db8::",
            "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::Documentation,
        ),
        (
            "3fff::",
            "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::Documentation,
        ),
        (
            "2002::",
            "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::Transition,
        ),
        (
            "fc00::",
            "fcff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::UniqueLocal,
        ),
        ("fd00:ec2::254", "fd00:ec2::254", Forbidden::Metadata),
        ("fd00:ec2::23", "fd00:ec2::23", Forbidden::Metadata),
        ("fd20:ce::254", "fd20:ce::254", Forbidden::Metadata),
        (
            "fd21::",
            "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::UniqueLocal,
        ),
        (
            "fe80::",
            "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::LinkLocal,
        ),
        (
            "fec0::",
            "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::SiteLocal,
        ),
        (
            "ff00::",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            Forbidden::Multicast,
        ),
    ];

    /// The neighbours of the refused ones, and some of everybody's.
    const ALLOWED: &[&str] = &[
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.1.255",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "1.1.1.1",
        "8.8.8.8",
        "93.184.216.34",
        "2000::",
        "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:200::",
        "2001:4860:4860::8888",
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db9::",
        "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2003::",
        "2606:4700:4700::1111",
        "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff:1000::",
        "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ];

    fn parsed(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// An address between two, both included, `share` of the way from 0 to `u128::MAX`.
    fn between(first: &str, last: &str, share: u128) -> IpAddr {
        match (parsed(first), parsed(last)) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                let width = u128::from(last.to_bits() - first.to_bits()) + 1;
                Ipv4Addr::from_bits(first.to_bits() + u32::try_from(share % width).unwrap()).into()
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                let width = last.to_bits() - first.to_bits();
                let place = width.checked_add(1).map_or(share, |width| share % width);
                Ipv6Addr::from_bits(first.to_bits() + place).into()
            }
            _ => panic!("of two families: {first} and {last}"),
        }
    }

    #[test]
    fn the_ends_of_every_forbidden_network_are_refused() {
        for (first, last, why) in REFUSED {
            for address in [first, last] {
                assert_eq!(verdict(parsed(address)), Err(*why), "{address}");
            }
        }
    }

    #[test]
    fn their_neighbours_are_allowed() {
        for address in ALLOWED {
            assert_eq!(verdict(parsed(address)), Ok(()), "{address}");
        }
    }

    #[test]
    fn each_network_is_met_first_for_some_address() {
        for (net, why) in V4 {
            let first = IpAddr::V4(net.network());
            assert!(
                verdict(first).is_err() && REFUSED.iter().any(|(_, _, named)| named == why),
                "{net}"
            );
        }
        for (net, why) in V6 {
            let first = IpAddr::V6(net.network());
            assert!(
                verdict(first).is_err() && REFUSED.iter().any(|(_, _, named)| named == why),
                "{net}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn every_address_between_is_refused(place in 0..REFUSED.len(), share in any::<u128>()) {
            let (first, last, why) = REFUSED[place];
            prop_assert_eq!(verdict(between(first, last, share)), Err(why));
        }

        /// Written as an IPv6 address, an IPv4 address is what it is; behind a translator or tunnel it is refused.
        #[test]
        fn no_disguise_helps(bits in any::<u32>(), host in any::<u16>()) {
            let v4 = Ipv4Addr::from_bits(bits);
            prop_assert_eq!(verdict(v4.to_ipv6_mapped().into()), verdict(v4.into()));
            let [high, low] = [(bits >> 16) as u16, bits as u16];
            for disguise in [
                [0, 0, 0, 0, 0, 0, high.max(1), low],
                [0, 0, 0, 0, 0xffff, 0, high, low],
                [0x64, 0xff9b, 0, 0, 0, 0, high, low],
                [0x64, 0xff9b, 1, host, 0, 0, high, low],
                [0x2002, high, low, host, 0, 0, 0, 1],
                [0x2001, 0, high, low, 0, host, !high, !low],
            ] {
                prop_assert_eq!(verdict(Ipv6Addr::from(disguise).into()), Err(Forbidden::Transition));
            }
        }

        /// IPv4 by a second way: what the standard library knows, and what it does not yet tell on stable.
        #[test]
        fn the_standard_library_agrees(bits in any::<u32>()) {
            let address = Ipv4Addr::from_bits(bits);
            let [a, b, c, _] = address.octets();
            let refused = address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_documentation() || address.is_multicast() || address.is_broadcast()
                || a == 0 || a >= 240 || (a, b, c) == (192, 0, 0) || (a, b, c) == (192, 88, 99)
                || (a == 100 && b & 0xc0 == 64) || (a == 198 && b & 0xfe == 18)
                || address == Ipv4Addr::new(168, 63, 129, 16);
            prop_assert_eq!(verdict(address.into()).is_err(), refused);
        }
    }
}
