//! What goes out: the wire names of v1 for calls and messages.

use serde::Serialize;
use serde_json::value::RawValue;
use trunkline_domain::events::TranscriptLine;
use trunkline_domain::{CallResult, Direction, ItemId, MessageStatus, Millis, PhoneNumber, Speaker};
use trunkline_store::items::{self, ItemDetail};
use trunkline_store::{Conn, StoreError, TeamKey};

use crate::media::TeamLinks;
use crate::v2::views::media_urls;

/// A line of a transcript.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TranscriptRow)]
pub struct LineView {
    /// `USER` (the team) or `EXTERNAL` (the person outside).
    #[schema(value_type = String, example = "EXTERNAL")]
    source: Speaker,
    text: String,
    /// When the line begins.
    #[schema(value_type = String, format = DateTime)]
    time: Millis,
    /// Seconds from the beginning of the call to that of the line.
    #[schema(example = 15)]
    start_seconds: f64,
    /// Seconds from the beginning of the call to the next line; `null` for the last one.
    #[schema(example = 18.5)]
    end_seconds: Option<f64>,
}

/// A call.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CallRecord)]
pub struct CallView {
    #[schema(value_type = String, example = "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: ItemId,
    /// Who called, in E.164.
    #[schema(value_type = Option<String>, example = "+14155551234")]
    from_number: Option<PhoneNumber>,
    /// Who was called.
    #[schema(value_type = Option<String>, example = "+14155550100")]
    to_number: Option<PhoneNumber>,
    /// From the pick-up to the end, in minutes.
    #[schema(example = 5.5)]
    length_in_minutes: f64,
    /// `INBOUND` or `OUTBOUND`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "INBOUND")]
    direction: Direction,
    /// `ANSWERED`, `VOICEMAIL`, `TRANSFERRED_AI`, `TRANSFERRED_EXTERNAL`, `BLOCKED`, `FAILED` or `MISSED`; `null` while
    /// the call lasts.
    #[schema(value_type = Option<String>, example = "ANSWERED")]
    result: Option<CallResult>,
    /// `null` until it is written.
    summary: Option<String>,
    /// The first tag.
    #[schema(example = "billing")]
    tag: Option<String>,
    /// All tags.
    tags: Vec<String>,
    /// Where the recording is; `null` without one.
    recording_url: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    start_date: Millis,
    /// `null` without one.
    transcript: Option<Vec<LineView>>,
}

/// A message.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TextRecord)]
pub struct MessageView {
    /// Ours: its id.
    #[schema(value_type = String, example = "msg-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: ItemId,
    /// Who sent it; `null` for a sender id.
    #[schema(value_type = Option<String>, example = "+14155550100")]
    from_number: Option<PhoneNumber>,
    /// The sender id that it was sent from; `null` for a number.
    #[schema(example = "ACME")]
    sender_id: Option<String>,
    /// Who it was for.
    #[schema(value_type = Option<String>, example = "+14155551234")]
    to_number: Option<PhoneNumber>,
    /// `INBOUND` or `OUTBOUND`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "OUTBOUND")]
    direction: Direction,
    /// The text.
    content: String,
    /// Ours: `PENDING`, `SENT`, `DELIVERED` or `FAILED`.
    #[schema(value_type = Option<String>, example = "DELIVERED")]
    status: Option<MessageStatus>,
    /// Ours, of messages with media: where it is. Links to media that came in are valid for a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    media_urls: Option<Box<RawValue>>,
    /// When it was sent.
    #[schema(value_type = String, format = DateTime)]
    start_date: Millis,
}

/// A call or a message, with the name of its field told by `type`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ConversationRecord)]
pub struct RecordView {
    /// `CALL` or `TEXT_MESSAGE`.
    #[serde(rename = "type")]
    #[schema(example = "CALL")]
    kind: &'static str,
    /// The call; `null` for a message.
    call: Option<CallView>,
    /// The message; `null` for a call.
    message: Option<MessageView>,
}

/// Calls and messages as they are shown, calls with their transcripts, messages with links that `links` makes.
///
/// # Errors
/// Of the store.
pub fn records(
    conn: &mut Conn<'_>,
    team: TeamKey,
    details: Vec<ItemDetail>,
    links: Option<TeamLinks>,
) -> Result<Vec<RecordView>, StoreError> {
    let calls: Vec<i64> = details
        .iter()
        .filter(|detail| detail.id.call().is_some())
        .map(|detail| detail.seq)
        .collect();
    let mut transcripts = items::transcripts(conn, team, &calls)?;
    let view = |detail: ItemDetail| {
        if detail.id.call().is_some() {
            let lines = transcripts.remove(&detail.seq);
            RecordView {
                kind: "CALL",
                call: Some(call(detail, lines)),
                message: None,
            }
        } else {
            RecordView {
                kind: "TEXT_MESSAGE",
                call: None,
                message: Some(message(detail, links)),
            }
        }
    };
    Ok(details.into_iter().map(view).collect())
}

/// Calls alone.
///
/// # Errors
/// Of the store.
pub fn calls(
    conn: &mut Conn<'_>,
    team: TeamKey,
    details: Vec<ItemDetail>,
) -> Result<Vec<CallView>, StoreError> {
    let records = records(conn, team, details, None)?;
    Ok(records.into_iter().filter_map(|record| record.call).collect())
}

/// Who it came from, and who it was for.
const fn ends(detail: &ItemDetail) -> (Option<PhoneNumber>, Option<PhoneNumber>) {
    match detail.direction {
        Direction::Inbound => (Some(detail.contact_number), detail.allo_number),
        Direction::Outbound => (detail.allo_number, Some(detail.contact_number)),
    }
}

fn call(detail: ItemDetail, lines: Option<Vec<TranscriptLine>>) -> CallView {
    let (from_number, to_number) = ends(&detail);
    CallView {
        id: detail.id,
        from_number,
        to_number,
        length_in_minutes: minutes(detail.duration.unwrap_or(0)),
        direction: detail.direction,
        result: detail.result,
        summary: detail.summary,
        tag: detail.tags.first().cloned(),
        tags: detail.tags,
        recording_url: detail.recording_url,
        start_date: detail.at,
        transcript: lines.map(|lines| transcript(lines, detail.at)),
    }
}

fn transcript(lines: Vec<TranscriptLine>, start: Millis) -> Vec<LineView> {
    let times: Vec<Millis> = lines.iter().map(|line| line.time).collect();
    let view = |(place, line): (usize, TranscriptLine)| LineView {
        source: line.source,
        text: line.text,
        time: line.time,
        start_seconds: seconds(line.time.since(start)),
        end_seconds: times.get(place + 1).map(|next| seconds(next.since(start))),
    };
    lines.into_iter().enumerate().map(view).collect()
}

fn message(detail: ItemDetail, links: Option<TeamLinks>) -> MessageView {
    let (from_number, to_number) = ends(&detail);
    MessageView {
        id: detail.id,
        from_number,
        sender_id: detail.sender_id,
        to_number,
        direction: detail.direction,
        content: detail.content.unwrap_or_default(),
        status: detail.status,
        media_urls: media_urls(detail.media, links),
        start_date: detail.at,
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a call")]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds.max(0) as f64 / 1_000.0
}

/// To two places, as events have it.
#[expect(clippy::cast_precision_loss, reason = "seconds of a call")]
fn minutes(seconds: i64) -> f64 {
    (seconds as f64 / 60.0 * 100.0).round() / 100.0
}
