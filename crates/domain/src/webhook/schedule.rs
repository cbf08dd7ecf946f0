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
use crate::{DeliveryState, Ids, Millis};

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

    /// A whole number from 0 to `width`, both included. `width` must not be negative; so the casts lose nothing.
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

/// The life of one message to one endpoint.
///
/// Whatever order outcomes come in (two workers may hold the same message when a lease ran out): what was delivered
/// stays delivered until it is replayed, and a late success delivers what had failed or was skipped.
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
            (state @ (DeliveryState::Failed | DeliveryState::Skipped), _) => (state, None),
            (DeliveryState::Pending, Verdict::Failed) => (DeliveryState::Failed, None),
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::SeededIds;

    const START: Millis = Millis(1_773_153_000_000);
    const REFUSED: Outcome = Outcome::answered(500);

    fn asks(status: u16, pause: i64) -> Outcome {
        Outcome::Answered {
            status,
            retry_after_ms: Some(pause),
        }
    }

    fn pause_after(attempts: u8, outcome: &Outcome, jitter: Jitter) -> Option<i64> {
        match after_attempt(attempts, outcome, START, jitter) {
            Verdict::Retry { at } => Some(at.since(START)),
            Verdict::Delivered | Verdict::Failed => None,
        }
    }

    /// The instants of all attempts of a round that only fails, each attempt taking `each` milliseconds.
    fn round(jitter: impl Fn(u8) -> Jitter, each: i64) -> Vec<i64> {
        let (mut delivery, mut attempts) = (Delivery::new(START), Vec::new());
        while let Some(due) = delivery.due {
            attempts.push(due.since(START));
            delivery = delivery.after_attempt(&REFUSED, due.plus(each), jitter(delivery.attempts));
        }
        assert_eq!(
            (delivery.state, delivery.attempts),
            (DeliveryState::Failed, ATTEMPTS)
        );
        attempts
    }

    #[test]
    fn a_round_is_eight_attempts_over_27_and_a_half_hours() {
        let seconds: Vec<i64> = round(|_| Jitter::NONE, 0)
            .iter()
            .map(|at| at / Millis::SECOND)
            .collect();
        assert_eq!(seconds, [0, 5, 305, 2_105, 9_305, 27_305, 63_305, 99_305]);
        assert_eq!(
            PAUSES.iter().sum::<i64>(),
            27 * Millis::HOUR + 35 * Millis::MINUTE + 5 * Millis::SECOND
        );
    }

    #[test]
    fn pauses_run_from_the_end_of_an_attempt() {
        let slow = round(|_| Jitter::NONE, TIME_LIMIT_MS);
        let quick = round(|_| Jitter::NONE, 0);
        for (place, (slow, quick)) in (0_i64..).zip(slow.iter().zip(&quick)) {
            assert_eq!(*slow, quick + place * TIME_LIMIT_MS);
        }
    }

    #[test]
    fn jitter_stays_within_a_fifth_and_spares_the_first_attempt() {
        let (shortest, longest) = (round(|_| Jitter::SHORTEST, 0), round(|_| Jitter::LONGEST, 0));
        let plain = round(|_| Jitter::NONE, 0);
        assert_eq!((shortest[0], longest[0]), (0, 0));
        for place in 1..plain.len() {
            assert_eq!(shortest[place] * 5, plain[place] * 4, "a fifth less");
            assert_eq!(longest[place] * 5, plain[place] * 6, "a fifth more");
        }
        let ids = SeededIds::new(4);
        let drawn: HashSet<i64> = (0..1_000)
            .filter_map(|_| pause_after(2, &REFUSED, Jitter::draw(&ids)))
            .collect();
        assert!(drawn.len() > 900, "they spread: {}", drawn.len());
        let (least, most) = (drawn.iter().min().unwrap(), drawn.iter().max().unwrap());
        assert!((240_000..=242_000).contains(least) && (358_000..=360_000).contains(most));
        let mean = drawn.iter().sum::<i64>() / i64::try_from(drawn.len()).unwrap();
        assert!((297_000..=303_000).contains(&mean), "to both sides alike: {mean}");
    }

    #[test]
    fn any_2xx_delivers_and_nothing_else_does() {
        for status in 0..=999 {
            let outcome = Outcome::answered(status);
            let delivered = (200..300).contains(&status);
            assert_eq!(outcome.is_success(), delivered);
            assert_eq!(outcome.error().is_none(), delivered);
            for attempts in 1..=ATTEMPTS {
                let verdict = after_attempt(attempts, &outcome, START, Jitter::NONE);
                assert_eq!(verdict == Verdict::Delivered, delivered, "{status}");
                assert_eq!(
                    verdict == Verdict::Failed,
                    !delivered && attempts == ATTEMPTS,
                    "{status}"
                );
            }
        }
        assert_eq!(Outcome::answered(302).error(), Some(AttemptError::Redirect));
        assert_eq!(Outcome::answered(304).error(), Some(AttemptError::Status));
        assert_eq!(
            Outcome::Broken(AttemptError::Tls).error(),
            Some(AttemptError::Tls)
        );
        assert_eq!(Outcome::Broken(AttemptError::Tls).status(), None);
    }

    #[test]
    fn retry_after_lengthens_up_to_the_next_step() {
        let pause = |attempts, outcome: Outcome| pause_after(attempts, &outcome, Jitter::SHORTEST).unwrap();
        assert_eq!(pause(1, asks(429, 60_000)), 60_000);
        assert_eq!(pause(1, asks(503, 60_000)), 60_000);
        assert_eq!(
            pause(1, asks(429, 3_600_000)),
            5 * Millis::MINUTE,
            "no longer than the step after this"
        );
        assert_eq!(pause(2, asks(429, i64::MAX)), 30 * Millis::MINUTE);
        assert_eq!(pause(5, asks(503, 24 * Millis::HOUR)), 10 * Millis::HOUR);
        assert_eq!(
            pause(7, asks(503, 24 * Millis::HOUR)),
            10 * Millis::HOUR,
            "the last step has none after it"
        );
        assert_eq!(
            pause(8 - 1, asks(429, 1)),
            8 * Millis::HOUR,
            "a shorter one changes nothing"
        );
        assert_eq!(pause(1, asks(429, -5)), 4_000);
        assert_eq!(pause(1, asks(429, i64::MIN)), 4_000);
        assert_eq!(pause(1, asks(500, 60_000)), 4_000, "only beside 429 and 503");
        assert_eq!(
            pause_after(1, &asks(429, 60_000), Jitter::LONGEST),
            Some(72_000),
            "spread, but never earlier"
        );
        assert_eq!(
            pause_after(2, &asks(429, 3_600_000), Jitter::LONGEST),
            Some(30 * Millis::MINUTE),
            "nor later than the step after"
        );
        assert_eq!(
            pause_after(8, &asks(429, 60_000), Jitter::NONE),
            None,
            "no attempt is added"
        );
    }

    #[test]
    fn a_replay_is_a_fresh_round_of_the_same_message() {
        let mut delivery = Delivery::new(START);
        for _ in 0..ATTEMPTS {
            delivery = delivery.after_attempt(&REFUSED, START, Jitter::NONE);
        }
        assert_eq!((delivery.state, delivery.due), (DeliveryState::Failed, None));
        let later = START.plus(3 * Millis::DAY);
        delivery = delivery.replay(later);
        assert_eq!(
            (delivery.state, delivery.due),
            (DeliveryState::Pending, Some(later))
        );
        assert_eq!((delivery.attempts, delivery.replays), (0, 1));
        delivery = delivery.after_attempt(&REFUSED, later, Jitter::NONE);
        assert_eq!(delivery.due, Some(later.plus(5_000)));
        delivery = delivery.after_attempt(&Outcome::answered(204), later.plus(5_000), Jitter::NONE);
        assert_eq!((delivery.state, delivery.due), (DeliveryState::Delivered, None));
        delivery = delivery.replay(later);
        assert_eq!(
            (delivery.state, delivery.replays),
            (DeliveryState::Pending, 2),
            "also of what was delivered"
        );
    }

    #[test]
    fn late_outcomes_do_no_harm() {
        let delivered = Delivery::new(START).after_attempt(&Outcome::answered(200), START, Jitter::NONE);
        let after = delivered.after_attempt(&REFUSED, START, Jitter::NONE);
        assert_eq!((after.state, after.due), (DeliveryState::Delivered, None));
        for state in [DeliveryState::Failed, DeliveryState::Skipped] {
            let closed = Delivery {
                state,
                due: None,
                ..Delivery::new(START)
            };
            let after = closed.after_attempt(&REFUSED, START, Jitter::NONE);
            assert_eq!((after.state, after.due), (state, None));
            let after = closed.after_attempt(&Outcome::answered(200), START, Jitter::NONE);
            assert_eq!(after.state, DeliveryState::Delivered);
        }
    }

    #[test]
    fn every_error_has_a_code_and_a_sentence() {
        for error in AttemptError::ALL {
            assert_eq!(error.as_str().parse(), Ok(*error));
            assert_eq!(serde_json::to_value(error).unwrap(), error.as_str());
            assert!(
                error
                    .as_str()
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b == b'_')
            );
            let sentence = error.sentence();
            assert!(sentence.ends_with('.') && sentence.len() > 20, "{sentence}");
        }
    }

    fn outcomes() -> impl Strategy<Value = Outcome> {
        let statuses = prop_oneof![0_u16..1_000, proptest::sample::select(vec![200, 302, 429, 503])];
        let pauses = prop_oneof![any::<i64>(), 0..12 * Millis::HOUR];
        prop_oneof![
            (statuses, proptest::option::of(pauses)).prop_map(|(status, retry_after_ms)| Outcome::Answered {
                status,
                retry_after_ms
            }),
            proptest::sample::select(AttemptError::ALL).prop_map(Outcome::Broken),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Whatever comes: at most eight attempts a round, no pause shorter than four fifths of its step or longer
        /// than the longer of six fifths of it and the step after, and nothing overflows.
        #[test]
        fn pauses_keep_their_bounds(attempts in any::<u8>(), outcome in outcomes(), now in any::<i64>(), random in any::<u64>()) {
            match after_attempt(attempts, &outcome, Millis(now), Jitter::new(random)) {
                Verdict::Delivered => prop_assert!(outcome.is_success()),
                Verdict::Failed => prop_assert!(attempts >= ATTEMPTS),
                Verdict::Retry { at } => {
                    let next = usize::from(attempts.max(1));
                    let (step, after) = (PAUSES[next], PAUSES.get(next + 1).copied().unwrap_or(PAUSES[next]));
                    prop_assert!(at >= Millis(now).plus(step / 5 * 4));
                    prop_assert!(at <= Millis(now).plus((step / 5 * 6).max(after)));
                }
            }
        }

        #[test]
        fn every_life_ends(outcomes in proptest::collection::vec(outcomes(), 8..40), random in any::<u64>()) {
            let (mut delivery, mut made) = (Delivery::new(START), 0);
            for outcome in &outcomes {
                let Some(due) = delivery.due else { break };
                let next = delivery.after_attempt(outcome, due, Jitter::new(random));
                prop_assert!(next.due.is_none_or(|at| at > due));
                prop_assert_eq!(next.due.is_some(), next.state == DeliveryState::Pending);
                delivery = next;
                made += 1;
            }
            prop_assert!(made <= ATTEMPTS && delivery.state != DeliveryState::Pending);
            let delivered = outcomes.iter().take(usize::from(ATTEMPTS)).any(Outcome::is_success);
            prop_assert_eq!(delivery.state == DeliveryState::Delivered, delivered);
        }
    }
}
