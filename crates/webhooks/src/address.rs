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
