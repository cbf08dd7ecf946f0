//! The event log: numbered per team, without gaps, in commit order.

use trunkline_domain::Millis;
use trunkline_domain::events::Topic;

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// The team's number for it.
    pub seq: i64,
    /// What it is about.
    pub topic: Topic,
    /// When it happened.
    pub at: Millis,
    /// The timeline number it is about.
    pub item: Option<i64>,
    /// JSON: the `data` of a webhook.
    pub payload: String,
}

statements! {
    APPEND = "INSERT INTO events (team_id, seq, topic, at, item, payload) VALUES ($1, $2, $3, $4, $5, $6)";
    AFTER =
        "SELECT seq, topic, at, item, payload FROM events
          WHERE team_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    BETWEEN =
        "SELECT seq, topic, at, item, payload FROM events
          WHERE team_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4";
    TOUCHED =
        "SELECT seq, item, CASE WHEN topic = 'items.imported' THEN payload END,
                CASE WHEN topic = 'items.erased' THEN payload END FROM events
          WHERE team_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    PRUNE = "DELETE FROM events WHERE team_id = $1 AND seq <= $2 AND seq > $3";
    OLDEST = "SELECT seq, at FROM events WHERE team_id = $1 ORDER BY seq LIMIT 1";
    FIRST_SINCE = "SELECT seq FROM events WHERE team_id = $1 AND seq > $2 AND at >= $3 ORDER BY seq LIMIT 1";
}

/// Appends an event. `seq` must be the team's next number, handed out under the team's lock.
///
/// # Errors
/// Of the engine.
pub fn append(tx: &mut Tx<'_>, team: TeamKey, event: &EventRow) -> Result<(), StoreError> {
    let EventRow { seq, topic, at, item, payload } = event;
    tx.execute(APPEND, params![team, *seq, *topic, *at, *item, payload])?;
    tx.mark_appended();
    Ok(())
}

fn map(row: &Row<'_>) -> Result<EventRow, StoreError> {
    Ok(EventRow {
        seq: row.get(0)?,
        topic: row.get(1)?,
        at: row.get(2)?,
        item: row.get(3)?,
        payload: row.get(4)?,
    })
}

/// At most `limit` events behind number `after`, in order.
///
/// # Errors
/// Of the engine.
pub fn after(conn: &mut Conn<'_>, team: TeamKey, after: i64, limit: i64) -> Result<Vec<EventRow>, StoreError> {
    conn.rows(AFTER, params![team, after, limit], map)
}

/// As [`after`], but no more once their payloads have `bytes` bytes.
///
/// # Errors
/// Of the engine.
pub fn page(
    conn: &mut Conn<'_>,
    team: TeamKey,
    after: i64,
    limit: i64,
    bytes: usize,
) -> Result<Vec<EventRow>, StoreError> {
    let (mut rows, mut read) = (Vec::new(), 0);
    conn.for_each(AFTER, params![team, after, limit], |row| {
        let event = map(row)?;
        read += event.payload.len();
        rows.push(event);
        Ok(read < bytes)
    })?;
    Ok(rows)
}

/// At most `limit` events behind number `after`, up to number `to`, in order.
///
/// # Errors
/// Of the engine.
pub fn between(
    conn: &mut Conn<'_>,
    team: TeamKey,
    after: i64,
    to: i64,
    limit: i64,
) -> Result<Vec<EventRow>, StoreError> {
    conn.rows(BETWEEN, params![team, after, to, limit], map)
}

/// The event with this number, if it is still kept.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, seq: i64) -> Result<Option<EventRow>, StoreError> {
    Ok(between(conn, team, seq - 1, seq, 1)?.pop())
}

/// Which timeline numbers an event touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The event's number.
    pub seq: i64,
    /// First and last number of each run of timeline numbers.
    pub items: Vec<(i64, i64)>,
    /// Whether what they said must be gone from everywhere.
    pub erased: bool,
}

/// What at most `limit` events behind number `after` touched, without their payloads.
///
/// # Errors
/// Of the engine.
pub fn touched(conn: &mut Conn<'_>, team: TeamKey, after: i64, limit: i64) -> Result<Vec<Touched>, StoreError> {
    conn.rows(TOUCHED, params![team, after, limit], |row| {
        let item: Option<i64> = row.get(1)?;
        let imported: Option<crate::Json<trunkline_domain::events::ItemsImported>> = row.get(2)?;
        let erased: Option<crate::Json<trunkline_domain::events::ItemsErased>> = row.get(3)?;
        let mut items: Vec<(i64, i64)> = item.map(|seq| (seq, seq)).into_iter().collect();
        items.extend(imported.map(|json| (json.0.from, json.0.to)));
        let is_erased = erased.is_some();
        items.extend(erased.into_iter().flat_map(|json| json.0.ranges));
        Ok(Touched { seq: row.get(0)?, items, erased: is_erased })
    })
}

/// Number and time of the team's oldest event that is still there.
///
/// # Errors
/// Of the engine.
pub fn oldest(conn: &mut Conn<'_>, team: TeamKey) -> Result<Option<(i64, Millis)>, StoreError> {
    conn.row(OLDEST, params![team], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The first event behind number `after` that happened at `at` or later.
///
/// # Errors
/// Of the engine.
pub fn first_since(conn: &mut Conn<'_>, team: TeamKey, after: i64, at: Millis) -> Result<Option<i64>, StoreError> {
    conn.row(FIRST_SINCE, params![team, after, at], |row| row.get(0))
}

/// Deletes the events numbered `from` (excluded) to `to` (included).
///
/// # Errors
/// Of the engine.
pub fn prune(tx: &mut Tx<'_>, team: TeamKey, from: i64, to: i64) -> Result<u64, StoreError> {
    tx.execute(PRUNE, params![team, to, from])
}
