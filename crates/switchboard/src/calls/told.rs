//! What the events of a call tell.

use trunkline_domain::dialer::Outcome;
use trunkline_domain::events::{Artefact, CallCompleted, CallEnded, CallRinging, Topic, Transcript};
use trunkline_domain::time::spoken_length;
use trunkline_domain::{CallResult, Direction};
use trunkline_store::contacts::{self, Context};
use trunkline_store::{dialing_queues, items, numbers, users};

use super::{Open, PROCESSING_LIMIT};
use crate::{Error, Work};

impl Open {
    pub(super) fn ended(&mut self, work: &mut Work<'_, '_>) -> Result<(), Error> {
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

    pub(super) fn completed(&mut self, work: &mut Work<'_, '_>) -> Result<(), Error> {
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
    pub(super) fn ringing(&mut self, work: &mut Work<'_, '_>) -> Result<CallRinging, Error> {
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

    /// Caller and called.
    pub(super) fn ends(&self) -> (String, String) {
        let (own, other) = (self.line.label(), self.item.contact_number.to_string());
        match self.item.direction {
            Direction::Inbound => (other, own),
            Direction::Outbound => (own, other),
        }
    }

    /// E-mail address and name of who handles the call.
    pub(super) fn handler(&self, work: &mut Work<'_, '_>) -> Result<Option<(String, String)>, Error> {
        match self.item.user_id {
            Some(id) => Ok(users::get(work.tx, work.team, id)?.map(|user| (user.email, user.name))),
            None => Ok(None),
        }
    }

    /// E-mail address of who handles the call, or of whose line it is.
    pub(super) fn user_email(&mut self, work: &mut Work<'_, '_>) -> Result<Option<String>, Error> {
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
