//! The power dialer: queues of numbers that a user calls one after the other, and what is noted of each call.

use crate::CallResult;
use crate::call::{Call, EndCause};
use crate::model::named;

/// The most numbers a queue holds, those that were called included.
pub const MAX_ENTRIES: i64 = 1_000;

/// The longest name of a queue, in characters.
pub const MAX_NAME: usize = 255;

named! {
    /// What the dialer does when a call reaches a voicemail.
    VoicemailHandling {
        /// It goes on to the next number.
        Skip = "SKIP",
        /// The user stays on the call.
        NoSkip = "NO_SKIP",
    }
}

named! {
    /// Whether incoming calls are silenced while the queue is being called.
    DoNotDisturb {
        /// They are.
        Enabled = "ENABLED",
        /// They ring as ever.
        Disabled = "DISABLED",
    }
}

named! {
    /// How the call of an entry ended, in the words of the published description.
    RoutingResult {
        /// It did not connect, or nobody picked up.
        Failed = "FAILED",
        /// The number is blocked.
        Blocked = "BLOCKED",
        /// A person picked up.
        Answered = "ANSWERED",
        /// A person picked up, and the call went on to a number outside of the team.
        TransferredExternal = "TRANSFERRED_EXTERNAL",
        /// A voicemail picked up.
        Voicemail = "VOICEMAIL",
    }
}

named! {
    /// Why the call of an entry reached nobody.
    NotReached {
        /// The other side was on the phone.
        Busy = "BUSY",
        /// It rang out.
        RingTimeout = "RING_TIMEOUT",
        /// It could not be connected.
        NetworkError = "NETWORK_ERROR",
    }
}

/// What a queue's entry keeps of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub result: RoutingResult,
    /// Why it reached nobody; `None` where it did, and where the caller gave up.
    pub not_reached: Option<NotReached>,
    /// Whether a voicemail picked up.
    pub voicemail: bool,
    /// Whether a message was left: certainly not where no voicemail picked up; `None` where that is not known.
    pub voicemail_left: Option<bool>,
}

impl Outcome {
    /// The outcome of a call; `None` while it lasts.
    ///
    /// The published description has names for two makes of AI agents and none for ours: a call that went on to one is
    /// told as answered, which it was.
    #[must_use]
    pub fn of(call: &Call) -> Option<Self> {
        let result = match call.result()? {
            CallResult::Answered | CallResult::TransferredAi => RoutingResult::Answered,
            CallResult::TransferredExternal => RoutingResult::TransferredExternal,
            CallResult::Voicemail => RoutingResult::Voicemail,
            CallResult::Blocked => RoutingResult::Blocked,
            CallResult::Failed | CallResult::Missed => RoutingResult::Failed,
        };
        let not_reached = match (result, call.cause) {
            (RoutingResult::Failed, Some(EndCause::Busy)) => Some(NotReached::Busy),
            (RoutingResult::Failed, Some(EndCause::NoAnswer)) => Some(NotReached::RingTimeout),
            (RoutingResult::Failed, Some(EndCause::Failed | EndCause::Abandoned)) => {
                Some(NotReached::NetworkError)
            }
            _ => None,
        };
        let voicemail = call.voicemail_at.is_some();
        Some(Self {
            result,
            not_reached,
            voicemail,
            voicemail_left: (!voicemail).then_some(false),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Input, TransferKind};
    use crate::{Direction, Millis};

    #[test]
    fn every_end_has_its_outcome() {
        let played = |inputs: &[Input]| {
            let ring = Call::ring(Direction::Outbound, Millis(0));
            inputs.iter().fold(ring, |call, input| {
                call.apply(*input, Millis(1_000)).expect("a lawful step").0
            })
        };
        let end = Input::End;
        for (inputs, result, not_reached, voicemail_left) in [
            (
                vec![end(EndCause::Busy)],
                "FAILED",
                Some(NotReached::Busy),
                Some(false),
            ),
            (
                vec![end(EndCause::NoAnswer)],
                "FAILED",
                Some(NotReached::RingTimeout),
                Some(false),
            ),
            (
                vec![end(EndCause::Failed)],
                "FAILED",
                Some(NotReached::NetworkError),
                Some(false),
            ),
            (
                vec![Input::Abandon],
                "FAILED",
                Some(NotReached::NetworkError),
                Some(false),
            ),
            (vec![end(EndCause::HungUp)], "FAILED", None, Some(false)),
            (vec![end(EndCause::Blocked)], "BLOCKED", None, Some(false)),
            (
                vec![Input::Voicemail, end(EndCause::HungUp)],
                "VOICEMAIL",
                None,
                None,
            ),
            (
                vec![Input::Answer, end(EndCause::HungUp)],
                "ANSWERED",
                None,
                Some(false),
            ),
            (
                vec![
                    Input::Answer,
                    Input::Transfer(TransferKind::Ai),
                    end(EndCause::HungUp),
                ],
                "ANSWERED",
                None,
                Some(false),
            ),
            (
                vec![
                    Input::Answer,
                    Input::Transfer(TransferKind::External),
                    end(EndCause::HungUp),
                ],
                "TRANSFERRED_EXTERNAL",
                None,
                Some(false),
            ),
        ] {
            let outcome = Outcome::of(&played(&inputs)).expect("the call is over");
            assert_eq!(
                (
                    outcome.result.as_str(),
                    outcome.not_reached,
                    outcome.voicemail_left
                ),
                (result, not_reached, voicemail_left),
                "{inputs:?}"
            );
            assert_eq!(outcome.voicemail, result == "VOICEMAIL");
        }
        assert_eq!(Outcome::of(&played(&[Input::Answer])), None, "it lasts");
    }
}
