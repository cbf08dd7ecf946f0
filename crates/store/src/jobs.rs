//! Work that must happen after a commit: stored with the row that asks for it, claimed by lease, gone when done.
//!
//! A job is its worker's by the number of its attempt, which every claim adds to: whoever was so slow that the job was
//! claimed again can neither finish it nor give it back.

use trunkline_domain::Millis;

use crate::engine::{Conn, StoreError, Tx};
use crate::{TeamKey, params};

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// The team.
    pub team: TeamKey,
    /// Unique in the team.
    pub id: String,
    /// What is to be done.
    pub kind: String,
    /// Not before.
    pub run_at: Millis,
    /// How often it was begun.
    pub attempts: i64,
    /// JSON, by kind.
    pub payload: String,
}

statements! {
    INSERT =
        "INSERT INTO jobs (team_id, id, kind, run_at, lease_until, attempts, payload)
         VALUES ($1, $2, $3, $4, 0, 0, $5)";
    DUE =
        "SELECT team_id, id, kind, run_at, attempts, payload FROM jobs
          WHERE run_at <= $1 AND lease_until <= $1 AND kind IN (SELECT value FROM json_each(CAST($2 AS TEXT)))
          ORDER BY run_at, id LIMIT $3";
    CLAIM =
        "UPDATE jobs SET lease_until = $1, attempts = attempts + 1
          WHERE team_id = $2 AND id = $3 AND lease_until <= $4";
    RENEW = "UPDATE jobs SET lease_until = $1 WHERE team_id = $2 AND id = $3 AND attempts = $4";
    AGAIN = "UPDATE jobs SET run_at = $1, lease_until = 0, attempts = attempts + 1 WHERE team_id = $2 AND id = $3";
    HASTEN = "UPDATE jobs SET run_at = $1 WHERE team_id = $2 AND id = $3 AND run_at > $1";
    FINISH = "DELETE FROM jobs WHERE team_id = $1 AND id = $2 AND attempts = $3";
    POSTPONE = "UPDATE jobs SET run_at = $1, lease_until = 0 WHERE team_id = $2 AND id = $3 AND attempts = $4";
    PAYLOAD = "SELECT payload FROM jobs WHERE team_id = $1 AND id = $2";
    SET_PAYLOAD = "UPDATE jobs SET payload = $1 WHERE team_id = $2 AND id = $3";
    OF_KIND = "SELECT 1 FROM jobs WHERE team_id = $1 AND kind = $2 LIMIT 1";
    FAILING = "SELECT COUNT(*) FROM jobs WHERE kind = $1 AND payload LIKE '% %'";
    PAYLOADS = "SELECT payload FROM jobs WHERE team_id = $1 AND kind = $2 ORDER BY id";
    NEXT =
        "SELECT MIN(run_at) FROM jobs
          WHERE lease_until <= $1 AND kind IN (SELECT value FROM json_each(CAST($2 AS TEXT)))";
}

/// Stores a job, in the transaction that asks for it.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert(tx: &mut Tx<'_>, job: &JobRow) -> Result<(), StoreError> {
    let JobRow { team, id, kind, run_at, payload, .. } = job;
    tx.execute(INSERT, params![*team, id, kind, *run_at, payload])?;
    tx.mark_appended();
    Ok(())
}

/// Claims at most `limit` jobs of these kinds that are due, for as long as `lease_ms`: until then nobody else gets them,
/// after it they are due again.
///
/// # Errors
/// Of the engine.
pub fn claim(
    tx: &mut Tx<'_>,
    kinds: &[&str],
    now: Millis,
    lease_ms: i64,
    limit: i64,
) -> Result<Vec<JobRow>, StoreError> {
    let due = tx.rows(DUE, params![now, list(kinds), limit], |row| {
        Ok(JobRow {
            team: row.get(0)?,
            id: row.get(1)?,
            kind: row.get(2)?,
            run_at: row.get(3)?,
            attempts: row.get(4)?,
            payload: row.get(5)?,
        })
    })?;
    let mut claimed = Vec::with_capacity(due.len());
    for mut job in due {
        if tx.execute(CLAIM, params![now.plus(lease_ms), job.team, &job.id, now])? > 0 {
            job.attempts += 1;
            claimed.push(job);
        }
    }
    Ok(claimed)
}

/// Holds a job until `lease_until`, unless it was claimed again after this attempt began; tells whether it is still the
/// caller's.
///
/// # Errors
/// Of the engine.
pub fn renew(
    tx: &mut Tx<'_>,
    team: TeamKey,
    id: &str,
    attempts: i64,
    lease_until: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.execute(RENEW, params![lease_until, team, id, attempts])? > 0)
}

/// Has a job run at `run_at`, however long it was postponed; an attempt that is under way neither removes nor postpones it.
/// Tells whether there is one.
///
/// # Errors
/// Of the engine.
pub fn again(tx: &mut Tx<'_>, team: TeamKey, id: &str, run_at: Millis) -> Result<bool, StoreError> {
    let is_there = tx.execute(AGAIN, params![run_at, team, id])? > 0;
    if is_there {
        tx.mark_appended();
    }
    Ok(is_there)
}

/// Has a job that waits run at `run_at`, if it would later. An attempt that is under way stays its worker's.
///
/// # Errors
/// Of the engine.
pub fn hasten(tx: &mut Tx<'_>, team: TeamKey, id: &str, run_at: Millis) -> Result<(), StoreError> {
    if tx.execute(HASTEN, params![run_at, team, id])? > 0 {
        tx.mark_appended();
    }
    Ok(())
}

/// Removes a job that is done, unless it was claimed again after this attempt began; tells whether it was still the
/// caller's.
///
/// # Errors
/// Of the engine.
pub fn finish(tx: &mut Tx<'_>, team: TeamKey, id: &str, attempts: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(FINISH, params![team, id, attempts])? > 0)
}

/// Gives a job back, to be begun again at `run_at`, unless it was claimed again after this attempt began; tells whether
/// it was still the caller's.
///
/// # Errors
/// Of the engine.
pub fn postpone(
    tx: &mut Tx<'_>,
    team: TeamKey,
    id: &str,
    attempts: i64,
    run_at: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.execute(POSTPONE, params![run_at, team, id, attempts])? > 0)
}

/// The payload of a job, if it is there.
///
/// # Errors
/// Of the engine.
pub fn payload(conn: &mut Conn<'_>, team: TeamKey, id: &str) -> Result<Option<String>, StoreError> {
    conn.row(PAYLOAD, params![team, id], |row| row.get(0))
}

/// The payloads of all jobs of this kind that the team has, due or not. For kinds of which there are few.
///
/// # Errors
/// Of the engine.
pub fn payloads(conn: &mut Conn<'_>, team: TeamKey, kind: &str) -> Result<Vec<String>, StoreError> {
    conn.rows(PAYLOADS, params![team, kind], |row| row.get(0))
}

/// Replaces the payload of a job, which must be the caller's.
///
/// # Errors
/// Of the engine.
pub fn set_payload(tx: &mut Tx<'_>, team: TeamKey, id: &str, payload: &str) -> Result<(), StoreError> {
    tx.execute(SET_PAYLOAD, params![payload, team, id]).map(drop)
}

/// Whether the team has a job of this kind, due or not.
///
/// # Errors
/// Of the engine.
pub fn has_any(conn: &mut Conn<'_>, team: TeamKey, kind: &str) -> Result<bool, StoreError> {
    Ok(conn.row(OF_KIND, params![team, kind], |row| row.get::<i64>(0))?.is_some())
}

/// When the next job of these kinds is due that nobody holds.
///
/// # Errors
/// Of the engine.
pub fn next_due(conn: &mut Conn<'_>, kinds: &[&str], now: Millis) -> Result<Option<Millis>, StoreError> {
    Ok(conn.row(NEXT, params![now, list(kinds)], |row| row.get::<Option<Millis>>(0))?.flatten())
}

/// How many jobs of this kind have failed, in all teams: those that note so after a space in their payload. For kinds that
/// do, whose payload is a word otherwise. How often a job was begun does not tell: it may have waited.
///
/// # Errors
/// Of the engine.
pub fn failing(conn: &mut Conn<'_>, kind: &str) -> Result<i64, StoreError> {
    Ok(conn.row(FAILING, params![kind], |row| row.get(0))?.unwrap_or(0))
}

fn list(kinds: &[&str]) -> String {
    serde_json::Value::from(kinds).to_string()
}
