//! The events of the log: topics and payloads.
//!
//! Field names and null rules are those of the published catalogue of the Allo API; ours beyond it are the call's
//! `id` in every event about a call, and the topics marked "ours".

use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::model::named_topics;
use crate::{
    AccountStatus, CallId, CallResult, CommentId, CompanyId, ContactId, ConversationAction, DealId,
    Direction, EndpointId, EntityType, MessageId, MessageType, Millis, NoteId, PhoneNumber, Speaker,
    SummaryTemplate, ThreadId, UserId,
};

named_topics! {
    /// An inbound call begins to ring.
    CallReceived = "call.received",
    /// An outbound call is placed.
    CallTriggered = "call.triggered",
    /// Somebody picked up.
    CallAnswered = "call.answered",
    /// The call is over (ours).
    CallEnded = "call.ended",
    /// Everything about the call is in.
    CallCompleted = "call.completed",
    /// A voicemail was left (ours).
    VoicemailReceived = "voicemail.received",
    /// A recording is there (ours).
    CallRecordingCompleted = "call.recording.completed",
    /// A transcript is there (ours).
    CallTranscriptCompleted = "call.transcript.completed",
    /// A summary is there (ours).
    CallSummaryCompleted = "call.summary.completed",
    /// A tag was added to a call.
    TagAdded = "tag.added",
    /// A tag was removed from a call.
    TagRemoved = "tag.removed",
    /// A text came in.
    SmsReceived = "sms.received",
    /// A text went out.
    SmsSent = "sms.sent",
    /// A text arrived (ours).
    SmsDelivered = "sms.delivered",
    /// A text will not arrive (ours).
    SmsFailed = "sms.failed",
    /// A contact was created.
    ContactCreated = "contact.created",
    /// A contact changed.
    ContactUpdated = "contact.updated",
    /// A person edited a summary.
    SummaryUpdated = "summary.updated",
    /// Somebody wrote a note on a conversation (ours).
    NoteCreated = "conversation_note.created",
    /// Somebody began a thread (ours).
    ThreadCreated = "thread.created",
    /// Somebody wrote a comment in a thread (ours).
    CommentCreated = "thread.comment.created",
    /// Somebody changed a comment (ours).
    CommentUpdated = "thread.comment.updated",
    /// Somebody resolved a thread (ours).
    ThreadResolved = "thread.resolved",
    /// A partner made an account (ours).
    AccountCreated = "partner.account.created",
    /// An account that a partner made was suspended, resumed or deactivated (ours).
    AccountUpdated = "partner.account.updated",
    /// A conversation was read, archived, … (ours; for the live feed, not for webhooks).
    ConversationUpdated = "conversation.updated",
    /// A webhook endpoint was switched off because everything sent to it failed (ours; for the live feed, not for
    /// webhooks).
    EndpointDisabled = "webhook.disabled",
    /// History was imported (ours; for the text index, not for webhooks).
    ItemsImported = "items.imported",
    /// What was said in calls and texts was erased (ours; for the text index, not for webhooks).
    ItemsErased = "items.erased",
}

/// The contact of a call, as ringing events carry it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Person {
    /// The contact.
    pub id: Option<ContactId>,
    /// First name.
    pub name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// The first e-mail address.
    pub email: Option<String>,
    /// All e-mail addresses.
    pub emails: Vec<String>,
    /// All numbers.
    pub numbers: Vec<PhoneNumber>,
    /// Job title.
    pub job_title: Option<String>,
    /// Each custom property with a value, as a key of its own.
    #[serde(flatten)]
    pub properties: serde_json::Map<String, serde_json::Value>,
}

/// A company, as events carry it.
#[derive(Clone, Debug, Serialize)]
pub struct CompanyRef {
    /// The company.
    pub id: CompanyId,
    /// Its name.
    pub name: Option<String>,
}

/// A deal, as events carry it.
#[derive(Clone, Debug, Serialize)]
pub struct DealRef {
    /// The deal.
    pub id: DealId,
    /// Its name.
    pub name: Option<String>,
    /// Where it stands.
    pub status: Option<String>,
    /// What it is worth, in units of `currency`.
    pub value: Option<f64>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// The day it should close by, as its midnight without a time zone: `2026-06-15T00:00:00`.
    pub close_date: Option<String>,
}

/// Payload of `call.received`, `call.triggered` and `call.answered`.
#[derive(Clone, Debug, Serialize)]
pub struct CallRinging {
    /// The call (ours: the published events have no id).
    pub id: CallId,
    /// Who calls.
    pub from_number: String,
    /// Who is called.
    pub to_number: String,
    /// When it began to ring.
    pub started_at: Millis,
    /// When somebody picked up; only in `call.answered`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Millis>,
    /// Whose line it is, or who handles the call.
    pub user_email: Option<String>,
    /// The contact; absent when none matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// The contact's company.
    pub company: Option<CompanyRef>,
    /// The contact's deals.
    pub deals: Option<Vec<DealRef>>,
}

/// Payload of `call.ended`.
#[derive(Clone, Debug, Serialize)]
pub struct CallEnded {
    /// The call.
    pub id: CallId,
    /// Who called.
    pub from_number: String,
    /// Who was called.
    pub to_number: String,
    /// Which way it went.
    #[serde(rename = "type")]
    pub direction: Direction,
    /// When it began to ring.
    pub started_at: Millis,
    /// When somebody picked up.
    pub answered_at: Option<Millis>,
    /// When it was over.
    pub ended_at: Millis,
    /// Seconds from the pick-up to the end.
    pub duration: i64,
    /// How it ended.
    pub result: CallResult,
    /// Why a call that did not connect did not.
    pub failure_reason: Option<String>,
    /// Who handled it.
    pub user_email: Option<String>,
}

/// One end of a transfer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferEnd {
    /// The number.
    pub number: Option<String>,
    /// The user's e-mail address.
    pub user_email: Option<String>,
    /// The user's name.
    pub user_name: Option<String>,
}

/// A choice in a menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IvrChoice {
    /// The key pressed.
    pub dtmf_key: Option<String>,
    /// The label of the entry.
    pub text_key: Option<String>,
}

/// A line of a transcript.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranscriptLine {
    /// Who speaks.
    pub source: Speaker,
    /// When the line begins.
    pub time: Millis,
    /// What is said.
    pub text: String,
}

/// What was said in a call, as a row and two events carry it: written once, for all of them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Transcript {
    json: Arc<RawValue>,
    concatenated: Arc<str>,
}

impl Transcript {
    /// The transcript of these lines.
    #[must_use]
    pub fn new(lines: &[TranscriptLine]) -> Self {
        // Lines are texts, names and instants: writing them cannot fail.
        let json = serde_json::value::to_raw_value(lines).unwrap_or_default();
        Self {
            json: json.into(),
            concatenated: concatenate(lines).into(),
        }
    }

    /// The lines as JSON.
    #[must_use]
    pub fn json(&self) -> &str {
        self.json.get()
    }

    /// One text, a line each.
    #[must_use]
    pub fn concatenated(&self) -> Arc<str> {
        self.concatenated.clone()
    }
}

impl PartialEq for Transcript {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

impl Eq for Transcript {}

impl Serialize for Transcript {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

/// Payload of `call.completed`.
#[derive(Clone, Debug, Serialize)]
pub struct CallCompleted {
    /// The call.
    pub id: CallId,
    /// When it began to ring.
    pub start_date: Millis,
    /// Where the recording is; `None` without one.
    pub recording_url: Option<String>,
    /// Who called.
    pub from_number: String,
    /// The caller's name.
    pub from_name: Option<String>,
    /// Who was called.
    pub to: String,
    /// The name of who was called.
    pub to_name: Option<String>,
    /// Minutes, as a decimal number.
    pub length_in_minutes: f64,
    /// The same for people: `5m 30s`.
    pub length: String,
    /// The first tag.
    pub tag: Option<String>,
    /// All tags.
    pub tags: Vec<String>,
    /// The summary; empty when there is none.
    pub summary: String,
    /// What was said.
    pub transcriptions: Transcript,
    /// What was said, one line each.
    pub concatenated_transcript: Arc<str>,
    /// What the call flow or an agent asked for.
    pub data_collected: serde_json::Map<String, serde_json::Value>,
    /// Which way it went.
    #[serde(rename = "type")]
    pub direction: Direction,
    /// How it ended.
    pub result: CallResult,
    /// Why a call that did not connect did not (ours).
    pub failure_reason: Option<String>,
    /// The contact's id in a connected CRM.
    pub integration_id: Option<String>,
    /// Who handed the call on.
    pub transfer_from: TransferEnd,
    /// To whom.
    pub transfer_to: TransferEnd,
    /// Who handled it.
    pub user_email: Option<String>,
    /// The number dialled, if the call was routed on.
    pub original_to_number: Option<String>,
    /// The name of the number dialled.
    pub original_to_name: Option<String>,
    /// The call that this one continues.
    pub transfer_original_call_id: Option<CallId>,
    /// Choices in menus.
    pub ivr_result: Vec<IvrChoice>,
}

/// Payload of the one-per-artefact topics.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Artefact {
    /// `call.recording.completed` and `voicemail.received`.
    Recording {
        /// The call.
        id: CallId,
        /// Where the recording is; `None` while there is none (a voicemail whose sound is still being stored).
        recording_url: Option<String>,
        /// Its length in seconds.
        duration: Option<i64>,
        /// Who called.
        from_number: String,
        /// Who was called.
        to_number: String,
    },
    /// `call.transcript.completed`.
    Transcript {
        /// The call.
        id: CallId,
        /// What was said.
        transcriptions: Transcript,
        /// What was said, one line each.
        concatenated_transcript: Arc<str>,
    },
    /// `call.summary.completed` and `summary.updated`.
    Summary {
        /// The call.
        id: CallId,
        /// Markdown.
        summary: String,
        /// Which summary.
        template_key: SummaryTemplate,
        /// Grows with each edit.
        version: i64,
        /// Who edited it; `None` when the product wrote it.
        user_email: Option<String>,
    },
}

/// Payload of `tag.added` and `tag.removed`.
#[derive(Clone, Debug, Serialize)]
pub struct TagChange {
    /// The call.
    pub call_id: CallId,
    /// The same call, under the name every event about a call uses (ours).
    pub id: CallId,
    /// The tag.
    pub tag_key: String,
    /// Its name.
    pub tag_name: String,
    /// Who did it.
    pub user_email: Option<String>,
}

/// Payload of the `sms.…` topics.
#[derive(Clone, Debug, Serialize)]
pub struct Sms {
    /// The message.
    pub id: MessageId,
    /// Which way it went.
    pub direction: Direction,
    /// What kind of text.
    #[serde(rename = "type")]
    pub message_type: MessageType,
    /// The text.
    pub content: String,
    /// When it was sent.
    pub sent_at: Millis,
    /// Who sent it.
    pub from_number: String,
    /// To whom.
    pub to_number: String,
    /// The sender's name.
    pub from_name: Option<String>,
    /// The recipient's name.
    pub to_name: Option<String>,
    /// Whose line it is, or who sent it.
    pub user_email: Option<String>,
    /// Media, for MMS (ours).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub media_urls: Vec<String>,
    /// Why it failed, in `sms.failed` (ours).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
}

/// Payload of `contact.created` and `contact.updated`.
#[derive(Clone, Debug, Serialize)]
pub struct ContactState {
    /// The contact.
    pub id: ContactId,
    /// First name.
    pub name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// The company's name.
    pub company: Option<String>,
    /// E-mail addresses; `None` when there are none.
    pub emails: Option<Vec<String>>,
    /// Numbers.
    pub numbers: Vec<PhoneNumber>,
    /// Each custom property with a value, as a key of its own (ours).
    #[serde(flatten)]
    pub properties: serde_json::Map<String, serde_json::Value>,
}

/// Somebody whom a note or comment mentions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MentionRef {
    /// The user; `None` for everybody.
    pub user_id: Option<UserId>,
    /// As the text calls them.
    pub name: String,
}

/// Payload of `conversation_note.created`.
#[derive(Clone, Debug, Serialize)]
pub struct ConversationNote {
    /// The note.
    pub id: NoteId,
    /// The outside number of the conversation.
    pub contact_number: PhoneNumber,
    /// The number of its line; `None` for a sender id.
    pub allo_number: Option<PhoneNumber>,
    /// The sender id that its line is; `None` for a number.
    pub sender_id: Option<String>,
    /// The text, with its mentions as they were written.
    pub content: String,
    /// Whom it mentions.
    pub mentions: Vec<MentionRef>,
    /// When it was written.
    pub created_at: Millis,
    /// Who wrote it.
    pub user_id: UserId,
    /// Their e-mail address.
    pub user_email: Option<String>,
}

/// Payload of `thread.created` and `thread.resolved`.
#[derive(Clone, Debug, Serialize)]
pub struct ThreadState {
    /// The thread.
    pub id: ThreadId,
    /// What it is about.
    pub entity_type: EntityType,
    /// The id of the call, message or note.
    pub entity_id: String,
    /// When it was begun.
    pub created_at: Millis,
    /// When it was resolved; `None` while it is not.
    pub resolved_at: Option<Millis>,
    /// Who began or resolved it.
    pub user_id: Option<UserId>,
    /// Their e-mail address.
    pub user_email: Option<String>,
}

/// Payload of `thread.comment.created` and `thread.comment.updated`.
#[derive(Clone, Debug, Serialize)]
pub struct ThreadComment {
    /// The comment.
    pub id: CommentId,
    /// Its thread.
    pub thread_id: ThreadId,
    /// What the thread is about.
    pub entity_type: EntityType,
    /// The id of the call, message or note.
    pub entity_id: String,
    /// The text, with its mentions as they were written.
    pub content: String,
    /// Whom it mentions.
    pub mentions: Vec<MentionRef>,
    /// When it was written.
    pub created_at: Millis,
    /// When it was changed last.
    pub updated_at: Millis,
    /// Who wrote it.
    pub user_id: UserId,
    /// Their e-mail address.
    pub user_email: Option<String>,
}

/// Payload of `partner.account.created` and `partner.account.updated`.
#[derive(Clone, Debug, Serialize)]
pub struct PartnerAccount {
    /// The account: the id of its first user.
    pub id: UserId,
    /// How it stands.
    pub status: AccountStatus,
    /// Its login.
    pub email: String,
    /// Its numbers; none any more once it is deactivated.
    pub phone_numbers: Vec<PhoneNumber>,
    /// The partner's own reference.
    pub partner_client_ref: Option<String>,
    /// When it was made.
    pub created_at: Millis,
}

/// Payload of `conversation.updated`.
#[derive(Clone, Debug, Serialize)]
pub struct ConversationChange {
    /// The outside number.
    pub contact_number: PhoneNumber,
    /// The line, if the action was about one only.
    pub allo_number: Option<String>,
    /// What was done.
    pub action: ConversationAction,
    /// By whom.
    pub user_id: Option<UserId>,
}

/// Payload of `webhook.disabled`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointDisabled {
    /// The endpoint.
    pub id: EndpointId,
    /// Where its messages went.
    pub url: String,
    /// In the team's own words.
    pub description: Option<String>,
    /// Since when everything failed.
    pub failing_since: Option<Millis>,
    /// How the last attempt failed.
    pub last_error: Option<String>,
}

/// Payload of `items.imported`: the timeline numbers `from` to `to`, both included, are new.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ItemsImported {
    /// The first.
    pub from: i64,
    /// The last.
    pub to: i64,
}

/// Payload of `items.erased`: of these timeline numbers nothing is left but that they were.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ItemsErased {
    /// First and last of each run, both included.
    pub ranges: Vec<(i64, i64)>,
}

/// A transcript as one text, a line each.
fn concatenate(lines: &[TranscriptLine]) -> String {
    let mut all = String::with_capacity(lines.iter().map(|line| line.text.len() + 1).sum());
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            all.push('\n');
        }
        all.push_str(&line.text);
    }
    all
}
