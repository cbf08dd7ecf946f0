//! Custom properties: the typed fields that people of a team may have beside the built-in ones.

use trunkline_domain::{Millis, PropertyType};

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// A typed custom property that people of the team may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyRow {
    /// The key, as it stands in events and API.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Its type.
    pub property_type: PropertyType,
    /// When it was defined.
    pub created_at: Millis,
}

statements! {
    INSERT = "INSERT INTO property_definitions (team_id, key, name, type, created_at) VALUES ($1, $2, $3, $4, $5)";
    LIST = "SELECT key, name, type, created_at FROM property_definitions WHERE team_id = $1 ORDER BY created_at, key";
    RENAME = "UPDATE property_definitions SET name = $1 WHERE team_id = $2 AND key = $3";
    DELETE = "DELETE FROM property_definitions WHERE team_id = $1 AND key = $2";
}

fn map(row: &Row<'_>) -> Result<PropertyRow, StoreError> {
    Ok(PropertyRow { key: row.get(0)?, name: row.get(1)?, property_type: row.get(2)?, created_at: row.get(3)? })
}

/// Defines a property.
///
/// # Errors
/// [`StoreError::Duplicate`] when the key is taken.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, property: &PropertyRow) -> Result<(), StoreError> {
    let PropertyRow { key, name, property_type, created_at } = property;
    tx.execute(INSERT, params![team, key, name, *property_type, *created_at]).map(drop)
}

/// The properties of the team, oldest first.
///
/// # Errors
/// Of the engine.
pub fn list(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<PropertyRow>, StoreError> {
    conn.rows(LIST, params![team], map)
}

/// Gives a property another name.
///
/// # Errors
/// Of the engine.
pub fn rename(tx: &mut Tx<'_>, team: TeamKey, key: &str, name: &str) -> Result<(), StoreError> {
    tx.execute(RENAME, params![name, team, key]).map(drop)
}

/// Takes a definition away. Values that people have of it are shown no more, and go when the person is next changed.
///
/// # Errors
/// Of the engine.
pub fn delete(tx: &mut Tx<'_>, team: TeamKey, key: &str) -> Result<(), StoreError> {
    tx.execute(DELETE, params![team, key]).map(drop)
}
