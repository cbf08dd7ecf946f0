//! Texts: in, out, and what carriers report of them.
//!
//! [`send`] sends what the product itself wants to send; what clients ask for goes through [`crate::texts::submit`], which
//! knows the rules.

use trunkline_domain::conversation::Activity;
use trunkline_domain::events::{Sms, Topic};
use trunkline_domain::sms::segments;
use trunkline_domain::{
    Direction, ErrorCode, ItemId, ItemKind, MessageId, MessageStatus, MessageType, Millis, PhoneNumber,
    UserId,
};
use trunkline_store::items::{self, ItemRow};
use trunkline_store::messages::{self, MessageRow};
use trunkline_store::numbers::{self, NumberRow};
use trunkline_store::text_queue::{self, NewText};
use trunkline_store::{contacts, text_counts, usage, users};

use crate::conversations::{Learnt, join};
use crate::lines::zone_of;
use crate::{Error, Refused, Work, consent};

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
/// nothing; its id is returned all the same. A keyword (STOP, START, HELP and the like) is heeded.
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
    // A carrier may report a NUL, which PostgreSQL does not store.
    let characters = text.content.chars().filter(|character| *character != '\0');
    let content: String = characters.take(MAX_CHARACTERS).collect();
    let message = MessageRow {
        seq: work.next_item(),
        segments: Some(segments_of(&content)),
        content,
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
    let came_in = (Direction::Inbound, Activity::Incoming);
    let item = store(work, &line, text.from, came_in, None, at, &message)?;
    tell(work, Topic::SmsReceived, at, &line, &item, &message)?;
    consent::heed(work, &line, &item, &message.content)?;
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

/// Stores a text as `PENDING`, waiting to be handed to the line's carrier.
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
    let out = PutOut {
        line: &line,
        to: text.to,
        content: &text.content,
        media: &text.media,
        user: text.user,
        origin: Origin::Product,
    };
    message_id(&put_out(work, &out)?)
}

/// Where a text that goes out comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A client, through the API.
    Api,
    /// The product, for somebody of the team.
    Product,
    /// The program itself: it answers a keyword.
    Automatic,
}

/// A text that may go out.
#[derive(Clone, Copy)]
pub(crate) struct PutOut<'o> {
    /// The line it goes out from.
    pub(crate) line: &'o NumberRow,
    /// To whom.
    pub(crate) to: PhoneNumber,
    /// The text.
    pub(crate) content: &'o str,
    /// URLs of media.
    pub(crate) media: &'o [String],
    /// Who sends it.
    pub(crate) user: Option<UserId>,
    /// Where it comes from.
    pub(crate) origin: Origin,
}

/// Stores a text as `PENDING`, counts it, and lets it wait for the line's carrier.
///
/// # Errors
/// The store's failure.
pub(crate) fn put_out(work: &mut Work<'_, '_>, out: &PutOut<'_>) -> Result<ItemRow, Error> {
    let PutOut {
        line,
        to,
        content,
        media,
        user,
        origin,
    } = *out;
    let message = MessageRow {
        seq: work.next_item(),
        content: content.to_owned(),
        status: MessageStatus::Pending,
        message_type: if media.is_empty() {
            MessageType::Sms
        } else {
            MessageType::Mms
        },
        carrier: line.carrier.clone(),
        carrier_ref: None,
        failure_reason: None,
        media: media.to_vec(),
        taken_at: None,
        segments: Some(segments_of(content)),
    };
    let activity = match origin {
        Origin::Automatic => Activity::Automatic,
        Origin::Api | Origin::Product => Activity::Outgoing,
    };
    let goes_out = (Direction::Outbound, activity);
    let item = store(work, line, to, goes_out, user, work.now, &message)?;
    text_counts::add(work.tx, work.team, item.day, line.line, origin == Origin::Api)?;
    let day = item.at.day_in(&zone_of(work, line)).into();
    text_counts::add_of_line(work.tx, work.team, line.line, day)?;
    let waiting = NewText {
        line: line.line,
        seq: item.seq,
        conversation: item.conversation,
        run_at: work.now,
    };
    text_queue::insert(work.tx, work.team, waiting)?;
    Ok(item)
}

/// How many parts a text has.
pub(crate) fn segments_of(content: &str) -> i64 {
    i64::try_from(segments::count(content).segments).unwrap_or(i64::MAX)
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
    if after.status != Pending {
        // However that is known: there is nothing left to hand over.
        text_queue::settle(work.tx, work.team, item.line, seq)?;
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

/// As [`report`], for a text that is known by our own id, where the carrier repeats it, or by the carrier's name and id: a
/// receipt may be there before the answer that tells the carrier's id.
///
/// # Errors
/// `TEXT_MESSAGE_NOT_FOUND`.
pub fn receipt(
    work: &mut Work<'_, '_>,
    (carrier, carrier_ref): (&str, &str),
    own: Option<MessageId>,
    what: &Report,
) -> Result<bool, Error> {
    let own = match own {
        Some(id) => items::get(work.tx, work.team, ItemId::Message(id))?,
        None => None,
    };
    if let Some(item) = own.filter(|item| item.direction == Direction::Outbound) {
        return report(work, item.seq, what);
    }
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

pub(crate) fn message_id(item: &ItemRow) -> Result<MessageId, Error> {
    match item.id {
        ItemId::Message(id) => Ok(id),
        ItemId::Call(_) => Err(ErrorCode::TextMessageNotFound.into()),
    }
}

fn store(
    work: &mut Work<'_, '_>,
    line: &NumberRow,
    contact: PhoneNumber,
    (direction, activity): (Direction, Activity),
    user: Option<UserId>,
    at: Millis,
    message: &MessageRow,
) -> Result<ItemRow, Error> {
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
    usage::add_text(
        work.tx,
        work.team,
        item.day,
        direction,
        message.segments.unwrap_or(0),
    )?;
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
    /// When it was accepted.
    pub accepted_at: Millis,
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
        accepted_at: item.at,
    }))
}
