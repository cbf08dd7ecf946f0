//! What goes out: the wire names of v2, known here and nowhere else.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;
use trunkline_domain::events::TranscriptLine;
use trunkline_domain::sms::segments;
use trunkline_domain::{
    CompanyId, ContactId, DealId, Direction, ItemId, ItemKind, MessageStatus, MessageType, Millis,
    PhoneNumber, Speaker, UserId,
};
use trunkline_store::contacts::ContactCard;
use trunkline_store::conversations::ConversationRow;
use trunkline_store::items::{self, ItemDetail};
use trunkline_store::numbers::MemberRow;
use trunkline_store::users::UserRow;
use trunkline_store::{Conn, StoreError, TeamKey};

use crate::media::TeamLinks;

/// A contact of an item or conversation.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Contact)]
pub struct ContactView {
    #[schema(value_type = String, example = "cnt-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    pub(super) id: ContactId,
    /// First and last name; the number where there is neither.
    #[schema(example = "Sarah Johnson")]
    pub(super) name: String,
    /// `null` without one.
    pub(super) company: Option<CompanyView>,
    pub(super) deals: Vec<DealView>,
}

/// A company, in brief.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CompanyBrief)]
pub struct CompanyView {
    #[schema(value_type = String, example = "com-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    pub(super) id: CompanyId,
    #[schema(example = "Acme Corp")]
    pub(super) name: String,
}

impl CompanyView {
    /// The company in brief, if there is one.
    pub(crate) fn brief(id: Option<CompanyId>, name: Option<String>) -> Option<Self> {
        id.zip(name).map(|(id, name)| Self { id, name })
    }
}

/// A deal, in brief.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DealBrief)]
pub struct DealView {
    #[schema(value_type = String, example = "dea-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: DealId,
    name: String,
    /// `OPEN`, `WON` or `LOST`.
    #[schema(value_type = String, example = "OPEN")]
    status: trunkline_domain::DealStatus,
}

impl ContactView {
    fn new(card: ContactCard, number: PhoneNumber) -> Self {
        Self {
            id: card.id,
            name: card.name.unwrap_or_else(|| number.to_string()),
            company: card.company.map(|(id, name)| CompanyView { id, name }),
            deals: card
                .deals
                .into_iter()
                .map(|(id, name, status)| DealView { id, name, status })
                .collect(),
        }
    }
}

/// A user, in brief.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = UserRef)]
pub struct UserRefView {
    #[schema(value_type = String, example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    pub(crate) id: UserId,
    #[schema(example = "Alex Kim")]
    pub(crate) name: String,
    #[schema(example = "alex@acme.example")]
    pub(crate) email: String,
}

impl From<MemberRow> for UserRefView {
    fn from(row: MemberRow) -> Self {
        Self {
            id: row.user_id,
            name: row.name,
            email: row.email,
        }
    }
}

impl From<&UserRow> for UserRefView {
    fn from(row: &UserRow) -> Self {
        Self {
            id: row.id,
            name: row.name.clone(),
            email: row.email.clone(),
        }
    }
}

/// A line of a transcript.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TranscriptEntry)]
pub struct TranscriptView {
    /// `USER` (the team) or `EXTERNAL` (the person outside).
    #[schema(value_type = String, example = "EXTERNAL")]
    source: Speaker,
    /// When the line begins.
    #[schema(value_type = String, format = DateTime)]
    time: Millis,
    text: String,
}

/// A call or a message.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ConversationItem)]
pub struct ItemView {
    /// `cll-…` for calls, `msg-…` for messages.
    #[schema(value_type = String, example = "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    pub(super) id: ItemId,
    /// `CALL` or `SMS`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "CALL")]
    pub(super) kind: ItemKind,
    /// `INBOUND` or `OUTBOUND`.
    #[schema(value_type = String, example = "INBOUND")]
    pub(super) direction: Direction,
    /// The team's number; `null` for a text from a sender id.
    #[schema(value_type = Option<String>, example = "+14155550100")]
    pub(super) allo_number: Option<PhoneNumber>,
    /// The outside number.
    #[schema(value_type = String, example = "+14155551234")]
    pub(super) contact_number: PhoneNumber,
    /// Every contact with the outside number; empty when there is none.
    #[schema(value_type = Vec<ContactView>)]
    pub(super) contacts: Arc<[ContactView]>,
    /// Who of the team handled or sent it; `null` when nobody did.
    pub(super) user: Option<UserRefView>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub(super) date: Millis,
    /// Calls: seconds from the pick-up to the end, `null` while it lasts. `null` on messages.
    #[schema(example = 145)]
    pub(super) duration: Option<i64>,
    /// Calls: `ANSWERED`, `VOICEMAIL`, `TRANSFERRED`, `MISSED`, `BLOCKED` or `FAILED`, `null` while it lasts. `null` on
    /// messages.
    #[schema(example = "ANSWERED")]
    pub(super) result: Option<&'static str>,
    /// Calls: where the recording is, `null` without one. `null` on messages.
    pub(super) recording_url: Option<String>,
    /// Calls: `null` until it is written. `null` on messages.
    pub(super) summary: Option<String>,
    /// Keys of tags.
    pub(super) tags: Vec<String>,
    /// Only with `extend=transcript`; `null` on messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<TranscriptView>>)]
    pub(super) transcript: Option<Option<Vec<TranscriptView>>>,
    /// What the call revealed of the contact: name, company, job title. Only once it was extracted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    pub(super) extracted_data: Option<Box<RawValue>>,
    /// Messages: the text. `null` on calls.
    pub(super) content: Option<String>,
    /// Messages: `PENDING`, `SENT`, `DELIVERED` or `FAILED`. `null` on calls.
    #[schema(value_type = Option<String>, example = "DELIVERED")]
    pub(super) status: Option<MessageStatus>,
    /// Messages: `SMS`, `MMS` or `WHATSAPP`. `null` on calls.
    #[schema(value_type = Option<String>, example = "SMS")]
    pub(super) message_type: Option<MessageType>,
    /// Messages with media: where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    pub(super) media_urls: Option<Box<RawValue>>,
    /// Messages: into how many parts the text is cut on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 1)]
    pub(super) segments: Option<i64>,
}

/// A conversation.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ConversationSummary)]
pub struct ConversationView {
    /// The outside number.
    #[schema(value_type = String, example = "+14155551234")]
    contact_number: PhoneNumber,
    /// Every contact with that number; empty when there is none.
    #[schema(value_type = Vec<ContactView>)]
    contacts: Arc<[ContactView]>,
    /// When the newest item was.
    #[schema(value_type = String, format = DateTime)]
    last_activity: Millis,
    /// The newest item.
    last_item: Option<ItemView>,
    /// Something came in that nobody has read, answered or replied to.
    unread: bool,
    /// Put away.
    archived: bool,
    /// The contact spoke last and nobody has answered since.
    unresponded: bool,
}

/// What optional fields a client wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extend {
    /// Transcripts of calls.
    pub transcript: bool,
    /// Renews links to media; without, they are as old as the text.
    pub links: Option<TeamLinks>,
}

type Transcripts = HashMap<i64, Vec<TranscriptLine>>;

/// Items as they are shown, with transcripts if wanted.
///
/// # Errors
/// Of the store.
pub fn items(
    conn: &mut Conn<'_>,
    team: TeamKey,
    details: Vec<ItemDetail>,
    extend: Extend,
) -> Result<Vec<ItemView>, StoreError> {
    let mut transcripts = transcripts(conn, team, &details, extend)?;
    Ok(details
        .into_iter()
        .map(|detail| item(detail, &mut transcripts, extend))
        .collect())
}

fn transcripts(
    conn: &mut Conn<'_>,
    team: TeamKey,
    details: &[ItemDetail],
    extend: Extend,
) -> Result<Transcripts, StoreError> {
    if !extend.transcript {
        return Ok(Transcripts::new());
    }
    let calls = details.iter().filter(|detail| detail.id.call().is_some());
    let seqs: Vec<i64> = calls.map(|detail| detail.seq).collect();
    items::transcripts(conn, team, &seqs)
}

fn item(detail: ItemDetail, transcripts: &mut Transcripts, extend: Extend) -> ItemView {
    let is_call = detail.id.call().is_some();
    let transcript = extend.transcript.then(|| {
        is_call.then(|| {
            let lines = transcripts.remove(&detail.seq).unwrap_or_default();
            lines
                .into_iter()
                .map(|line| TranscriptView {
                    source: line.source,
                    time: line.time,
                    text: line.text,
                })
                .collect()
        })
    });
    // Those of before were not counted when they were stored.
    let count = |text: &String| i64::try_from(segments::count(text).segments).ok();
    let segments = detail
        .segments
        .or_else(|| detail.content.as_ref().and_then(count));
    let number = detail.contact_number;
    let contacts = detail.contacts.into_iter();
    ItemView {
        id: detail.id,
        kind: if is_call {
            ItemKind::Call
        } else {
            ItemKind::Message
        },
        direction: detail.direction,
        allo_number: detail.allo_number,
        contact_number: number,
        contacts: contacts.map(|card| ContactView::new(card, number)).collect(),
        user: detail
            .user
            .map(|(id, name, email)| UserRefView { id, name, email }),
        date: detail.at,
        duration: detail.duration,
        result: detail.result.map(trunkline_domain::CallResult::as_v2),
        recording_url: detail.recording_url,
        summary: detail.summary,
        tags: detail.tags,
        transcript,
        extracted_data: detail
            .extracted_data
            .and_then(|json| RawValue::from_string(json).ok()),
        content: detail.content,
        status: detail.status,
        message_type: detail.message_type,
        media_urls: media_urls(detail.media, extend.links),
        segments,
    }
}

/// Where the media of a text are: those of our own by links that are valid from now on.
pub(crate) fn media_urls(stored: Option<String>, links: Option<TeamLinks>) -> Option<Box<RawValue>> {
    RawValue::from_string(renewed(stored?, links)).ok()
}

fn renewed(json: String, links: Option<TeamLinks>) -> String {
    let parsed = links.zip(serde_json::from_str::<Vec<String>>(&json).ok());
    let Some((links, urls)) = parsed else { return json };
    let renew = |url: String| links.renewed(&url).unwrap_or(url);
    let urls: Vec<String> = urls.into_iter().map(renew).collect();
    serde_json::to_string(&urls).unwrap_or(json)
}

/// Conversations as they are shown: with their newest items, whose contacts are theirs too.
///
/// # Errors
/// Of the store.
pub fn conversations(
    conn: &mut Conn<'_>,
    team: TeamKey,
    rows: &[ConversationRow],
    extend: Extend,
) -> Result<Vec<ConversationView>, StoreError> {
    let seqs: Vec<i64> = rows.iter().map(|row| row.last_item).collect();
    let details = items::details_by_seq(conn, team, &seqs)?;
    let mut transcripts = transcripts(conn, team, &details, extend)?;
    let mut details = details.into_iter().peekable();
    let view = |row: &ConversationRow| {
        let detail = details.next_if(|detail| detail.seq == row.last_item);
        let last_item = detail.map(|detail| item(detail, &mut transcripts, extend));
        ConversationView {
            contact_number: row.contact_number,
            contacts: last_item
                .as_ref()
                .map(|item| item.contacts.clone())
                .unwrap_or_default(),
            last_activity: row.last_at,
            last_item,
            unread: row.standing.unread,
            archived: row.standing.archived,
            unresponded: row.standing.unresponded,
        }
    };
    Ok(rows.iter().map(view).collect())
}
