//! Accounts that a team made for its customers, each a team of its own.

use trunkline_domain::{AccountStatus, ApiKeyId, Millis, PhoneNumber, TeamId, UserId};

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Public id: that of its first user.
    pub id: UserId,
    /// The API key that made it.
    pub key_id: ApiKeyId,
    /// The account's own team, by its public id: that stays the same wherever the partner's team is moved to.
    pub account: TeamId,
    /// Its login.
    pub email: String,
    /// The customer's name.
    pub name: String,
    /// A mobile of the customer's.
    pub personal_mobile: PhoneNumber,
    /// The number that it was given.
    pub number: PhoneNumber,
    /// The partner's own reference.
    pub client_ref: Option<String>,
    /// How it stands.
    pub status: AccountStatus,
    /// When it was made.
    pub created_at: Millis,
    /// When its status changed last.
    pub updated_at: Millis,
}

statements! {
    INSERT =
        "INSERT INTO partner_accounts (team_id, id, key_id, account, email, name, personal_mobile, number, client_ref,
                                       status, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    SET_STATUS = "UPDATE partner_accounts SET status = $1, updated_at = $2 WHERE team_id = $3 AND id = $4";
    GET =
        "SELECT id, key_id, account, email, name, personal_mobile, number, client_ref, status, created_at, updated_at
           FROM partner_accounts WHERE team_id = $1 AND id = $2";
    LIST =
        "SELECT id, key_id, account, email, name, personal_mobile, number, client_ref, status, created_at, updated_at
           FROM partner_accounts WHERE team_id = $1 ORDER BY created_at, id";
    HAND_OVER = "UPDATE partner_accounts SET key_id = $1 WHERE team_id = $2 AND key_id = $3";
    HAS_EMAIL = "SELECT 1 FROM partner_accounts WHERE team_id = $1 AND email = $2 AND status <> 'DEACTIVATED'";
    SEATS = "SELECT COUNT(*) FROM partner_accounts WHERE team_id = $1 AND status <> 'DEACTIVATED'";
}

fn map(row: &Row<'_>) -> Result<AccountRow, StoreError> {
    Ok(AccountRow {
        id: row.get(0)?,
        key_id: row.get(1)?,
        account: row.get(2)?,
        email: row.get(3)?,
        name: row.get(4)?,
        personal_mobile: row.get(5)?,
        number: row.get(6)?,
        client_ref: row.get(7)?,
        status: row.get(8)?,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
    })
}

/// Stores a new account.
///
/// # Errors
/// [`StoreError::Duplicate`] when the partner has an account with this login.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, row: &AccountRow) -> Result<(), StoreError> {
    let values = params![
        team,
        row.id,
        row.key_id,
        row.account,
        &row.email,
        &row.name,
        row.personal_mobile,
        row.number,
        row.client_ref.as_deref(),
        row.status,
        row.created_at,
        row.updated_at
    ];
    tx.execute(INSERT, values).map(drop)
}

/// Stores how an account stands.
///
/// # Errors
/// Of the engine.
pub fn set_status(tx: &mut Tx<'_>, team: TeamKey, row: &AccountRow) -> Result<(), StoreError> {
    tx.execute(SET_STATUS, params![row.status, row.updated_at, team, row.id]).map(drop)
}

/// The account with this id.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, id: UserId) -> Result<Option<AccountRow>, StoreError> {
    conn.row(GET, params![team, id], map)
}

/// All accounts of the partner, by when they were made.
///
/// # Errors
/// Of the engine.
pub fn list(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<AccountRow>, StoreError> {
    conn.rows(LIST, params![team], map)
}

/// Gives the accounts of one key to another. Returns how many there were.
///
/// # Errors
/// Of the engine.
pub fn hand_over(tx: &mut Tx<'_>, team: TeamKey, from: ApiKeyId, to: ApiKeyId) -> Result<u64, StoreError> {
    tx.execute(HAND_OVER, params![to, team, from])
}

/// Whether the partner has an account with this login that is not deactivated.
///
/// # Errors
/// Of the engine.
pub fn has_email(conn: &mut Conn<'_>, team: TeamKey, email: &str) -> Result<bool, StoreError> {
    Ok(conn.row(HAS_EMAIL, params![team, email], |row| row.get::<i64>(0))?.is_some())
}

/// How many accounts of the partner are not deactivated.
///
/// # Errors
/// Of the engine.
pub fn seats(conn: &mut Conn<'_>, team: TeamKey) -> Result<i64, StoreError> {
    Ok(conn.row(SEATS, params![team], |row| row.get(0))?.unwrap_or(0))
}
