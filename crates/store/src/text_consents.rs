//! Who wants no texts from which line, by their own word.

use trunkline_domain::{Millis, PhoneNumber};

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// How an outside number stands to the texts of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsentRow {
    /// Whether they want none.
    pub opted_out: bool,
    /// When that changed last.
    pub changed_at: Option<Millis>,
    /// The item of the text that changed it.
    pub item: Option<i64>,
    /// When a HELP of theirs was answered last.
    pub help_at: Option<Millis>,
}

statements! {
    GET =
        "SELECT opted_out, changed_at, item, help_at
           FROM text_consents WHERE team_id = $1 AND contact_number = $2 AND line = $3";
    PUT =
        "INSERT INTO text_consents (team_id, contact_number, line, opted_out, changed_at, item, help_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (team_id, contact_number, line) DO UPDATE
            SET opted_out = excluded.opted_out, changed_at = excluded.changed_at, item = excluded.item,
                help_at = excluded.help_at";
}

fn map(row: &Row<'_>) -> Result<ConsentRow, StoreError> {
    Ok(ConsentRow { opted_out: row.get(0)?, changed_at: row.get(1)?, item: row.get(2)?, help_at: row.get(3)? })
}

/// How `contact` stands to the texts of `line`; who never wrote a keyword has no row.
///
/// # Errors
/// Of the engine.
pub fn get(
    conn: &mut Conn<'_>,
    team: TeamKey,
    contact: PhoneNumber,
    line: i64,
) -> Result<Option<ConsentRow>, StoreError> {
    conn.row(GET, params![team, contact, line], map)
}

/// How a number that was erased stands to the texts of `line`, by its fingerprint.
///
/// # Errors
/// Of the engine.
pub fn of_erased(
    conn: &mut Conn<'_>,
    team: TeamKey,
    fingerprint: &str,
    line: i64,
) -> Result<Option<ConsentRow>, StoreError> {
    conn.row(GET, params![team, fingerprint, line], map)
}

/// Stores how `contact` stands to the texts of `line` from now on.
///
/// # Errors
/// Of the engine.
pub fn put(
    tx: &mut Tx<'_>,
    team: TeamKey,
    contact: PhoneNumber,
    line: i64,
    consent: ConsentRow,
) -> Result<(), StoreError> {
    let ConsentRow { opted_out, changed_at, item, help_at } = consent;
    tx.execute(PUT, params![team, contact, line, opted_out, changed_at, item, help_at]).map(drop)
}
