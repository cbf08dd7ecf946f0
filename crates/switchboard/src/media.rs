//! Media of texts that came in: noted with the text, fetched afterwards.

use trunkline_domain::{ErrorCode, ItemId, MediaId, MediaState, MessageId, Millis};
use trunkline_store::items;
use trunkline_store::jobs::{self, JobRow};
use trunkline_store::media::{self, MediaRow};
use trunkline_store::{StoreError, TeamKey, Tx};

use crate::{Error, Work};

/// The kind of job that fetches a medium; its payload is the medium's id.
pub const FETCH_JOB: &str = "media.fetch";

/// The kind of job that deletes the file of a medium that was erased; its payload is the medium's id, and after it, once
/// that failed, how often it did.
pub const ERASE_JOB: &str = "media.erase";

fn fetch_job(id: MediaId) -> String {
    format!("{FETCH_JOB}-{id}")
}

fn erase_job(id: MediaId) -> String {
    format!("{ERASE_JOB}-{id}")
}

/// Whether a medium that was erased is still to be fetched, or being fetched. A fetch that waits for the carrier need not
/// wait any longer: it runs now, and finds that there is nothing to fetch. One that is under way is left to end.
///
/// # Errors
/// The store's failure.
pub fn is_being_fetched(
    tx: &mut Tx<'_>,
    team: TeamKey,
    id: MediaId,
    now: Millis,
) -> Result<bool, StoreError> {
    let job = fetch_job(id);
    jobs::hasten(tx, team, &job, now)?;
    Ok(jobs::payload(tx, team, &job)?.is_some())
}

/// Has the file of a medium deleted, whose row is gone.
///
/// # Errors
/// The store's failure.
pub(crate) fn erase(work: &mut Work<'_, '_>, id: MediaId) -> Result<(), Error> {
    jobs::hasten(work.tx, work.team, &fetch_job(id), work.now)?;
    let job = JobRow {
        team: work.team,
        id: erase_job(id),
        kind: ERASE_JOB.to_owned(),
        run_at: work.now,
        attempts: 0,
        payload: id.to_string(),
    };
    Ok(jobs::insert(work.tx, &job)?)
}

/// Notes where the media of a text come from, with the jobs that fetch them. For a text that was reported before, nothing
/// is noted: its media are known.
///
/// # Errors
/// `TEXT_MESSAGE_NOT_FOUND`.
pub fn note(work: &mut Work<'_, '_>, text: MessageId, sources: &[(MediaId, String)]) -> Result<(), Error> {
    let item =
        items::get(work.tx, work.team, ItemId::Message(text))?.ok_or(ErrorCode::TextMessageNotFound)?;
    if !media::of_item(work.tx, work.team, item.seq)?.is_empty() {
        return Ok(());
    }
    for (id, source) in sources {
        let row = MediaRow {
            id: *id,
            seq: item.seq,
            source: source.clone(),
            state: MediaState::Pending,
            content_type: None,
            bytes: None,
            failure_reason: None,
        };
        media::insert(work.tx, work.team, &row)?;
        let job = JobRow {
            team: work.team,
            id: fetch_job(*id),
            kind: FETCH_JOB.to_owned(),
            run_at: work.now,
            attempts: 0,
            payload: id.to_string(),
        };
        jobs::insert(work.tx, &job)?;
    }
    Ok(())
}

/// What came of fetching a medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It is kept now.
    Kept {
        /// Its media type.
        content_type: String,
        /// Its size.
        bytes: i64,
    },
    /// It will not be.
    Failed(String),
}

/// Stores what came of fetching a medium, and that its job is done, unless that is another worker's by now. Of one that
/// was erased meanwhile, what was fetched goes too: a deletion that began before it was there is made once more.
///
/// # Errors
/// The store's failure.
pub fn settle(work: &mut Work<'_, '_>, job: &JobRow, id: MediaId, fetched: &Fetched) -> Result<bool, Error> {
    let held = jobs::finish(work.tx, job.team, &job.id, job.attempts)?;
    let Some(row) = media::get(work.tx, work.team, id)? else {
        if matches!(fetched, Fetched::Kept { .. })
            && !jobs::again(work.tx, work.team, &erase_job(id), work.now)?
        {
            erase(work, id)?;
        }
        return Ok(held);
    };
    if !held {
        return Ok(false);
    }
    let row = match fetched {
        Fetched::Kept { content_type, bytes } => MediaRow {
            state: MediaState::Kept,
            content_type: Some(content_type.clone()),
            bytes: Some(*bytes),
            ..row
        },
        Fetched::Failed(reason) => MediaRow {
            state: MediaState::Failed,
            failure_reason: Some(reason.clone()),
            ..row
        },
    };
    media::update(work.tx, work.team, &row)?;
    Ok(true)
}
