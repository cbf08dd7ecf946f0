//! Notes on conversations and on contacts.

use trunkline_domain::{ContactId, Millis, NoteId, PhoneNumber, UserId};

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// What a note is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A conversation, by its number.
    Conversation(i64),
    /// A contact.
    Contact(ContactId),
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteRow {
    /// Its number among the team's notes, threads and comments.
    pub note: i64,
    /// Public id.
    pub id: NoteId,
    /// The conversation it is on, by its number.
    pub conversation: Option<i64>,
    /// The contact it is on.
    pub contact_id: Option<ContactId>,
    /// Who wrote it.
    pub author: UserId,
    /// The text, with its mentions.
    pub content: String,
    /// When it was written.
    pub created_at: Millis,
    /// When it was changed last.
    pub updated_at: Millis,
}

/// A note with what is shown of its author and its conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteDetail {
    /// The note.
    pub row: NoteRow,
    /// The author's name and e-mail address.
    pub author: Option<(String, String)>,
    /// The outside number of its conversation.
    pub contact_number: Option<PhoneNumber>,
    /// The number of its conversation's line.
    pub allo_number: Option<PhoneNumber>,
    /// The sender id of its conversation's line.
    pub sender_id: Option<String>,
}

macro_rules! detail {
    ($rest:literal) => {
        concat!(
            "SELECT t.note, t.id, t.conversation, t.contact_id, t.author, t.content, t.created_at, t.updated_at, u.name,
                u.email, c.contact_number, n.number, n.sender_id
           FROM notes t
           LEFT JOIN users u ON u.team_id = t.team_id AND u.id = t.author
           LEFT JOIN conversations c ON c.team_id = t.team_id AND c.conversation = t.conversation
           LEFT JOIN numbers n ON n.team_id = c.team_id AND n.line = c.line
          WHERE t.team_id = $1 AND ",
            $rest
        )
    };
}

statements! {
    INSERT =
        "INSERT INTO notes (team_id, note, id, conversation, contact_id, author, content, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    UPDATE = "UPDATE notes SET content = $1, updated_at = $2 WHERE team_id = $3 AND note = $4";
    DELETE = "DELETE FROM notes WHERE team_id = $1 AND note = $2";
    DETAIL = detail!("t.id = $2");
    OF_CONVERSATION =
        detail!("t.conversation = $2 AND t.note < $3 ORDER BY t.note DESC LIMIT $4 OFFSET $5");
    OF_CONTACT = detail!("t.contact_id = $2 AND t.note < $3 ORDER BY t.note DESC LIMIT $4 OFFSET $5");
    COUNT_OF_CONVERSATION = "SELECT COUNT(*) FROM notes WHERE team_id = $1 AND conversation = $2";
    COUNT_OF_CONTACT = "SELECT COUNT(*) FROM notes WHERE team_id = $1 AND contact_id = $2";
}

fn map(row: &Row<'_>) -> Result<NoteDetail, StoreError> {
    let author = match (row.get(8)?, row.get(9)?) {
        (Some(name), Some(email)) => Some((name, email)),
        _ => None,
    };
    Ok(NoteDetail {
        row: NoteRow {
            note: row.get(0)?,
            id: row.get(1)?,
            conversation: row.get(2)?,
            contact_id: row.get(3)?,
            author: row.get(4)?,
            content: row.get(5)?,
            created_at: row.get(6)?,
            updated_at: row.get(7)?,
        },
        author,
        contact_number: row.get(10)?,
        allo_number: row.get(11)?,
        sender_id: row.get(12)?,
    })
}

/// Stores a new note.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, note: &NoteRow) -> Result<(), StoreError> {
    let NoteRow { note, id, conversation, contact_id, author, content, created_at, updated_at } = note;
    let values = params![team, *note, *id, *conversation, *contact_id, *author, content, *created_at, *updated_at];
    tx.execute(INSERT, values).map(drop)
}

/// Stores the text of a note, and when it was changed.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, note: &NoteRow) -> Result<(), StoreError> {
    tx.execute(UPDATE, params![&note.content, note.updated_at, team, note.note]).map(drop)
}

/// Deletes a note.
///
/// # Errors
/// Of the engine.
pub fn delete(tx: &mut Tx<'_>, team: TeamKey, note: i64) -> Result<(), StoreError> {
    tx.execute(DELETE, params![team, note]).map(drop)
}

/// The note with this id.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, id: NoteId) -> Result<Option<NoteDetail>, StoreError> {
    conn.row(DETAIL, params![team, id], map)
}

/// Notes on a conversation or contact, newest first: those numbered below `before`, without the first `skip` of them.
///
/// # Errors
/// Of the engine.
pub fn list(
    conn: &mut Conn<'_>,
    team: TeamKey,
    place: Place,
    before: i64,
    skip: i64,
    limit: i64,
) -> Result<Vec<NoteDetail>, StoreError> {
    match place {
        Place::Conversation(conversation) => {
            conn.rows(OF_CONVERSATION, params![team, conversation, before, limit, skip], map)
        }
        Place::Contact(contact) => conn.rows(OF_CONTACT, params![team, contact, before, limit, skip], map),
    }
}

/// How many notes there are on a conversation or contact.
///
/// # Errors
/// Of the engine.
pub fn count(conn: &mut Conn<'_>, team: TeamKey, place: Place) -> Result<i64, StoreError> {
    let found = match place {
        Place::Conversation(conversation) => {
            conn.row(COUNT_OF_CONVERSATION, params![team, conversation], |row| row.get(0))?
        }
        Place::Contact(contact) => conn.row(COUNT_OF_CONTACT, params![team, contact], |row| row.get(0))?,
    };
    Ok(found.unwrap_or(0))
}
