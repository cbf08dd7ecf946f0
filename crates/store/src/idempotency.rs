//! First successful answers to requests that carried an idempotency key, stored with the write itself.

use trunkline_domain::{ApiKeyId, Millis};

use crate::engine::{Conn, StoreError, Tx};
use crate::{TeamKey, params};

/// A stored answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRow {
    /// The API key that asked.
    pub api_key: ApiKeyId,
    /// The client's key.
    pub key: String,
    /// Method and path; empty once a person was erased whom it told of.
    pub request: String,
    /// Hash of the body.
    pub fingerprint: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// Parameters that were ignored, as the header says it.
    pub ignored: Option<String>,
    /// The answer's body.
    pub body: String,
    /// When it was given.
    pub created_at: Millis,
}

statements! {
    GET =
        "SELECT request, fingerprint, status, ignored, body, created_at FROM idempotency
          WHERE team_id = $1 AND api_key = $2 AND key IN ($3, $4) AND created_at > $5";
    DELETE = "DELETE FROM idempotency WHERE team_id = $1 AND api_key = $2 AND key = $3 AND created_at <= $4";
    INSERT =
        "INSERT INTO idempotency (team_id, api_key, key, request, fingerprint, status, ignored, body, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    PRUNE = "DELETE FROM idempotency WHERE team_id = $1 AND created_at <= $2";
}

/// The answer stored for this key after `since`, also if the key told of a person who was erased meanwhile: it is stored
/// under the key's `fingerprint` then.
///
/// # Errors
/// Of the engine.
pub fn get(
    conn: &mut Conn<'_>,
    team: TeamKey,
    api_key: ApiKeyId,
    (key, fingerprint): (&str, &str),
    since: Millis,
) -> Result<Option<IdempotencyRow>, StoreError> {
    conn.row(GET, params![team, api_key, key, fingerprint, since], |row| {
        Ok(IdempotencyRow {
            api_key,
            key: key.to_owned(),
            request: row.get(0)?,
            fingerprint: row.get(1)?,
            status: u16::try_from(row.get::<i64>(2)?).unwrap_or(200),
            ignored: row.get(3)?,
            body: row.get(4)?,
            created_at: row.get(5)?,
        })
    })
}

/// Stores an answer, in the transaction of the write. One that is older than `since` is replaced.
///
/// # Errors
/// [`StoreError::Duplicate`] when another request with this key was faster.
pub fn put(tx: &mut Tx<'_>, team: TeamKey, row: &IdempotencyRow, since: Millis) -> Result<(), StoreError> {
    tx.execute(DELETE, params![team, row.api_key, &row.key, since])?;
    tx.execute(
        INSERT,
        params![
            team,
            row.api_key,
            &row.key,
            &row.request,
            &row.fingerprint,
            row.status,
            row.ignored.as_deref(),
            &row.body,
            row.created_at
        ],
    )
    .map(drop)
}

/// Deletes answers of the team given at `until` or earlier.
///
/// # Errors
/// Of the engine.
pub fn prune(tx: &mut Tx<'_>, team: TeamKey, until: Millis) -> Result<u64, StoreError> {
    tx.execute(PRUNE, params![team, until])
}
