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
