//! History in bulk: items that happened elsewhere or long ago are stored as they are, without an event each; one
//! `items.imported` tells followers where they stand.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use trunkline_domain::call::{Call, EndCause, Phase};
use trunkline_domain::conversation::{Activity, Standing};
use trunkline_domain::events::{ItemsImported, Topic, Transcript, TranscriptLine};
use trunkline_domain::{
    CallResult, Direction, ItemId, ItemKind, MessageStatus, MessageType, Millis, PhoneNumber,
    SummaryTemplate, UserId,
};
use trunkline_store::analytics::{self, Counted};
use trunkline_store::calls::{self, CallDetails, CallRow};
use trunkline_store::conversations::{self, ConversationRow};
use trunkline_store::items::{self, ItemRow, SummaryRow};
use trunkline_store::messages::{self, MessageRow};
use trunkline_store::{contacts, usage};

use crate::messages::segments_of;
use crate::{Error, Work};

/// An item that happened.
#[derive(Clone, Debug)]
pub struct ImportItem {
    /// The team's line.
    pub line: i64,
    /// The outside number.
    pub contact: PhoneNumber,
    /// Which way it went.
    pub direction: Direction,
    /// Who handled or sent it.
    pub user: Option<UserId>,
    /// When.
    pub at: Millis,
    /// A call or a message.
    pub body: ImportBody,
}

/// What kind of item.
#[derive(Clone, Debug)]
pub enum ImportBody {
    /// A call that is over.
    Call {
        /// How it ended.
        result: CallResult,
        /// Seconds it lasted.
        duration: i64,
        /// What was said.
        transcript: Vec<TranscriptLine>,
        /// Its summary.
        summary: Option<String>,
        /// Keys of tags that the team has.
        tags: Vec<String>,
    },
    /// A text.
    Message {
        /// The text.
        content: String,
    },
}

/// Stores items in one transaction. Returns how many.
///
/// # Errors
/// The store's failure; then nothing was stored.
pub fn import(work: &mut Work<'_, '_>, batch: &[ImportItem]) -> Result<usize, Error> {
    let mut threads: HashMap<(i64, PhoneNumber), Thread> = HashMap::new();
    let mut totals: HashMap<Tally, (ItemRow, i64)> = HashMap::new();
    let mut counted: Vec<Counted> = Vec::new();
    let (mut first, mut last) = (None, 0);
    for import in batch {
        let seq = work.next_item();
        first = first.or(Some(seq));
        last = seq;
        let conversation = thread(work, &mut threads, import, seq)?;
        let item = item(work, import, seq, conversation);
        items::insert_uncounted(work.tx, work.team, &item)?;
        counted.extend(store_body(work, import, &item)?);
        let tally = (
            item.day,
            item.line,
            item.user_id,
            item.kind,
            item.direction,
            item.result,
        );
        totals.entry(tally).or_insert_with(|| (item, 0)).1 += 1;
    }
    items::tally_many(work.tx, work.team, totals.values().map(|(like, n)| (like, *n)))?;
    analytics::count_many(work.tx, work.team, counted.into_iter())?;
    for Thread { before, after } in threads.into_values() {
        match &before {
            Some(before) => conversations::update(work.tx, work.team, before, &after)?,
            None => conversations::insert(work.tx, work.team, &after)?,
        }
        let n = after.items - before.map_or(0, |before| before.items);
        contacts::touch(work.tx, work.team, after.contact_number, n, after.last_at)?;
    }
    if let Some(from) = first {
        work.emit(
            Topic::ItemsImported,
            work.now,
            None,
            &ItemsImported { from, to: last },
        )?;
    }
    Ok(batch.len())
}

/// What one row of the counting tables is about.
type Tally = (i64, i64, Option<UserId>, ItemKind, Direction, Option<CallResult>);

/// A conversation that the batch touches.
struct Thread {
    before: Option<ConversationRow>,
    after: ConversationRow,
}

fn thread(
    work: &mut Work<'_, '_>,
    threads: &mut HashMap<(i64, PhoneNumber), Thread>,
    import: &ImportItem,
    seq: i64,
) -> Result<i64, Error> {
    let Thread { after, .. } = match threads.entry((import.line, import.contact)) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(place) => {
            let before = conversations::of_pair(work.tx, work.team, import.contact, import.line)?;
            let after = before.unwrap_or_else(|| ConversationRow {
                conversation: work.next_conversation(),
                line: import.line,
                contact_number: import.contact,
                last_at: import.at,
                last_item: 0,
                items: 0,
                standing: Standing::default(),
            });
            place.insert(Thread { before, after })
        }
    };
    after.items += 1;
    if (import.at, seq) > (after.last_at, after.last_item) {
        (after.last_at, after.last_item) = (import.at, seq);
        after.standing = after.standing.after(activity(import));
    }
    Ok(after.conversation)
}

const fn activity(import: &ImportItem) -> Activity {
    match (&import.body, import.direction) {
        (_, Direction::Outbound) => Activity::Outgoing,
        (
            ImportBody::Call {
                result: CallResult::Blocked,
                ..
            },
            _,
        ) => Activity::IncomingBlocked,
        (
            ImportBody::Call {
                result: CallResult::Voicemail | CallResult::Missed | CallResult::Failed,
                ..
            },
            _,
        )
        | (ImportBody::Message { .. }, _) => Activity::Incoming,
        (ImportBody::Call { .. }, _) => Activity::Answered,
    }
}

fn item(work: &Work<'_, '_>, import: &ImportItem, seq: i64, conversation: i64) -> ItemRow {
    let (id, kind, result, duration, tags) = match &import.body {
        ImportBody::Call {
            result,
            duration,
            tags,
            ..
        } => (
            ItemId::Call(work.new_id(import.at)),
            ItemKind::Call,
            Some(*result),
            Some(*duration),
            tags.clone(),
        ),
        ImportBody::Message { .. } => (
            ItemId::Message(work.new_id(import.at)),
            ItemKind::Message,
            None,
            None,
            Vec::new(),
        ),
    };
    ItemRow {
        seq,
        id,
        kind,
        direction: import.direction,
        line: import.line,
        contact_number: import.contact,
        conversation,
        user_id: import.user,
        at: import.at,
        day: work.day(import.at),
        result,
        duration,
        tags,
    }
}

/// Stores what an item of its kind has besides; tells how a call is counted.
fn store_body(
    work: &mut Work<'_, '_>,
    import: &ImportItem,
    item: &ItemRow,
) -> Result<Option<Counted>, Error> {
    match &import.body {
        ImportBody::Message { content } => {
            let segments = segments_of(content);
            let message = MessageRow {
                seq: item.seq,
                content: content.clone(),
                status: MessageStatus::Delivered,
                message_type: MessageType::Sms,
                carrier: "import".to_owned(),
                carrier_ref: None,
                failure_reason: None,
                media: Vec::new(),
                taken_at: None,
                segments: Some(segments),
            };
            messages::insert(work.tx, work.team, &message)?;
            usage::add_text(work.tx, work.team, item.day, item.direction, segments)?;
            Ok(None)
        }
        ImportBody::Call {
            result,
            duration,
            transcript,
            summary,
            tags,
        } => {
            let row = finished(item, *result, *duration, summary.is_some());
            calls::insert(work.tx, work.team, &row)?;
            if !transcript.is_empty() {
                items::set_transcript(work.tx, work.team, item.seq, &Transcript::new(transcript))?;
            }
            if let Some(content) = summary {
                let template = SummaryTemplate::Classic;
                let summary = SummaryRow {
                    template,
                    content: content.clone(),
                    version: 1,
                    updated_at: item.at,
                    updated_by: None,
                };
                items::set_summary(work.tx, work.team, item.seq, &summary)?;
            }
            for tag in tags {
                trunkline_store::tags::put_on(work.tx, work.team, tag, item.at, item.seq)?;
            }
            Ok(Counted::of(item, &row.call))
        }
    }
}

fn finished(item: &ItemRow, result: CallResult, duration: i64, summarised: bool) -> CallRow {
    let ended_at = item.at.plus(duration * Millis::SECOND);
    let picked_up = match result {
        CallResult::Answered | CallResult::TransferredAi | CallResult::TransferredExternal => {
            (Some(item.at), None)
        }
        CallResult::Voicemail => (None, Some(item.at)),
        CallResult::Blocked | CallResult::Failed | CallResult::Missed => (None, None),
    };
    let cause = match result {
        CallResult::Blocked => EndCause::Blocked,
        CallResult::Failed => EndCause::Failed,
        CallResult::Missed => EndCause::NoAnswer,
        _ => EndCause::HungUp,
    };
    let call = Call {
        phase: Phase::Completed,
        answered_at: picked_up.0,
        voicemail_at: picked_up.1,
        ended_at: Some(ended_at),
        cause: Some(cause),
        ..Call::ring(item.direction, item.at)
    };
    CallRow {
        seq: item.seq,
        failure_reason: call.failure_reason().map(str::to_owned),
        call,
        recording_url: None,
        recording_seconds: None,
        summary_template: summarised.then_some(SummaryTemplate::Classic),
        details: CallDetails::default(),
        extracted_data: None,
        node: String::new(),
        process_by: None,
        completed_at: Some(ended_at),
    }
}
