//! Finds a team by what the outside knows of it: the hash of an API key, a phone number.

use trunkline_domain::{Millis, PhoneNumber};

use crate::engine::{Conn, Json, StoreError, Tx};
use crate::{TeamKey, params};

/// What leads to a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry<'e> {
    /// The hash of an API key.
    KeyHash(&'e str),
    /// A number; one number belongs to one team.
    Number(PhoneNumber),
    /// The hash of the token of an invitation.
    InvitationHash(&'e str),
}

impl Entry<'_> {
    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::KeyHash(hash) => ("key", hash),
            Self::Number(number) => ("number", number.as_str()),
            Self::InvitationHash(hash) => ("invitation", hash),
        }
    }
}

statements! {
    PUT = "INSERT INTO directory (kind, key, team_id) VALUES ($1, $2, $3)";
    PUT_RELEASED =
        "UPDATE directory SET team_id = $1, released_at = NULL WHERE kind = $2 AND key = $3 AND released_at IS NOT NULL";
    RELEASE = "UPDATE directory SET released_at = $1 WHERE kind = $2 AND key = $3 AND team_id = $4 AND released_at IS NULL";
    REMOVE = "DELETE FROM directory WHERE kind = $1 AND key = $2";
    CLAIM = "INSERT INTO directory (kind, key, team_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    TAKE_OVER =
        "UPDATE directory SET team_id = $1, released_at = NULL
          WHERE kind = $2 AND key = $3
            AND COALESCE(released_at, (SELECT t.closed_at FROM teams t WHERE t.team_id = directory.team_id)) <= $4";
    TAKEN =
        "SELECT d.key FROM directory d LEFT JOIN teams t ON t.team_id = d.team_id
          WHERE d.kind = $1 AND d.key IN (SELECT value FROM json_each(CAST($2 AS TEXT)))
            AND (COALESCE(d.released_at, t.closed_at) IS NULL OR COALESCE(d.released_at, t.closed_at) > $3)";
    FIND = "SELECT team_id FROM directory WHERE kind = $1 AND key = $2 AND released_at IS NULL";
}

/// Enters it.
///
/// # Errors
/// [`StoreError::Duplicate`] when it leads to a team already.
pub fn put(tx: &mut Tx<'_>, entry: &Entry<'_>, team: TeamKey) -> Result<(), StoreError> {
    let (kind, key) = entry.parts();
    if matches!(entry, Entry::Number(_)) && tx.execute(PUT_RELEASED, params![team, kind, key])? > 0 {
        return Ok(());
    }
    tx.execute(PUT, params![kind, key, team]).map(drop)
}

/// Lets a number of the team lead nowhere from now on, and remembers since when: see [`claim`].
///
/// # Errors
/// Of the engine.
pub fn release(tx: &mut Tx<'_>, number: PhoneNumber, team: TeamKey, now: Millis) -> Result<(), StoreError> {
    let entry = Entry::Number(number);
    let (kind, key) = entry.parts();
    tx.execute(RELEASE, params![now, kind, key, team]).map(drop)
}

/// Takes it out: it leads nowhere from now on.
///
/// # Errors
/// Of the engine.
pub fn remove(tx: &mut Tx<'_>, entry: &Entry<'_>) -> Result<(), StoreError> {
    let (kind, key) = entry.parts();
    tx.execute(REMOVE, params![kind, key]).map(drop)
}

/// Gives a number to a team, if it was nobody's yet, or was released, or its team closed, by `before`. Tells whether it did: of
/// several that claim a number at once, one gets it.
///
/// # Errors
/// Of the engine.
pub fn claim(tx: &mut Tx<'_>, number: PhoneNumber, team: TeamKey, before: Millis) -> Result<bool, StoreError> {
    let entry = Entry::Number(number);
    let (kind, key) = entry.parts();
    Ok(tx.execute(CLAIM, params![kind, key, team])? > 0
        || tx.execute(TAKE_OVER, params![team, kind, key, before])? > 0)
}

/// Which of these numbers are somebody's: all but those that [`claim`] would give.
///
/// # Errors
/// Of the engine.
pub fn taken(conn: &mut Conn<'_>, numbers: &[PhoneNumber], before: Millis) -> Result<Vec<PhoneNumber>, StoreError> {
    conn.rows(TAKEN, params!["number", &Json(numbers), before], |row| row.get(0))
}

/// The team it leads to.
///
/// # Errors
/// Of the engine.
pub fn find(conn: &mut Conn<'_>, entry: &Entry<'_>) -> Result<Option<TeamKey>, StoreError> {
    let (kind, key) = entry.parts();
    conn.row(FIND, params![kind, key], |row| row.get(0))
}
