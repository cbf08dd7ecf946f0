//! Playing calls: a script of what happens to a call of the sandbox, step by step, in time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trunkline_domain::call::{EndCause, TransferKind};
use trunkline_domain::events::{IvrChoice, TranscriptLine};
use trunkline_domain::{CallId, Direction, ErrorCode, Millis, PhoneNumber, Speaker, SummaryTemplate, UserId};
use trunkline_store::{StoreError, TeamKey};
use trunkline_switchboard::calls::{self, Leftover, Ring, Step, Transfer};
use trunkline_switchboard::{Error, Refused, Switchboard, Work};

/// The most calls that are played at a time.
pub const MAX_PLAYING: usize = 1_000;

/// The pause before a step is tried again; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(1_600);

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
    /// How many times faster than life it is played, at least 1. Its times are those of the script all the same.
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
        Self {
            board,
            tasks: TaskTracker::new(),
            stop,
        }
    }

    /// Lets the call ring and plays the rest in the background. Returns as soon as it rings.
    ///
    /// # Errors
    /// What [`calls::ring`] refuses, `SERVICE_UNAVAILABLE` when too many calls are being played.
    pub async fn play(&self, team: TeamKey, script: Script) -> Result<CallId, Error> {
        let (script, board) = (Arc::new(script), self.board.clone());
        let rung = script.clone();
        let ringing = async move {
            let call = board.run(team, move |work| ring(work, &rung)).await?;
            Ok((Some(call), call))
        };
        self.play_when(team, script, ringing).await
    }

    /// Waits for `ringing`, a transaction of the caller's in which the call began to [`ring`], and plays the rest in the
    /// background. Without a call (it rang for an earlier request already) there is nothing to play. What was begun is
    /// seen through even when whoever asked for it goes away: no call is left ringing.
    ///
    /// # Errors
    /// Those of `ringing`, `SERVICE_UNAVAILABLE` when too many calls are being played.
    pub async fn play_when<T, E, F>(&self, team: TeamKey, script: Arc<Script>, ringing: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: Future<Output = Result<(Option<CallId>, T), E>> + Send + 'static,
    {
        if self.tasks.len() >= MAX_PLAYING {
            let message = format!("{MAX_PLAYING} calls are being played already");
            return Err(Error::from(Refused::new(ErrorCode::ServiceUnavailable).because(message)).into());
        }
        let (this, (tell, told)) = (self.clone(), oneshot::channel());
        self.tasks.spawn(async move {
            match ringing.await {
                Ok((call, answer)) => {
                    drop(tell.send(Ok(answer)));
                    if let Some(call) = call {
                        this.follow(team, call, &script).await;
                    }
                }
                Err(error) => drop(tell.send(Err(error))),
            }
        });
        told.await
            .unwrap_or_else(|_| Err(Error::from(StoreError::Panicked).into()))
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
            let stopped = tokio::time::timeout(Duration::from_millis(wait), self.stop.cancelled())
                .await
                .is_ok();
            let step = if stopped { Timed::Abandon } else { step };
            // A call that is played faster than life lasts as long as its script says, for everybody who looks at it.
            let at = (script.speed > 1.0).then(|| began.plus(after_ms));
            if let Err(error) = self.apply(team, call, step, at).await {
                tracing::warn!(call.id = %call, error = %error, "a step of a played call was refused");
            }
            if stopped {
                return;
            }
        }
    }

    fn wait_ms(&self, began: Millis, after_ms: i64, speed: f64) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "milliseconds of a call"
        )]
        let after = (after_ms as f64 / speed.max(1.0)) as i64;
        u64::try_from(began.plus(after).since(self.board.now())).unwrap_or(0)
    }

    /// Applies a step. A store that cannot be written must not leave a call hanging, so it is tried until it can; once
    /// the end is near only a few times, since the next start sweeps what is left.
    async fn apply(&self, team: TeamKey, call: CallId, step: Timed, at: Option<Millis>) -> Result<(), Error> {
        let mut pause = FIRST_PAUSE;
        loop {
            let step = step.clone();
            let outcome: Result<(), Error> = self
                .board
                .run(team, move |work| {
                    calls::step(work, call, &step.clone().at(at.unwrap_or(work.now)))
                })
                .await;
            match outcome {
                Err(Error::Store(error))
                    if error.is_retryable() && !(self.stop.is_cancelled() && pause >= LONGEST_PAUSE) =>
                {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                other => return other,
            }
        }
    }
}

/// Lets the call of a script ring, in the transaction `work`.
///
/// # Errors
/// What [`calls::ring`] refuses.
pub fn ring(work: &mut Work<'_, '_>, script: &Script) -> Result<CallId, Error> {
    let ring = beginning(script, work.now);
    calls::ring(work, &ring)
}

fn beginning(script: &Script, at: Millis) -> Ring {
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
            Self::Transfer(HandOn {
                kind,
                to_user,
                to_number,
                ..
            }) => Step::Transfer(Transfer {
                kind,
                to_user,
                to_number,
                at,
            }),
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
    let rings = if script.outcome == Outcome::Blocked {
        0
    } else {
        script.ring_ms
    };
    let end = rings + if picked_up { script.talk_ms } else { 0 };
    let mut steps: Vec<(i64, Timed)> = script
        .choices
        .iter()
        .map(|choice| (rings / 2, Timed::Leave(Leftover::Choice(choice.clone()))))
        .collect();
    match script.outcome {
        Outcome::Answered => {
            let user = script.user.filter(|_| script.direction == Direction::Inbound);
            steps.push((rings, Timed::Answer(user)));
            steps.extend(script.transfer.iter().map(|hand_on| {
                (
                    rings + hand_on.at_ms.min(script.talk_ms),
                    Timed::Transfer(hand_on.clone()),
                )
            }));
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
        steps.extend(
            artefacts(script, call, began.plus(rings))
                .into_iter()
                .map(|leftover| (processed, Timed::Leave(leftover))),
        );
    }
    steps.extend(
        script
            .tags
            .iter()
            .map(|tag| (processed, Timed::Leave(Leftover::Tag(tag.clone())))),
    );
    steps.push((processed, Timed::Complete));
    steps
}

fn artefacts(script: &Script, call: CallId, picked_up: Millis) -> Vec<Leftover> {
    let mut all = Vec::new();
    if let Some(url) = &script.recording_url {
        all.push(Leftover::Recording {
            url: url.replace("{id}", &call.to_string()),
            seconds: script.talk_ms / 1_000,
        });
    }
    if !script.speech.is_empty() {
        let line = |speech: &Speech| TranscriptLine {
            source: speech.source,
            time: picked_up.plus(speech.at_ms),
            text: speech.text.clone(),
        };
        all.push(Leftover::Transcript(script.speech.iter().map(line).collect()));
    }
    all.extend(
        script
            .summary
            .iter()
            .map(|summary| Leftover::Summary(SummaryTemplate::Classic, summary.clone())),
    );
    all
}
