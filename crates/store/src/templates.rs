//! Summary templates, and which of them the calls of a number are summed up by.

use trunkline_domain::template::Section;
use trunkline_domain::{Millis, TemplateId};

use crate::engine::{Conn, Json, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// A summary template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateRow {
    /// Public id.
    pub id: TemplateId,
    /// Name.
    pub name: String,
    /// What is to be known of the calls beforehand.
    pub call_context: Option<String>,
    /// An emoji or the like.
    pub icon: Option<String>,
    /// What a summary is made of, in order.
    pub sections: Vec<Section>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was changed last.
    pub updated_at: Millis,
}

statements! {
    INSERT =
        "INSERT INTO summary_templates (team_id, id, name, call_context, icon, sections, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    UPDATE =
        "UPDATE summary_templates SET name = $1, call_context = $2, icon = $3, sections = $4, updated_at = $5
          WHERE team_id = $6 AND id = $7";
    DELETE = "UPDATE summary_templates SET deleted_at = $1 WHERE team_id = $2 AND id = $3";
    GET =
        "SELECT id, name, call_context, icon, sections, created_at, updated_at
           FROM summary_templates WHERE team_id = $1 AND id = $2 AND deleted_at IS NULL";
    LIST =
        "SELECT id, name, call_context, icon, sections, created_at, updated_at
           FROM summary_templates WHERE team_id = $1 AND deleted_at IS NULL ORDER BY id";
    COUNT = "SELECT COUNT(*) FROM summary_templates WHERE team_id = $1 AND deleted_at IS NULL";
    SET_DEFAULT = "UPDATE numbers SET summary_template = $1 WHERE team_id = $2 AND line = $3";
    DEFAULT = "SELECT summary_template FROM numbers WHERE team_id = $1 AND line = $2";
    CLEAR_DEFAULT = "UPDATE numbers SET summary_template = NULL WHERE team_id = $1 AND summary_template = $2";
}

fn map(row: &Row<'_>) -> Result<TemplateRow, StoreError> {
    Ok(TemplateRow {
        id: row.get(0)?,
        name: row.get(1)?,
        call_context: row.get(2)?,
        icon: row.get(3)?,
        sections: row.get::<Json<_>>(4)?.0,
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
    })
}

/// Stores a new template.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, row: &TemplateRow) -> Result<(), StoreError> {
    let TemplateRow { id, name, call_context, icon, sections, created_at, updated_at } = row;
    let sections = Json(sections);
    let values =
        params![team, *id, name, call_context.as_deref(), icon.as_deref(), &sections, *created_at, *updated_at];
    tx.execute(INSERT, values).map(drop)
}

/// Replaces everything about a template but its id and its age.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, row: &TemplateRow) -> Result<(), StoreError> {
    let TemplateRow { id, name, call_context, icon, sections, updated_at, .. } = row;
    let sections = Json(sections);
    let values = params![name, call_context.as_deref(), icon.as_deref(), &sections, *updated_at, team, *id];
    tx.execute(UPDATE, values).map(drop)
}

/// Marks a template as deleted, and takes it from the numbers that have it as default.
///
/// # Errors
/// Of the engine.
pub fn delete(tx: &mut Tx<'_>, team: TeamKey, id: TemplateId, at: Millis) -> Result<(), StoreError> {
    tx.execute(DELETE, params![at, team, id])?;
    tx.execute(CLEAR_DEFAULT, params![team, id]).map(drop)
}

/// The template with this id, unless it was deleted.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, id: TemplateId) -> Result<Option<TemplateRow>, StoreError> {
    conn.row(GET, params![team, id], map)
}

/// All templates of the team, oldest first.
///
/// # Errors
/// Of the engine.
pub fn list(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<TemplateRow>, StoreError> {
    conn.rows(LIST, params![team], map)
}

/// How many templates the team has.
///
/// # Errors
/// Of the engine.
pub fn count(conn: &mut Conn<'_>, team: TeamKey) -> Result<i64, StoreError> {
    Ok(conn.row(COUNT, params![team], |row| row.get(0))?.unwrap_or(0))
}

/// Sets by which template the calls of a line are summed up; `None`: by the usual one.
///
/// # Errors
/// Of the engine.
pub fn set_default(tx: &mut Tx<'_>, team: TeamKey, line: i64, template: Option<TemplateId>) -> Result<(), StoreError> {
    tx.execute(SET_DEFAULT, params![template, team, line]).map(drop)
}

/// By which template the calls of a line are summed up.
///
/// # Errors
/// Of the engine.
pub fn default_of(conn: &mut Conn<'_>, team: TeamKey, line: i64) -> Result<Option<TemplateId>, StoreError> {
    Ok(conn.row(DEFAULT, params![team, line], |row| row.get(0))?.flatten())
}
