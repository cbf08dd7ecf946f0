//! Summaries of calls, edited by people.

use trunkline_domain::events::{Artefact, Topic};
use trunkline_domain::{CallId, ErrorCode, ItemId, SummaryTemplate};
use trunkline_store::items::{self, SummaryRow};

use crate::{Actor, Error, Refused, Work};

/// The longest summary, in characters.
pub const MAX_CHARACTERS: usize = 100_000;

/// Replaces the text of a call's summary. A call with several needs `template` to tell which; one that has none yet
/// gets one. What a person wrote last is the summary that is shown. Returns the new version.
///
/// # Errors
/// `CALL_NOT_FOUND`, `SUMMARY_TEMPLATE_KEY_REQUIRED`, `SUMMARY_TEMPLATE_NOT_FOUND`, `INVALID_LENGTH`.
pub fn edit(
    work: &mut Work<'_, '_>,
    call: CallId,
    template: Option<SummaryTemplate>,
    content: &str,
    by: &Actor,
) -> Result<SummaryRow, Error> {
    if content.chars().nth(MAX_CHARACTERS).is_some() {
        let message = format!("a summary has at most {MAX_CHARACTERS} characters");
        return Err(Refused::new(ErrorCode::InvalidLength)
            .param("content")
            .because(message)
            .into());
    }
    let item = items::get(work.tx, work.team, ItemId::Call(call))?.ok_or(ErrorCode::CallNotFound)?;
    let existing = items::summaries(work.tx, work.team, item.seq)?;
    let before = match (template, existing.as_slice()) {
        (Some(wanted), all) if !all.is_empty() => {
            let found = all.iter().find(|summary| summary.template == wanted);
            Some(
                found
                    .ok_or_else(|| Refused::new(ErrorCode::SummaryTemplateNotFound).param("template_key"))?,
            )
        }
        (None, [_, _, ..]) => {
            return Err(Refused::new(ErrorCode::SummaryTemplateKeyRequired)
                .param("template_key")
                .into());
        }
        (_, all) => all.first(),
    };
    let template = before.map_or(template.unwrap_or(SummaryTemplate::Classic), |summary| {
        summary.template
    });
    let after = SummaryRow {
        template,
        content: content.to_owned(),
        version: before.map_or(0, |summary| summary.version) + 1,
        updated_at: work.now,
        updated_by: by.user_id(),
    };
    items::set_summary(work.tx, work.team, item.seq, &after)?;
    if before.is_none() || after.updated_by.is_some() {
        crate::calls::show_summary(work, item.seq, template)?;
    }
    let artefact = Artefact::Summary {
        id: call,
        summary: after.content.clone(),
        template_key: template,
        version: after.version,
        user_email: by.email(),
    };
    work.emit(Topic::SummaryUpdated, work.now, Some(item.seq), &artefact)?;
    Ok(after)
}
