//! When an endpoint that only fails is switched off.
//!
//! Several failures ([`SEVERAL`]) within 24 hours ([`WINDOW`]), the first and the last at least 12 hours apart
//! ([`SPREAD`]), start a clock of 5 days ([`LIMIT`]). An endpoint that has failed all the time when the clock runs out
//! is disabled and its owner told. One success at any moment makes everything good.
//!
//! What counts as a failure is a failed attempt, whichever message it was for. Two things keep this fair and cheap:
//!
//! - Failures less than a minute ([`BURST`]) after the last one that counted do not count. A burst is one failure, and
//!   the state of an endpoint has to be written once a minute at most, however much fails.
//! - Time in which nothing was tried proves nothing: of the time between two failures at most a day ([`QUIET`])
//!   counts towards the five.
//!
//! The wall clock may be set while all this goes on. Time that was counted is never counted again, so a clock that
//! jumps to and fro adds nothing; a jump forwards counts like a pause, for a day at most, so no jump opens the breaker
//! alone; and after a jump back, counting goes on as soon as the old time is reached again, or begins anew if that is
//! more than a day away.

use serde::{Deserialize, Serialize};

use crate::Millis;

/// How many failures are several.
pub const SEVERAL: u8 = 3;

/// Within what time the several failures must lie, in milliseconds.
pub const WINDOW: i64 = 24 * Millis::HOUR;

/// How far apart the first and last of them must be, in milliseconds.
pub const SPREAD: i64 = 12 * Millis::HOUR;

/// For how long everything must fail from then on, in milliseconds.
pub const LIMIT: i64 = 5 * Millis::DAY;

/// Failures closer together than this count as one, in milliseconds.
pub const BURST: i64 = Millis::MINUTE;

/// The most that the time between two failures counts towards [`LIMIT`], in milliseconds.
pub const QUIET: i64 = Millis::DAY;

/// The circuit breaker of an endpoint: small enough for a column (JSON).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Breaker {
    /// All is well: nothing failed since the last success.
    #[default]
    Closed,
    /// Something failed, not yet enough to start the clock.
    Failing {
        /// The first failure of the last 24 hours.
        #[serde(with = "epoch")]
        first: Millis,
        /// The last but one; `first` again while there are fewer than three.
        #[serde(with = "epoch")]
        previous: Millis,
        /// The last.
        #[serde(with = "epoch")]
        last: Millis,
        /// How many of the last 24 hours, at most [`SEVERAL`].
        failures: u8,
    },
    /// The clock of five days runs.
    Counting {
        /// The first failure of those that started the clock.
        #[serde(with = "epoch")]
        first: Millis,
        /// When the clock started, moved on by the time that does not count.
        #[serde(with = "epoch")]
        since: Millis,
        /// The last failure.
        #[serde(with = "epoch")]
        last: Millis,
    },
    /// The clock has run out.
    Open {
        /// The first failure of those that started the clock.
        #[serde(with = "epoch")]
        first: Millis,
        /// When the breaker opened.
        #[serde(with = "epoch")]
        at: Millis,
    },
}

/// A breaker opened just now: the endpoint is to be disabled and its owner told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tripped {
    /// Since when everything fails.
    pub failing_since: Millis,
    /// The failure that opened the breaker.
    pub at: Millis,
}

impl Breaker {
    /// The breaker after an attempt that failed at `at`, and whether it opened with it. A state that equals the one
    /// before need not be stored.
    #[must_use]
    pub fn on_failure(self, at: Millis) -> (Self, Option<Tripped>) {
        match self {
            Self::Closed => (Self::first(at), None),
            Self::Failing { last, .. } | Self::Counting { last, .. } if at.since(last) < -QUIET => {
                (Self::first(at), None)
            }
            Self::Failing { last, .. } | Self::Counting { last, .. } if at.since(last) < BURST => {
                (self, None)
            }
            Self::Failing {
                first,
                previous,
                last,
                failures,
            } => (Self::watch((first, previous, last, failures), at), None),
            Self::Counting { first, since, last } => {
                let since = since.plus((at.since(last) - QUIET).max(0));
                if at.since(since) < LIMIT {
                    return (
                        Self::Counting {
                            first,
                            since,
                            last: at,
                        },
                        None,
                    );
                }
                let tripped = Tripped {
                    failing_since: first,
                    at,
                };
                (Self::Open { first, at }, Some(tripped))
            }
            Self::Open { .. } => (self, None),
        }
    }

    /// The breaker after a success.
    #[must_use]
    pub const fn on_success(self) -> Self {
        Self::Closed
    }

    /// Since when everything fails; `None` while all is well.
    #[must_use]
    pub const fn failing_since(&self) -> Option<Millis> {
        match self {
            Self::Closed => None,
            Self::Failing { first, .. } | Self::Counting { first, .. } | Self::Open { first, .. } => {
                Some(*first)
            }
        }
    }

    /// When the breaker opens if everything goes on failing; `None` unless the clock runs.
    #[must_use]
    pub const fn opens_at(&self) -> Option<Millis> {
        match self {
            Self::Counting { since, .. } => Some(since.plus(LIMIT)),
            _ => None,
        }
    }

    /// Whether it has opened.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    const fn first(at: Millis) -> Self {
        Self::Failing {
            first: at,
            previous: at,
            last: at,
            failures: 1,
        }
    }

    /// One more failure before the clock runs. Three instants and a count are exactly enough for a window that
    /// slides: when its first failure leaves it without having started the clock, then those in the following twelve
    /// hours were the last ones, and of these the last two decide.
    fn watch((first, previous, last, failures): (Millis, Millis, Millis, u8), at: Millis) -> Self {
        let in_window = |failure: Millis| at.since(failure) <= WINDOW;
        let (first, failures) = if in_window(first) {
            (first, failures.saturating_add(1).min(SEVERAL))
        } else if failures >= SEVERAL && in_window(previous) {
            (previous, SEVERAL)
        } else if failures > 1 && in_window(last) {
            (last, 2)
        } else {
            return Self::first(at);
        };
        if failures >= SEVERAL && at.since(first) >= SPREAD {
            return Self::Counting {
                first,
                since: at,
                last: at,
            };
        }
        Self::Failing {
            first,
            previous: last,
            last: at,
            failures,
        }
    }
}

/// Instants as epoch milliseconds: shorter than text, and what the column is for is read by programs only.
mod epoch {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::Millis;

    pub(super) fn serialize<S: Serializer>(at: &Millis, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
        i64::deserialize(deserializer).map(Millis)
    }
}
