//! Invitations to a team that were neither accepted nor withdrawn. Of what opens one there is a hash only.

use trunkline_domain::{InvitationDelivery, InvitationId, Millis, Role, ScopeSet, UserId};

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::keys::scopes;
use crate::{TeamKey, directory, params};

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationRow {
    /// Public id.
    pub id: InvitationId,
    /// Whom it is for; unique in the team.
    pub email: String,
    /// What they are called, if that was said.
    pub name: Option<String>,
    /// What they may do in the team.
    pub role: Role,
    /// SHA-256 of the token, in hex.
    pub hash: String,
    /// Who invites; `None` for the operator.
    pub invited_by: Option<UserId>,
    /// When it was made.
    pub created_at: Millis,
    /// From when it cannot be accepted.
    pub expires_at: Millis,
    /// What the first key of the user opens; empty: there is no key.
    pub scopes: ScopeSet,
    /// From when that key opens nothing; `None`: it has no end.
    pub key_until: Option<Millis>,
    /// How the link gets to them.
    pub delivery: InvitationDelivery,
    /// When it was asked for last that the link gets to them.
    pub asked_at: Millis,
    /// When the last mail with it was handed to the mail server.
    pub mailed_at: Option<Millis>,
}

statements! {
    INSERT =
        "INSERT INTO invitations (team_id, id, email, name, role, hash, invited_by, created_at, expires_at, scopes,
                                  key_until, delivery, asked_at, mailed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    DELETE = "DELETE FROM invitations WHERE team_id = $1 AND id = $2";
    GET =
        "SELECT id, email, name, role, hash, invited_by, created_at, expires_at, scopes, key_until, delivery, asked_at, mailed_at
           FROM invitations WHERE team_id = $1 AND id = $2";
    BY_EMAIL =
        "SELECT id, email, name, role, hash, invited_by, created_at, expires_at, scopes, key_until, delivery, asked_at, mailed_at
           FROM invitations WHERE team_id = $1 AND email = $2";
    BY_HASH =
        "SELECT id, email, name, role, hash, invited_by, created_at, expires_at, scopes, key_until, delivery, asked_at, mailed_at
           FROM invitations WHERE team_id = $1 AND hash = $2";
    EXPIRED = "SELECT 1 FROM invitations WHERE team_id = $1 AND expires_at < $2 LIMIT 1";
    LIST =
        "SELECT id, email, name, role, hash, invited_by, created_at, expires_at, scopes, key_until, delivery, asked_at, mailed_at
           FROM invitations WHERE team_id = $1";
}

/// Stores a new invitation.
///
/// # Errors
/// [`StoreError::Duplicate`] when the address is invited, or the hash is known.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, row: &InvitationRow) -> Result<(), StoreError> {
    directory::put(tx, &directory::Entry::InvitationHash(&row.hash), team)?;
    let scopes = row.scopes.names().join(",");
    let values = params![
        team,
        row.id,
        &row.email,
        row.name.as_deref(),
        row.role,
        &row.hash,
        row.invited_by,
        row.created_at,
        row.expires_at,
        scopes,
        row.key_until,
        row.delivery,
        row.asked_at,
        row.mailed_at
    ];
    tx.execute(INSERT, values).map(drop)
}

fn map(row: &Row<'_>) -> Result<InvitationRow, StoreError> {
    Ok(InvitationRow {
        id: row.get(0)?,
        email: row.get(1)?,
        name: row.get(2)?,
        role: row.get(3)?,
        hash: row.get(4)?,
        invited_by: row.get(5)?,
        created_at: row.get(6)?,
        expires_at: row.get(7)?,
        scopes: scopes(row, 8)?,
        key_until: row.get(9)?,
        delivery: row.get(10)?,
        asked_at: row.get(11)?,
        mailed_at: row.get(12)?,
    })
}

/// Stores an invitation as it is now, in place of `before`.
///
/// # Errors
/// As [`insert`].
pub fn replace(
    tx: &mut Tx<'_>,
    team: TeamKey,
    before: &InvitationRow,
    after: &InvitationRow,
) -> Result<(), StoreError> {
    delete(tx, team, before)?;
    insert(tx, team, after)
}

/// Forgets an invitation: its token leads nowhere from now on.
///
/// # Errors
/// Of the engine.
pub fn delete(tx: &mut Tx<'_>, team: TeamKey, row: &InvitationRow) -> Result<(), StoreError> {
    directory::remove(tx, &directory::Entry::InvitationHash(&row.hash))?;
    tx.execute(DELETE, params![team, row.id]).map(drop)
}

/// The invitation with this id.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, id: InvitationId) -> Result<Option<InvitationRow>, StoreError> {
    conn.row(GET, params![team, id], map)
}

/// The invitation for this address.
///
/// # Errors
/// Of the engine.
pub fn by_email(conn: &mut Conn<'_>, team: TeamKey, email: &str) -> Result<Option<InvitationRow>, StoreError> {
    conn.row(BY_EMAIL, params![team, email], map)
}

/// The invitation whose token has this hash.
///
/// # Errors
/// Of the engine.
pub fn by_hash(conn: &mut Conn<'_>, team: TeamKey, hash: &str) -> Result<Option<InvitationRow>, StoreError> {
    conn.row(BY_HASH, params![team, hash], map)
}

/// Whether the team has invitations that expired before `before`.
///
/// # Errors
/// Of the engine.
pub fn has_expired(conn: &mut Conn<'_>, team: TeamKey, before: Millis) -> Result<bool, StoreError> {
    Ok(conn.row(EXPIRED, params![team, before], |row| row.get::<i64>(0))?.is_some())
}

/// All invitations of the team, oldest first.
///
/// # Errors
/// Of the engine.
pub fn list(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<InvitationRow>, StoreError> {
    let mut rows = conn.rows(LIST, params![team], map)?;
    rows.sort_by_key(|row| (row.created_at, row.id));
    Ok(rows)
}
