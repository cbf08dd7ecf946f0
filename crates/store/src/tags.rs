//! The tags of a team, and which items carry them.

use trunkline_domain::{Millis, TagId};

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagRow {
    /// Lower-case slug, unique in the team.
    pub key: String,
    /// Public id.
    pub id: TagId,
    /// What people call it.
    pub name: String,
    /// `#RRGGBB`.
    pub color: String,
    /// When it was made.
    pub created_at: Millis,
    /// When a call is to get the tag, in words for whoever reads the transcript.
    pub prompt: Option<String>,
}

statements! {
    INSERT = 
        "INSERT INTO tags (team_id, key, id, name, color, created_at, prompt) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    UPDATE = "UPDATE tags SET name = $1, color = $2, prompt = $3 WHERE team_id = $4 AND key = $5";
    DELETE = "DELETE FROM tags WHERE team_id = $1 AND key = $2";
    GET = "SELECT key, id, name, color, created_at, prompt FROM tags WHERE team_id = $1 AND key = $2";
    BY_ID = "SELECT key, id, name, color, created_at, prompt FROM tags WHERE team_id = $1 AND id = $2";
    LIST = "SELECT key, id, name, color, created_at, prompt FROM tags WHERE team_id = $1 ORDER BY created_at, key";
    COUNT = "SELECT COUNT(*) FROM tags WHERE team_id = $1";
    PUT_ON = "INSERT INTO item_tags (team_id, tag, at, seq) VALUES ($1, $2, $3, $4)";
    TAKE_OFF = "DELETE FROM item_tags WHERE team_id = $1 AND tag = $2 AND at = $3 AND seq = $4";
}

/// Stores a new tag.
///
/// # Errors
/// [`StoreError::Duplicate`] when the key is taken.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, tag: &TagRow) -> Result<(), StoreError> {
    let TagRow { key, id, name, color, created_at, prompt } = tag;
    tx.execute(INSERT, params![team, key, *id, name, color, *created_at, prompt.as_deref()]).map(drop)
}

/// Changes everything about a tag but its key, its id and its age.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, tag: &TagRow) -> Result<(), StoreError> {
    let TagRow { key, name, color, prompt, .. } = tag;
    tx.execute(UPDATE, params![name, color, prompt.as_deref(), team, key]).map(drop)
}

/// Takes a tag away from the team. Items that carry it keep it.
///
/// # Errors
/// Of the engine.
pub fn delete(tx: &mut Tx<'_>, team: TeamKey, key: &str) -> Result<(), StoreError> {
    tx.execute(DELETE, params![team, key]).map(drop)
}

fn map(row: &Row<'_>) -> Result<TagRow, StoreError> {
    Ok(TagRow {
        key: row.get(0)?,
        id: row.get(1)?,
        name: row.get(2)?,
        color: row.get(3)?,
        created_at: row.get(4)?,
        prompt: row.get(5)?,
    })
}

/// The tag with this key.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, key: &str) -> Result<Option<TagRow>, StoreError> {
    conn.row(GET, params![team, key], map)
}

/// The tag with this id.
///
/// # Errors
/// Of the engine.
pub fn by_id(conn: &mut Conn<'_>, team: TeamKey, id: TagId) -> Result<Option<TagRow>, StoreError> {
    conn.row(BY_ID, params![team, id], map)
}

/// All tags of the team, oldest first.
///
/// # Errors
/// Of the engine.
pub fn list(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<TagRow>, StoreError> {
    conn.rows(LIST, params![team], map)
}

/// How many tags the team has.
///
/// # Errors
/// Of the engine.
pub fn count(conn: &mut Conn<'_>, team: TeamKey) -> Result<i64, StoreError> {
    Ok(conn.row(COUNT, params![team], |row| row.get(0))?.unwrap_or(0))
}

/// Enters that an item carries a tag.
///
/// # Errors
/// [`StoreError::Duplicate`] when it does already.
pub fn put_on(tx: &mut Tx<'_>, team: TeamKey, key: &str, at: Millis, seq: i64) -> Result<(), StoreError> {
    tx.execute(PUT_ON, params![team, key, at, seq]).map(drop)
}

/// Removes that an item carries a tag; tells whether it did.
///
/// # Errors
/// Of the engine.
pub fn take_off(tx: &mut Tx<'_>, team: TeamKey, key: &str, at: Millis, seq: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(TAKE_OFF, params![team, key, at, seq])? > 0)
}
