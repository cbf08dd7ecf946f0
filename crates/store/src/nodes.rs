//! The processes that run calls, and when each was seen last.

use trunkline_domain::Millis;

use crate::engine::{Conn, StoreError, Tx};
use crate::params;

statements! {
    SEEN =
        "INSERT INTO nodes AS n (node, started_at, seen_at) VALUES ($1, $2, $2)
             ON CONFLICT (node) DO UPDATE SET seen_at = excluded.seen_at";
    GONE = "DELETE FROM nodes WHERE node = $1";
    ALIVE = "SELECT node FROM nodes WHERE seen_at > $1";
    PRUNE = "DELETE FROM nodes WHERE seen_at <= $1";
}

/// Says that the process is alive.
///
/// # Errors
/// Of the engine.
pub fn seen(tx: &mut Tx<'_>, node: &str, now: Millis) -> Result<(), StoreError> {
    tx.execute(SEEN, params![node, now]).map(drop)
}

/// The processes that were seen after `since`.
///
/// # Errors
/// Of the engine.
pub fn alive(conn: &mut Conn<'_>, since: Millis) -> Result<Vec<String>, StoreError> {
    conn.rows(ALIVE, params![since], |row| row.get(0))
}

/// Says that the process has ended.
///
/// # Errors
/// Of the engine.
pub fn gone(tx: &mut Tx<'_>, node: &str) -> Result<(), StoreError> {
    tx.execute(GONE, params![node]).map(drop)
}

/// Forgets processes last seen at `until` or earlier.
///
/// # Errors
/// Of the engine.
pub fn prune(tx: &mut Tx<'_>, until: Millis) -> Result<u64, StoreError> {
    tx.execute(PRUNE, params![until])
}
