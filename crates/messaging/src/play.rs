//! Playing calls: a script of what happens to a call of the sandbox, step by step, in time.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trunkline_domain::call::{EndCause, TransferKind};
use trunkline_domain::events::{IvrChoice, TranscriptLine};
use trunkline_domain::{CallId, Direction, ErrorCode, Millis, PhoneNumber, Speaker, SummaryTemplate, UserId};
use trunkline_store::TeamKey;
use trunkline_switchboard::calls::{self, Leftover, Ring, Step, Transfer};
use trunkline_switchboard::{Error, Refused, Switchboard};

/// The most calls that are played at a time.
pub const MAX_PLAYING: usize = 1_000;

/// How a played call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody picks up.
    Answered,
    /// It rings out.
    Missed,
    /// The caller gives up while it rings.
    HungUp,
    /// The voicemail picks up.
    Voicemail,
    /// The caller is blocked.
    Blocked,
    /// It does not connect.
    Failed,
    /// The other side is on the phone.
    Busy,
}

/// A line of speech.
#[derive(Clone, Debug)]
pub struct Speech {
    /// Who speaks.
    pub source: Speaker,
    /// Milliseconds after the pick-up.
    pub at_ms: i64,
    /// What is said.
    pub text: String,
}

/// A call being handed on.
#[derive(Clone, Debug)]
pub struct HandOn {
    /// To whom.
    pub kind: TransferKind,
    /// The colleague.
    pub to_user: Option<UserId>,
    /// The number.
    pub to_number: Option<PhoneNumber>,
    /// Milliseconds after the pick-up.
    pub at_ms: i64,
}

/// What happens to a call.
#[derive(Clone, Debug)]
pub struct Script {
    /// Which way it goes.
    pub direction: Direction,
    /// The team's number.
    pub line: PhoneNumber,
    /// The outside number.
    pub contact: PhoneNumber,
    /// Who of the team picks up, or places the call.
    pub user: Option<UserId>,
    /// How long it rings.
    pub ring_ms: i64,
    /// How it goes.
    pub outcome: Outcome,
    /// How long it lasts after the pick-up.
    pub talk_ms: i64,
    /// What is said.
    pub speech: Vec<Speech>,
    /// Choices in the menu before somebody picks up.
    pub choices: Vec<IvrChoice>,
    /// Whether it is handed on.
    pub transfer: Option<HandOn>,
    /// The summary; without one, none is written.
    pub summary: Option<String>,
    /// Tags the product puts on it.
    pub tags: Vec<String>,
    /// Where the recording will be; `{id}` becomes the call's id.
    pub recording_url: Option<String>,
    /// How long processing takes after the end.
    pub processing_ms: i64,
    /// How many times faster than life it is played, at least 1.
    pub speed: f64,
}

/// Plays calls. Cheap to clone.
#[derive(Clone)]
pub struct Player {
    board: Switchboard,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Player {
    /// A player whose calls end when `stop` is cancelled.
    #[must_use]
    pub fn new(board: Switchboard, stop: CancellationToken) -> Self {
        Self { board, tasks: TaskTracker::new(), stop }
    }

    /// Lets the call ring and plays the rest in the background. Returns as soon as it rings.
    ///
    /// # Errors
    /// What [`calls::ring`] refuses, `SERVICE_UNAVAILABLE` when too many calls are being played.
    pub async fn play(&self, team: TeamKey, script: Script) -> Result<CallId, Error> {
        if self.tasks.len() >= MAX_PLAYING {
            let message = format!("{MAX_PLAYING} calls are being played already");
            return Err(Refused::new(ErrorCode::ServiceUnavailable).because(message).into());
        }
        let script = Arc::new(script);
        let (ringing, now) = (script.clone(), self.board.now());
        let call = self.board.run(team, move |work| calls::ring(work, &ring(&ringing, now))).await?;
        let this = self.clone();
        self.tasks.spawn(async move { this.follow(team, call, &script).await });
        Ok(call)
    }

    /// Waits until all calls are over; those that are not when `stop` is cancelled are abandoned at once.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn follow(&self, team: TeamKey, call: CallId, script: &Script) {
        let began = self.board.now();
        for (after_ms, step) in timeline(script, call, began) {
            let wait = self.wait_ms(began, after_ms, script.speed);
            let stopped = tokio::time::timeout(Duration::from_millis(wait), self.stop.cancelled()).await.is_ok();
            let step = if stopped { Timed::Abandon } else { step };
            if let Err(error) = self.apply(team, call, step).await {
                tracing::warn!(call.id = %call, error = %error, "a step of a played call was refused");
            }
            if stopped {
                return;
            }
        }
    }

    fn wait_ms(&self, began: Millis, after_ms: i64, speed: f64) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "milliseconds of a call")]
        let after = (after_ms as f64 / speed.max(1.0)) as i64;
        u64::try_from(began.plus(after).since(self.board.now())).unwrap_or(0)
    }

    async fn apply(&self, team: TeamKey, call: CallId, step: Timed) -> Result<(), Error> {
        // A store that is busy for a moment must not leave a call hanging.
        for attempt in 0..5u64 {
            let step = step.clone();
            let outcome: Result<(), Error> =
                self.board.run(team, move |work| calls::step(work, call, &step.clone().at(work.now))).await;
            match outcome {
                Err(Error::Store(error)) if error.is_retryable() => {
                    tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
                }
                other => return other,
            }
        }
        Ok(())
    }
}

fn ring(script: &Script, at: Millis) -> Ring {
    Ring {
        direction: script.direction,
        line: script.line,
        contact: script.contact,
        user: script.user.filter(|_| script.direction == Direction::Outbound),
        blocked: script.outcome == Outcome::Blocked,
        at,
    }
}

/// A step that happens at the moment it is applied.
#[derive(Clone, Debug)]
enum Timed {
    Answer(Option<UserId>),
    Voicemail,
    Transfer(HandOn),
    Leave(Leftover),
    End(EndCause),
    Complete,
    Abandon,
}

impl Timed {
    fn at(self, at: Millis) -> Step {
        match self {
            Self::Answer(user) => Step::Answer(user, at),
            Self::Voicemail => Step::Voicemail(at),
            Self::Transfer(HandOn { kind, to_user, to_number, .. }) => {
                Step::Transfer(Transfer { kind, to_user, to_number, at })
            }
            Self::Leave(leftover) => Step::Leave(leftover),
            Self::End(cause) => Step::End(cause, None, at),
            Self::Complete => Step::Complete(at),
            Self::Abandon => Step::Abandon(at),
        }
    }
}

/// The steps of a script, each with its milliseconds after the first ring.
fn timeline(script: &Script, call: CallId, began: Millis) -> Vec<(i64, Timed)> {
    let picked_up = matches!(script.outcome, Outcome::Answered | Outcome::Voicemail);
    let rings = if script.outcome == Outcome::Blocked { 0 } else { script.ring_ms };
    let end = rings + if picked_up { script.talk_ms } else { 0 };
    let mut steps: Vec<(i64, Timed)> =
        script.choices.iter().map(|choice| (rings / 2, Timed::Leave(Leftover::Choice(choice.clone())))).collect();
    match script.outcome {
        Outcome::Answered => {
            let user = script.user.filter(|_| script.direction == Direction::Inbound);
            steps.push((rings, Timed::Answer(user)));
            steps.extend(script.transfer.iter().map(|hand_on| (rings + hand_on.at_ms.min(script.talk_ms), Timed::Transfer(hand_on.clone()))));
        }
        Outcome::Voicemail => steps.push((rings, Timed::Voicemail)),
        _ => {}
    }
    let cause = match script.outcome {
        Outcome::Missed => EndCause::NoAnswer,
        Outcome::Blocked => EndCause::Blocked,
        Outcome::Failed => EndCause::Failed,
        Outcome::Busy => EndCause::Busy,
        Outcome::Answered | Outcome::Voicemail | Outcome::HungUp => EndCause::HungUp,
    };
    steps.push((end, Timed::End(cause)));
    let processed = end + script.processing_ms;
    if picked_up {
        steps.extend(artefacts(script, call, began.plus(rings)).into_iter().map(|leftover| (processed, Timed::Leave(leftover))));
    }
    steps.extend(script.tags.iter().map(|tag| (processed, Timed::Leave(Leftover::Tag(tag.clone())))));
    steps.push((processed, Timed::Complete));
    steps
}

fn artefacts(script: &Script, call: CallId, picked_up: Millis) -> Vec<Leftover> {
    let mut all = Vec::new();
    if let Some(url) = &script.recording_url {
        all.push(Leftover::Recording { url: url.replace("{id}", &call.to_string()), seconds: script.talk_ms / 1_000 });
    }
    if !script.speech.is_empty() {
        let line = |speech: &Speech| TranscriptLine {
            source: speech.source,
            time: picked_up.plus(speech.at_ms),
            text: speech.text.clone(),
        };
        all.push(Leftover::Transcript(script.speech.iter().map(line).collect()));
    }
    all.extend(script.summary.iter().map(|summary| Leftover::Summary(SummaryTemplate::Classic, summary.clone())));
    all
}
