//! Calls: ring, answer, transfer, end, complete, and what they leave behind.
//!
//! What may follow what is ruled by [`trunkline_domain::call`]; here its facts become rows and events.

use trunkline_domain::call::{Call, EndCause, Fact, Input, Phase, TransferKind};
use trunkline_domain::conversation::Activity;
use trunkline_domain::dialer::Outcome;
use trunkline_domain::events::{
    Artefact, CallCompleted, CallEnded, CallRinging, IvrChoice, Topic, Transcript, TranscriptLine,
    TransferEnd,
};
use trunkline_domain::time::spoken_length;
use trunkline_domain::{
    CallId, CallResult, Direction, ErrorCode, ItemId, ItemKind, Millis, PhoneNumber, SummaryTemplate, UserId,
};
use trunkline_store::analytics::{self, Counted};
use trunkline_store::calls::{self, CallDetails, CallRow};
use trunkline_store::contacts::{self, Context};
use trunkline_store::items::{self, ItemRow, SummaryRow};
use trunkline_store::numbers::{self, NumberRow};
use trunkline_store::{dialing_queues, users};

use crate::conversations::{Joined, Learnt, answered, join};
use crate::{Actor, Error, Refused, Work};

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

    fn leave(&mut self, work: &mut Work<'_, '_>, leftover: &Leftover) -> Result<(), Error> {
        match leftover {
            Leftover::Recording { url, seconds } => self.recording(work, url, *seconds),
            Leftover::Transcript(lines) => self.transcribed(work, lines),
            Leftover::Summary(template, content) => self.summarised(work, *template, content),
            Leftover::Tag(key) => {
                let key = trunkline_domain::tag::key(key)
                    .ok_or_else(|| Refused::new(ErrorCode::InvalidParameter).param("tags"))?;
                if self.item.tags.contains(&key) {
                    return Ok(());
                }
                crate::tags::put_on(work, &mut self.item, &key, self.id, &Actor::System)
            }
            Leftover::Choice(choice) => {
                self.row.details.ivr.push(choice.clone());
                Ok(())
            }
            Leftover::Collected(data) => {
                self.row.details.data_collected.extend(data.clone());
                Ok(())
            }
            Leftover::Extracted(data) => {
                self.row.extracted_data = Some(serde_json::Value::Object(data.clone()).to_string());
                Ok(())
            }
        }
    }

    fn recording(&mut self, work: &mut Work<'_, '_>, url: &str, seconds: i64) -> Result<(), Error> {
        if self.row.recording_url.as_deref() == Some(url) {
            return Ok(());
        }
        self.row.recording_url = Some(url.to_owned());
        self.row.recording_seconds = Some(seconds);
        let (from_number, to_number) = self.ends();
        let artefact = Artefact::Recording {
            id: self.id,
            recording_url: Some(url.to_owned()),
            duration: Some(seconds),
            from_number,
            to_number,
        };
        Ok(work.emit(
            Topic::CallRecordingCompleted,
            work.now,
            Some(self.item.seq),
            &artefact,
        )?)
    }

    fn transcribed(&mut self, work: &mut Work<'_, '_>, lines: &[TranscriptLine]) -> Result<(), Error> {
        let characters: usize = lines.iter().map(|line| line.text.len()).sum();
        if lines.len() > MAX_TRANSCRIPT.0 || characters > MAX_TRANSCRIPT.1 {
            let message = format!(
                "a transcript has at most {} lines and {} bytes of text",
                MAX_TRANSCRIPT.0, MAX_TRANSCRIPT.1
            );
            return Err(Refused::new(ErrorCode::InvalidLength)
                .param("transcript")
                .because(message)
                .into());
        }
        if self.transcript.is_none() && self.stored.is_some() {
            self.transcript = self.stored_transcript(work)?;
        }
        let transcript = Transcript::new(lines);
        if self.transcript.as_ref() == Some(&transcript) {
            return Ok(());
        }
        items::set_transcript(work.tx, work.team, self.item.seq, &transcript)?;
        self.transcript = Some(transcript.clone());
        let artefact = Artefact::Transcript {
            id: self.id,
            concatenated_transcript: transcript.concatenated(),
            transcriptions: transcript,
        };
        Ok(work.emit(
            Topic::CallTranscriptCompleted,
            work.now,
            Some(self.item.seq),
            &artefact,
        )?)
    }

    fn summarised(
        &mut self,
        work: &mut Work<'_, '_>,
        template: SummaryTemplate,
        content: &str,
    ) -> Result<(), Error> {
        // A call that is new has none, unless an earlier step of this transaction wrote one.
        let any = self.stored.is_some() || self.row.summary_template.is_some();
        let existing = if any {
            items::summaries(work.tx, work.team, self.item.seq)?
        } else {
            Vec::new()
        };
        if existing.iter().any(|summary| summary.template == template) {
            // A person may have edited it since: what the product writes late does not overwrite that.
            return Ok(());
        }
        let summary = SummaryRow {
            template,
            content: content.to_owned(),
            version: 1,
            updated_at: work.now,
            updated_by: None,
        };
        items::set_summary(work.tx, work.team, self.item.seq, &summary)?;
        // Of what the product wrote, the classic summary is shown; what a person wrote goes before both.
        let by_a_person = existing.iter().any(|summary| {
            Some(summary.template) == self.row.summary_template && summary.updated_by.is_some()
        });
        if self.row.summary_template.is_none() || (template == SummaryTemplate::Classic && !by_a_person) {
            self.row.summary_template = Some(template);
            self.summary = Some(content.to_owned());
        }
        let artefact = Artefact::Summary {
            id: self.id,
            summary: content.to_owned(),
            template_key: template,
            version: 1,
            user_email: None,
        };
        Ok(work.emit(
            Topic::CallSummaryCompleted,
            work.now,
            Some(self.item.seq),
            &artefact,
        )?)
    }

    fn ended(&mut self, work: &mut Work<'_, '_>) -> Result<(), Error> {
        let call = self.row.call;
        let (ended_at, result) = (
            call.ended_at.unwrap_or(work.now),
            call.result().unwrap_or(CallResult::Failed),
        );
        self.item.result = Some(result);
        self.item.duration = call.duration_seconds();
        self.row.process_by = Some(ended_at.max(work.now).plus(PROCESSING_LIMIT));
        if result != CallResult::Failed {
            self.row.failure_reason = None;
        } else if self.row.failure_reason.is_none() {
            self.row.failure_reason = call.failure_reason().map(str::to_owned);
        }
        if let (Direction::Outbound, Some(outcome)) = (self.item.direction, Outcome::of(&call)) {
            dialing_queues::ended(work.tx, work.team, self.id, &outcome, work.now)?;
        }
        let (from_number, to_number) = self.ends();
        let payload = CallEnded {
            id: self.id,
            from_number: from_number.clone(),
            to_number: to_number.clone(),
            direction: self.item.direction,
            started_at: self.item.at,
            answered_at: call.answered_at,
            ended_at,
            duration: self.item.duration.unwrap_or(0),
            result,
            failure_reason: self.row.failure_reason.clone(),
            user_email: self.user_email(work)?,
        };
        work.emit(Topic::CallEnded, ended_at, Some(self.item.seq), &payload)?;
        if result == CallResult::Voicemail && self.item.direction == Direction::Inbound {
            let artefact = Artefact::Recording {
                id: self.id,
                recording_url: self.row.recording_url.clone(),
                duration: self.item.duration,
                from_number,
                to_number,
            };
            work.emit(Topic::VoicemailReceived, ended_at, Some(self.item.seq), &artefact)?;
        }
        Ok(())
    }

    fn completed(&mut self, work: &mut Work<'_, '_>) -> Result<(), Error> {
        let at = work.now.max(self.row.call.ended_at.unwrap_or(work.now));
        self.row.completed_at = Some(at);
        self.row.process_by = None;
        let payload = self.whole(work)?;
        Ok(work.emit(Topic::CallCompleted, at, Some(self.item.seq), &payload)?)
    }

    /// Everything about the call, as `call.completed` carries it.
    fn whole(&mut self, work: &mut Work<'_, '_>) -> Result<CallCompleted, Error> {
        if self.stored.is_some() {
            if self.transcript.is_none() {
                self.transcript = self.stored_transcript(work)?;
            }
            if let (None, Some(template)) = (&self.summary, self.row.summary_template) {
                let all = items::summaries(work.tx, work.team, self.item.seq)?;
                self.summary = all
                    .into_iter()
                    .find(|summary| summary.template == template)
                    .map(|summary| summary.content);
            }
        }
        let (from_number, to) = self.ends();
        let contact = match &self.contact {
            Some(context) => context
                .person
                .as_ref()
                .and_then(|p| trunkline_domain::full_name(p.name.as_deref(), p.last_name.as_deref())),
            None => contacts::name_by_number(work.tx, work.team, self.item.contact_number)?,
        };
        let (from_name, to_name) = match self.item.direction {
            Direction::Inbound => (contact, self.line.name.clone()),
            Direction::Outbound => (self.line.name.clone(), contact),
        };
        let seconds = self.item.duration.unwrap_or(0);
        let transcriptions = self.transcript.clone().unwrap_or_else(|| Transcript::new(&[]));
        let user_email = self.user_email(work)?;
        let details = &self.row.details;
        #[expect(clippy::cast_precision_loss, reason = "calls are shorter than 2^52 seconds")]
        let length_in_minutes = (seconds as f64 / 60.0 * 100.0).round() / 100.0;
        Ok(CallCompleted {
            id: self.id,
            start_date: self.item.at,
            recording_url: self.row.recording_url.clone(),
            from_number,
            from_name,
            to,
            to_name,
            length_in_minutes,
            length: spoken_length(seconds),
            tag: self.item.tags.first().cloned(),
            tags: self.item.tags.clone(),
            summary: self.summary.clone().unwrap_or_default(),
            concatenated_transcript: transcriptions.concatenated(),
            transcriptions,
            data_collected: details.data_collected.clone(),
            direction: self.item.direction,
            result: self.item.result.unwrap_or(CallResult::Failed),
            failure_reason: self.row.failure_reason.clone(),
            integration_id: None,
            transfer_from: details.transfer_from.clone().unwrap_or_default(),
            transfer_to: details.transfer_to.clone().unwrap_or_default(),
            user_email,
            original_to_number: details.original_to_number.clone(),
            original_to_name: details.original_to_name.clone(),
            transfer_original_call_id: details.transfer_original_call_id,
            ivr_result: details.ivr.clone(),
        })
    }

    /// What the ringing events say.
    fn ringing(&mut self, work: &mut Work<'_, '_>) -> Result<CallRinging, Error> {
        if self.contact.is_none() {
            self.contact = Some(contacts::context(work.tx, work.team, self.item.contact_number)?);
        }
        let Context {
            person,
            company,
            deals,
        } = self.contact.clone().unwrap_or_default();
        let (from_number, to_number) = self.ends();
        Ok(CallRinging {
            id: self.id,
            from_number,
            to_number,
            started_at: self.item.at,
            answered_at: None,
            user_email: self.user_email(work)?,
            person,
            company,
            deals,
        })
    }

    fn stored_transcript(&self, work: &mut Work<'_, '_>) -> Result<Option<Transcript>, Error> {
        let lines = items::transcript(work.tx, work.team, self.item.seq)?;
        Ok(lines.map(|lines| Transcript::new(&lines)))
    }

    /// Caller and called.
    fn ends(&self) -> (String, String) {
        let (own, other) = (self.line.label(), self.item.contact_number.to_string());
        match self.item.direction {
            Direction::Inbound => (other, own),
            Direction::Outbound => (own, other),
        }
    }

    /// E-mail address and name of who handles the call.
    fn handler(&self, work: &mut Work<'_, '_>) -> Result<Option<(String, String)>, Error> {
        match self.item.user_id {
            Some(id) => Ok(users::get(work.tx, work.team, id)?.map(|user| (user.email, user.name))),
            None => Ok(None),
        }
    }

    /// E-mail address of who handles the call, or of whose line it is.
    fn user_email(&mut self, work: &mut Work<'_, '_>) -> Result<Option<String>, Error> {
        if let Some((user, email)) = &self.email
            && *user == self.item.user_id
        {
            return Ok(email.clone());
        }
        let email = match self.handler(work)? {
            Some((email, _)) => Some(email),
            None => numbers::first_member(work.tx, work.team, self.line.line)?.map(|member| member.email),
        };
        self.email = Some((self.item.user_id, email.clone()));
        Ok(email)
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
