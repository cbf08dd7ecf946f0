//! Finds a team by what the outside knows of it: the hash of an API key, a phone number.

use trunkline_domain::PhoneNumber;

use crate::engine::{Conn, StoreError, Tx};
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
    REMOVE = "DELETE FROM directory WHERE kind = $1 AND key = $2";
    FIND = "SELECT team_id FROM directory WHERE kind = $1 AND key = $2";
}

/// Enters it.
///
/// # Errors
/// [`StoreError::Duplicate`] when it leads to a team already.
pub fn put(tx: &mut Tx<'_>, entry: &Entry<'_>, team: TeamKey) -> Result<(), StoreError> {
    let (kind, key) = entry.parts();
    tx.execute(PUT, params![kind, key, team]).map(drop)
}

/// Takes it out: it leads nowhere from now on.
///
/// # Errors
/// Of the engine.
pub fn remove(tx: &mut Tx<'_>, entry: &Entry<'_>) -> Result<(), StoreError> {
    let (kind, key) = entry.parts();
    tx.execute(REMOVE, params![kind, key]).map(drop)
}

/// The team it leads to.
///
/// # Errors
/// Of the engine.
pub fn find(conn: &mut Conn<'_>, entry: &Entry<'_>) -> Result<Option<TeamKey>, StoreError> {
    let (kind, key) = entry.parts();
    conn.row(FIND, params![kind, key], |row| row.get(0))
}
