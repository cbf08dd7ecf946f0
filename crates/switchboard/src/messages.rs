//! Texts: in, out, and what carriers report of them.

use trunkline_domain::conversation::Activity;
use trunkline_domain::events::{Sms, Topic};
use trunkline_domain::{
    Direction, ErrorCode, ItemId, ItemKind, MessageId, MessageStatus, MessageType, Millis, PhoneNumber,
    UserId,
};
use trunkline_store::items::{self, ItemRow};
use trunkline_store::jobs::{self, JobRow};
use trunkline_store::messages::{self, MessageRow};
use trunkline_store::numbers::{self, NumberRow};
use trunkline_store::{contacts, users};

use crate::conversations::{Learnt, join};
use crate::{Error, Refused, Work};

/// The kind of job that hands a message to its carrier.
pub const SEND_JOB: &str = "message.send";

/// The longest text that comes in or goes out, in characters; what a carrier delivers beyond it is cut.
pub const MAX_CHARACTERS: usize = 10_000;

/// A text that comes in.
#[derive(Clone, Debug)]
pub struct Receive {
    /// The team's number.
    pub line: PhoneNumber,
    /// Who sent it.
    pub from: PhoneNumber,
    /// The text.
    pub content: String,
    /// URLs of media.
    pub media: Vec<String>,
    /// The carrier.
    pub carrier: &'static str,
    /// The carrier's id: the same text reported twice is one message.
    pub carrier_ref: Option<String>,
    /// When it was sent, as the carrier says; a time to come counts as now.
    pub at: Millis,
}

/// Stores a text that came in and tells of it with `sms.received`. One that the carrier reported before changes
/// nothing; its id is returned all the same.
///
/// # Errors
/// `PHONE_NUMBER_NOT_FOUND` for a line that is not the team's.
pub fn receive(work: &mut Work<'_, '_>, text: &Receive) -> Result<MessageId, Error> {
    if let Some(reference) = &text.carrier_ref
        && let Some(known) = messages::by_ref(work.tx, work.team, text.carrier, reference)?
        && let Some(ItemId::Message(id)) = items::by_seq(work.tx, work.team, known.seq)?.map(|item| item.id)
    {
        return Ok(id);
    }
    let line = line(work, text.line)?;
    let message = MessageRow {
        seq: work.next_item(),
        // A carrier may report a NUL, which PostgreSQL does not store.
        content: text
            .content
            .chars()
            .filter(|character| *character != '\0')
            .take(MAX_CHARACTERS)
            .collect(),
        status: MessageStatus::Delivered,
        message_type: if text.media.is_empty() {
            MessageType::Sms
        } else {
            MessageType::Mms
        },
        carrier: text.carrier.to_owned(),
        carrier_ref: text.carrier_ref.clone(),
        failure_reason: None,
        media: text.media.clone(),
        taken_at: None,
    };
    let at = text.at.min(work.now);
    let item = store(work, &line, text.from, Direction::Inbound, None, at, &message)?;
    tell(work, Topic::SmsReceived, at, &line, &item, &message)?;
    message_id(&item)
}

/// A text that goes out.
#[derive(Clone, Debug)]
pub struct Send {
    /// The team's number.
    pub line: PhoneNumber,
    /// To whom.
    pub to: PhoneNumber,
    /// The text.
    pub content: String,
    /// URLs of media.
    pub media: Vec<String>,
    /// Who sends it.
    pub user: Option<UserId>,
}

/// Stores a text as `PENDING`, with the job that hands it to the line's carrier.
///
/// # Errors
/// `FROM_NUMBER_NOT_FOUND`, `NUMBER_NOT_SMS_ENABLED`, `INVALID_LENGTH`.
pub fn send(work: &mut Work<'_, '_>, text: &Send) -> Result<MessageId, Error> {
    let line = numbers::by_number(work.tx, work.team, text.line)?
        .ok_or_else(|| Refused::new(ErrorCode::FromNumberNotFound).param("from"))?;
    if !line.capabilities.contains(&trunkline_domain::Capability::Sms) {
        return Err(Refused::new(ErrorCode::NumberNotSmsEnabled).param("from").into());
    }
    let characters = text.content.chars().take(MAX_CHARACTERS + 1).count();
    if characters > MAX_CHARACTERS || (characters == 0 && text.media.is_empty()) {
        return Err(Refused::new(ErrorCode::InvalidLength).param("message").into());
    }
    let message = MessageRow {
        seq: work.next_item(),
        content: text.content.clone(),
        status: MessageStatus::Pending,
        message_type: if text.media.is_empty() {
            MessageType::Sms
        } else {
            MessageType::Mms
        },
        carrier: line.carrier.clone(),
        carrier_ref: None,
        failure_reason: None,
        media: text.media.clone(),
        taken_at: None,
    };
    let item = store(
        work,
        &line,
        text.to,
        Direction::Outbound,
        text.user,
        work.now,
        &message,
    )?;
    let id = message_id(&item)?;
    jobs::insert(
        work.tx,
        &JobRow {
            team: work.team,
            id: id.to_string(),
            kind: SEND_JOB.to_owned(),
            run_at: work.now,
            attempts: 0,
            payload: item.seq.to_string(),
        },
    )?;
    Ok(id)
}

/// What a carrier says of a text that went out.
#[derive(Clone, Debug)]
pub struct Report {
    /// How far it has come.
    pub status: MessageStatus,
    /// The carrier's id for it.
    pub carrier_ref: Option<String>,
    /// Why it failed.
    pub failure_reason: Option<String>,
}

/// Moves a text on by what the carrier says, and tells of each fact once, however often and in whatever order it is
/// reported: that the carrier took it (a delivery that is known first implies it), that it arrived, that it failed. What
/// arrived after all is told even if it was said to have failed. Returns whether anything was new.
///
/// # Errors
/// `TEXT_MESSAGE_NOT_FOUND`.
pub fn report(work: &mut Work<'_, '_>, seq: i64, report: &Report) -> Result<bool, Error> {
    use MessageStatus::{Delivered, Failed, Pending, Sent};
    let before = messages::get(work.tx, work.team, seq)?.ok_or(ErrorCode::TextMessageNotFound)?;
    let item = items::by_seq(work.tx, work.team, seq)?.ok_or(ErrorCode::TextMessageNotFound)?;
    let taken = before.taken_at.is_some() || matches!(before.status, Sent | Delivered);
    let takes = !taken && matches!(report.status, Sent | Delivered);
    let moves = before.status.may_become(report.status);
    let mut after = before.clone();
    after.carrier_ref = after.carrier_ref.or_else(|| report.carrier_ref.clone());
    if takes {
        after.taken_at = Some(work.now);
    }
    if moves {
        after.status = report.status;
        after.failure_reason = report.failure_reason.clone().filter(|_| report.status == Failed);
    }
    if after != before {
        messages::update(work.tx, work.team, &after)?;
    }
    if !takes && !moves {
        return Ok(false);
    }
    let line = numbers::by_line(work.tx, work.team, item.line)?.ok_or(ErrorCode::PhoneNumberNotFound)?;
    let topic = match report.status {
        Delivered => Some(Topic::SmsDelivered),
        Failed => Some(Topic::SmsFailed),
        Pending | Sent => None,
    };
    for topic in takes.then_some(Topic::SmsSent).into_iter().chain(topic) {
        tell(work, topic, work.now, &line, &item, &after)?;
    }
    Ok(true)
}

/// As [`report`], for a text that is known by the carrier's id.
///
/// # Errors
/// `TEXT_MESSAGE_NOT_FOUND`.
pub fn receipt(
    work: &mut Work<'_, '_>,
    carrier: &str,
    carrier_ref: &str,
    what: &Report,
) -> Result<bool, Error> {
    let known =
        messages::by_ref(work.tx, work.team, carrier, carrier_ref)?.ok_or(ErrorCode::TextMessageNotFound)?;
    report(work, known.seq, what)
}

fn line(work: &mut Work<'_, '_>, number: PhoneNumber) -> Result<NumberRow, Error> {
    let found = numbers::by_number(work.tx, work.team, number)?;
    found.ok_or_else(|| {
        Refused::new(ErrorCode::PhoneNumberNotFound)
            .param("allo_number")
            .into()
    })
}

fn message_id(item: &ItemRow) -> Result<MessageId, Error> {
    match item.id {
        ItemId::Message(id) => Ok(id),
        ItemId::Call(_) => Err(ErrorCode::TextMessageNotFound.into()),
    }
}

fn store(
    work: &mut Work<'_, '_>,
    line: &NumberRow,
    contact: PhoneNumber,
    direction: Direction,
    user: Option<UserId>,
    at: Millis,
    message: &MessageRow,
) -> Result<ItemRow, Error> {
    let activity = match direction {
        Direction::Inbound => Activity::Incoming,
        Direction::Outbound => Activity::Outgoing,
    };
    let seq = message.seq;
    let conversation = join(work, line.line, contact, (activity, Learnt::Now), (at, seq))?;
    conversation.save(work)?;
    let item = ItemRow {
        seq,
        id: ItemId::Message(work.new_id(at)),
        kind: ItemKind::Message,
        direction,
        line: line.line,
        contact_number: contact,
        conversation: conversation.conversation(),
        user_id: user,
        at,
        day: work.day(at),
        result: None,
        duration: None,
        tags: Vec::new(),
    };
    items::insert(work.tx, work.team, &item)?;
    messages::insert(work.tx, work.team, message)?;
    Ok(item)
}

fn tell(
    work: &mut Work<'_, '_>,
    topic: Topic,
    at: Millis,
    line: &NumberRow,
    item: &ItemRow,
    message: &MessageRow,
) -> Result<(), Error> {
    let contact = contacts::name_by_number(work.tx, work.team, item.contact_number)?;
    let (own, other) = (
        (line.label(), line.name.clone()),
        (item.contact_number.to_string(), contact),
    );
    let ((from_number, from_name), (to_number, to_name)) = match item.direction {
        Direction::Inbound => (other, own),
        Direction::Outbound => (own, other),
    };
    let sender = match item.user_id {
        Some(id) => users::get(work.tx, work.team, id)?.map(|user| user.email),
        None => None,
    };
    let user_email = match sender {
        Some(email) => Some(email),
        None => numbers::first_member(work.tx, work.team, line.line)?.map(|member| member.email),
    };
    let payload = Sms {
        id: message_id(item)?,
        direction: item.direction,
        message_type: message.message_type,
        content: message.content.clone(),
        sent_at: item.at,
        from_number,
        to_number,
        from_name,
        to_name,
        user_email,
        media_urls: message.media.clone(),
        failure_reason: message
            .failure_reason
            .clone()
            .filter(|_| topic == Topic::SmsFailed),
    };
    Ok(work.emit(topic, at, Some(item.seq), &payload)?)
}

/// What the worker needs to hand a text to its carrier.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The team's number for the item.
    pub seq: i64,
    /// Its public id.
    pub id: MessageId,
    /// The line it goes out from.
    pub line: NumberRow,
    /// To whom.
    pub to: PhoneNumber,
    /// The text.
    pub content: String,
    /// URLs of media.
    pub media: Vec<String>,
    /// How far it has come.
    pub status: MessageStatus,
    /// How often it was offered to the carrier, this time included; 0 until the worker knows.
    pub attempts: i64,
}

/// Reads a text that waits to go out.
///
/// # Errors
/// The store's failure.
pub fn outgoing(
    conn: &mut trunkline_store::Conn<'_>,
    team: trunkline_store::TeamKey,
    seq: i64,
) -> Result<Option<Outgoing>, Error> {
    let (Some(message), Some(item)) = (messages::get(conn, team, seq)?, items::by_seq(conn, team, seq)?)
    else {
        return Ok(None);
    };
    let Some(line) = numbers::by_line(conn, team, item.line)? else {
        return Ok(None);
    };
    let id = message_id(&item)?;
    let MessageRow {
        content,
        media,
        status,
        ..
    } = message;
    Ok(Some(Outgoing {
        seq,
        id,
        line,
        to: item.contact_number,
        content,
        media,
        status,
        attempts: 0,
    }))
}
