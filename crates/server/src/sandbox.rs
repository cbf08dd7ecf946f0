//! The outside world in a box: keys of sandbox teams let it text and ring the team's numbers.

use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use trunkline_domain::call::TransferKind;
use trunkline_domain::events::IvrChoice;
use trunkline_domain::tag::{self, MAX_TAGS_PER_ITEM};
use trunkline_domain::{CallId, Direction, ErrorCode, MessageId, PhoneNumber, Speaker, UnknownName, UserId};
use trunkline_messaging::play::{self, HandOn, Outcome, Script, Speech};
use trunkline_messaging::sandbox;
use trunkline_store::{StoreError, TeamKey, numbers, tags, users};
use trunkline_switchboard::messages::{self, Receive};
use trunkline_switchboard::{Error as CommandError, Refused, Work};

use crate::AppState;
use crate::http::auth::{Caller, SandboxPlay};
use crate::http::error::ApiError;
use crate::http::idempotency::{commit, is_replay};
use crate::http::input::{Body, Input};
use crate::http::part::Part;
use crate::http::reply::Data;

/// The longest ringing, in seconds.
const MAX_RING: i64 = 120;
/// The longest call, in seconds.
const MAX_TALK: i64 = 4 * 3_600;
/// The most lines of speech.
const MAX_LINES: usize = 2_000;

/// A text from the outside world.
#[derive(utoipa::ToSchema)]
#[schema(as = SandboxMessageRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct Text {
    /// Who texts, in E.164.
    #[schema(example = "+14155551234")]
    from: String,
    /// The team's number.
    #[schema(example = "+14155550100")]
    to: String,
    /// The text, at most 10,000 characters.
    #[schema(example = "Hi, is my order on its way?")]
    content: String,
    /// URLs of media, at most 10; makes it an MMS.
    media_urls: Option<Vec<String>>,
    /// The outside's id for the text: the same id twice is one text.
    reference: Option<String>,
}

/// A text that came in.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SandboxMessage)]
pub struct TextView {
    #[schema(value_type = String, example = "msg-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: MessageId,
}

/// Let the outside world text a number of the team
///
/// Only with a key of a sandbox team (`ak_test_…`).
#[utoipa::path(post, path = "/sandbox/messages", operation_id = "sandboxMessage", tag = "Sandbox", request_body = Text,
    responses((status = 201, description = "The text came in", body = Data<TextView>)))]
pub async fn message(
    caller: Caller<SandboxPlay>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let (from, to) = (
        required_phone(&mut input, "from"),
        required_phone(&mut input, "to"),
    );
    let content = input.text("content", messages::MAX_CHARACTERS);
    let media = input.texts("media_urls", 10).unwrap_or_default();
    let reference = input.text("reference", 200);
    if content.as_ref().is_none_or(String::is_empty) && media.is_empty() {
        input.missing("content");
    }
    input.finish()?;
    let (Some(from), Some(to)) = (from, to) else {
        return Err(ErrorCode::MissingParameter.into());
    };
    let content = content.unwrap_or_default();
    commit(&state, &caller, StatusCode::CREATED, move |work| {
        let text = Receive {
            line: to,
            from,
            content: content.clone(),
            media: media.clone(),
            carrier: sandbox::NAME,
            carrier_ref: reference.clone(),
            at: work.now,
        };
        own_line(work, to, "to")?;
        Ok(TextView {
            id: messages::receive(work, &text)?,
        })
    })
    .await
}

/// Refuses a line that is not the team's, by the name the field has here.
fn own_line(work: &mut Work<'_, '_>, line: PhoneNumber, field: &'static str) -> Result<(), CommandError> {
    let known = numbers::line_of(work.tx, work.team, line)?;
    known
        .map(drop)
        .ok_or_else(|| Refused::new(ErrorCode::PhoneNumberNotFound).param(field).into())
}

fn required_phone(input: &mut Input, name: &'static str) -> Option<PhoneNumber> {
    let number = input.phone(name);
    if number.is_none() {
        input.missing(name);
    }
    number
}

/// A call of the outside world, and what happens to it.
#[derive(utoipa::ToSchema)]
#[schema(as = SandboxCallRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct Call {
    /// `INBOUND` (default): the outside rings the team. `OUTBOUND`: somebody of the team rings the outside; then the last
    /// four digits of `to` decide how it goes, unless `outcome` says so: `0001` never answered, `0002` busy, `0003`
    /// voicemail, `0004` does not connect.
    direction: Option<String>,
    /// Who calls: the outside number, or for `OUTBOUND` the team's.
    #[schema(example = "+14155551234")]
    from: String,
    /// Who is called: the team's number, or for `OUTBOUND` the outside one.
    #[schema(example = "+14155550100")]
    to: String,
    /// Who of the team picks up, or places the call; without it, the first who works with the number.
    user_id: Option<String>,
    /// `ANSWERED` (default), `MISSED`, `HUNG_UP` (while ringing), `VOICEMAIL`, `BLOCKED`, `FAILED` or `BUSY`.
    outcome: Option<String>,
    /// How long it rings, 3 by default.
    #[schema(minimum = 0, maximum = 120)]
    ring_seconds: Option<i64>,
    /// How long it lasts after the pick-up; by default until a little after the last line.
    #[schema(minimum = 0, maximum = 14_400)]
    talk_seconds: Option<i64>,
    /// What is said.
    lines: Option<Vec<CallLine>>,
    /// Choices in a menu before somebody picks up.
    ivr: Option<Vec<CallChoice>>,
    /// Hands the call on.
    transfer: Option<CallTransfer>,
    /// The summary to be written; Markdown.
    summary: Option<String>,
    /// Tags to be put on it.
    tags: Option<Vec<String>>,
    /// Whether there is a recording, true by default.
    recording: Option<bool>,
    /// How many times faster than life it is played, 1 by default. The call's times are those of the script all the
    /// same: a call of a minute is a minute long.
    #[schema(minimum = 1, maximum = 1_000)]
    speed: Option<i64>,
}

/// A line of speech.
#[derive(utoipa::ToSchema)]
#[schema(as = SandboxCallLine)]
#[expect(dead_code, reason = "describes the body")]
pub struct CallLine {
    /// `USER` or `EXTERNAL`.
    #[schema(example = "EXTERNAL")]
    source: String,
    /// Seconds after the pick-up, 0 by default.
    #[schema(minimum = 0, maximum = 14_400, example = 2)]
    at: Option<f64>,
    #[schema(example = "Hello, I have a question about my bill.")]
    text: String,
}

/// A choice in a menu.
#[derive(utoipa::ToSchema)]
#[schema(as = SandboxCallChoice)]
#[expect(dead_code, reason = "describes the body")]
pub struct CallChoice {
    #[schema(example = "2")]
    dtmf_key: Option<String>,
    #[schema(example = "Support")]
    text_key: Option<String>,
}

/// A transfer.
#[derive(utoipa::ToSchema)]
#[schema(as = SandboxCallTransfer)]
#[expect(dead_code, reason = "describes the body")]
pub struct CallTransfer {
    /// `COLLEAGUE`, `EXTERNAL` or `AI`.
    kind: String,
    /// The colleague.
    user_id: Option<String>,
    /// The number.
    number: Option<String>,
    /// Seconds after the pick-up, 1 by default.
    #[schema(minimum = 0, maximum = 14_400)]
    at: Option<i64>,
}

/// A call that rings.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SandboxCall)]
pub struct CallView {
    #[schema(value_type = String, example = "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: CallId,
}

/// How a call can go.
pub(crate) const OUTCOMES: &[&str] = &[
    "ANSWERED",
    "MISSED",
    "HUNG_UP",
    "VOICEMAIL",
    "BLOCKED",
    "FAILED",
    "BUSY",
];
/// To whom a call can be handed on.
pub(crate) const TRANSFERS: &[&str] = &["COLLEAGUE", "EXTERNAL", "AI"];

struct Ends(Outcome);

impl std::str::FromStr for Ends {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Ok(Self(match text {
            "ANSWERED" => Outcome::Answered,
            "MISSED" => Outcome::Missed,
            "HUNG_UP" => Outcome::HungUp,
            "VOICEMAIL" => Outcome::Voicemail,
            "BLOCKED" => Outcome::Blocked,
            "FAILED" => Outcome::Failed,
            "BUSY" => Outcome::Busy,
            _ => return Err(UnknownName { allowed: OUTCOMES }),
        }))
    }
}

struct Kind(TransferKind);

impl std::str::FromStr for Kind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Ok(Self(match text {
            "COLLEAGUE" => TransferKind::Colleague,
            "EXTERNAL" => TransferKind::External,
            "AI" => TransferKind::Ai,
            _ => return Err(UnknownName { allowed: TRANSFERS }),
        }))
    }
}

/// Let the outside world ring a number of the team
///
/// Answers as soon as it rings; the rest of the script is played in the background, and every step is an event. Only
/// with a key of a sandbox team (`ak_test_…`).
#[utoipa::path(post, path = "/sandbox/calls", operation_id = "sandboxCall", tag = "Sandbox", request_body = Call,
    responses((status = 201, description = "It rings", body = Data<CallView>)))]
pub async fn call(
    caller: Caller<SandboxPlay>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let script = read_script(&mut input, &state.settings.public_url);
    input.finish()?;
    let Some(mut script) = script else {
        return Err(ErrorCode::MissingParameter.into());
    };
    if script.user.is_none()
        && (script.direction == Direction::Outbound || script.outcome == Outcome::Answered)
    {
        script.user = first_member(&state, caller.owner.team, script.line).await?;
    }
    let (team, player, script) = (caller.owner.team, state.player.clone(), Arc::new(script));
    let rung = script.clone();
    let ringing = async move {
        let newest = Arc::new(Mutex::new(None));
        let call = newest.clone();
        let ring = move |work: &mut Work<'_, '_>| {
            check(work, &rung)?;
            let id = play::ring(work, &rung)?;
            *call.lock() = Some(id);
            Ok(CallView { id })
        };
        let answer = commit(&state, &caller, StatusCode::CREATED, ring).await?;
        let call = newest.lock().take().filter(|_| !is_replay(&answer));
        Ok((call, answer))
    };
    player.play_when(team, script, ringing).await
}

/// Who is the first to work with a number of the team.
async fn first_member(
    state: &AppState,
    team: TeamKey,
    number: PhoneNumber,
) -> Result<Option<UserId>, StoreError> {
    let read = state.board.db().read(move |conn| -> Result<_, StoreError> {
        match numbers::line_of(conn, team, number)? {
            Some(line) => numbers::first_member(conn, team, line),
            None => Ok(None),
        }
    });
    Ok(read.await?.map(|member| member.user_id))
}

/// Refuses what would go wrong only later, when nobody listens any more.
fn check(work: &mut Work<'_, '_>, script: &Script) -> Result<(), CommandError> {
    let line = if script.direction == Direction::Inbound {
        "to"
    } else {
        "from"
    };
    own_line(work, script.line, line)?;
    let colleague = script.transfer.as_ref().and_then(|transfer| transfer.to_user);
    for (user, field) in [(script.user, "user_id"), (colleague, "transfer.user_id")] {
        if let Some(id) = user
            && users::get(work.tx, work.team, id)?.is_none()
        {
            return Err(Refused::new(ErrorCode::MemberNotFound).param(field).into());
        }
    }
    for key in script.tags.iter().filter(|_| !work.create_tags) {
        if tags::get(work.tx, work.team, key)?.is_none() {
            let message = format!("the team has no tag {key:?}, and tags are not created on the fly");
            return Err(Refused::new(ErrorCode::TagNotFound)
                .param("tags")
                .because(message)
                .into());
        }
    }
    Ok(())
}

fn read_script(input: &mut Input, public_url: &str) -> Option<Script> {
    let direction = input.name::<Direction>("direction").unwrap_or(Direction::Inbound);
    let (from, to) = (required_phone(input, "from"), required_phone(input, "to"));
    let outcome = input.name::<Ends>("outcome").map(|ends| ends.0);
    let speech = read_speech(input);
    let last_line = speech.last().map_or(20_000, |line| line.at_ms + 4_000);
    let seconds = |value: Option<i64>| value.map(|seconds| seconds * 1_000);
    let ring_ms =
        seconds(input.integer("ring_seconds", 0..=MAX_RING, ErrorCode::InvalidParameter)).unwrap_or(3_000);
    let talk_ms = seconds(input.integer("talk_seconds", 0..=MAX_TALK, ErrorCode::InvalidParameter))
        .unwrap_or(last_line);
    let speed = input
        .integer("speed", 1..=1_000, ErrorCode::InvalidParameter)
        .unwrap_or(1);
    let recording = input.flag("recording").unwrap_or(true);
    let user = read_user(input, "user_id");
    let choices = read_choices(input);
    let transfer = read_transfer(input);
    let summary = input.text("summary", 100_000);
    let tags = read_tags(input);
    let (from, to) = (from?, to?);
    let (line, contact) = match direction {
        Direction::Inbound => (to, from),
        Direction::Outbound => (from, to),
    };
    let outcome = outcome.unwrap_or(match direction {
        Direction::Inbound => Outcome::Answered,
        Direction::Outbound => sandbox::call_outcome(contact),
    });
    #[expect(clippy::cast_precision_loss, reason = "1 to 1000")]
    let speed = speed as f64;
    Some(Script {
        direction,
        line,
        contact,
        user,
        ring_ms,
        outcome,
        talk_ms,
        speech,
        choices,
        transfer,
        summary,
        tags,
        recording_url: recording.then(|| format!("{public_url}/sandbox/recordings/{{id}}.wav")),
        processing_ms: 2_000,
        speed,
    })
}

fn read_tags(input: &mut Input) -> Vec<String> {
    let mut keys = Vec::new();
    for text in input.texts("tags", MAX_TAGS_PER_ITEM).unwrap_or_default() {
        match tag::key(&text) {
            Some(key) => keys.push(key),
            None => input.fault(
                ErrorCode::InvalidParameter,
                "tags",
                format!("{text:?} makes no tag key"),
            ),
        }
    }
    keys
}

fn read_user(input: &mut Input, name: &'static str) -> Option<UserId> {
    let text = input.text(name, 100)?;
    let user = UserId::parse(&text).ok();
    if user.is_none() {
        input.fault(ErrorCode::MemberNotFound, name, "there is no such user");
    }
    user
}

fn read_speech(input: &mut Input) -> Vec<Speech> {
    let mut speech = Vec::new();
    for mut line in input.objects("lines", MAX_LINES) {
        let (source, text) = (line.name::<Speaker>("source"), line.text("text", 10_000));
        for (field, missing) in [("source", source.is_none()), ("text", text.is_none())] {
            if missing {
                line.missing(field);
            }
        }
        let (source, text) = (source.unwrap_or(Speaker::External), text.unwrap_or_default());
        let at_ms = line.decimal("at", 0.0..=14_400.0).unwrap_or(0.0) * 1_000.0;
        input.absorb(line);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most four hours in milliseconds"
        )]
        speech.push(Speech {
            source,
            at_ms: at_ms as i64,
            text,
        });
    }
    speech.sort_by_key(|line| line.at_ms);
    speech
}

fn read_choices(input: &mut Input) -> Vec<IvrChoice> {
    let mut choices = Vec::new();
    for mut choice in input.objects("ivr", 100) {
        choices.push(IvrChoice {
            dtmf_key: choice.text("dtmf_key", 10),
            text_key: choice.text("text_key", 200),
        });
        input.absorb(choice);
    }
    choices
}

fn read_transfer(input: &mut Input) -> Option<HandOn> {
    let mut transfer = input.object("transfer")?;
    let kind = transfer.name::<Kind>("kind").map(|kind| kind.0);
    if kind.is_none() {
        transfer.missing("kind");
    }
    let at_ms = transfer
        .integer("at", 0..=MAX_TALK, ErrorCode::InvalidParameter)
        .unwrap_or(1)
        * 1_000;
    let (to_user, to_number) = (read_user(&mut transfer, "user_id"), transfer.phone("number"));
    input.absorb(transfer);
    Some(HandOn {
        kind: kind?,
        to_user,
        to_number,
        at_ms,
    })
}

/// A recording of the sandbox: the same soft tone for every call. It holds nothing of anybody's, so it needs no key.
pub async fn recording(part: Part) -> Response {
    static TONE: LazyLock<Bytes> = LazyLock::new(|| tone().into());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("audio/wav")),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=86400"),
        ),
    ];
    part.of(TONE.clone(), HeaderMap::from_iter(headers))
}

/// Three seconds of a 440 Hz tone that fades out: RIFF, PCM, 8 kHz, 8 bit, mono.
fn tone() -> Vec<u8> {
    const RATE: u32 = 8_000;
    const SAMPLES: u32 = 3 * RATE;
    let mut wav = Vec::with_capacity(44 + SAMPLES as usize);
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + SAMPLES).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    wav.extend_from_slice(&16u32.to_le_bytes());
    wav.extend_from_slice(&[1, 0, 1, 0]);
    wav.extend_from_slice(&RATE.to_le_bytes());
    wav.extend_from_slice(&RATE.to_le_bytes());
    wav.extend_from_slice(&[1, 0, 8, 0]);
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&SAMPLES.to_le_bytes());
    for i in 0..SAMPLES {
        let fade = 1.0 - f64::from(i) / f64::from(SAMPLES);
        let sample =
            128.0 + 40.0 * fade * (f64::from(i) * 440.0 * std::f64::consts::TAU / f64::from(RATE)).sin();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "88 to 168"
        )]
        wav.push(sample as u8);
    }
    wav
}
