//! Queues of the power dialer, and the numbers in them.

use trunkline_domain::dialer::{DoNotDisturb, NotReached, Outcome, RoutingResult, VoicemailHandling};
use trunkline_domain::{CallId, ContactId, Millis, PhoneNumber, QueueId, UserId};

use crate::engine::{Conn, Json, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// A queue without its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRow {
    /// Its number among the team's notes, threads, comments and queues.
    pub queue: i64,
    /// Public id.
    pub id: QueueId,
    /// Name.
    pub name: Option<String>,
    /// Who made it.
    pub creator_id: UserId,
    /// Who is to call its numbers.
    pub assignee_id: UserId,
    /// Grows with each hand-over: the greatest of an assignee's queues is current.
    pub assigned: i64,
    /// What the dialer does at a voicemail.
    pub voicemail_handling: VoicemailHandling,
    /// Whether incoming calls are silenced meanwhile.
    pub do_not_disturb: DoNotDisturb,
    /// The position that the next number gets.
    pub next_position: i64,
    /// When it was made.
    pub created_at: Millis,
    /// When it, or which numbers it has, changed last.
    pub updated_at: Millis,
}

/// A number in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// Its position, which never changes.
    pub position: i64,
    /// The number to call.
    pub number: PhoneNumber,
    /// Whose it is.
    pub contact_id: Option<ContactId>,
    /// The call that was placed for it.
    pub call_id: Option<CallId>,
    /// When that began to ring.
    pub call_started_at: Option<Millis>,
    /// How that ended; `None` while it lasts.
    pub outcome: Option<Outcome>,
    /// When it was queued.
    pub created_at: Millis,
    /// When it changed last.
    pub updated_at: Millis,
}

/// Which numbers of a queue to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// All entries with this number.
    Number(PhoneNumber),
    /// The entry at this position.
    Position(i64),
    /// The entry at this position, if it has this number.
    Both(PhoneNumber, i64),
    /// All that were not called yet.
    Uncalled,
}

/// A queue by this condition.
macro_rules! queue {
    ($rest:literal) => {
        concat!(
            "SELECT queue, id, name, creator_id, assignee_id, assigned, voicemail_handling, do_not_disturb,
                next_position, created_at, updated_at
           FROM dialing_queues WHERE team_id = $1 AND ",
            $rest
        )
    };
}

statements! {
    INSERT =
        "INSERT INTO dialing_queues (team_id, queue, id, name, creator_id, assignee_id, assigned, voicemail_handling,
                                     do_not_disturb, next_position, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    UPDATE =
        "UPDATE dialing_queues
            SET name = $1, assignee_id = $2, assigned = $3, voicemail_handling = $4, do_not_disturb = $5,
                next_position = $6, updated_at = $7
          WHERE team_id = $8 AND queue = $9";
    DELETE = "DELETE FROM dialing_queues WHERE team_id = $1 AND queue = $2";
    DELETE_ENTRIES = "DELETE FROM dialing_entries WHERE team_id = $1 AND queue = $2";
    GET = queue!("id = $2");
    CURRENT = queue!("assignee_id = $2 ORDER BY assigned DESC LIMIT 1");
    OLDER =
        "SELECT queue FROM dialing_queues WHERE team_id = $1 AND assignee_id = $2 ORDER BY assigned DESC LIMIT 100 OFFSET $3";
    INSERT_ENTRY =
        "INSERT INTO dialing_entries (team_id, queue, position, number, contact_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    ENTRIES =
        "SELECT position, number, contact_id, call_id, call_started_at, routing_result, not_reached, voicemail_detected,
                voicemail_left, created_at, updated_at
           FROM dialing_entries WHERE team_id = $1 AND queue = $2 AND position > $3
          ORDER BY position LIMIT $4 OFFSET $5";
    COUNT = "SELECT COUNT(*) FROM dialing_entries WHERE team_id = $1 AND queue = $2";
    REMOVE_NUMBER = "DELETE FROM dialing_entries WHERE team_id = $1 AND queue = $2 AND number = $3";
    REMOVE_POSITION = "DELETE FROM dialing_entries WHERE team_id = $1 AND queue = $2 AND position = $3";
    REMOVE_BOTH = "DELETE FROM dialing_entries WHERE team_id = $1 AND queue = $2 AND position = $3 AND number = $4";
    REMOVE_UNCALLED = "DELETE FROM dialing_entries WHERE team_id = $1 AND queue = $2 AND call_id IS NULL";
    WAITING =
        "SELECT e.queue, e.position FROM dialing_entries e
          WHERE e.team_id = $1
            AND e.queue = (SELECT q.queue FROM dialing_queues q WHERE q.team_id = $1 AND q.assignee_id = $2
                            ORDER BY q.assigned DESC LIMIT 1)
            AND e.number = $3 AND e.call_id IS NULL AND e.created_at <= $4
          ORDER BY e.position LIMIT 1";
    CALLED =
        "UPDATE dialing_entries SET call_id = $1, call_started_at = $2, updated_at = $3
          WHERE team_id = $4 AND queue = $5 AND position = $6";
    ENDED =
        "UPDATE dialing_entries
            SET routing_result = $1, not_reached = $2, voicemail_detected = $3, voicemail_left = $4, updated_at = $5
          WHERE team_id = $6 AND call_id = $7";
    IS_DIALLED =
        "SELECT 1 FROM dialing_entries
          WHERE team_id = $1 AND queue = $2 AND call_id IS NOT NULL AND routing_result IS NULL LIMIT 1";
    GIVE = "UPDATE dialing_entries SET contact_id = $1 WHERE team_id = $2 AND contact_id = $3";
    FORGET = "DELETE FROM dialing_entries WHERE team_id = $1 AND contact_id = $2";
    FORGET_NUMBERS =
        "DELETE FROM dialing_entries
          WHERE team_id = $1 AND number IN (SELECT value FROM json_each(CAST($2 AS TEXT)))";
}

fn map(row: &Row<'_>) -> Result<QueueRow, StoreError> {
    Ok(QueueRow {
        queue: row.get(0)?,
        id: row.get(1)?,
        name: row.get(2)?,
        creator_id: row.get(3)?,
        assignee_id: row.get(4)?,
        assigned: row.get(5)?,
        voicemail_handling: row.get(6)?,
        do_not_disturb: row.get(7)?,
        next_position: row.get(8)?,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
    })
}

fn map_entry(row: &Row<'_>) -> Result<EntryRow, StoreError> {
    let (result, not_reached) = (row.get::<Option<RoutingResult>>(5)?, row.get::<Option<NotReached>>(6)?);
    let (voicemail, voicemail_left) = (row.get::<Option<bool>>(7)?, row.get(8)?);
    Ok(EntryRow {
        position: row.get(0)?,
        number: row.get(1)?,
        contact_id: row.get(2)?,
        call_id: row.get(3)?,
        call_started_at: row.get(4)?,
        outcome: result.map(|result| Outcome {
            result,
            not_reached,
            voicemail: voicemail.unwrap_or(false),
            voicemail_left,
        }),
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
    })
}

/// Stores a new queue, which has no numbers yet.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, queue: &QueueRow) -> Result<(), StoreError> {
    let values = params![
        team,
        queue.queue,
        queue.id,
        queue.name.as_deref(),
        queue.creator_id,
        queue.assignee_id,
        queue.assigned,
        queue.voicemail_handling,
        queue.do_not_disturb,
        queue.next_position,
        queue.created_at,
        queue.updated_at
    ];
    tx.execute(INSERT, values).map(drop)
}

/// Stores everything about a queue but its id, who made it and when.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, queue: &QueueRow) -> Result<(), StoreError> {
    let values = params![
        queue.name.as_deref(),
        queue.assignee_id,
        queue.assigned,
        queue.voicemail_handling,
        queue.do_not_disturb,
        queue.next_position,
        queue.updated_at,
        team,
        queue.queue
    ];
    tx.execute(UPDATE, values).map(drop)
}

/// The queue with this id.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, id: QueueId) -> Result<Option<QueueRow>, StoreError> {
    conn.row(GET, params![team, id], map)
}

/// The current queue of a user: the one that was made for, or handed to, them last.
///
/// # Errors
/// Of the engine.
pub fn current(conn: &mut Conn<'_>, team: TeamKey, assignee: UserId) -> Result<Option<QueueRow>, StoreError> {
    conn.row(CURRENT, params![team, assignee], map)
}

/// Deletes the queues of a user beyond the `kept` newest, with their numbers.
///
/// # Errors
/// Of the engine.
pub fn trim(tx: &mut Tx<'_>, team: TeamKey, assignee: UserId, kept: i64) -> Result<(), StoreError> {
    let older: Vec<i64> = tx.rows(OLDER, params![team, assignee, kept], |row| row.get(0))?;
    for queue in older {
        tx.execute(DELETE_ENTRIES, params![team, queue])?;
        tx.execute(DELETE, params![team, queue])?;
    }
    Ok(())
}

/// Stores a new number in a queue, not called yet.
///
/// # Errors
/// [`StoreError::Duplicate`] when the position is taken.
pub fn insert_entry(tx: &mut Tx<'_>, team: TeamKey, queue: i64, entry: &EntryRow) -> Result<(), StoreError> {
    let EntryRow { position, number, contact_id, created_at, updated_at, .. } = entry;
    let values = params![team, queue, *position, *number, *contact_id, *created_at, *updated_at];
    tx.execute(INSERT_ENTRY, values).map(drop)
}

/// Numbers of a queue behind a position, in order; `skip` of them are left out first.
///
/// # Errors
/// Of the engine.
pub fn entries(
    conn: &mut Conn<'_>,
    team: TeamKey,
    queue: i64,
    behind: i64,
    limit: i64,
    skip: i64,
) -> Result<Vec<EntryRow>, StoreError> {
    conn.rows(ENTRIES, params![team, queue, behind, limit, skip], map_entry)
}

/// How many numbers a queue has.
///
/// # Errors
/// Of the engine.
pub fn count(conn: &mut Conn<'_>, team: TeamKey, queue: i64) -> Result<i64, StoreError> {
    Ok(conn.row(COUNT, params![team, queue], |row| row.get(0))?.unwrap_or(0))
}

/// Removes numbers from a queue, and tells how many.
///
/// # Errors
/// Of the engine.
pub fn remove(tx: &mut Tx<'_>, team: TeamKey, queue: i64, removal: Removal) -> Result<u64, StoreError> {
    match removal {
        Removal::Number(number) => tx.execute(REMOVE_NUMBER, params![team, queue, number]),
        Removal::Position(position) => tx.execute(REMOVE_POSITION, params![team, queue, position]),
        Removal::Both(number, position) => tx.execute(REMOVE_BOTH, params![team, queue, position, number]),
        Removal::Uncalled => tx.execute(REMOVE_UNCALLED, params![team, queue]),
    }
}

/// A call of `user` to `number` rings: it is that of the first entry of their current queue that has the number, was
/// queued by then and was not called yet, if there is one.
///
/// # Errors
/// Of the engine.
pub fn called(
    tx: &mut Tx<'_>,
    team: TeamKey,
    (user, number): (UserId, PhoneNumber),
    (call, at): (CallId, Millis),
    now: Millis,
) -> Result<(), StoreError> {
    let waiting = tx.row(WAITING, params![team, user, number, at], |row| {
        Ok((row.get::<i64>(0)?, row.get::<i64>(1)?))
    })?;
    let Some((queue, position)) = waiting else { return Ok(()) };
    tx.execute(CALLED, params![call, at, now, team, queue, position]).map(drop)
}

/// Notes how a call ended, if it is that of an entry.
///
/// # Errors
/// Of the engine.
pub fn ended(
    tx: &mut Tx<'_>,
    team: TeamKey,
    call: CallId,
    outcome: &Outcome,
    now: Millis,
) -> Result<(), StoreError> {
    let Outcome { result, not_reached, voicemail, voicemail_left } = *outcome;
    tx.execute(ENDED, params![result, not_reached, voicemail, voicemail_left, now, team, call]).map(drop)
}

/// Whether a call of one of its numbers lasts.
///
/// # Errors
/// Of the engine.
pub fn is_dialled(conn: &mut Conn<'_>, team: TeamKey, queue: i64) -> Result<bool, StoreError> {
    Ok(conn.row(IS_DIALLED, params![team, queue], |row| row.get::<i64>(0))?.is_some())
}

/// Gives the entries of one person to another, when the two are merged.
///
/// # Errors
/// Of the engine.
pub fn give(tx: &mut Tx<'_>, team: TeamKey, from: ContactId, to: ContactId) -> Result<(), StoreError> {
    tx.execute(GIVE, params![to, team, from]).map(drop)
}

/// Removes a person from all queues, with these numbers.
///
/// # Errors
/// Of the engine.
pub fn forget(
    tx: &mut Tx<'_>,
    team: TeamKey,
    contact: ContactId,
    numbers: &[PhoneNumber],
) -> Result<(), StoreError> {
    tx.execute(FORGET, params![team, contact])?;
    tx.execute(FORGET_NUMBERS, params![team, &Json(numbers)]).map(drop)
}
