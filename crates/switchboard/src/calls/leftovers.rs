//! What becomes of a call beside the call itself: recording, transcript, summaries, tags, and what a menu or an assistant
//! has learnt.

use trunkline_domain::events::{Artefact, Topic, Transcript, TranscriptLine};
use trunkline_domain::{ErrorCode, SummaryTemplate};
use trunkline_store::items::{self, SummaryRow};

use super::{Leftover, MAX_TRANSCRIPT, Open};
use crate::{Actor, Error, Refused, Work};

impl Open {
    pub(super) fn leave(&mut self, work: &mut Work<'_, '_>, leftover: &Leftover) -> Result<(), Error> {
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

    pub(super) fn stored_transcript(&self, work: &mut Work<'_, '_>) -> Result<Option<Transcript>, Error> {
        let lines = items::transcript(work.tx, work.team, self.item.seq)?;
        Ok(lines.map(|lines| Transcript::new(&lines)))
    }
}
