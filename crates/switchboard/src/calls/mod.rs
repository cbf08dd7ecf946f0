//! Calls: ring, answer, transfer, end, complete, and what they leave behind.
//!
//! What may follow what is ruled by [`trunkline_domain::call`]; here its facts become rows and events.

mod leftovers;
mod told;

use trunkline_domain::call::{Call, EndCause, Fact, Input, Phase, TransferKind};
use trunkline_domain::conversation::Activity;
use trunkline_domain::events::{CallRinging, IvrChoice, Topic, Transcript, TranscriptLine, TransferEnd};
use trunkline_domain::{
    CallId, Capability, Direction, ErrorCode, ItemId, ItemKind, Millis, PhoneNumber, SummaryTemplate, UserId,
};
use trunkline_store::analytics::{self, Counted};
use trunkline_store::calls::{self, CallDetails, CallRow};
use trunkline_store::contacts::Context;
use trunkline_store::items::{self, ItemRow};
use trunkline_store::numbers::{self, NumberRow};
use trunkline_store::{dialing_queues, users};

use crate::conversations::{Joined, Learnt, answered, join};
use crate::{Error, Refused, Work};

/// How long the processing of an ended call may take before it is completed with what there is.
pub const PROCESSING_LIMIT: i64 = 5 * Millis::MINUTE;

/// The most lines a transcript may have, and the most characters in all of them.
pub const MAX_TRANSCRIPT: (usize, usize) = (20_000, 2_000_000);

/// A call that begins to ring.
#[derive(Clone, Debug)]
pub struct Ring {
    /// Which way it goes.
    pub direction: Direction,
    /// The team's number.
    pub line: PhoneNumber,
    /// The outside number.
    pub contact: PhoneNumber,
    /// Who of the team places an outbound call.
    pub user: Option<UserId>,
    /// Whether the caller is blocked: the call is kept, but asks for nobody's attention.
    pub blocked: bool,
    /// When it began to ring.
    pub at: Millis,
}

/// Where a call is handed on to.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// To a colleague, to a number outside, to an AI agent.
    pub kind: TransferKind,
    /// The colleague.
    pub to_user: Option<UserId>,
    /// The number.
    pub to_number: Option<PhoneNumber>,
    /// When.
    pub at: Millis,
}

/// What a call leaves behind.
#[derive(Clone, Debug)]
pub enum Leftover {
    /// A recording.
    Recording {
        /// Where it is.
        url: String,
        /// Its length.
        seconds: i64,
    },
    /// A transcript.
    Transcript(Vec<TranscriptLine>),
    /// A summary that the product wrote.
    Summary(SummaryTemplate, String),
    /// A tag that the product put on it.
    Tag(String),
    /// A choice in a menu.
    Choice(IvrChoice),
    /// What the call flow or an agent asked for.
    Collected(serde_json::Map<String, serde_json::Value>),
    /// What the call revealed of the contact: `name`, `company`, `job_title`.
    Extracted(serde_json::Map<String, serde_json::Value>),
}

/// One thing that happens to a call.
#[derive(Clone, Debug)]
pub enum Step {
    /// A person picked up; for inbound calls this user.
    Answer(Option<UserId>, Millis),
    /// The voicemail picked up.
    Voicemail(Millis),
    /// It is handed on.
    Transfer(Transfer),
    /// It left something behind.
    Leave(Leftover),
    /// It is over.
    End(EndCause, Option<String>, Millis),
    /// Processing is done, or given up on.
    Complete(Millis),
    /// Whoever ran it is gone.
    Abandon(Millis),
}

/// Lets a call ring: stores it and tells of it with `call.received` or `call.triggered`. From here on the call is
/// this process's: if the process is lost, the sweeper ends and completes it.
///
/// # Errors
/// `PHONE_NUMBER_NOT_FOUND` for a line that is not the team's, `MEMBER_NOT_FOUND` for a user who is not.
pub fn ring(work: &mut Work<'_, '_>, ring: &Ring) -> Result<CallId, Error> {
    let mut open = Open::ring(work, ring, Learnt::Now)?;
    open.save(work)?;
    Ok(open.id)
}

/// Lets one thing happen to a call. What is already so changes nothing.
///
/// # Errors
/// `CALL_NOT_FOUND`, `MEMBER_NOT_FOUND`, `CALL_STATE_CONFLICT` when it contradicts what happened.
pub fn step(work: &mut Work<'_, '_>, call: CallId, step: &Step) -> Result<(), Error> {
    let mut open = Open::load(work, call)?.ok_or(ErrorCode::CallNotFound)?;
    open.step(work, step)?;
    open.save(work)
}

/// Stores a call together with everything that happened to it, in one transaction: for carriers that report calls
/// when they are over, and for history. A call that nobody answered is news to the team only now; one that the team took
/// part in changes nothing where something newer is there already.
///
/// # Errors
/// As [`ring`] and [`step`].
pub fn record(work: &mut Work<'_, '_>, ring: &Ring, steps: &[Step]) -> Result<CallId, Error> {
    let took_part =
        ring.direction == Direction::Outbound || steps.iter().any(|step| matches!(step, Step::Answer(..)));
    let learnt = if took_part {
        Learnt::Afterwards
    } else {
        Learnt::Now
    };
    let mut open = Open::ring(work, ring, learnt)?;
    for step in steps {
        open.step(work, step)?;
    }
    open.save(work)?;
    Ok(open.id)
}

/// Ends and completes a call whose owner is gone, or completes one whose processing took too long.
///
/// # Errors
/// The store's failure.
pub(crate) fn give_up(work: &mut Work<'_, '_>, seq: i64) -> Result<(), Error> {
    let Some(ItemId::Call(call)) = items::by_seq(work.tx, work.team, seq)?.map(|item| item.id) else {
        return Ok(());
    };
    step(work, call, &Step::Abandon(work.now))
}

/// Makes `template` the summary that is shown of a call.
pub(crate) fn show_summary(
    work: &mut Work<'_, '_>,
    seq: i64,
    template: SummaryTemplate,
) -> Result<(), Error> {
    if let Some(row) = calls::get(work.tx, work.team, seq)?
        && row.summary_template != Some(template)
    {
        calls::update(
            work.tx,
            work.team,
            &CallRow {
                summary_template: Some(template),
                ..row
            },
        )?;
    }
    Ok(())
}

/// A call that is being worked on in this transaction.
struct Open {
    id: CallId,
    item: ItemRow,
    row: CallRow,
    /// As they stand in the database; `None` for a call that is new.
    stored: Option<(ItemRow, CallRow)>,
    /// The conversation, as long as a call that is new has not been saved.
    conversation: Option<Joined>,
    line: NumberRow,
    transcript: Option<Transcript>,
    summary: Option<String>,
    /// Whom the outside number belongs to, once it was looked up.
    contact: Option<Context>,
    /// The e-mail address events name, and for which handler it was looked up.
    email: Option<(Option<UserId>, Option<String>)>,
}

impl Open {
    fn ring(work: &mut Work<'_, '_>, ring: &Ring, learnt: Learnt) -> Result<Self, Error> {
        let line = numbers::by_number(work.tx, work.team, ring.line)?
            .ok_or_else(|| Refused::new(ErrorCode::PhoneNumberNotFound).param("allo_number"))?;
        // What comes in is kept, whatever the team has switched off.
        if ring.direction == Direction::Outbound && !line.capabilities.contains(&Capability::Voice) {
            let refused = Refused::new(ErrorCode::InvalidParameter).param("allo_number");
            return Err(refused
                .because("the line makes no calls: it has no VOICE among its capabilities")
                .into());
        }
        known_user(work, ring.user)?;
        let (seq, id) = (work.next_item(), work.new_id(ring.at));
        let activity = match (ring.direction, ring.blocked) {
            (Direction::Inbound, true) => Activity::IncomingBlocked,
            (Direction::Inbound, false) => Activity::Incoming,
            (Direction::Outbound, _) => Activity::Outgoing,
        };
        let conversation = join(work, line.line, ring.contact, (activity, learnt), (ring.at, seq))?;
        let item = ItemRow {
            seq,
            id: ItemId::Call(id),
            kind: ItemKind::Call,
            direction: ring.direction,
            line: line.line,
            contact_number: ring.contact,
            conversation: conversation.conversation(),
            user_id: ring.user,
            at: ring.at,
            day: work.day(ring.at),
            result: None,
            duration: None,
            tags: Vec::new(),
        };
        let row = CallRow {
            seq,
            call: Call::ring(ring.direction, ring.at),
            failure_reason: None,
            recording_url: None,
            recording_seconds: None,
            summary_template: None,
            details: CallDetails::default(),
            extracted_data: None,
            node: work.node.to_owned(),
            process_by: None,
            completed_at: None,
        };
        let mut open = Self {
            id,
            item,
            row,
            stored: None,
            conversation: Some(conversation),
            line,
            transcript: None,
            summary: None,
            contact: None,
            email: None,
        };
        let topic = match ring.direction {
            Direction::Inbound => Topic::CallReceived,
            Direction::Outbound => Topic::CallTriggered,
        };
        let payload = open.ringing(work)?;
        work.emit(topic, ring.at, Some(seq), &payload)?;
        if let (Direction::Outbound, Some(user)) = (ring.direction, ring.user) {
            let (of, call) = ((user, ring.contact), (id, ring.at));
            dialing_queues::called(work.tx, work.team, of, call, work.now)?;
        }
        Ok(open)
    }

    fn load(work: &mut Work<'_, '_>, id: CallId) -> Result<Option<Self>, Error> {
        let Some(item) = items::get(work.tx, work.team, ItemId::Call(id))? else {
            return Ok(None);
        };
        let row = calls::get(work.tx, work.team, item.seq)?;
        let line = numbers::by_line(work.tx, work.team, item.line)?;
        let (Some(row), Some(line)) = (row, line) else {
            return Ok(None);
        };
        let stored = Some((item.clone(), row.clone()));
        Ok(Some(Self {
            id,
            item,
            row,
            stored,
            conversation: None,
            line,
            transcript: None,
            summary: None,
            contact: None,
            email: None,
        }))
    }

    fn save(&mut self, work: &mut Work<'_, '_>) -> Result<(), Error> {
        if let Some(conversation) = self.conversation.take() {
            conversation.save(work)?;
        }
        let before = self
            .stored
            .as_ref()
            .and_then(|(item, row)| Counted::of(item, &row.call));
        let after = Counted::of(&self.item, &self.row.call);
        analytics::count(work.tx, work.team, before.as_ref(), after.as_ref())?;
        match &self.stored {
            None => {
                items::insert(work.tx, work.team, &self.item)?;
                calls::insert(work.tx, work.team, &self.row)?;
            }
            Some((item, row)) => {
                items::update(work.tx, work.team, item, &self.item)?;
                if *row != self.row {
                    calls::update(work.tx, work.team, &self.row)?;
                }
            }
        }
        Ok(())
    }

    fn step(&mut self, work: &mut Work<'_, '_>, step: &Step) -> Result<(), Error> {
        match step {
            Step::Answer(user, at) => self.answer(work, *user, *at),
            Step::Voicemail(at) => self.apply(work, Input::Voicemail, *at).map(drop),
            Step::Transfer(transfer) => self.transfer(work, transfer),
            Step::Leave(leftover) => self.leave(work, leftover),
            Step::End(cause, reason, at) => {
                if self.row.call.phase < Phase::Ended {
                    self.row.failure_reason.clone_from(reason);
                }
                self.apply(work, Input::End(*cause), *at).map(drop)
            }
            Step::Complete(at) => self.apply(work, Input::Complete, *at).map(drop),
            Step::Abandon(at) => self.apply(work, Input::Abandon, *at).map(drop),
        }
    }

    /// Lets the state machine decide, and turns its facts into rows and events. Tells whether anything is new.
    fn apply(&mut self, work: &mut Work<'_, '_>, input: Input, at: Millis) -> Result<bool, Error> {
        let (next, facts) = self
            .row
            .call
            .apply(input, at)
            .map_err(|refusal| Refused::new(ErrorCode::CallStateConflict).because(refusal.to_string()))?;
        self.row.call = next;
        for fact in &facts {
            match fact {
                Fact::Answered | Fact::VoicemailStarted | Fact::Transferred => {}
                Fact::Ended => self.ended(work)?,
                Fact::Completed => self.completed(work)?,
            }
        }
        Ok(!facts.is_empty())
    }

    fn answer(&mut self, work: &mut Work<'_, '_>, user: Option<UserId>, at: Millis) -> Result<(), Error> {
        known_user(work, user)?;
        if !self.apply(work, Input::Answer, at)? {
            return Ok(());
        }
        if user.is_some() {
            self.item.user_id = user;
        }
        if self.item.direction == Direction::Inbound {
            let answered_at = self.row.call.answered_at.unwrap_or(at);
            match &mut self.conversation {
                Some(conversation) => conversation.answered(answered_at),
                None => answered(work, &self.item, answered_at)?,
            }
        }
        let payload = CallRinging {
            answered_at: self.row.call.answered_at,
            ..self.ringing(work)?
        };
        Ok(work.emit(
            Topic::CallAnswered,
            payload.answered_at.unwrap_or(at),
            Some(self.item.seq),
            &payload,
        )?)
    }

    fn transfer(&mut self, work: &mut Work<'_, '_>, transfer: &Transfer) -> Result<(), Error> {
        known_user(work, transfer.to_user)?;
        let from = self.handler(work)?;
        if !self.apply(work, Input::Transfer(transfer.kind), transfer.at)? {
            return Ok(());
        }
        let (user_email, user_name) = match from {
            Some((email, name)) => (Some(email), Some(name)),
            None => (None, None),
        };
        self.row.details.transfer_from = Some(TransferEnd {
            number: Some(self.line.label()),
            user_email,
            user_name,
        });
        let to = match transfer.to_user {
            Some(id) => users::get(work.tx, work.team, id)?.map(|user| (user.email, user.name)),
            None => None,
        };
        let number = transfer.to_number.map(|number| number.to_string());
        let (user_email, user_name) = match to {
            Some((email, name)) => (Some(email), Some(name)),
            None => (None, None),
        };
        self.row.details.transfer_to = Some(TransferEnd {
            number,
            user_email,
            user_name,
        });
        if transfer.kind == TransferKind::Colleague && transfer.to_user.is_some() {
            self.item.user_id = transfer.to_user;
        }
        Ok(())
    }
}

fn known_user(work: &mut Work<'_, '_>, user: Option<UserId>) -> Result<(), Error> {
    match user {
        Some(id) if users::get(work.tx, work.team, id)?.is_none() => {
            Err(Refused::new(ErrorCode::MemberNotFound).param("user_id").into())
        }
        _ => Ok(()),
    }
}
