//! Media of texts that came in: where they come from, and whether they are kept here by now.

use trunkline_domain::{MediaId, MediaState};

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// A medium of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaRow {
    /// Its id, which it is kept under.
    pub id: MediaId,
    /// The team's number for the item it belongs to.
    pub seq: i64,
    /// Where the carrier has it.
    pub source: String,
    /// Whether it is kept here.
    pub state: MediaState,
    /// Its media type, once it is kept.
    pub content_type: Option<String>,
    /// Its size, once it is kept.
    pub bytes: Option<i64>,
    /// Why it could not be fetched.
    pub failure_reason: Option<String>,
}

statements! {
    INSERT = "INSERT INTO media (team_id, id, seq, source, state) VALUES ($1, $2, $3, $4, $5)";
    GET =
        "SELECT id, seq, source, state, content_type, bytes, failure_reason
           FROM media WHERE team_id = $1 AND id = $2";
    OF_ITEM =
        "SELECT id, seq, source, state, content_type, bytes, failure_reason
           FROM media WHERE team_id = $1 AND seq = $2 ORDER BY id";
    UPDATE =
        "UPDATE media SET state = $1, content_type = $2, bytes = $3, failure_reason = $4
          WHERE team_id = $5 AND id = $6";
}

/// Stores a medium that is to be fetched.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, media: &MediaRow) -> Result<(), StoreError> {
    let MediaRow { id, seq, source, state, .. } = media;
    tx.execute(INSERT, params![team, *id, *seq, source, *state]).map(drop)
}

/// Replaces what came of fetching it.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, media: &MediaRow) -> Result<(), StoreError> {
    let MediaRow { id, state, content_type, bytes, failure_reason, .. } = media;
    let (kind, reason) = (content_type.as_deref(), failure_reason.as_deref());
    tx.execute(UPDATE, params![*state, kind, *bytes, reason, team, *id]).map(drop)
}

fn map(row: &Row<'_>) -> Result<MediaRow, StoreError> {
    Ok(MediaRow {
        id: row.get(0)?,
        seq: row.get(1)?,
        source: row.get(2)?,
        state: row.get(3)?,
        content_type: row.get(4)?,
        bytes: row.get(5)?,
        failure_reason: row.get(6)?,
    })
}

/// The medium with this id.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, id: MediaId) -> Result<Option<MediaRow>, StoreError> {
    conn.row(GET, params![team, id], map)
}

/// The media of an item, in the order of their ids.
///
/// # Errors
/// Of the engine.
pub fn of_item(conn: &mut Conn<'_>, team: TeamKey, seq: i64) -> Result<Vec<MediaRow>, StoreError> {
    conn.rows(OF_ITEM, params![team, seq], map)
}
