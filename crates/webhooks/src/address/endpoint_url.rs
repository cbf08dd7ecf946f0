//! The URL of an endpoint: what may be saved.

use std::net::IpAddr;

use url::{Host, Url};

use super::allow::{is_name, without_dot};
use super::{AllowList, Forbidden, verdict};

/// The longest URL, in characters.
pub const MAX_URL_CHARACTERS: usize = 2_048;

/// Names below these are of no public network: RFC 6761 (`localhost`, `invalid`), RFC 6762 (`local`), RFC 7686
/// (`onion`), RFC 8375 (`home.arpa`), ICANN's reservation of `internal` for private use in 2024, and what routers use
/// without anybody's leave.
const LOCAL_SUFFIXES: &[&str] = &[
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "lan",
    "home.arpa",
    "onion",
    "invalid",
];

/// Why a URL is refused. The text can be shown to whoever wrote the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// Longer than [`MAX_URL_CHARACTERS`].
    #[error("the URL is longer than 2,048 characters")]
    TooLong,
    /// No absolute URL with a host, or with characters that no URL has.
    #[error("it is not a complete URL")]
    Unreadable,
    /// Neither `https` nor, where that is allowed, `http`.
    #[error("the URL does not begin with `https://`")]
    NotHttps,
    /// It has a user name or a password.
    #[error("the URL contains a user name or a password")]
    Credentials,
    /// It has a fragment, which is never sent.
    #[error("the URL contains a fragment (`#…`), which a server never sees")]
    Fragment,
    /// The host's name is one of a local network.
    #[error("the host is a name of a local network, not of the public internet")]
    LocalName,
    /// The host is an address that is not called.
    #[error("the host is not an address of the public internet: {0}")]
    Address(#[from] Forbidden),
}

impl UrlFault {
    /// What to do about it, in a sentence.
    #[must_use]
    pub const fn suggestion(self) -> &'static str {
        match self {
            Self::TooLong => "Use a shorter URL; what the receiver has to know can go into its path.",
            Self::Unreadable => "Give a complete URL such as https://example.com/webhooks.",
            Self::NotHttps => "Give the receiver a certificate and use an https URL.",
            Self::Credentials => {
                "Leave user name and password out: the signature tells the receiver who calls, and an extra header can carry more."
            }
            Self::Fragment => "Leave out the fragment; use the path or the query instead.",
            Self::LocalName | Self::Address(_) => {
                "Use a host that the public internet can reach; for a program on your own machine use `trunkline listen`."
            }
        }
    }
}

/// The URL of an endpoint, found to be one that may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointUrl(Url);

impl EndpointUrl {
    /// Reads the URL of an endpoint. What its host resolves to is a question for [`AllowList::may_dial`].
    ///
    /// # Errors
    /// [`UrlFault`], which says what is wrong with it.
    pub fn parse(text: &str, allow: &AllowList) -> Result<Self, UrlFault> {
        if text.chars().count() > MAX_URL_CHARACTERS {
            return Err(UrlFault::TooLong);
        }
        // The standard would drop these silently: what is stored would not be what was written.
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(UrlFault::Unreadable);
        }
        let url = Url::parse(text).map_err(|_| UrlFault::Unreadable)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(UrlFault::NotHttps);
        }
        if url.as_str().len() > MAX_URL_CHARACTERS {
            return Err(UrlFault::TooLong);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlFault::Credentials);
        }
        if url.fragment().is_some() {
            return Err(UrlFault::Fragment);
        }
        let endpoint = Self(url);
        let listed = endpoint.check_host(allow)?;
        if endpoint.0.scheme() == "http" && !(allow.http && listed) {
            return Err(UrlFault::NotHttps);
        }
        Ok(endpoint)
    }

    /// Refuses hosts that are neither public nor listed; tells whether the host is listed.
    fn check_host(&self, allow: &AllowList) -> Result<bool, UrlFault> {
        let port = self.port();
        let address = match self.0.host().ok_or(UrlFault::Unreadable)? {
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
            Host::Domain(name) => {
                let name = without_dot(name);
                if !is_name(name) {
                    return Err(UrlFault::Unreadable);
                }
                let listed = allow.lists_name(name, port);
                if !listed && is_local(name) {
                    return Err(UrlFault::LocalName);
                }
                return Ok(listed);
            }
        };
        let listed = allow.lists_address(address, port);
        if !listed {
            verdict(address)?;
        }
        Ok(listed)
    }

    /// The URL, in the one spelling that the standard gives it.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.0
    }

    /// The host: a name, an IPv4 address, or an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The port, 443 or 80 where none is written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(443)
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

/// Whether a name is one of a local network; the name is in lower case.
fn is_local(name: &str) -> bool {
    !name.contains('.')
        || LOCAL_SUFFIXES.iter().any(|suffix| {
            name.strip_suffix(suffix)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> Option<UrlFault> {
        EndpointUrl::parse(text, &AllowList::default()).err()
    }

    #[test]
    fn public_https_urls_are_taken() {
        for text in [
            "https://example.com",
            "https://example.com/webhooks?source=trunkline&x=%20y",
            "https://hooks.example.com:8443/a/b",
            "https://example.com:1/",
            "HTTPS://EXAMPLE.com/Path",
            "https://example.com./",
            "https://bücher.example/empfang",
            "https://93.184.216.34/hook",
            "https://[2606:4700:4700::1111]/hook",
            "https://[::ffff:8.8.8.8]/hook",
            "https://internal.example.com/",
            "https://localhost.example.com/",
            "https://under_score.example.com/",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
    }

    #[test]
    fn parts_are_told() {
        let parse = |text| EndpointUrl::parse(text, &AllowList::default()).unwrap();
        let url = parse("https://Example.com/hook");
        assert_eq!(
            (url.host(), url.port(), url.is_https()),
            ("example.com", 443, true)
        );
        assert_eq!(url.url().as_str(), "https://example.com/hook");
        let url = parse("https://[2606:4700:4700::1111]:8443/hook");
        assert_eq!((url.host(), url.port()), ("[2606:4700:4700::1111]", 8443));
    }

    #[test]
    fn every_spelling_of_this_machine_is_this_machine() {
        for host in [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "127.255.255.254",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "0x7F.0.0.0x1",
            "017700000001",
            "0177.0.0.1",
            "00177.0.0.01",
            "127.0.0.1.",
            "2130706433.",
            "%31%32%37.0.0.1",
            "127%2e0.0.1",
            "%30x7f.1",
            "127.0.0.1",
            "127。0。0。1",
            "127.0.0.1",
            "①②⑦.0.0.①",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[0000::0001]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:ffff:7f00:0001]",
        ] {
            let text = format!("https://{host}/hook");
            assert_eq!(
                fault(&text),
                Some(UrlFault::Address(Forbidden::Loopback)),
                "{text}"
            );
            let text = format!("https://{host}:8443/hook");
            assert_eq!(
                fault(&text),
                Some(UrlFault::Address(Forbidden::Loopback)),
                "{text}"
            );
        }
    }

    #[test]
    fn addresses_that_are_not_public_are_refused() {
        for (host, why) in [
            ("0", Forbidden::Unspecified),
            ("0.0.0.0", Forbidden::Unspecified),
            ("[::]", Forbidden::Unspecified),
            ("10.0.0.1", Forbidden::Private),
            ("0xa.1", Forbidden::Private),
            ("192.168.1.1", Forbidden::Private),
            ("3232235777", Forbidden::Private),
            ("169.254.169.254", Forbidden::Metadata),
            ("2852039166", Forbidden::Metadata),
            ("0251.0376.0251.0376", Forbidden::Metadata),
            ("[::ffff:169.254.169.254]", Forbidden::Metadata),
            ("[fd00:ec2::254]", Forbidden::Metadata),
            ("100.64.0.1", Forbidden::CarrierGradeNat),
            ("[fe80::1]", Forbidden::LinkLocal),
            ("[fc00::1]", Forbidden::UniqueLocal),
            ("[64:ff9b::7f00:1]", Forbidden::Transition),
            ("[2002:7f00:1::]", Forbidden::Transition),
            ("[::7f00:1]", Forbidden::Transition),
            ("[::127.0.0.1]", Forbidden::Transition),
            ("255.255.255.255", Forbidden::Broadcast),
        ] {
            assert_eq!(
                fault(&format!("https://{host}/")),
                Some(UrlFault::Address(why)),
                "{host}"
            );
        }
    }

    #[test]
    fn names_of_local_networks_are_refused() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "api.localhost",
            "intranet",
            "printer.local",
            "db.internal",
            "metadata.google.internal",
            "metadata.google.internal.",
            "router.lan",
            "home.arpa",
            "box.home.arpa",
            "x.localdomain",
            "abc.onion",
            "a.invalid",
            "host",
            "lоcalhost",
            "localhost",
            "%6cocalhost",
            "local",
        ] {
            assert_eq!(
                fault(&format!("https://{host}/")),
                Some(UrlFault::LocalName),
                "{host}"
            );
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        let long_label = format!("https://{}.example/", "a".repeat(64));
        let long_name = format!("https://{}example/", "abcdefg.".repeat(32));
        for text in [
            "",
            "example.com/hook",
            "//example.com/hook",
            "/hook",
            "https://",
            "https:///",
            "https://:443/",
            "https://exa mple.com/",
            "https://example.com/a b",
            " https://example.com/",
            "https://example.com/\n",
            "https://exa\tmple.com/",
            "https://example.com/\u{0}",
            "https://example.com:99999/",
            "https://[::1/",
            "https://[fe80::1%25eth0]/",
            "https://[fe80::1%eth0]/",
            "https://1.2.3.4.5/",
            "https://256.1.1.1/",
            "https://example..com/",
            "https://.example.com/",
            "https://example.com../",
            "https://exa%00mple.com/",
            "https://exa<mple.com/",
            "https://*.example.com/",
            "https://exa(mple).com/",
            "https://ex;ample.com/",
            "https://0x100000000/",
            &long_label,
            &long_name,
        ] {
            assert_eq!(fault(text), Some(UrlFault::Unreadable), "{text:?}");
        }
    }

    #[test]
    fn other_schemes_credentials_and_fragments_are_refused() {
        for text in [
            "http://example.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "wss://example.com/",
            "data:,x",
        ] {
            assert_eq!(fault(text), Some(UrlFault::NotHttps), "{text}");
        }
        for text in [
            "https://user@example.com/",
            "https://user:secret@example.com/",
            "https://:x@example.com/",
            "https://example.com:80@10.0.0.1/",
        ] {
            assert_eq!(fault(text), Some(UrlFault::Credentials), "{text}");
        }
        for text in ["https://example.com/#part", "https://example.com/#"] {
            assert_eq!(fault(text), Some(UrlFault::Fragment), "{text}");
        }
    }

    #[test]
    fn length_counts_characters_as_written_and_as_sent() {
        let url = |length: usize| format!("https://example.com/{}", "a".repeat(length - 20));
        assert_eq!(fault(&url(MAX_URL_CHARACTERS)), None);
        assert_eq!(fault(&url(MAX_URL_CHARACTERS + 1)), Some(UrlFault::TooLong));
        let accents = format!("https://example.com/{}", "é".repeat(1_000));
        assert_eq!(
            fault(&accents),
            Some(UrlFault::TooLong),
            "each is sent as six characters"
        );
    }

    #[test]
    fn a_list_lets_http_and_private_hosts_pass() {
        let list = |http, hosts: &[&str]| AllowList {
            http,
            hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
        };
        let fault = |list: &AllowList, text: &str| EndpointUrl::parse(text, list).err();
        let dev = list(
            true,
            &["localhost:3000", "10.0.0.0/8", "hooks.example.com", "receiver"],
        );
        for text in [
            "http://localhost:3000/hook",
            "https://localhost:3000/",
            "http://LOCALHOST.:3000/",
            "http://10.1.2.3/",
            "https://0xa010203/",
            "http://[::ffff:10.0.0.1]/",
            "http://hooks.example.com/",
            "https://receiver/",
            "https://example.com/",
        ] {
            assert_eq!(fault(&dev, text), None, "{text}");
        }
        for (text, why) in [
            ("http://localhost/", UrlFault::LocalName),
            ("http://localhost:3001/", UrlFault::LocalName),
            ("http://example.com/", UrlFault::NotHttps),
            ("http://192.168.0.1/", UrlFault::Address(Forbidden::Private)),
            ("http://other/", UrlFault::LocalName),
            ("ftp://10.0.0.1/", UrlFault::NotHttps),
            ("http://user@10.0.0.1/", UrlFault::Credentials),
        ] {
            assert_eq!(fault(&dev, text), Some(why), "{text}");
        }
        let secure = list(false, &["10.0.0.0/8"]);
        assert_eq!(fault(&secure, "https://10.0.0.1/"), None);
        assert_eq!(fault(&secure, "http://10.0.0.1/"), Some(UrlFault::NotHttps));
        assert_eq!(fault(&AllowList::loopback(), "http://localhost:3000/hook"), None);
        assert_eq!(fault(&AllowList::loopback(), "http://[::1]:3000/hook"), None);
        assert_eq!(
            fault(&AllowList::loopback(), "http://10.0.0.1/"),
            Some(UrlFault::Address(Forbidden::Private))
        );
    }

    #[test]
    fn every_fault_says_what_to_do() {
        for fault in [
            UrlFault::TooLong,
            UrlFault::Unreadable,
            UrlFault::NotHttps,
            UrlFault::Credentials,
            UrlFault::Fragment,
            UrlFault::LocalName,
            UrlFault::Address(Forbidden::Private),
        ] {
            assert!(fault.suggestion().ends_with('.'), "{fault}");
            assert!(!fault.to_string().is_empty());
        }
    }

    /// The ways to write an IPv4 address that the standard reads.
    fn spellings(address: std::net::Ipv4Addr) -> Vec<String> {
        let [a, b, c, d] = address.octets();
        let (bits, tail) = (address.to_bits(), u32::from_be_bytes([0, b, c, d]));
        vec![
            address.to_string(),
            bits.to_string(),
            format!("{bits:#x}"),
            format!("0{bits:o}"),
            format!("{a:#x}.{b:#X}.0{c:o}.{d}").replace("0X", "0x"),
            format!("{a}.{tail}"),
            format!("0{a:o}.{b}.{:#x}", u16::from_be_bytes([c, d])),
            format!("{address}."),
            address.to_string().chars().map(full_width).collect(),
            address
                .to_string()
                .bytes()
                .map(|byte| format!("%{byte:02x}"))
                .collect(),
            format!("[{}]", address.to_ipv6_mapped()),
        ]
    }

    fn full_width(c: char) -> char {
        match c {
            '.' => '。',
            _ => char::from_u32(u32::from(c) + 0xfee0).unwrap(),
        }
    }

    proptest! {
        #[test]
        fn every_spelling_of_an_address_is_judged_as_the_address(bits in any::<u32>(), private in any::<bool>()) {
            let bits = if private { bits & 0x00ff_ffff | 0x0a00_0000 } else { bits };
            let address = std::net::Ipv4Addr::from_bits(bits);
            let expected = verdict(address.into()).err().map(UrlFault::Address);
            for host in spellings(address) {
                prop_assert_eq!(fault(&format!("https://{host}/hook")), expected, "{}", host);
            }
        }

        /// Whatever is written: no panic, and what is taken has a host that is public by name or by address.
        #[test]
        fn nothing_slips_through(text in "(https?:[/\\\\]{0,3})?[a-z0-9.:@\\[\\]%#?/xA-F\u{ff10}-\u{ff19}。\u{ad}\\-]{0,40}") {
            if let Ok(url) = EndpointUrl::parse(&text, &AllowList::default()) {
                prop_assert!(url.is_https());
                match url.url().host().unwrap() {
                    Host::Domain(name) => prop_assert!(!is_local(without_dot(name))),
                    Host::Ipv4(address) => prop_assert_eq!(verdict(address.into()), Ok(())),
                    Host::Ipv6(address) => prop_assert_eq!(verdict(address.into()), Ok(())),
                }
            }
        }

        /// The client's own reading of a URL that is taken leads to the same place: nothing can be hidden between two
        /// ways to read.
        #[test]
        fn the_http_client_reads_the_same(
            host in "([a-z0-9_\\-]{1,8}\\.){1,3}[a-z]{2,5}\\.?|[0-9]{1,3}(\\.[0-9]{1,3}){3}|\\[2606:4700:[0-9a-f]{1,4}::[0-9a-f]{1,4}\\]",
            port in "(:[0-9]{1,5})?",
            rest in "([/?\\\\][!-\"$-~é\u{ff0f}]{0,30})?",
        ) {
            if let Ok(url) = EndpointUrl::parse(&format!("https://{host}{port}{rest}"), &AllowList::default()) {
                let uri: http::Uri = url.url().as_str().parse().unwrap();
                prop_assert_eq!(uri.host(), Some(url.host()));
                prop_assert_eq!(uri.port_u16().unwrap_or(443), url.port());
                prop_assert_eq!(uri.path(), url.url().path());
                prop_assert_eq!(uri.query(), url.url().query());
            }
        }
    }
}
