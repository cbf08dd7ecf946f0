//! The people of a team.

use trunkline_domain::{Millis, Role, UserId, UserStatus};

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Public id.
    pub id: UserId,
    /// Name.
    pub name: String,
    /// E-mail address, unique in the team.
    pub email: String,
    /// What the user may do.
    pub role: Role,
    /// Whether the user may use the product.
    pub status: UserStatus,
    /// Picture.
    pub image_url: Option<String>,
    /// When the user was made.
    pub created_at: Millis,
    /// Since when the user is blocked, where that is known.
    pub blocked_at: Option<Millis>,
}

statements! {
    INSERT =
        "INSERT INTO users (team_id, id, name, email, role, status, image_url, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    UPDATE =
        "UPDATE users SET name = $1, role = $2, status = $3, blocked_at = $4 WHERE team_id = $5 AND id = $6";
    ACTIVE_WITH_ROLE = "SELECT COUNT(*) FROM users WHERE team_id = $1 AND role = $2 AND status = 'ACTIVE'";
    COUNT = "SELECT COUNT(*) FROM users WHERE team_id = $1";
    GET =
        "SELECT id, name, email, role, status, image_url, created_at, blocked_at FROM users WHERE team_id = $1 AND id = $2";
    BY_EMAIL =
        "SELECT id, name, email, role, status, image_url, created_at, blocked_at FROM users WHERE team_id = $1 AND email = $2";
    LIST =
        "SELECT id, name, email, role, status, image_url, created_at, blocked_at
           FROM users WHERE team_id = $1 ORDER BY created_at, id";
}

/// Stores a new user.
///
/// # Errors
/// [`StoreError::Duplicate`] when the team has a user with this e-mail address.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, user: &UserRow) -> Result<(), StoreError> {
    let UserRow { id, name, email, role, status, image_url, created_at, .. } = user;
    tx.execute(INSERT, params![team, *id, name, email, *role, *status, image_url.as_deref(), *created_at]).map(drop)
}

fn map(row: &Row<'_>) -> Result<UserRow, StoreError> {
    Ok(UserRow {
        id: row.get(0)?,
        name: row.get(1)?,
        email: row.get(2)?,
        role: row.get(3)?,
        status: row.get(4)?,
        image_url: row.get(5)?,
        created_at: row.get(6)?,
        blocked_at: row.get(7)?,
    })
}

/// Changes a user's name, role and status. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, user: &UserRow) -> Result<(), StoreError> {
    let UserRow { id, name, role, status, blocked_at, .. } = user;
    tx.execute(UPDATE, params![name, *role, *status, *blocked_at, team, *id]).map(drop)
}

/// How many users of the team have this role and are not blocked.
///
/// # Errors
/// Of the engine.
pub fn active_with(conn: &mut Conn<'_>, team: TeamKey, role: Role) -> Result<i64, StoreError> {
    Ok(conn.row(ACTIVE_WITH_ROLE, params![team, role], |row| row.get(0))?.unwrap_or(0))
}

/// How many users the team has, blocked ones included.
///
/// # Errors
/// Of the engine.
pub fn count(conn: &mut Conn<'_>, team: TeamKey) -> Result<i64, StoreError> {
    Ok(conn.row(COUNT, params![team], |row| row.get(0))?.unwrap_or(0))
}

/// The user with this id.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, id: UserId) -> Result<Option<UserRow>, StoreError> {
    conn.row(GET, params![team, id], map)
}

/// The user with this e-mail address.
///
/// # Errors
/// Of the engine.
pub fn by_email(conn: &mut Conn<'_>, team: TeamKey, email: &str) -> Result<Option<UserRow>, StoreError> {
    conn.row(BY_EMAIL, params![team, email], map)
}

/// All users of the team, oldest first.
///
/// # Errors
/// Of the engine.
pub fn list(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<UserRow>, StoreError> {
    conn.rows(LIST, params![team], map)
}
