//! Texts that wait for their carrier: claimed by lease, line by line, gone when done.
//!
//! Within a conversation only the oldest is ever handed out, so that texts go out in order, also when the carrier was
//! down. A line has a lane, whose row every claim holds: it paces the line, on however many nodes texts are sent. A
//! text is its worker's by the number of its attempt, as a job is.

use trunkline_domain::Millis;

use crate::engine::{Conn, StoreError, Tx};
use crate::{TeamKey, params};

/// A text that is to be stored as waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewText {
    /// The line it goes out from.
    pub line: i64,
    /// The team's number for the item.
    pub seq: i64,
    /// The conversation it is of.
    pub conversation: i64,
    /// Not before.
    pub run_at: Millis,
}

/// A text that was claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueuedText {
    /// The team.
    pub team: TeamKey,
    /// The line it goes out from.
    pub line: i64,
    /// The team's number for the item.
    pub seq: i64,
    /// How often it was begun, this time included.
    pub attempts: i64,
    /// Since when it is not known whether the carrier has it: an earlier attempt ended without an answer, or its worker
    /// was killed. `None`: the carrier was never asked, or said that it does not have it.
    pub asked_at: Option<Millis>,
}

/// A line with texts that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneRow {
    /// The team.
    pub team: TeamKey,
    /// The line.
    pub line: i64,
    /// How many wait, those that are being sent included.
    pub waiting: i64,
    /// When the next may go, in microseconds since 1970.
    pub ready_us: i64,
    /// The line's carrier.
    pub carrier: String,
    /// The least time between two texts of this line, in microseconds, where it has one of its own.
    pub interval_us: Option<i64>,
}

/// How much may be claimed of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The most texts.
    pub limit: i64,
    /// The least time between two texts, in microseconds; 0: none.
    pub interval_us: i64,
    /// For how long they are the claimer's.
    pub lease_ms: i64,
}

statements! {
    INSERT =
        "INSERT INTO text_queue (team_id, line, seq, conversation, run_at, lease_until, attempts)
         VALUES ($1, $2, $3, $4, $5, 0, 0)";
    WAIT =
        "INSERT INTO text_lanes (team_id, line, waiting, ready_us) VALUES ($1, $2, 1, 0)
         ON CONFLICT (team_id, line) DO UPDATE SET waiting = text_lanes.waiting + 1";
    LEAVE = "UPDATE text_lanes SET waiting = waiting - 1 WHERE team_id = $1 AND line = $2";
    LANES =
        "SELECT l.team_id, l.line, l.waiting, l.ready_us, n.carrier, n.text_interval_us
           FROM text_lanes l JOIN numbers n ON n.team_id = l.team_id AND n.line = l.line
           JOIN teams t ON t.team_id = l.team_id
          WHERE l.waiting > 0 AND t.suspended_at IS NULL AND t.closed_at IS NULL ORDER BY l.team_id, l.line";
    LANE = "SELECT ready_us FROM text_lanes WHERE team_id = $1 AND line = $2";
    PACE = "UPDATE text_lanes SET ready_us = $1 WHERE team_id = $2 AND line = $3";
    HEADS =
        "SELECT q.seq, q.attempts, q.asked_at FROM text_queue q
          WHERE q.team_id = $1 AND q.line = $2 AND q.run_at <= $3 AND q.lease_until <= $3
            AND NOT EXISTS (SELECT 1 FROM text_queue p
                             WHERE p.team_id = q.team_id AND p.conversation = q.conversation AND p.seq < q.seq)
          ORDER BY q.seq LIMIT $4";
    CLAIM =
        "UPDATE text_queue SET lease_until = $1, attempts = attempts + 1, asked_at = COALESCE(asked_at, $2)
          WHERE team_id = $3 AND line = $4 AND seq = $5";
    FINISH = "DELETE FROM text_queue WHERE team_id = $1 AND line = $2 AND seq = $3 AND attempts = $4";
    SETTLE = "DELETE FROM text_queue WHERE team_id = $1 AND line = $2 AND seq = $3";
    POSTPONE =
        "UPDATE text_queue SET run_at = $1, lease_until = 0, asked_at = $2
          WHERE team_id = $3 AND line = $4 AND seq = $5 AND attempts = $6";
}

/// PostgreSQL alone has row locks; on SQLite a write transaction has the whole file to itself.
const LANE_LOCKED: &str = "SELECT ready_us FROM text_lanes WHERE team_id = $1 AND line = $2 FOR UPDATE";

/// Stores a text as waiting, in the transaction that stores the text. The team's row must be locked.
///
/// # Errors
/// [`StoreError::Duplicate`] when it waits already.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, text: NewText) -> Result<(), StoreError> {
    let NewText { line, seq, conversation, run_at } = text;
    tx.execute(INSERT, params![team, line, seq, conversation, run_at])?;
    tx.execute(WAIT, params![team, line])?;
    tx.mark_appended();
    Ok(())
}

/// The lines with texts that wait.
///
/// # Errors
/// Of the engine.
pub fn lanes(conn: &mut Conn<'_>) -> Result<Vec<LaneRow>, StoreError> {
    conn.rows(LANES, &[], |row| {
        Ok(LaneRow {
            team: row.get(0)?,
            line: row.get(1)?,
            waiting: row.get(2)?,
            ready_us: row.get(3)?,
            carrier: row.get(4)?,
            interval_us: row.get(5)?,
        })
    })
}

/// Claims texts of a line that are due: the oldest of each conversation, as many as its pace allows. Returns them with
/// when the line may send again, in microseconds since 1970.
///
/// # Errors
/// Of the engine.
pub fn claim(
    tx: &mut Tx<'_>,
    team: TeamKey,
    line: i64,
    now: Millis,
    allowance: Allowance,
) -> Result<(Vec<QueuedText>, i64), StoreError> {
    let sql = if tx.is_postgres() { LANE_LOCKED } else { LANE };
    let Some(ready_us) = tx.row(sql, params![team, line], |row| row.get::<i64>(0))? else {
        return Ok((Vec::new(), 0));
    };
    let now_us = now.0.saturating_mul(1_000);
    // A claim that comes a little late makes up for it; a line that rested begins anew, and sends no burst.
    let from = if ready_us < now_us - LATE_US { now_us } else { ready_us };
    let limit = match allowance.interval_us {
        0 => allowance.limit,
        _ if from > now_us => return Ok((Vec::new(), ready_us)),
        interval => allowance.limit.min((now_us - from) / interval + 1),
    };
    let heads = tx.rows(HEADS, params![team, line, now, limit], |row| {
        Ok(QueuedText { team, line, seq: row.get(0)?, attempts: row.get(1)?, asked_at: row.get(2)? })
    })?;
    let lease = now.plus(allowance.lease_ms);
    let mut claimed = Vec::with_capacity(heads.len());
    for mut text in heads {
        tx.execute(CLAIM, params![lease, now, team, line, text.seq])?;
        text.attempts += 1;
        claimed.push(text);
    }
    if claimed.is_empty() || allowance.interval_us == 0 {
        return Ok((claimed, ready_us));
    }
    let count = i64::try_from(claimed.len()).unwrap_or(i64::MAX);
    let ready = from.saturating_add(count.saturating_mul(allowance.interval_us));
    tx.execute(PACE, params![ready, team, line])?;
    Ok((claimed, ready))
}

/// How late a claim may be and still make up for it, in microseconds.
const LATE_US: i64 = 100_000;

/// Removes a text that is done, unless it was claimed again after this attempt began; tells whether it was still the
/// caller's. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn finish(tx: &mut Tx<'_>, text: &QueuedText) -> Result<bool, StoreError> {
    let held = tx.execute(FINISH, params![text.team, text.line, text.seq, text.attempts])? > 0;
    if held {
        tx.execute(LEAVE, params![text.team, text.line])?;
    }
    Ok(held)
}

/// Removes a text whose fate is known, whoever has claimed it; tells whether it waited. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn settle(tx: &mut Tx<'_>, team: TeamKey, line: i64, seq: i64) -> Result<bool, StoreError> {
    let waited = tx.execute(SETTLE, params![team, line, seq])? > 0;
    if waited {
        tx.execute(LEAVE, params![team, line])?;
    }
    Ok(waited)
}

/// Gives a text back, to be begun again at `run_at`, unless it was claimed again after this attempt began; tells whether
/// it was still the caller's. `asked_at`: since when it is not known whether the carrier has it.
///
/// # Errors
/// Of the engine.
pub fn postpone(
    tx: &mut Tx<'_>,
    text: &QueuedText,
    run_at: Millis,
    asked_at: Option<Millis>,
) -> Result<bool, StoreError> {
    let QueuedText { team, line, seq, attempts, .. } = *text;
    Ok(tx.execute(POSTPONE, params![run_at, asked_at, team, line, seq, attempts])? > 0)
}
