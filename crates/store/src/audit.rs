//! Who changed keys and settings, and when.

use trunkline_domain::Millis;

use crate::engine::{Conn, StoreError, Tx};
use crate::{TeamKey, params};

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Unique in the team, sorts by time.
    pub id: String,
    /// When.
    pub at: Millis,
    /// Who: a user's id, or `operator` for the command line.
    pub actor: String,
    /// What was done, such as `key.created`.
    pub action: String,
    /// To what: an id.
    pub subject: String,
    /// More, as JSON; never a secret.
    pub detail: Option<String>,
}

statements! {
    INSERT = "INSERT INTO audit (team_id, id, at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    LIST = "SELECT id, at, actor, action, subject, detail FROM audit WHERE team_id = $1 ORDER BY id DESC LIMIT $2";
}

/// Stores an entry, in the transaction of the change.
///
/// # Errors
/// Of the engine.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, entry: &AuditRow) -> Result<(), StoreError> {
    let AuditRow { id, at, actor, action, subject, detail } = entry;
    tx.execute(INSERT, params![team, id, *at, actor, action, subject, detail.as_deref()]).map(drop)
}

/// At most `limit` entries, newest first.
///
/// # Errors
/// Of the engine.
pub fn list(conn: &mut Conn<'_>, team: TeamKey, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
    conn.rows(LIST, params![team, limit], |row| {
        Ok(AuditRow {
            id: row.get(0)?,
            at: row.get(1)?,
            actor: row.get(2)?,
            action: row.get(3)?,
            subject: row.get(4)?,
            detail: row.get(5)?,
        })
    })
}
