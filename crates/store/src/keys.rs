//! API keys: stored as hashes, never as themselves.

use trunkline_domain::{ApiKeyId, Millis, Plan, Role, ScopeSet, TeamId, UserId, UserStatus};

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::{TeamKey, directory, params};

/// An API key without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Public id.
    pub id: ApiKeyId,
    /// Who made it.
    pub user_id: UserId,
    /// What for.
    pub name: String,
    /// SHA-256 of the key, in hex.
    pub hash: String,
    /// The last four characters, to tell keys apart.
    pub hint: String,
    /// What it opens.
    pub scopes: ScopeSet,
    /// When it was made.
    pub created_at: Millis,
    /// Since when it opens nothing.
    pub revoked_at: Option<Millis>,
    /// From when it opens nothing; `None`: it has no end.
    pub expires_at: Option<Millis>,
    /// When it was last used, to within a minute.
    pub last_used_at: Option<Millis>,
}

/// Everything a request needs to know about its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOwner {
    /// The team.
    pub team: TeamKey,
    /// Its public id.
    pub team_id: TeamId,
    /// Its name.
    pub team_name: String,
    /// What it pays for.
    pub plan: Plan,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// Its country.
    pub country: String,
    /// Whether the outside world is the sandbox.
    pub sandbox: bool,
    /// GET requests in a second.
    pub read_per_second: i64,
    /// Other requests in a second.
    pub write_per_second: i64,
    /// Whether tagging with an unknown tag creates the tag.
    pub create_tags: bool,
    /// The key.
    pub key_id: ApiKeyId,
    /// Who made it.
    pub user_id: UserId,
    /// Their name.
    pub user_name: String,
    /// Their e-mail address.
    pub user_email: String,
    /// What they may do in the team.
    pub user_role: Role,
    /// Whether they may use the product.
    pub user_status: UserStatus,
    /// What the key opens.
    pub scopes: ScopeSet,
    /// Since when it opens nothing.
    pub revoked_at: Option<Millis>,
    /// From when it opens nothing; `None`: it has no end.
    pub expires_at: Option<Millis>,
    /// When it was last used, to within a minute.
    pub last_used_at: Option<Millis>,
    /// Since when no key of the team opens anything, for the time being.
    pub suspended_at: Option<Millis>,
    /// Since when no key of the team opens anything, for good.
    pub closed_at: Option<Millis>,
}

statements! {
    INSERT =
        "INSERT INTO api_keys (team_id, id, user_id, name, hash, hint, scopes, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    LIST =
        "SELECT id, user_id, name, hash, hint, scopes, created_at, revoked_at, expires_at, last_used_at
           FROM api_keys WHERE team_id = $1 ORDER BY created_at, id";
    GET =
        "SELECT id, user_id, name, hash, hint, scopes, created_at, revoked_at, expires_at, last_used_at
           FROM api_keys WHERE team_id = $1 AND id = $2";
    DELETE = "DELETE FROM api_keys WHERE team_id = $1 AND id = $2";
    TOUCH =
        "UPDATE api_keys SET last_used_at = $1
          WHERE team_id = $2 AND id = $3 AND (last_used_at IS NULL OR last_used_at <= $4)";
    REVOKE = "UPDATE api_keys SET revoked_at = $1 WHERE team_id = $2 AND id = $3 AND revoked_at IS NULL";
    OWNER =
        "SELECT k.team_id, t.id, t.name, t.plan, t.time_zone, t.country, t.sandbox, t.read_per_second,
                t.write_per_second, t.create_tags, k.id, k.user_id, u.name, u.email, u.status, k.scopes, k.revoked_at,
                u.role, k.expires_at, k.last_used_at, t.suspended_at, t.closed_at
           FROM api_keys k
           JOIN teams t ON t.team_id = k.team_id
           JOIN users u ON u.team_id = k.team_id AND u.id = k.user_id
          WHERE k.team_id = $1 AND k.hash = $2";
}

/// Stores a new key.
///
/// # Errors
/// [`StoreError::Duplicate`] when the hash is known.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, key: &KeyRow) -> Result<(), StoreError> {
    directory::put(tx, &directory::Entry::KeyHash(&key.hash), team)?;
    let scopes = key.scopes.names().join(",");
    let KeyRow { id, user_id, name, hash, hint, created_at, expires_at, .. } = key;
    tx.execute(INSERT, params![team, *id, *user_id, name, hash, hint, scopes, *created_at, *expires_at]).map(drop)
}

/// The scopes in a column.
pub(crate) fn scopes(row: &Row<'_>, index: usize) -> Result<ScopeSet, StoreError> {
    // A scope that a newer version knew and this one does not opens nothing here.
    let names: String = row.get(index)?;
    Ok(names.split(',').filter_map(|name| name.parse().ok()).collect())
}

fn map(row: &Row<'_>) -> Result<KeyRow, StoreError> {
    Ok(KeyRow {
        id: row.get(0)?,
        user_id: row.get(1)?,
        name: row.get(2)?,
        hash: row.get(3)?,
        hint: row.get(4)?,
        scopes: scopes(row, 5)?,
        created_at: row.get(6)?,
        revoked_at: row.get(7)?,
        expires_at: row.get(8)?,
        last_used_at: row.get(9)?,
    })
}

/// All keys of the team, oldest first.
///
/// # Errors
/// Of the engine.
pub fn list(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<KeyRow>, StoreError> {
    conn.rows(LIST, params![team], map)
}

/// The key with this id.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, id: ApiKeyId) -> Result<Option<KeyRow>, StoreError> {
    conn.row(GET, params![team, id], map)
}

/// Forgets a key: from now on it is one that never was.
///
/// # Errors
/// Of the engine.
pub fn delete(tx: &mut Tx<'_>, team: TeamKey, key: &KeyRow) -> Result<(), StoreError> {
    directory::remove(tx, &directory::Entry::KeyHash(&key.hash))?;
    tx.execute(DELETE, params![team, key.id]).map(drop)
}

/// Notes that a key was used at `at`, unless it is known that it was used after `before`. Tells whether that was noted.
///
/// # Errors
/// Of the engine.
pub fn touch(
    tx: &mut Tx<'_>,
    team: TeamKey,
    id: ApiKeyId,
    at: Millis,
    before: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.execute(TOUCH, params![at, team, id, before])? > 0)
}

/// Revokes a key; tells whether it was valid until now.
///
/// # Errors
/// Of the engine.
pub fn revoke(tx: &mut Tx<'_>, team: TeamKey, id: ApiKeyId, at: Millis) -> Result<bool, StoreError> {
    Ok(tx.execute(REVOKE, params![at, team, id])? > 0)
}

/// Whose key has this hash.
///
/// # Errors
/// Of the engine.
pub fn owner(conn: &mut Conn<'_>, hash: &str) -> Result<Option<KeyOwner>, StoreError> {
    let Some(team) = directory::find(conn, &directory::Entry::KeyHash(hash))? else { return Ok(None) };
    conn.row(OWNER, params![team, hash], |row| {
        Ok(KeyOwner {
            team: row.get(0)?,
            team_id: row.get(1)?,
            team_name: row.get(2)?,
            plan: row.get(3)?,
            time_zone: row.get(4)?,
            country: row.get(5)?,
            sandbox: row.get(6)?,
            read_per_second: row.get(7)?,
            write_per_second: row.get(8)?,
            create_tags: row.get(9)?,
            key_id: row.get(10)?,
            user_id: row.get(11)?,
            user_name: row.get(12)?,
            user_email: row.get(13)?,
            user_status: row.get(14)?,
            scopes: scopes(row, 15)?,
            revoked_at: row.get(16)?,
            user_role: row.get(17)?,
            expires_at: row.get(18)?,
            last_used_at: row.get(19)?,
            suspended_at: row.get(20)?,
            closed_at: row.get(21)?,
        })
    })
}
