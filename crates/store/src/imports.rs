//! Imports of people: how far each has come, and the rows that wait.

use trunkline_domain::{ErrorCode, ImportId, Millis};

use crate::engine::{Conn, Json, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// A row that was not imported, and why.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RowError {
    /// Its line in the file, from 1.
    pub row: u64,
    /// The field that is to blame.
    pub param: Option<String>,
    /// The name of an [`ErrorCode`].
    pub code: String,
    /// What is wrong.
    pub message: String,
}

impl RowError {
    /// An error of a row.
    #[must_use]
    pub fn new(row: u64, param: Option<&str>, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { row, param: param.map(str::to_owned), code: code.as_str().to_owned(), message: message.into() }
    }
}

/// An import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    /// Public id.
    pub id: ImportId,
    /// Rows in the file.
    pub total: i64,
    /// Rows that were looked at.
    pub done: i64,
    /// People that were made.
    pub created: i64,
    /// People that were changed.
    pub updated: i64,
    /// People that were like that already.
    pub unchanged: i64,
    /// Rows that were not imported.
    pub failed: i64,
    /// The first of these, with what is wrong.
    pub errors: Vec<RowError>,
    /// When it was begun.
    pub created_at: Millis,
    /// When it was done.
    pub finished_at: Option<Millis>,
}

statements! {
    INSERT =
        "INSERT INTO imports (team_id, id, state, total, done, created, updated, unchanged, failed, errors, created_at)
         VALUES ($1, $2, 'RUNNING', $3, $4, $5, $6, $7, $8, $9, $10)";
    UPDATE =
        "UPDATE imports
            SET state = $1, done = $2, created = $3, updated = $4, unchanged = $5, failed = $6, errors = $7,
                finished_at = $8
          WHERE team_id = $9 AND id = $10";
    GET =
        "SELECT id, total, done, created, updated, unchanged, failed, errors, created_at, finished_at
           FROM imports WHERE team_id = $1 AND id = $2";
    PRUNE = "DELETE FROM imports WHERE team_id = $1 AND finished_at < $2";
    INSERT_CHUNK = "INSERT INTO import_chunks (team_id, id, chunk, rows) VALUES ($1, $2, $3, $4)";
    NEXT_CHUNK = "SELECT chunk, rows FROM import_chunks WHERE team_id = $1 AND id = $2 ORDER BY chunk LIMIT 1";
    DELETE_CHUNK = "DELETE FROM import_chunks WHERE team_id = $1 AND id = $2 AND chunk = $3";
}

fn map(row: &Row<'_>) -> Result<ImportRow, StoreError> {
    Ok(ImportRow {
        id: row.get(0)?,
        total: row.get(1)?,
        done: row.get(2)?,
        created: row.get(3)?,
        updated: row.get(4)?,
        unchanged: row.get(5)?,
        failed: row.get(6)?,
        errors: row.get::<Option<Json<_>>>(7)?.map(|json| json.0).unwrap_or_default(),
        created_at: row.get(8)?,
        finished_at: row.get(9)?,
    })
}

/// Stores a new import.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, import: &ImportRow) -> Result<(), StoreError> {
    let values = params![
        team,
        import.id,
        import.total,
        import.done,
        import.created,
        import.updated,
        import.unchanged,
        import.failed,
        &Json(&import.errors),
        import.created_at
    ];
    tx.execute(INSERT, values).map(drop)
}

/// Stores how far an import has come.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, import: &ImportRow) -> Result<(), StoreError> {
    let values = params![
        if import.finished_at.is_some() { "DONE" } else { "RUNNING" },
        import.done,
        import.created,
        import.updated,
        import.unchanged,
        import.failed,
        &Json(&import.errors),
        import.finished_at,
        team,
        import.id
    ];
    tx.execute(UPDATE, values).map(drop)
}

/// The import with this id.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, id: ImportId) -> Result<Option<ImportRow>, StoreError> {
    conn.row(GET, params![team, id], map)
}

/// Deletes imports that were finished before `before`. Returns how many.
///
/// # Errors
/// Of the engine.
pub fn prune(tx: &mut Tx<'_>, team: TeamKey, before: Millis) -> Result<u64, StoreError> {
    tx.execute(PRUNE, params![team, before])
}

/// Stores rows (JSON) that wait to be imported.
///
/// # Errors
/// [`StoreError::Duplicate`] when the number of the chunk is taken.
pub fn insert_chunk(tx: &mut Tx<'_>, team: TeamKey, id: ImportId, chunk: i64, rows: &str) -> Result<(), StoreError> {
    tx.execute(INSERT_CHUNK, params![team, id, chunk, rows]).map(drop)
}

/// The next rows that wait, with the number of their chunk.
///
/// # Errors
/// Of the engine.
pub fn next_chunk(conn: &mut Conn<'_>, team: TeamKey, id: ImportId) -> Result<Option<(i64, String)>, StoreError> {
    conn.row(NEXT_CHUNK, params![team, id], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Removes rows that were imported.
///
/// # Errors
/// Of the engine.
pub fn delete_chunk(tx: &mut Tx<'_>, team: TeamKey, id: ImportId, chunk: i64) -> Result<(), StoreError> {
    tx.execute(DELETE_CHUNK, params![team, id, chunk]).map(drop)
}
