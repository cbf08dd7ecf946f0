//! Teams, and the counters that hand out a team's next numbers.

use trunkline_domain::{Millis, Plan, TeamId};

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// A team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamRow {
    /// Internal key.
    pub key: TeamKey,
    /// Public id.
    pub id: TeamId,
    /// Name.
    pub name: String,
    /// What it pays for.
    pub plan: Plan,
    /// IANA name of the time zone its days are counted in.
    pub time_zone: String,
    /// ISO 3166-1 alpha-2: how national numbers are read.
    pub country: String,
    /// Whether the outside world is the sandbox.
    pub sandbox: bool,
    /// GET requests a key may make in a second.
    pub read_per_second: i64,
    /// Other requests a key may make in a second.
    pub write_per_second: i64,
    /// Whether tagging with an unknown tag creates the tag.
    pub create_tags: bool,
    /// When it was made.
    pub created_at: Millis,
    /// Whether it keeps to the French hours for marketing texts.
    pub marketing_hours: bool,
}

/// The last numbers a team has handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    /// Of events.
    pub event: i64,
    /// Of items.
    pub item: i64,
    /// Of conversations.
    pub conversation: i64,
    /// Of lines.
    pub line: i64,
}

statements! {
    INSERT =
        "INSERT INTO teams (id, name, plan, time_zone, country, sandbox, read_per_second, write_per_second, create_tags,
                            last_event, last_item, last_conversation, last_line, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, 0, 0, $10) RETURNING team_id";
    GET =
        "SELECT team_id, id, name, plan, time_zone, country, sandbox, read_per_second, write_per_second, create_tags,
                created_at, marketing_hours
           FROM teams WHERE team_id = $1";
    LIST =
        "SELECT team_id, id, name, plan, time_zone, country, sandbox, read_per_second, write_per_second, create_tags,
                created_at, marketing_hours
           FROM teams WHERE importing_at IS NULL ORDER BY team_id";
    COUNTERS =
        "SELECT last_event, last_item, last_conversation, last_line, time_zone, country, create_tags, plan, marketing_hours
           FROM teams WHERE team_id = $1";
    SET_COUNTERS =
        "UPDATE teams SET last_event = $1, last_item = $2, last_conversation = $3, last_line = $4 WHERE team_id = $5";
    UPDATE =
        "UPDATE teams
            SET name = $1, plan = $2, read_per_second = $3, write_per_second = $4, create_tags = $5,
                marketing_hours = $6, time_zone = $7
          WHERE team_id = $8";
    SET_STANDING = "UPDATE teams SET suspended_at = $1, closed_at = $2 WHERE id = $3";
    IS_OPEN =
        "SELECT 1 FROM teams
          WHERE team_id = $1 AND suspended_at IS NULL AND closed_at IS NULL AND importing_at IS NULL";
    NEXT_ENTRY = "UPDATE teams SET last_entry = last_entry + 1 WHERE team_id = $1 RETURNING last_entry";
    LAST_EVENTS = "SELECT team_id, last_event FROM teams WHERE last_event > 0 ORDER BY team_id";
    DAYS = "SELECT time_zone, days_after FROM teams WHERE team_id = $1";
    COUNTING =
        "SELECT team_id, days_after, parts_after FROM teams
          WHERE (days_after IS NOT NULL OR parts_after IS NOT NULL) AND importing_at IS NULL ORDER BY team_id";
    COUNTING_OF = "SELECT days_after, parts_after FROM teams WHERE team_id = $1";
    SET_DAYS_AFTER = "UPDATE teams SET days_after = $1 WHERE team_id = $2";
    SET_PARTS_AFTER = "UPDATE teams SET parts_after = $1 WHERE team_id = $2";
    ZONE_CHANGED_AT = "SELECT zone_changed_at FROM teams WHERE team_id = $1";
    SET_ZONE_CHANGED_AT = "UPDATE teams SET zone_changed_at = $1 WHERE team_id = $2";
    MAILS = "SELECT mails FROM teams WHERE team_id = $1 AND mail_day = $2";
    SET_MAILS = "UPDATE teams SET mail_day = $1, mails = $2 WHERE team_id = $3";
    LAST_EVENT = "SELECT last_event FROM teams WHERE team_id = $1";
}

/// PostgreSQL alone has row locks; on SQLite a write transaction has the whole file to itself.
const COUNTERS_LOCKED: &str = "SELECT last_event, last_item, last_conversation, last_line, time_zone, country, create_tags, plan, marketing_hours
           FROM teams WHERE team_id = $1 FOR UPDATE";

/// Stores a new team; `team.key` is ignored and handed out.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert(tx: &mut Tx<'_>, team: &TeamRow) -> Result<TeamKey, StoreError> {
    let values = params![
        team.id,
        &team.name,
        team.plan,
        &team.time_zone,
        &team.country,
        team.sandbox,
        team.read_per_second,
        team.write_per_second,
        team.create_tags,
        team.created_at
    ];
    let key = tx.row(INSERT, values, |row| row.get(0))?;
    key.ok_or(StoreError::Column { column: 0, problem: "no key was handed out".into() })
}

/// Changes the settings of a team: its name, its plan, its limits, whether tags are created, and whether it keeps to
/// the French marketing hours, and its time zone: what is counted by days is to be moved then. What rows are read by
/// (country, sandbox) stays as it was made.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: &TeamRow) -> Result<(), StoreError> {
    let TeamRow { key, name, plan, time_zone, read_per_second, write_per_second, create_tags, marketing_hours, .. } = team;
    let values =
        params![name, *plan, *read_per_second, *write_per_second, *create_tags, *marketing_hours, time_zone, *key];
    tx.execute(UPDATE, values).map(drop)
}

/// Notes since when the keys of a team open nothing: for the time being, and for good. Tells whether there is such a team.
///
/// # Errors
/// Of the engine.
pub fn set_standing(
    tx: &mut Tx<'_>,
    team: TeamId,
    suspended_at: Option<Millis>,
    closed_at: Option<Millis>,
) -> Result<bool, StoreError> {
    Ok(tx.execute(SET_STANDING, params![suspended_at, closed_at, team])? == 1)
}

/// Whether the team's keys open anything: it is neither suspended nor closed.
///
/// # Errors
/// Of the engine.
pub fn is_open(conn: &mut Conn<'_>, team: TeamKey) -> Result<bool, StoreError> {
    Ok(conn.row(IS_OPEN, params![team], |row| row.get::<i64>(0))?.is_some())
}

fn map(row: &Row<'_>) -> Result<TeamRow, StoreError> {
    Ok(TeamRow {
        key: row.get(0)?,
        id: row.get(1)?,
        name: row.get(2)?,
        plan: row.get(3)?,
        time_zone: row.get(4)?,
        country: row.get(5)?,
        sandbox: row.get(6)?,
        read_per_second: row.get(7)?,
        write_per_second: row.get(8)?,
        create_tags: row.get(9)?,
        created_at: row.get(10)?,
        marketing_hours: row.get(11)?,
    })
}

/// The team with this key.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey) -> Result<Option<TeamRow>, StoreError> {
    conn.row(GET, params![team], map)
}

/// All teams, in the order they were made.
///
/// # Errors
/// Of the engine.
pub fn list(conn: &mut Conn<'_>) -> Result<Vec<TeamRow>, StoreError> {
    conn.rows(LIST, &[], map)
}

/// A team whose row is held, with what its rules depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedTeam {
    /// The last numbers handed out.
    pub counters: Counters,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Whether tagging with an unknown tag creates the tag.
    pub create_tags: bool,
    /// What it pays for.
    pub plan: Plan,
    /// Whether it keeps to the French hours for marketing texts.
    pub marketing_hours: bool,
}

/// Takes the team's row for this transaction: from here to the commit nobody else changes the team. `None` if there
/// is no such team.
///
/// # Errors
/// Of the engine.
pub fn lock(tx: &mut Tx<'_>, team: TeamKey) -> Result<Option<LockedTeam>, StoreError> {
    let sql = if tx.is_postgres() { COUNTERS_LOCKED } else { COUNTERS };
    tx.row(sql, params![team], |row| {
        let counters = Counters { event: row.get(0)?, item: row.get(1)?, conversation: row.get(2)?, line: row.get(3)? };
        Ok(LockedTeam {
            counters,
            time_zone: row.get(4)?,
            country: row.get(5)?,
            create_tags: row.get(6)?,
            plan: row.get(7)?,
            marketing_hours: row.get(8)?,
        })
    })
}

/// Keeps the counters; the row must be locked.
///
/// # Errors
/// Of the engine.
pub fn set_counters(tx: &mut Tx<'_>, team: TeamKey, counters: Counters) -> Result<(), StoreError> {
    let Counters { event, item, conversation, line } = counters;
    tx.execute(SET_COUNTERS, params![event, item, conversation, line, team]).map(drop)
}

/// The team's next number for a note, a thread, a comment or a dialing queue. The row must be locked.
///
/// # Errors
/// Of the engine.
pub fn next_entry(tx: &mut Tx<'_>, team: TeamKey) -> Result<i64, StoreError> {
    let next = tx.row(NEXT_ENTRY, params![team], |row| row.get(0))?;
    next.ok_or(StoreError::Column { column: 0, problem: "there is no such team".into() })
}

/// The number of the last event of every team that has one.
///
/// # Errors
/// Of the engine.
pub fn last_events(conn: &mut Conn<'_>) -> Result<Vec<(TeamKey, i64)>, StoreError> {
    conn.rows(LAST_EVENTS, &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The number of the team's last event, 0 if there is none.
///
/// # Errors
/// Of the engine.
pub fn last_event(conn: &mut Conn<'_>, team: TeamKey) -> Result<i64, StoreError> {
    Ok(conn.row(LAST_EVENT, params![team], |row| row.get(0))?.unwrap_or(0))
}

/// By which days a team's items are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Days {
    /// IANA name of the time zone.
    pub time_zone: String,
    /// Whether some are still counted by those of an earlier one.
    pub are_moving: bool,
}

/// By which days the team's items are counted; `None` if there is no such team.
///
/// # Errors
/// Of the engine.
pub fn days(conn: &mut Conn<'_>, team: TeamKey) -> Result<Option<Days>, StoreError> {
    conn.row(DAYS, params![team], |row| {
        Ok(Days { time_zone: row.get(0)?, are_moving: row.get::<Option<i64>>(1)?.is_some() })
    })
}

/// What of a team is still to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counting {
    /// Items behind this number may be counted by the days of an earlier time zone; `None`: none is.
    pub days_after: Option<i64>,
    /// Texts behind this number may lack the count of their parts; `None`: none does.
    pub parts_after: Option<i64>,
}

/// The teams of which something is still to be counted.
///
/// # Errors
/// Of the engine.
pub fn all_counting(conn: &mut Conn<'_>) -> Result<Vec<(TeamKey, Counting)>, StoreError> {
    conn.rows(COUNTING, &[], |row| {
        Ok((row.get(0)?, Counting { days_after: row.get(1)?, parts_after: row.get(2)? }))
    })
}

/// What of the team is still to be counted.
///
/// # Errors
/// Of the engine.
pub fn counting(conn: &mut Conn<'_>, team: TeamKey) -> Result<Counting, StoreError> {
    let found = conn.row(COUNTING_OF, params![team], |row| {
        Ok(Counting { days_after: row.get(0)?, parts_after: row.get(1)? })
    })?;
    Ok(found.unwrap_or(Counting { days_after: None, parts_after: None }))
}

/// Notes up to which item the team's items are counted by the days of its time zone; `None`: all are. The team's row must
/// be locked.
///
/// # Errors
/// Of the engine.
pub fn set_days_after(tx: &mut Tx<'_>, team: TeamKey, after: Option<i64>) -> Result<(), StoreError> {
    tx.execute(SET_DAYS_AFTER, params![after, team]).map(drop)
}

/// Notes up to which item the parts of the team's texts are counted; `None`: of all. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn set_parts_after(tx: &mut Tx<'_>, team: TeamKey, after: Option<i64>) -> Result<(), StoreError> {
    tx.execute(SET_PARTS_AFTER, params![after, team]).map(drop)
}

/// When the team last changed its time zone; `None`: never.
///
/// # Errors
/// Of the engine.
pub fn zone_changed_at(conn: &mut Conn<'_>, team: TeamKey) -> Result<Option<Millis>, StoreError> {
    Ok(conn.row(ZONE_CHANGED_AT, params![team], |row| row.get(0))?.flatten())
}

/// Notes when the team changed its time zone. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn set_zone_changed_at(tx: &mut Tx<'_>, team: TeamKey, at: Millis) -> Result<(), StoreError> {
    tx.execute(SET_ZONE_CHANGED_AT, params![at, team]).map(drop)
}

/// How many mails with invitations the team has asked for on `day` (UTC, since 1970-01-01).
///
/// # Errors
/// Of the engine.
pub fn mails_of(conn: &mut Conn<'_>, team: TeamKey, day: i64) -> Result<i64, StoreError> {
    Ok(conn.row(MAILS, params![team, day], |row| row.get(0))?.unwrap_or(0))
}

/// Keeps how many mails with invitations the team has asked for on `day`; earlier days are forgotten. The team's row must
/// be locked.
///
/// # Errors
/// Of the engine.
pub fn set_mails(tx: &mut Tx<'_>, team: TeamKey, day: i64, mails: i64) -> Result<(), StoreError> {
    tx.execute(SET_MAILS, params![day, mails, team]).map(drop)
}
