//! One call of the history: how it goes, what is said, and what it leaves behind.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use serde_json::{Map, json};
use trunkline_domain::call::{EndCause, TransferKind};
use trunkline_domain::events::{IvrChoice, TranscriptLine};
use trunkline_domain::{Direction, Millis, Speaker, SummaryTemplate, UserId};
use trunkline_switchboard::calls::{Leftover, Ring, Step, Transfer};

use super::{Relation, With};
use crate::corpus::{self, CallText, Language};
use crate::numbers::fixed;
use crate::world::World;

/// How a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Somebody picks up.
    Answered,
    /// Somebody picks up and hands it on to a colleague.
    Colleague,
    /// Somebody picks up and hands it on to a number outside.
    External,
    /// The assistant takes it.
    Assistant,
    /// The voicemail picks up.
    Voicemail,
    /// It rings out.
    Missed,
    /// The caller gives up while it rings.
    HungUp,
    /// The caller is blocked.
    Blocked,
    /// The other side is on the phone.
    Busy,
    /// It does not connect.
    Failed,
}

impl Outcome {
    /// How a call that comes in goes: `open` tells whether somebody sits at the phone, `known` whether the caller is
    /// a contact.
    pub(super) fn inbound<R: Rng + ?Sized>(rng: &mut R, open: bool, known: bool) -> Self {
        let weights: &[(Self, u32)] = match (open, known) {
            (true, true) => &[
                (Self::Answered, 660),
                (Self::Colleague, 60),
                (Self::External, 25),
                (Self::Assistant, 25),
                (Self::Voicemail, 90),
                (Self::Missed, 80),
                (Self::HungUp, 50),
                (Self::Failed, 10),
            ],
            (true, false) => &[
                (Self::Answered, 480),
                (Self::Colleague, 30),
                (Self::Assistant, 60),
                (Self::Voicemail, 120),
                (Self::Missed, 170),
                (Self::HungUp, 130),
                (Self::Failed, 10),
            ],
            (false, _) => &[
                (Self::Answered, 100),
                (Self::Assistant, 200),
                (Self::Voicemail, 430),
                (Self::Missed, 180),
                (Self::HungUp, 90),
            ],
        };
        Self::draw(rng, weights)
    }

    /// How a call that goes out goes.
    pub(super) fn outbound<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let weights = [
            (Self::Answered, 690),
            (Self::Missed, 170),
            (Self::Voicemail, 80),
            (Self::Busy, 40),
            (Self::Failed, 20),
        ];
        Self::draw(rng, &weights)
    }

    fn draw<R: Rng + ?Sized>(rng: &mut R, weights: &[(Self, u32)]) -> Self {
        weights
            .choose_weighted(rng, |(_, weight)| *weight)
            .map_or(Self::Answered, |(outcome, _)| *outcome)
    }
}

/// A call and everything that happened to it.
#[derive(Clone, Debug)]
pub(crate) struct PlannedCall {
    pub(crate) ring: Ring,
    /// Until it was over.
    pub(crate) steps: Vec<Step>,
    pub(crate) ended_at: Millis,
    /// The length of the recording, if there is one.
    pub(crate) recorded_seconds: Option<i64>,
    /// What was processed after the end, but for the recording.
    pub(crate) leftovers: Vec<Step>,
}

impl PlannedCall {
    /// When processing took its `step`th step, counted from 0.
    pub(super) fn processed_at(&self, step: usize) -> Millis {
        self.ended_at
            .plus(1_300 * (i64::try_from(step).unwrap_or_default() + 1))
    }

    /// When processing was done.
    pub(crate) fn completed_at(&self) -> Millis {
        self.processed_at(self.leftovers.len() + usize::from(self.recorded_seconds.is_some()))
    }
}

/// Plans a call that begins to ring at `at`.
pub(super) fn plan(
    rng: &mut StdRng,
    world: &World,
    with: With<'_>,
    at: Millis,
    direction: Direction,
    outcome: Outcome,
) -> PlannedCall {
    let outbound = direction == Direction::Outbound;
    let ring = Ring {
        direction,
        line: with.line,
        contact: with.number,
        user: outbound.then_some(with.agent.id),
        blocked: outcome == Outcome::Blocked,
        at,
    };
    let mut steps = Vec::new();
    if !outbound && outcome != Outcome::Blocked && rng.random_bool(0.3) {
        let choice = Leftover::Choice(choice(rng, with.party.language));
        steps.push(Step::Leave(choice));
    }
    let picked_up = at.plus(rings(rng, outcome, steps.is_empty()));
    let talk = talk(rng, with, outcome, outbound);
    let (mut talk_ms, mut cause) = (0, EndCause::HungUp);
    match outcome {
        Outcome::Answered | Outcome::Colleague | Outcome::External | Outcome::Assistant => {
            talk_ms = talk.as_ref().map_or(30_000, |text| i64::from(text.duration_ms));
            let user = (!outbound && outcome != Outcome::Assistant).then_some(with.agent.id);
            steps.push(Step::Answer(user, picked_up));
            let passed_at = picked_up.plus(talk_ms * rng.random_range(30..70) / 100);
            steps.extend(hand_on(rng, world, with, outcome, picked_up, passed_at).map(Step::Transfer));
        }
        Outcome::Voicemail => {
            talk_ms = talk.as_ref().map_or_else(
                || rng.random_range(12_000..35_000),
                |text| i64::from(text.duration_ms),
            );
            steps.push(Step::Voicemail(picked_up));
        }
        Outcome::Missed => cause = EndCause::NoAnswer,
        Outcome::HungUp => {}
        Outcome::Blocked => cause = EndCause::Blocked,
        Outcome::Busy => cause = EndCause::Busy,
        Outcome::Failed => cause = EndCause::Failed,
    }
    let ended_at = picked_up.plus(talk_ms);
    steps.push(Step::End(cause, None, ended_at));
    let mut leftovers = Vec::new();
    if let Some(text) = &talk {
        leave(rng, with, outcome, text, picked_up, &mut leftovers);
    }
    let recorded_seconds = (talk.is_some() && rng.random_bool(0.96)).then_some(talk_ms / 1_000);
    let leftovers = leftovers.into_iter().map(Step::Leave).collect();
    PlannedCall {
        ring,
        steps,
        ended_at,
        recorded_seconds,
        leftovers,
    }
}

/// How long it rings, in milliseconds; a menu takes its time.
fn rings<R: Rng + ?Sized>(rng: &mut R, outcome: Outcome, direct: bool) -> i64 {
    let menu = if direct {
        0
    } else {
        rng.random_range(6_000..14_000)
    };
    menu + match outcome {
        Outcome::Blocked => 0,
        Outcome::Busy | Outcome::Failed => rng.random_range(1_000..3_000),
        Outcome::HungUp => rng.random_range(4_000..22_000),
        Outcome::Missed | Outcome::Voicemail => rng.random_range(20_000..32_000),
        Outcome::Assistant => rng.random_range(1_000..4_000),
        Outcome::Answered | Outcome::Colleague | Outcome::External => rng.random_range(2_500..19_000),
    }
}

/// What is said; `None` when nobody speaks, or when it was not written down.
fn talk(rng: &mut StdRng, with: With<'_>, outcome: Outcome, outbound: bool) -> Option<CallText> {
    let (names, company, language) = (
        &with.party.names,
        with.party.company.as_deref(),
        with.party.language,
    );
    let agent = match (outcome, language) {
        (Outcome::Assistant, Language::English) => "Nova",
        (Outcome::Assistant, Language::French) => "Lila",
        _ => with.agent.first_name(),
    };
    match outcome {
        Outcome::Answered | Outcome::Colleague | Outcome::External | Outcome::Assistant => {
            Some(corpus::call(rng, language, !outbound, agent, names, company))
        }
        Outcome::Voicemail if !outbound => Some(corpus::voicemail(rng, language, names, company)),
        _ => None,
    }
}

fn choice<R: Rng + ?Sized>(rng: &mut R, language: Language) -> IvrChoice {
    let menu = match language {
        Language::English => [("1", "Sales"), ("2", "Support"), ("3", "Billing")],
        Language::French => [
            ("1", "Service commercial"),
            ("2", "Assistance"),
            ("3", "Facturation"),
        ],
    };
    let (key, text) = menu[rng.random_range(0..menu.len())];
    IvrChoice {
        dtmf_key: Some(key.to_owned()),
        text_key: Some(text.to_owned()),
    }
}

fn hand_on(
    rng: &mut StdRng,
    world: &World,
    with: With<'_>,
    outcome: Outcome,
    picked_up: Millis,
    passed_at: Millis,
) -> Option<Transfer> {
    match outcome {
        Outcome::Colleague => {
            let speaks = |user: &&_| colleague_of(with, user);
            let others: Vec<UserId> = world.users.iter().filter(speaks).map(|user| user.id).collect();
            let to_user = others.choose(rng).copied();
            Some(Transfer {
                kind: TransferKind::Colleague,
                to_user,
                to_number: None,
                at: passed_at,
            })
        }
        Outcome::External => {
            let partner = match with.party.language {
                Language::English => fixed("+14155550187"),
                Language::French => fixed("+33199000187"),
            };
            Some(Transfer {
                kind: TransferKind::External,
                to_user: None,
                to_number: Some(partner),
                at: passed_at,
            })
        }
        Outcome::Assistant => {
            let at = picked_up.plus(600);
            Some(Transfer {
                kind: TransferKind::Ai,
                to_user: None,
                to_number: None,
                at,
            })
        }
        _ => None,
    }
}

fn colleague_of(with: With<'_>, user: &crate::world::WorldUser) -> bool {
    user.language == with.party.language && user.id != with.agent.id
}

/// What is left of what was said.
fn leave(
    rng: &mut StdRng,
    with: With<'_>,
    outcome: Outcome,
    text: &CallText,
    picked_up: Millis,
    leftovers: &mut Vec<Leftover>,
) {
    // A few calls are neither transcribed nor summed up.
    if outcome == Outcome::Answered && rng.random_bool(0.04) {
        return;
    }
    let lines = text.lines.iter().map(|line| TranscriptLine {
        source: speaker(line.speaker),
        time: picked_up.plus(i64::from(line.offset_ms)),
        text: line.text.clone(),
    });
    leftovers.push(Leftover::Transcript(lines.collect()));
    leftovers.push(Leftover::Summary(SummaryTemplate::Classic, text.summary.clone()));
    if text.duration_ms < 60_000 || rng.random_bool(0.1) {
        leftovers.push(Leftover::Summary(
            SummaryTemplate::ShortCall,
            text.short_summary.clone(),
        ));
    }
    let full_name = format!("{} {}", with.party.names.first, with.party.names.last);
    if with.party.relation == Relation::Unknown && outcome != Outcome::Voicemail {
        let mut data = Map::new();
        data.insert("name".to_owned(), json!(full_name));
        leftovers.push(Leftover::Extracted(data));
    }
    if outcome == Outcome::Assistant {
        let mut data = Map::new();
        data.insert("caller_name".to_owned(), json!(full_name));
        data.insert("reason".to_owned(), json!(text.short_summary));
        leftovers.push(Leftover::Collected(data));
    }
    leftovers.extend(text.tags.iter().map(|tag| Leftover::Tag((*tag).to_owned())));
}

/// The speaker as transcripts name them.
pub(crate) const fn speaker(speaker: corpus::Speaker) -> Speaker {
    match speaker {
        corpus::Speaker::User => Speaker::User,
        corpus::Speaker::External => Speaker::External,
    }
}
