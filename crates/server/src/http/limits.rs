//! Rate limits: so many requests a second, counted in the second that the clock shows, as the headers promise.
//!
//! Each node counts for itself. What was counted is forgotten when the second is over, so memory is bounded by the
//! requests of one second.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use axum::http::Method;
use parking_lot::Mutex;
use trunkline_domain::{ApiKeyId, Millis};

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counted {
    /// Requests with this key.
    Key(ApiKeyId),
    /// Requests without a valid key, from this address, or from the /64 that it is in.
    Address(IpAddr),
}

impl Counted {
    /// Whoever asks from `address`. IPv6 is counted by the /64, the least that is assigned to anybody (RFC 6177, section 2; a
    /// host chooses the rest itself: RFC 4291, section 2.5.4).
    #[must_use]
    pub fn at(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// What kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// GET and HEAD.
    Read,
    /// Everything else, searches by POST included.
    Write,
}

impl Class {
    /// The class of a method.
    #[must_use]
    pub fn of(method: &Method) -> Self {
        if method == Method::GET || method == Method::HEAD || method == Method::OPTIONS {
            Self::Read
        } else {
            Self::Write
        }
    }
}

/// What the limiter said, for the headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Requests a second.
    pub limit: i64,
    /// How many are left in this second.
    pub remaining: i64,
    /// When the next second begins, in Unix seconds.
    pub reset: i64,
    /// Whether this request may pass.
    pub allowed: bool,
}

/// Counts requests.
#[derive(Default)]
pub struct Limiter {
    window: Mutex<Window>,
}

#[derive(Default)]
struct Window {
    second: i64,
    counts: HashMap<(Counted, Class), i64>,
}

impl Limiter {
    /// Counts a request at `now` and decides.
    pub fn decide(&self, who: Counted, class: Class, limit: i64, now: Millis) -> Decision {
        let second = now.unix_seconds();
        let mut window = self.window.lock();
        if window.second != second {
            window.second = second;
            window.counts.clear();
        }
        let count = window.counts.entry((who, class)).or_insert(0);
        *count += 1;
        Decision {
            limit,
            remaining: (limit - *count).max(0),
            reset: second + 1,
            allowed: *count <= limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use trunkline_domain::SeededIds;

    use super::*;

    #[test]
    fn a_host_is_one_visitor_whatever_it_calls_itself() {
        let at = |text: &str| Counted::at(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff:1:2:3"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:198.51.100.1"), at("198.51.100.1"));
        assert_ne!(at("198.51.100.1"), at("198.51.100.2"));
    }

    #[test]
    fn a_second_has_its_limit_and_the_next_its_own() {
        let (limiter, now) = (Limiter::default(), Millis(1_700_000_000_250));
        let key = Counted::Key(ApiKeyId::new(&SeededIds::new(1), now));
        for left in [1, 0] {
            let decision = limiter.decide(key, Class::Read, 2, now);
            assert_eq!(
                (decision.allowed, decision.remaining, decision.reset),
                (true, left, 1_700_000_001)
            );
        }
        assert!(!limiter.decide(key, Class::Read, 2, now.plus(700)).allowed);
        assert!(
            limiter.decide(key, Class::Write, 2, now).allowed,
            "classes are counted apart"
        );
        assert!(
            limiter.decide(key, Class::Read, 2, now.plus(750)).allowed,
            "a new second"
        );
    }
}
