//! Threads: what the team says about a call, a message or a note.

use trunkline_domain::{CommentId, EntityType, Millis, ThreadId, UserId};

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// A thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadRow {
    /// Its number among the team's notes, threads and comments.
    pub thread: i64,
    /// Public id.
    pub id: ThreadId,
    /// What it is about.
    pub entity_type: EntityType,
    /// The id of the call, message or note.
    pub entity_id: String,
    /// The timeline number of the call or message; of a note, that of its conversation's newest item back then.
    pub item: Option<i64>,
    /// How many comments it has.
    pub comments: i64,
    /// When it was begun.
    pub created_at: Millis,
    /// Who began it.
    pub created_by: UserId,
    /// When it was resolved.
    pub resolved_at: Option<Millis>,
    /// Who resolved it.
    pub resolved_by: Option<UserId>,
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentRow {
    /// The number of its thread.
    pub thread: i64,
    /// Its number among the team's notes, threads and comments.
    pub comment: i64,
    /// Public id.
    pub id: CommentId,
    /// Who wrote it.
    pub author: UserId,
    /// The text, with its mentions.
    pub content: String,
    /// When it was written.
    pub created_at: Millis,
    /// When it was changed last.
    pub updated_at: Millis,
}

/// The name and e-mail address of a user.
pub type Person = Option<(String, String)>;

statements! {
    INSERT =
        "INSERT INTO threads (team_id, thread, id, entity_type, entity_id, item, comments, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    UPDATE = "UPDATE threads SET comments = $1, resolved_at = $2, resolved_by = $3 WHERE team_id = $4 AND thread = $5";
    GET =
        "SELECT t.thread, t.id, t.entity_type, t.entity_id, t.item, t.comments, t.created_at, t.created_by,
                t.resolved_at, t.resolved_by, u.name, u.email, r.name, r.email
           FROM threads t
           LEFT JOIN users u ON u.team_id = t.team_id AND u.id = t.created_by
           LEFT JOIN users r ON r.team_id = t.team_id AND r.id = t.resolved_by
          WHERE t.team_id = $1 AND t.id = $2";
    OF_ENTITY =
        "SELECT t.thread, t.id, t.entity_type, t.entity_id, t.item, t.comments, t.created_at, t.created_by,
                t.resolved_at, t.resolved_by, u.name, u.email, r.name, r.email
           FROM threads t
           LEFT JOIN users u ON u.team_id = t.team_id AND u.id = t.created_by
           LEFT JOIN users r ON r.team_id = t.team_id AND r.id = t.resolved_by
          WHERE t.team_id = $1 AND t.entity_id = $2";
    INSERT_COMMENT =
        "INSERT INTO thread_comments (team_id, thread, comment, id, author, content, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    UPDATE_COMMENT =
        "UPDATE thread_comments SET content = $1, updated_at = $2 WHERE team_id = $3 AND thread = $4 AND comment = $5";
    COMMENT =
        "SELECT c.thread, c.comment, c.id, c.author, c.content, c.created_at, c.updated_at, u.name, u.email
           FROM thread_comments c LEFT JOIN users u ON u.team_id = c.team_id AND u.id = c.author
          WHERE c.team_id = $1 AND c.id = $2";
    COMMENTS =
        "SELECT c.thread, c.comment, c.id, c.author, c.content, c.created_at, c.updated_at, u.name, u.email
           FROM thread_comments c LEFT JOIN users u ON u.team_id = c.team_id AND u.id = c.author
          WHERE c.team_id = $1 AND c.thread = $2 ORDER BY c.comment";
}

/// A thread with the people it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadDetail {
    /// The thread.
    pub row: ThreadRow,
    /// Who began it.
    pub creator: Person,
    /// Who resolved it.
    pub resolver: Person,
}

/// A comment with its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentDetail {
    /// The comment.
    pub row: CommentRow,
    /// Who wrote it.
    pub author: Person,
}

fn person(row: &Row<'_>, at: usize) -> Result<Person, StoreError> {
    Ok(match (row.get(at)?, row.get(at + 1)?) {
        (Some(name), Some(email)) => Some((name, email)),
        _ => None,
    })
}

fn map(row: &Row<'_>) -> Result<ThreadDetail, StoreError> {
    let thread = ThreadRow {
        thread: row.get(0)?,
        id: row.get(1)?,
        entity_type: row.get(2)?,
        entity_id: row.get(3)?,
        item: row.get(4)?,
        comments: row.get(5)?,
        created_at: row.get(6)?,
        created_by: row.get(7)?,
        resolved_at: row.get(8)?,
        resolved_by: row.get(9)?,
    };
    Ok(ThreadDetail { row: thread, creator: person(row, 10)?, resolver: person(row, 12)? })
}

fn map_comment(row: &Row<'_>) -> Result<CommentDetail, StoreError> {
    let comment = CommentRow {
        thread: row.get(0)?,
        comment: row.get(1)?,
        id: row.get(2)?,
        author: row.get(3)?,
        content: row.get(4)?,
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
    };
    Ok(CommentDetail { row: comment, author: person(row, 7)? })
}

/// Stores a new thread, which nobody has resolved.
///
/// # Errors
/// [`StoreError::Duplicate`] when there is one about the same thing.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, thread: &ThreadRow) -> Result<(), StoreError> {
    let ThreadRow { thread, id, entity_type, entity_id, item, comments, created_at, created_by, .. } = thread;
    let values = params![team, *thread, *id, *entity_type, entity_id, *item, *comments, *created_at, *created_by];
    tx.execute(INSERT, values).map(drop)
}

/// Stores how many comments a thread has, and whether it is resolved.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, thread: &ThreadRow) -> Result<(), StoreError> {
    let ThreadRow { thread, comments, resolved_at, resolved_by, .. } = thread;
    tx.execute(UPDATE, params![*comments, *resolved_at, *resolved_by, team, *thread]).map(drop)
}

/// The thread with this id.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, id: ThreadId) -> Result<Option<ThreadDetail>, StoreError> {
    conn.row(GET, params![team, id], map)
}

/// The thread about the call, message or note with this id.
///
/// # Errors
/// Of the engine.
pub fn of_entity(conn: &mut Conn<'_>, team: TeamKey, entity_id: &str) -> Result<Option<ThreadDetail>, StoreError> {
    conn.row(OF_ENTITY, params![team, entity_id], map)
}

/// Stores a new comment.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert_comment(tx: &mut Tx<'_>, team: TeamKey, comment: &CommentRow) -> Result<(), StoreError> {
    let CommentRow { thread, comment, id, author, content, created_at, updated_at } = comment;
    let values = params![team, *thread, *comment, *id, *author, content, *created_at, *updated_at];
    tx.execute(INSERT_COMMENT, values).map(drop)
}

/// Stores the text of a comment, and when it was changed.
///
/// # Errors
/// Of the engine.
pub fn update_comment(tx: &mut Tx<'_>, team: TeamKey, comment: &CommentRow) -> Result<(), StoreError> {
    let CommentRow { thread, comment, content, updated_at, .. } = comment;
    tx.execute(UPDATE_COMMENT, params![content, *updated_at, team, *thread, *comment]).map(drop)
}

/// The comment with this id.
///
/// # Errors
/// Of the engine.
pub fn comment(conn: &mut Conn<'_>, team: TeamKey, id: CommentId) -> Result<Option<CommentDetail>, StoreError> {
    conn.row(COMMENT, params![team, id], map_comment)
}

/// All comments of a thread, oldest first.
///
/// # Errors
/// Of the engine.
pub fn comments(conn: &mut Conn<'_>, team: TeamKey, thread: i64) -> Result<Vec<CommentDetail>, StoreError> {
    conn.rows(COMMENTS, params![team, thread], map_comment)
}
