//! Webhook endpoints, and how far each team's events were fanned out to them.

use trunkline_domain::events::Topic;
use trunkline_domain::{EndpointId, Millis};

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// A webhook endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointRow {
    /// Its number in the team; never given out twice.
    pub endpoint: i64,
    /// Public id.
    pub id: EndpointId,
    /// Where messages go.
    pub url: String,
    /// What it wants to hear of.
    pub topics: Vec<Topic>,
    /// In the team's own words.
    pub description: Option<String>,
    /// If there are any: only calls and texts of these lines.
    pub lines: Option<Vec<i64>>,
    /// Extra headers, sealed for the id.
    pub headers: Option<String>,
    /// Signing secrets, sealed for the id.
    pub secrets: String,
    /// Whether it is sent anything.
    pub enabled: bool,
    /// Why it is not.
    pub disabled_reason: Option<String>,
    /// Since when it is not.
    pub disabled_at: Option<Millis>,
    /// JSON: the state of its circuit breaker, unless that is at rest.
    pub breaker: Option<String>,
    /// The last event that was fanned out to it, if it has not kept up with the team.
    pub behind: Option<i64>,
    /// Messages of events up to this one are skipped.
    pub skip_to: Option<i64>,
    /// JSON: a replay under way.
    pub replay: Option<String>,
    /// When it last said yes, to within a second.
    pub last_success_at: Option<Millis>,
    /// When it last failed.
    pub last_failure_at: Option<Millis>,
    /// How it last failed.
    pub last_error: Option<String>,
    /// When it was made.
    pub created_at: Millis,
    /// When its owner last changed it.
    pub updated_at: Millis,
    /// Since when it is gone for its owner; its messages are being deleted.
    pub deleted_at: Option<Millis>,
    /// Grows with every change that whoever sends to it must learn of.
    pub version: i64,
}

statements! {
    NEXT = "UPDATE teams SET last_endpoint = last_endpoint + 1 WHERE team_id = $1 RETURNING last_endpoint";
    INSERT =
        "INSERT INTO webhook_endpoints (team_id, endpoint, id, url, topics, description, lines, headers, secrets, enabled,
                                        created_at, updated_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1)";
    UPDATE =
        "UPDATE webhook_endpoints
            SET url = $1, topics = $2, description = $3, lines = $4, headers = $5, secrets = $6, enabled = $7,
                disabled_reason = $8, disabled_at = $9, breaker = $10, behind = $11, skip_to = $12, replay = $13,
                updated_at = $14, deleted_at = $15, version = version + 1
          WHERE team_id = $16 AND endpoint = $17";
    GET =
        "SELECT endpoint, id, url, topics, description, lines, headers, secrets, enabled, disabled_reason, disabled_at,
                breaker, behind, skip_to, replay, last_success_at, last_failure_at, last_error, created_at, updated_at,
                deleted_at, version
           FROM webhook_endpoints WHERE team_id = $1 AND id = $2 AND deleted_at IS NULL";
    BY_NUMBER =
        "SELECT endpoint, id, url, topics, description, lines, headers, secrets, enabled, disabled_reason, disabled_at,
                breaker, behind, skip_to, replay, last_success_at, last_failure_at, last_error, created_at, updated_at,
                deleted_at, version
           FROM webhook_endpoints WHERE team_id = $1 AND endpoint = $2";
    LIST =
        "SELECT endpoint, id, url, topics, description, lines, headers, secrets, enabled, disabled_reason, disabled_at,
                breaker, behind, skip_to, replay, last_success_at, last_failure_at, last_error, created_at, updated_at,
                deleted_at, version
           FROM webhook_endpoints WHERE team_id = $1 AND deleted_at IS NULL ORDER BY endpoint";
    COUNT = "SELECT COUNT(*) FROM webhook_endpoints WHERE team_id = $1 AND deleted_at IS NULL";
    LISTENING =
        "SELECT endpoint, topics, lines, behind, version FROM webhook_endpoints
          WHERE team_id = $1 AND enabled AND deleted_at IS NULL
            AND EXISTS (SELECT 1 FROM teams t WHERE t.team_id = $1 AND t.closed_at IS NULL)
          ORDER BY endpoint";
    HEALTH = "SELECT breaker, enabled, deleted_at FROM webhook_endpoints WHERE team_id = $1 AND endpoint = $2";
    SUCCEEDED =
        "UPDATE webhook_endpoints SET last_success_at = $1, breaker = NULL WHERE team_id = $2 AND endpoint = $3";
    FAILED =
        "UPDATE webhook_endpoints SET last_failure_at = $1, last_error = $2, breaker = $3
          WHERE team_id = $4 AND endpoint = $5";
    SET_BEHIND = "UPDATE webhook_endpoints SET behind = $1 WHERE team_id = $2 AND endpoint = $3";
    SET_SKIP = "UPDATE webhook_endpoints SET skip_to = $1 WHERE team_id = $2 AND endpoint = $3";
    SET_REPLAY = "UPDATE webhook_endpoints SET replay = $1 WHERE team_id = $2 AND endpoint = $3";
    REMOVE = "DELETE FROM webhook_endpoints WHERE team_id = $1 AND endpoint = $2";
    CHORES =
        "SELECT team_id, endpoint FROM webhook_endpoints
          WHERE enabled AND (skip_to IS NOT NULL OR replay IS NOT NULL) AND deleted_at IS NULL";
    ALL_KEYS = "SELECT team_id, endpoint, deleted_at FROM webhook_endpoints ORDER BY team_id, endpoint";
    START_CURSOR = "INSERT INTO webhook_cursors (team_id, event) VALUES ($1, $2) ON CONFLICT (team_id) DO NOTHING";
    CURSOR = "SELECT event FROM webhook_cursors WHERE team_id = $1";
    SET_CURSOR = "UPDATE webhook_cursors SET event = $1 WHERE team_id = $2";
    AHEAD =
        "SELECT t.team_id, t.last_event FROM teams t JOIN webhook_cursors c ON c.team_id = t.team_id
          WHERE t.last_event > c.event
          UNION
         SELECT e.team_id, t.last_event FROM webhook_endpoints e JOIN teams t ON t.team_id = e.team_id
          WHERE e.enabled AND e.deleted_at IS NULL AND e.behind IS NOT NULL";
    DUE =
        "SELECT e.team_id, e.endpoint, e.version,
                (SELECT MIN(m.due_at) FROM webhook_messages m
                  WHERE m.team_id = e.team_id AND m.endpoint = e.endpoint AND m.due_at IS NOT NULL)
           FROM webhook_endpoints e WHERE e.enabled AND e.deleted_at IS NULL";
}

/// PostgreSQL alone has row locks; on SQLite a write transaction has the whole file to itself.
const CURSOR_LOCKED: &str = "SELECT event FROM webhook_cursors WHERE team_id = $1 FOR UPDATE";
const HEALTH_LOCKED: &str =
    "SELECT breaker, enabled, deleted_at FROM webhook_endpoints WHERE team_id = $1 AND endpoint = $2 FOR UPDATE";
const GET_LOCKED: &str =
    "SELECT endpoint, id, url, topics, description, lines, headers, secrets, enabled, disabled_reason, disabled_at,
            breaker, behind, skip_to, replay, last_success_at, last_failure_at, last_error, created_at, updated_at,
            deleted_at, version
       FROM webhook_endpoints WHERE team_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE";
const BY_NUMBER_LOCKED: &str =
    "SELECT endpoint, id, url, topics, description, lines, headers, secrets, enabled, disabled_reason, disabled_at,
            breaker, behind, skip_to, replay, last_success_at, last_failure_at, last_error, created_at, updated_at,
            deleted_at, version
       FROM webhook_endpoints WHERE team_id = $1 AND endpoint = $2 FOR UPDATE";

fn topics_text(topics: &[Topic]) -> String {
    topics.iter().map(|topic| topic.as_str()).collect::<Vec<_>>().join(",")
}

/// Topics that this version does not know are left out: a newer one has stored them.
fn topics(text: &str) -> Vec<Topic> {
    text.split(',').filter_map(|name| name.parse().ok()).collect()
}

fn lines_text(lines: Option<&[i64]>) -> Option<String> {
    lines.map(|lines| lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}

fn lines(row: &Row<'_>, index: usize) -> Result<Option<Vec<i64>>, StoreError> {
    let text: Option<String> = row.get(index)?;
    Ok(text.map(|text| text.split(',').filter_map(|line| line.parse().ok()).collect()))
}

fn map(row: &Row<'_>) -> Result<EndpointRow, StoreError> {
    Ok(EndpointRow {
        endpoint: row.get(0)?,
        id: row.get(1)?,
        url: row.get(2)?,
        topics: topics(&row.get::<String>(3)?),
        description: row.get(4)?,
        lines: lines(row, 5)?,
        headers: row.get(6)?,
        secrets: row.get(7)?,
        enabled: row.get(8)?,
        disabled_reason: row.get(9)?,
        disabled_at: row.get(10)?,
        breaker: row.get(11)?,
        behind: row.get(12)?,
        skip_to: row.get(13)?,
        replay: row.get(14)?,
        last_success_at: row.get(15)?,
        last_failure_at: row.get(16)?,
        last_error: row.get(17)?,
        created_at: row.get(18)?,
        updated_at: row.get(19)?,
        deleted_at: row.get(20)?,
        version: row.get(21)?,
    })
}

/// The team's next number for an endpoint. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn next_number(tx: &mut Tx<'_>, team: TeamKey) -> Result<i64, StoreError> {
    let next = tx.row(NEXT, params![team], |row| row.get(0))?;
    next.ok_or(StoreError::Column { column: 0, problem: "there is no such team".into() })
}

/// Stores a new endpoint. The state of its delivery is at rest, whatever the row says.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, row: &EndpointRow) -> Result<(), StoreError> {
    let values = params![
        team,
        row.endpoint,
        row.id,
        &row.url,
        topics_text(&row.topics),
        row.description.as_deref(),
        lines_text(row.lines.as_deref()),
        row.headers.as_deref(),
        &row.secrets,
        row.enabled,
        row.created_at,
        row.updated_at,
    ];
    tx.execute(INSERT, values).map(drop)
}

/// Stores everything about an endpoint but its id, its age and what its last attempts came to, and raises its version.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, row: &EndpointRow) -> Result<(), StoreError> {
    let values = params![
        &row.url,
        topics_text(&row.topics),
        row.description.as_deref(),
        lines_text(row.lines.as_deref()),
        row.headers.as_deref(),
        &row.secrets,
        row.enabled,
        row.disabled_reason.as_deref(),
        row.disabled_at,
        row.breaker.as_deref(),
        row.behind,
        row.skip_to,
        row.replay.as_deref(),
        row.updated_at,
        row.deleted_at,
        team,
        row.endpoint,
    ];
    tx.execute(UPDATE, values).map(drop)
}

/// The endpoint with this id, unless it was deleted.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, id: EndpointId) -> Result<Option<EndpointRow>, StoreError> {
    conn.row(GET, params![team, id], map)
}

/// The endpoint with this number, deleted or not.
///
/// # Errors
/// Of the engine.
pub fn by_number(conn: &mut Conn<'_>, team: TeamKey, endpoint: i64) -> Result<Option<EndpointRow>, StoreError> {
    conn.row(BY_NUMBER, params![team, endpoint], map)
}

/// As [`get`], and until the commit nobody else changes it: not even those who hold no team's row because they only
/// deliver. Fanning out holds the cursor and then changes endpoints, so the cursor must be held ([`lock_cursor`]).
///
/// # Errors
/// Of the engine.
pub fn lock(tx: &mut Tx<'_>, team: TeamKey, id: EndpointId) -> Result<Option<EndpointRow>, StoreError> {
    let sql = if tx.is_postgres() { GET_LOCKED } else { GET };
    tx.row(sql, params![team, id], map)
}

/// As [`by_number`], held as by [`lock`].
///
/// # Errors
/// Of the engine.
pub fn lock_by_number(tx: &mut Tx<'_>, team: TeamKey, endpoint: i64) -> Result<Option<EndpointRow>, StoreError> {
    let sql = if tx.is_postgres() {
        BY_NUMBER_LOCKED
    } else {
        BY_NUMBER
    };
    tx.row(sql, params![team, endpoint], map)
}

/// All endpoints of the team, oldest first.
///
/// # Errors
/// Of the engine.
pub fn list(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<EndpointRow>, StoreError> {
    conn.rows(LIST, params![team], map)
}

/// How many endpoints the team has.
///
/// # Errors
/// Of the engine.
pub fn count(conn: &mut Conn<'_>, team: TeamKey) -> Result<i64, StoreError> {
    Ok(conn.row(COUNT, params![team], |row| row.get(0))?.unwrap_or(0))
}

/// What fanning out needs to know of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// Its number.
    pub endpoint: i64,
    /// The topics it wants, separated by commas.
    topics: String,
    /// If there are any: only calls and texts of these lines.
    pub lines: Option<Vec<i64>>,
    /// The last event that was fanned out to it, if it has not kept up with the team.
    pub behind: Option<i64>,
    /// Its version.
    pub version: i64,
}

impl Listening {
    /// Whether it wants to hear of this.
    #[must_use]
    pub fn wants(&self, topic: Topic) -> bool {
        self.topics.split(',').any(|name| name == topic.as_str())
    }
}

/// The endpoints of the team that are to be sent something: none of a team that is closed.
///
/// # Errors
/// Of the engine.
pub fn listening(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<Listening>, StoreError> {
    conn.rows(LISTENING, params![team], |row| {
        Ok(Listening {
            endpoint: row.get(0)?,
            topics: row.get(1)?,
            lines: lines(row, 2)?,
            behind: row.get(3)?,
            version: row.get(4)?,
        })
    })
}

/// The state of an endpoint's circuit breaker (JSON), if the endpoint is still sent anything. Nobody else changes it
/// until the commit.
///
/// # Errors
/// Of the engine.
pub fn breaker(tx: &mut Tx<'_>, team: TeamKey, endpoint: i64) -> Result<Option<Option<String>>, StoreError> {
    let sql = if tx.is_postgres() { HEALTH_LOCKED } else { HEALTH };
    tx.row(sql, params![team, endpoint], |row| {
        let (breaker, enabled, deleted): (Option<String>, bool, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok((enabled && deleted.is_none()).then_some(breaker))
    })
    .map(Option::flatten)
}

/// Notes that an endpoint said yes: its breaker is at rest.
///
/// # Errors
/// Of the engine.
pub fn succeeded(tx: &mut Tx<'_>, team: TeamKey, endpoint: i64, at: Millis) -> Result<(), StoreError> {
    tx.execute(SUCCEEDED, params![at, team, endpoint]).map(drop)
}

/// Notes that an endpoint failed, how, and where its breaker stands (JSON).
///
/// # Errors
/// Of the engine.
pub fn failed(
    tx: &mut Tx<'_>,
    team: TeamKey,
    endpoint: i64,
    at: Millis,
    error: &str,
    breaker: &str,
) -> Result<(), StoreError> {
    tx.execute(FAILED, params![at, error, breaker, team, endpoint]).map(drop)
}

/// Notes up to where events were fanned out to an endpoint that is behind its team; `None`: it has caught up.
///
/// # Errors
/// Of the engine.
pub fn set_behind(tx: &mut Tx<'_>, team: TeamKey, endpoint: i64, behind: Option<i64>) -> Result<(), StoreError> {
    tx.execute(SET_BEHIND, params![behind, team, endpoint]).map(drop)
}

/// Notes that nothing is left to be skipped.
///
/// # Errors
/// Of the engine.
pub fn end_skip(tx: &mut Tx<'_>, team: TeamKey, endpoint: i64) -> Result<(), StoreError> {
    tx.execute(SET_SKIP, params![None::<i64>, team, endpoint]).map(drop)
}

/// Notes how far a replay has come; `None`: it is done.
///
/// # Errors
/// Of the engine.
pub fn set_replay(tx: &mut Tx<'_>, team: TeamKey, endpoint: i64, replay: Option<&str>) -> Result<(), StoreError> {
    tx.execute(SET_REPLAY, params![replay, team, endpoint]).map(drop)
}

/// Deletes the row of an endpoint for good.
///
/// # Errors
/// Of the engine.
pub fn remove(tx: &mut Tx<'_>, team: TeamKey, endpoint: i64) -> Result<(), StoreError> {
    tx.execute(REMOVE, params![team, endpoint]).map(drop)
}

/// The endpoints at which messages are to be skipped or replayed.
///
/// # Errors
/// Of the engine.
pub fn chores(conn: &mut Conn<'_>) -> Result<Vec<(TeamKey, i64)>, StoreError> {
    conn.rows(CHORES, &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Every endpoint of every team, and whether it was deleted.
///
/// # Errors
/// Of the engine.
pub fn all(conn: &mut Conn<'_>) -> Result<Vec<(TeamKey, i64, bool)>, StoreError> {
    conn.rows(ALL_KEYS, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get::<Option<i64>>(2)?.is_some())))
}

/// Sets the team's cursor to `event`, unless it has one.
///
/// # Errors
/// Of the engine.
pub fn start_cursor(tx: &mut Tx<'_>, team: TeamKey, event: i64) -> Result<(), StoreError> {
    tx.execute(START_CURSOR, params![team, event]).map(drop)
}

/// The last event that was fanned out, if the team has ever had an endpoint.
///
/// # Errors
/// Of the engine.
pub fn cursor(conn: &mut Conn<'_>, team: TeamKey) -> Result<Option<i64>, StoreError> {
    conn.row(CURSOR, params![team], |row| row.get(0))
}

/// As [`cursor`], and nobody else moves it until the commit.
///
/// # Errors
/// Of the engine.
pub fn lock_cursor(tx: &mut Tx<'_>, team: TeamKey) -> Result<Option<i64>, StoreError> {
    let sql = if tx.is_postgres() { CURSOR_LOCKED } else { CURSOR };
    tx.row(sql, params![team], |row| row.get(0))
}

/// Moves the cursor.
///
/// # Errors
/// Of the engine.
pub fn set_cursor(tx: &mut Tx<'_>, team: TeamKey, event: i64) -> Result<(), StoreError> {
    tx.execute(SET_CURSOR, params![event, team]).map(drop)
}

/// The teams with events that were not fanned out to all who are to be sent something, each with its last event: what
/// a read sees is on the disk.
///
/// # Errors
/// Of the engine.
pub fn ahead(conn: &mut Conn<'_>) -> Result<Vec<(TeamKey, i64)>, StoreError> {
    conn.rows(AHEAD, &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// An endpoint that is sent something, and when its next message is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextDue {
    /// The team.
    pub team: TeamKey,
    /// The endpoint's number.
    pub endpoint: i64,
    /// Its version.
    pub version: i64,
    /// When its next message is due; `None` when there is none.
    pub due_at: Option<Millis>,
}

/// All endpoints that are sent something, each with the time at which its next message is due.
///
/// # Errors
/// Of the engine.
pub fn due(conn: &mut Conn<'_>) -> Result<Vec<NextDue>, StoreError> {
    conn.rows(DUE, &[], |row| {
        Ok(NextDue { team: row.get(0)?, endpoint: row.get(1)?, version: row.get(2)?, due_at: row.get(3)? })
    })
}
