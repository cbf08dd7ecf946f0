//! When a delivery is tried again, and when it is given up.
//!
//! A message goes to one endpoint in rounds of at most [`ATTEMPTS`] attempts, with the pauses of [`PAUSES`] between
//! them. A reply of 2xx within [`TIME_LIMIT_MS`] delivers it; everything else, redirects included, is a failure.
//! After the last attempt of a round the message has failed, and a replay begins a new round of the same message.
//!
//! The pauses are those of behaviour.md, section 5, which the Standard Webhooks specification recommends too
//! ("Deliverability and reliability").

use serde::{Deserialize, Serialize};

use crate::model::named;
use crate::{Ids, Millis};

/// The pause before each attempt of a round, in milliseconds: 0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h.
pub const PAUSES: [i64; ATTEMPTS as usize] = [
    0,
    5 * Millis::SECOND,
    5 * Millis::MINUTE,
    30 * Millis::MINUTE,
    2 * Millis::HOUR,
    5 * Millis::HOUR,
    10 * Millis::HOUR,
    10 * Millis::HOUR,
];

/// How many attempts a round has.
pub const ATTEMPTS: u8 = 8;

/// How long one attempt may take, from dialling to the reply's status line, in milliseconds.
pub const TIME_LIMIT_MS: i64 = 20 * Millis::SECOND;

/// The share of a pause by which it may be longer or shorter, in per cent.
pub const JITTER_PERCENT: i64 = 20;

/// A random number that spreads retries, so that messages which failed together do not come back together.
///
/// A pause becomes any length within [`JITTER_PERCENT`] of itself, to both sides and all equally likely; the first
/// attempt of a round has no pause and therefore no jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jitter(u64);

impl Jitter {
    /// Leaves pauses as they are.
    pub const NONE: Self = Self(1 << 63);
    /// The shortest pauses.
    pub const SHORTEST: Self = Self(0);
    /// The longest pauses.
    pub const LONGEST: Self = Self(u64::MAX);

    /// The jitter of a random number; the whole range of `u64` is used.
    #[must_use]
    pub const fn new(random: u64) -> Self {
        Self(random)
    }

    /// Draws one.
    #[must_use]
    pub fn draw(ids: &dyn Ids) -> Self {
        let mut bytes = [0; 8];
        ids.fill(&mut bytes);
        Self(u64::from_le_bytes(bytes))
    }

    /// `pause`, lengthened or shortened.
    const fn both_ways(self, pause: i64) -> i64 {
        let span = pause / 100 * JITTER_PERCENT;
        pause - span + self.share_of(2 * span)
    }

    /// `pause`, lengthened only: by as much as [`Jitter::both_ways`] moves an equal pause, to whichever side.
    const fn lengthen(self, pause: i64) -> i64 {
        pause + self.share_of(pause / 100 * JITTER_PERCENT)
    }

    /// A whole number from 0 to `width`, both included. `width` must not be negative.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the product's upper half is at most `width`, which is not negative"
    )]
    const fn share_of(self, width: i64) -> i64 {
        ((self.0 as u128 * (width as u128 + 1)) >> 64) as i64
    }
}

named! {
    /// Why an attempt failed.
    AttemptError {
        /// The host's name could not be resolved.
        Dns = "DNS",
        /// The address, or the URL, is not one that may be called.
        ForbiddenAddress = "FORBIDDEN_ADDRESS",
        /// No connection came about.
        Connect = "CONNECT",
        /// The encrypted connection did not come about, or the certificate is not valid.
        Tls = "TLS",
        /// No reply within the time limit.
        Timeout = "TIMEOUT",
        /// The connection broke before the reply.
        Reset = "RESET",
        /// The reply is not HTTP.
        Protocol = "PROTOCOL",
        /// The reply's head is larger than what is read.
        TooLarge = "TOO_LARGE",
        /// The reply redirects, which is not followed.
        Redirect = "REDIRECT",
        /// The reply has another status than 2xx.
        Status = "STATUS",
        /// The request could not be prepared here.
        Internal = "INTERNAL",
    }
}

impl AttemptError {
    /// A sentence for whoever looks after the receiver.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Dns => "The host name of the URL could not be resolved.",
            Self::ForbiddenAddress => {
                "The URL leads to an address that is not public, and this server does not call those."
            }
            Self::Connect => {
                "No connection to the receiver could be made: it is down, or refuses connections."
            }
            Self::Tls => {
                "No secure connection could be made: the certificate is expired, self-signed or for another name, or the receiver speaks no TLS 1.2 or newer."
            }
            Self::Timeout => "The receiver did not answer within 20 seconds.",
            Self::Reset => "The receiver closed the connection before it had answered.",
            Self::Protocol => "What the receiver answered is not valid HTTP.",
            Self::TooLarge => "The head of the receiver's answer is too large to be read.",
            Self::Redirect => "The receiver answered with a redirect, and redirects are not followed.",
            Self::Status => "The receiver answered with a status that is not 2xx.",
            Self::Internal => {
                "This server could not prepare the request; the fault is not the receiver's, and its operator finds the reason in the log."
            }
        }
    }
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver's reply began within the time limit. What becomes of the rest of the reply decides nothing.
    Answered {
        /// The HTTP status.
        status: u16,
        /// What `Retry-After` asks for, in milliseconds from now; `None` without it, or where it cannot be read.
        retry_after_ms: Option<i64>,
    },
    /// There was no reply.
    Broken(AttemptError),
}

impl Outcome {
    /// A reply without `Retry-After`.
    #[must_use]
    pub const fn answered(status: u16) -> Self {
        Self::Answered {
            status,
            retry_after_ms: None,
        }
    }

    /// Whether the message has arrived.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(
            self,
            Self::Answered {
                status: 200..=299,
                ..
            }
        )
    }

    /// The HTTP status, if there was a reply.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            Self::Broken(_) => None,
        }
    }

    /// Why it is a failure; `None` for a success.
    #[must_use]
    pub const fn error(&self) -> Option<AttemptError> {
        match self {
            Self::Answered {
                status: 200..=299, ..
            } => None,
            Self::Answered {
                status: 301 | 302 | 303 | 307 | 308,
                ..
            } => Some(AttemptError::Redirect),
            Self::Answered { .. } => Some(AttemptError::Status),
            Self::Broken(error) => Some(*error),
        }
    }

    /// The pause that the receiver asks for, in milliseconds: `Retry-After` counts beside 429 (RFC 6585, section 4)
    /// and 503 (RFC 9110, section 15.6.4) only.
    const fn asked_pause(&self) -> Option<i64> {
        match self {
            Self::Answered {
                status: 429 | 503,
                retry_after_ms,
            } => *retry_after_ms,
            _ => None,
        }
    }
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The message has arrived.
    Delivered,
    /// It is tried again.
    Retry {
        /// When.
        at: Millis,
    },
    /// The round is over; only a replay tries again.
    Failed,
}

/// What follows the attempt that ended at `now` with `outcome`, when `attempts_made` attempts of the round are made,
/// this one included.
///
/// The pause is the next one of [`PAUSES`] with jitter. Where the receiver asked for a longer one with `Retry-After`,
/// that is kept, with a jitter that only lengthens, but no longer than the pause one step further in the schedule
/// (before the last attempt: than its own). A shorter one changes nothing.
#[must_use]
pub fn after_attempt(attempts_made: u8, outcome: &Outcome, now: Millis, jitter: Jitter) -> Verdict {
    if outcome.is_success() {
        return Verdict::Delivered;
    }
    let next = usize::from(attempts_made.max(1));
    let Some(pause) = PAUSES.get(next).copied() else {
        return Verdict::Failed;
    };
    let own = jitter.both_ways(pause);
    let asked = outcome.asked_pause().map_or(0, |asked| {
        let ceiling = PAUSES.get(next + 1).copied().unwrap_or(pause);
        jitter.lengthen(asked.clamp(0, ceiling)).min(ceiling)
    });
    Verdict::Retry {
        at: now.plus(own.max(asked)),
    }
}

named! {
    /// Where a message to an endpoint stands.
    DeliveryState {
        /// It waits for its first or next attempt.
        Pending = "PENDING",
        /// The receiver has it.
        Delivered = "DELIVERED",
        /// Every attempt of the round failed.
        Failed = "FAILED",
    }
}

/// The life of one message to one endpoint.
///
/// Whatever order outcomes come in (two workers may hold the same message when a lease ran out): what was delivered
/// stays delivered until it is replayed, and a late success delivers what had failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Where it stands.
    pub state: DeliveryState,
    /// How many attempts the present round has made.
    pub attempts: u8,
    /// How many replays there were.
    pub replays: u32,
    /// When the next attempt is due; only while pending.
    pub due: Option<Millis>,
}

impl Delivery {
    /// A message that came to be at `now` and is due at once.
    #[must_use]
    pub const fn new(now: Millis) -> Self {
        Self {
            state: DeliveryState::Pending,
            attempts: 0,
            replays: 0,
            due: Some(now),
        }
    }

    /// The message after an attempt that ended at `now`.
    #[must_use]
    pub fn after_attempt(self, outcome: &Outcome, now: Millis, jitter: Jitter) -> Self {
        let attempts = self.attempts.saturating_add(1);
        let (state, due) = match (self.state, after_attempt(attempts, outcome, now, jitter)) {
            (DeliveryState::Delivered, _) | (_, Verdict::Delivered) => (DeliveryState::Delivered, None),
            (DeliveryState::Failed, _) | (_, Verdict::Failed) => (DeliveryState::Failed, None),
            (DeliveryState::Pending, Verdict::Retry { at }) => (DeliveryState::Pending, Some(at)),
        };
        Self {
            state,
            attempts,
            due,
            ..self
        }
    }

    /// The message after somebody asked for it again: due at once, with a fresh round of attempts, whatever it was.
    #[must_use]
    pub const fn replay(self, now: Millis) -> Self {
        Self {
            state: DeliveryState::Pending,
            attempts: 0,
            replays: self.replays.saturating_add(1),
            due: Some(now),
        }
    }
}
