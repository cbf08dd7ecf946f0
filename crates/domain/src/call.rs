//! The life of a call: what may follow what.
//!
//! A call rings, may be answered (or go to voicemail), ends, and is completed once its recording, transcript and
//! summary are in or given up on. Whatever order inputs come in, and however often:
//!
//! - a call that rang ends exactly once and is completed exactly once, the end before the completion;
//! - an input that says what is already so changes nothing and is no error;
//! - an input that contradicts what happened is refused and changes nothing.

use serde::{Deserialize, Serialize};

use crate::{CallResult, Direction, Millis};

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It rings.
    Ringing,
    /// Somebody, or the voicemail, picked up.
    InProgress,
    /// It is over; what it left behind is being processed.
    Ended,
    /// Everything is in. Nothing follows.
    Completed,
}

impl Phase {
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ringing => "RINGING",
            Self::InProgress => "IN_PROGRESS",
            Self::Ended => "ENDED",
            Self::Completed => "COMPLETED",
        }
    }
}

impl std::str::FromStr for Phase {
    type Err = crate::UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "RINGING" => Self::Ringing,
            "IN_PROGRESS" => Self::InProgress,
            "ENDED" => Self::Ended,
            "COMPLETED" => Self::Completed,
            _ => {
                return Err(crate::UnknownName {
                    allowed: &["RINGING", "IN_PROGRESS", "ENDED", "COMPLETED"],
                });
            }
        })
    }
}

/// Where a call was handed on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TransferKind {
    /// To somebody else of the team: the call stays answered.
    Colleague,
    /// To a number outside.
    External,
    /// To an AI agent.
    Ai,
}

/// Why a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EndCause {
    /// One side put the phone down (while ringing: the caller gave up).
    HungUp,
    /// It rang out.
    NoAnswer,
    /// The other side is on the phone.
    Busy,
    /// The caller is blocked.
    Blocked,
    /// It could not be connected.
    Failed,
    /// Whoever ran the call is gone (crash, lost node).
    Abandoned,
}

/// What can happen to a call that rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A person picked up (for outbound calls: the person called).
    Answer,
    /// The voicemail picked up.
    Voicemail,
    /// The call is handed on.
    Transfer(TransferKind),
    /// The call is over.
    End(EndCause),
    /// Processing is done, or given up on.
    Complete,
    /// The owner is gone: end and complete, whatever the phase.
    Abandon,
}

/// What became true by an input; each at most once in the life of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// A person picked up.
    Answered,
    /// The voicemail picked up.
    VoicemailStarted,
    /// The call was handed on.
    Transferred,
    /// The call is over.
    Ended,
    /// Everything is in.
    Completed,
}

/// Why an input was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The call is over.
    #[error("the call has already ended")]
    AlreadyEnded,
    /// Only a call that somebody answered can be handed on.
    #[error("the call has not been answered")]
    NotAnswered,
    /// A call must end before it can be completed.
    #[error("the call has not ended yet")]
    NotEnded,
    /// A person and the voicemail cannot both have picked up first.
    #[error("the call was already picked up")]
    AlreadyPickedUp,
}

/// The state of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which way it went.
    pub direction: Direction,
    /// How far it has come.
    pub phase: Phase,
    /// When it began to ring.
    pub rang_at: Millis,
    /// When a person picked up.
    pub answered_at: Option<Millis>,
    /// When the voicemail picked up.
    pub voicemail_at: Option<Millis>,
    /// When it was over.
    pub ended_at: Option<Millis>,
    /// Where it was handed on to, last.
    pub transfer: Option<TransferKind>,
    /// Why it ended.
    pub cause: Option<EndCause>,
}

/// The next state and the facts that are new.
pub type Step = (Call, Vec<Fact>);

impl Call {
    /// A call that begins to ring at `at`.
    #[must_use]
    pub const fn ring(direction: Direction, at: Millis) -> Self {
        Self {
            direction,
            phase: Phase::Ringing,
            rang_at: at,
            answered_at: None,
            voicemail_at: None,
            ended_at: None,
            transfer: None,
            cause: None,
        }
    }

    /// What `input` at `at` makes of the call. Times never run backwards: what happens "before" the last known
    /// moment of the call is taken to happen at that moment.
    ///
    /// # Errors
    /// A [`Refusal`] when the input contradicts what happened.
    pub fn apply(self, input: Input, at: Millis) -> Result<Step, Refusal> {
        let at = at.max(self.last_moment());
        match (input, self.phase) {
            (Input::Answer, Phase::Ringing) => Ok((
                Self {
                    phase: Phase::InProgress,
                    answered_at: Some(at),
                    ..self
                },
                vec![Fact::Answered],
            )),
            (Input::Answer, Phase::InProgress) if self.answered_at.is_some() => Ok((self, vec![])),
            (Input::Voicemail, Phase::Ringing) => Ok((
                Self {
                    phase: Phase::InProgress,
                    voicemail_at: Some(at),
                    ..self
                },
                vec![Fact::VoicemailStarted],
            )),
            (Input::Voicemail, Phase::InProgress) if self.voicemail_at.is_some() => Ok((self, vec![])),
            (Input::Answer | Input::Voicemail, Phase::InProgress) => Err(Refusal::AlreadyPickedUp),
            (Input::Transfer(_), Phase::Ringing) => Err(Refusal::NotAnswered),
            (Input::Transfer(_), Phase::InProgress) if self.answered_at.is_none() => {
                Err(Refusal::NotAnswered)
            }
            (Input::Transfer(kind), Phase::InProgress) => Ok((
                Self {
                    transfer: Some(kind),
                    ..self
                },
                vec![Fact::Transferred],
            )),
            (Input::Answer | Input::Voicemail | Input::Transfer(_), Phase::Ended | Phase::Completed) => {
                Err(Refusal::AlreadyEnded)
            }
            (Input::End(cause), Phase::Ringing | Phase::InProgress) => {
                Ok((self.over(cause, at), vec![Fact::Ended]))
            }
            (Input::End(_), Phase::Ended | Phase::Completed) => Ok((self, vec![])),
            (Input::Complete, Phase::Ringing | Phase::InProgress) => Err(Refusal::NotEnded),
            (Input::Complete, Phase::Ended) => Ok((
                Self {
                    phase: Phase::Completed,
                    ..self
                },
                vec![Fact::Completed],
            )),
            (Input::Abandon, Phase::Ringing | Phase::InProgress) => {
                let over = self.over(EndCause::Abandoned, at);
                Ok((
                    Self {
                        phase: Phase::Completed,
                        ..over
                    },
                    vec![Fact::Ended, Fact::Completed],
                ))
            }
            (Input::Abandon, Phase::Ended) => Ok((
                Self {
                    phase: Phase::Completed,
                    ..self
                },
                vec![Fact::Completed],
            )),
            (Input::Complete | Input::Abandon, Phase::Completed) => Ok((self, vec![])),
        }
    }

    const fn over(self, cause: EndCause, at: Millis) -> Self {
        Self {
            phase: Phase::Ended,
            ended_at: Some(at),
            cause: Some(cause),
            ..self
        }
    }

    fn last_moment(&self) -> Millis {
        self.ended_at
            .or(self.answered_at)
            .or(self.voicemail_at)
            .unwrap_or(self.rang_at)
    }

    /// How the call ended; `None` while it lasts.
    #[must_use]
    pub const fn result(&self) -> Option<CallResult> {
        let Some(cause) = self.cause else { return None };
        Some(
            match (self.answered_at, self.voicemail_at, self.transfer, cause) {
                (Some(_), _, Some(TransferKind::Ai), _) => CallResult::TransferredAi,
                (Some(_), _, Some(TransferKind::External), _) => CallResult::TransferredExternal,
                (Some(_), ..) => CallResult::Answered,
                (None, Some(_), ..) => CallResult::Voicemail,
                (None, None, _, EndCause::Blocked) => CallResult::Blocked,
                (None, None, _, EndCause::Busy | EndCause::Failed | EndCause::Abandoned) => {
                    CallResult::Failed
                }
                (None, None, _, EndCause::HungUp | EndCause::NoAnswer) => CallResult::Missed,
            },
        )
    }

    /// Whole seconds from the pick-up (by a person or the voicemail) to the end; 0 if nobody picked up; `None` while
    /// the call lasts.
    #[must_use]
    pub fn duration_seconds(&self) -> Option<i64> {
        let ended = self.ended_at?;
        Some(
            self.answered_at
                .or(self.voicemail_at)
                .map_or(0, |from| (ended.since(from) + 500) / 1_000),
        )
    }

    /// Why a call that did not connect did not, in a few words.
    #[must_use]
    pub const fn failure_reason(&self) -> Option<&'static str> {
        match (self.result(), self.cause) {
            (Some(CallResult::Failed), Some(EndCause::Busy)) => Some("busy"),
            (Some(CallResult::Failed), Some(EndCause::Abandoned)) => Some("interrupted"),
            (Some(CallResult::Failed), _) => Some("not connected"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inputs() -> impl Strategy<Value = Input> {
        prop_oneof![
            Just(Input::Answer),
            Just(Input::Voicemail),
            prop_oneof![
                Just(TransferKind::Colleague),
                Just(TransferKind::External),
                Just(TransferKind::Ai)
            ]
            .prop_map(Input::Transfer),
            prop_oneof![
                Just(EndCause::HungUp),
                Just(EndCause::NoAnswer),
                Just(EndCause::Busy),
                Just(EndCause::Blocked),
                Just(EndCause::Failed)
            ]
            .prop_map(Input::End),
            Just(Input::Complete),
            Just(Input::Abandon),
        ]
    }

    proptest! {
        /// Random orders, duplicates and a crash at any point (the sweeper's `Abandon` as the last input).
        #[test]
        fn every_call_that_rang_ends_once_and_completes_once(
            direction in prop_oneof![Just(Direction::Inbound), Just(Direction::Outbound)],
            steps in prop::collection::vec((inputs(), -2_000i64..10_000), 0..24),
        ) {
            let mut call = Call::ring(direction, Millis(1_000_000));
            let mut at = Millis(1_000_000);
            let mut facts = Vec::new();
            for (input, after) in steps.into_iter().chain([(Input::Abandon, 1)]) {
                at = at.plus(after);
                let before = call;
                if let Ok((next, new)) = call.apply(input, at) {
                    prop_assert!(next.phase >= before.phase, "a call never goes back");
                    // A second transfer of the same kind goes to another number: a fact that does not show here.
                    prop_assert!(new.is_empty() == (next == before) || matches!(input, Input::Transfer(_)), "{:?}", input);
                    call = next;
                    facts.extend(new);
                }
                let again = call.apply(input, at.plus(5));
                if !matches!(input, Input::Transfer(_)) && let Ok((same, new)) = again {
                    prop_assert!(new.is_empty() || before.phase == call.phase, "a repeat changes nothing");
                    if new.is_empty() { prop_assert_eq!(same, call); }
                }
            }
            let count = |fact| facts.iter().filter(|f| **f == fact).count();
            prop_assert_eq!(count(Fact::Ended), 1);
            prop_assert_eq!(count(Fact::Completed), 1);
            prop_assert!(count(Fact::Answered) + count(Fact::VoicemailStarted) <= 1);
            let place = |fact| facts.iter().position(|f| *f == fact);
            prop_assert!(place(Fact::Ended) < place(Fact::Completed));
            prop_assert_eq!(facts.last(), Some(&Fact::Completed));
            prop_assert!(call.result().is_some());
            prop_assert!(call.duration_seconds().unwrap() >= 0);
            prop_assert_eq!(call.duration_seconds() == Some(0) || call.answered_at.or(call.voicemail_at).is_some(), true);
        }
    }

    #[test]
    fn results_follow_from_what_happened() {
        let ring = Call::ring(Direction::Inbound, Millis(0));
        let play = |inputs: &[Input]| {
            inputs.iter().enumerate().fold(ring, |call, (i, input)| {
                call.apply(*input, Millis(1_000 * (i as i64 + 1)))
                    .expect("a lawful step")
                    .0
            })
        };
        for (inputs, result, seconds) in [
            (
                vec![Input::Answer, Input::End(EndCause::HungUp)],
                CallResult::Answered,
                1,
            ),
            (vec![Input::End(EndCause::HungUp)], CallResult::Missed, 0),
            (vec![Input::End(EndCause::NoAnswer)], CallResult::Missed, 0),
            (vec![Input::End(EndCause::Busy)], CallResult::Failed, 0),
            (vec![Input::End(EndCause::Blocked)], CallResult::Blocked, 0),
            (
                vec![Input::Voicemail, Input::End(EndCause::HungUp)],
                CallResult::Voicemail,
                1,
            ),
            (
                vec![
                    Input::Answer,
                    Input::Transfer(TransferKind::Colleague),
                    Input::End(EndCause::HungUp),
                ],
                CallResult::Answered,
                2,
            ),
            (
                vec![
                    Input::Answer,
                    Input::Transfer(TransferKind::Ai),
                    Input::End(EndCause::HungUp),
                ],
                CallResult::TransferredAi,
                2,
            ),
            (
                vec![
                    Input::Answer,
                    Input::Transfer(TransferKind::External),
                    Input::Abandon,
                ],
                CallResult::TransferredExternal,
                2,
            ),
            (vec![Input::Abandon], CallResult::Failed, 0),
        ] {
            let call = play(&inputs);
            assert_eq!(call.result(), Some(result), "{inputs:?}");
            assert_eq!(call.duration_seconds(), Some(seconds), "{inputs:?}");
        }
        assert_eq!(ring.apply(Input::Complete, Millis(5)), Err(Refusal::NotEnded));
        assert_eq!(
            play(&[Input::End(EndCause::Busy)]).apply(Input::Answer, Millis(5)),
            Err(Refusal::AlreadyEnded)
        );
        assert_eq!(
            play(&[Input::Voicemail]).apply(Input::Answer, Millis(5)),
            Err(Refusal::AlreadyPickedUp)
        );
    }
}
