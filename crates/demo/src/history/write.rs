//! Writes what was planned, by the commands that write it when it really happens.

use trunkline_domain::{ErrorCode, ItemId, MessageId, MessageStatus};
use trunkline_messaging::sandbox;
use trunkline_store::items::{self, ItemRow};
use trunkline_switchboard::calls::{self, Leftover, Step};
use trunkline_switchboard::messages::{self, Receive, Report, Send};
use trunkline_switchboard::{Actor, Error, Work, conversations};

use super::{Entry, PlannedCall, Text, What};

/// How long the carrier took to accept a text, and until it arrived, in milliseconds.
const ACCEPTED_AFTER: i64 = 240;
pub(super) const DELIVERED_AFTER: i64 = 940;

/// Lets `entry` happen at its time: the unit's clock is set to it.
pub(crate) fn write(work: &mut Work<'_, '_>, entry: &Entry, public_url: &str) -> Result<(), Error> {
    work.now = entry.at;
    match &entry.what {
        What::Call(call) => write_call(work, call, public_url),
        What::Received(text) => receive(work, text).map(drop),
        What::OptedOut(text) => {
            let asked = receive(work, text)?;
            // The answer was put out right behind it.
            let answer = items::by_seq(work.tx, work.team, asked.seq + 1)?.map(|item| item.id);
            let Some(ItemId::Message(id)) = answer else {
                return Err(ErrorCode::TextMessageNotFound.into());
            };
            deliver(work, asked.seq + 1, id, true)
        }
        What::Sent(Text { pair, content }, user, arrives) => {
            let (content, media) = (content.clone(), Vec::new());
            let text = Send {
                line: pair.line,
                to: pair.number,
                content,
                media,
                user: Some(*user),
            };
            write_sent(work, &text, *arrives)
        }
        What::Marked(pair, user, action) => {
            let by = Actor::User {
                id: user.id,
                email: user.email.clone(),
                name: user.name.clone(),
            };
            conversations::act(work, pair.number, Some(pair.line), *action, &by)
        }
    }
}

fn write_call(work: &mut Work<'_, '_>, call: &PlannedCall, public_url: &str) -> Result<(), Error> {
    work.now = call.ended_at;
    let id = calls::record(work, &call.ring, &call.steps)?;
    // Where the recording is depends on the id, which is known only now.
    let recording = call.recorded_seconds.map(|seconds| {
        let url = format!("{public_url}/sandbox/recordings/{id}.wav");
        Step::Leave(Leftover::Recording { url, seconds })
    });
    for (place, step) in recording.iter().chain(&call.leftovers).enumerate() {
        work.now = call.processed_at(place);
        calls::step(work, id, step)?;
    }
    work.now = call.completed_at();
    calls::step(work, id, &Step::Complete(work.now))
}

/// Takes a text that came in now.
fn receive(work: &mut Work<'_, '_>, text: &Text) -> Result<ItemRow, Error> {
    let text = Receive {
        line: text.pair.line,
        from: text.pair.number,
        content: text.content.clone(),
        media: Vec::new(),
        carrier: sandbox::NAME,
        carrier_ref: None,
        at: work.now,
    };
    let id = messages::receive(work, &text)?;
    Ok(items::get(work.tx, work.team, ItemId::Message(id))?.ok_or(ErrorCode::TextMessageNotFound)?)
}

/// Sends a text and lets the carrier say what became of it.
fn write_sent(work: &mut Work<'_, '_>, text: &Send, arrives: bool) -> Result<(), Error> {
    let id = messages::send(work, text)?;
    let item = items::get(work.tx, work.team, ItemId::Message(id))?.ok_or(ErrorCode::TextMessageNotFound)?;
    deliver(work, item.seq, id, arrives)
}

/// Lets the carrier say what became of a text that goes out now.
fn deliver(work: &mut Work<'_, '_>, seq: i64, id: MessageId, arrives: bool) -> Result<(), Error> {
    let sent_at = work.now;
    work.now = sent_at.plus(ACCEPTED_AFTER);
    let carrier_ref = Some(format!("{}-{id}", sandbox::NAME));
    messages::report(
        work,
        seq,
        &Report {
            status: MessageStatus::Sent,
            carrier_ref,
            failure_reason: None,
        },
    )?;
    work.now = sent_at.plus(DELIVERED_AFTER);
    let (status, failure_reason) = match arrives {
        true => (MessageStatus::Delivered, None),
        false => (
            MessageStatus::Failed,
            Some("the number cannot be reached".to_owned()),
        ),
    };
    messages::report(
        work,
        seq,
        &Report {
            status,
            carrier_ref: None,
            failure_reason,
        },
    )?;
    Ok(())
}
