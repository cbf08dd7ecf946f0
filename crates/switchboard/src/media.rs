//! Media of texts that came in: noted with the text, fetched afterwards.

use trunkline_domain::{ErrorCode, ItemId, MediaId, MediaState, MessageId};
use trunkline_store::items;
use trunkline_store::jobs::{self, JobRow};
use trunkline_store::media::{self, MediaRow};
use trunkline_store::{Conn, StoreError, TeamKey};

use crate::{Error, Work};

/// The kind of job that fetches a medium; its payload is the medium's id.
pub const FETCH_JOB: &str = "media.fetch";

/// The kind of job that deletes the file of a medium that was erased; its payload is the medium's id.
pub const ERASE_JOB: &str = "media.erase";

fn fetch_job(id: MediaId) -> String {
    format!("{FETCH_JOB}-{id}")
}

/// Whether a medium is still to be fetched, or being fetched.
///
/// # Errors
/// The store's failure.
pub fn is_being_fetched(conn: &mut Conn<'_>, team: TeamKey, id: MediaId) -> Result<bool, StoreError> {
    Ok(jobs::payload(conn, team, &fetch_job(id))?.is_some())
}

/// Has the file of a medium deleted, whose row is gone.
///
/// # Errors
/// The store's failure.
pub(crate) fn erase(work: &mut Work<'_, '_>, id: MediaId) -> Result<(), Error> {
    let job = JobRow {
        team: work.team,
        id: format!("{ERASE_JOB}-{id}"),
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
/// was erased meanwhile, what was fetched goes too.
///
/// # Errors
/// The store's failure.
pub fn settle(work: &mut Work<'_, '_>, job: &JobRow, id: MediaId, fetched: &Fetched) -> Result<bool, Error> {
    let held = jobs::finish(work.tx, job.team, &job.id, job.attempts)?;
    let Some(row) = media::get(work.tx, work.team, id)? else {
        let known = jobs::payload(work.tx, work.team, &format!("{ERASE_JOB}-{id}"))?;
        if known.is_none() && matches!(fetched, Fetched::Kept { .. }) {
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
