//! Threads: one for each call, message or note at most. Resolving one does not lock it.

use trunkline_domain::events::{ThreadComment, ThreadState, Topic};
use trunkline_domain::note::MAX_COMMENTS;
use trunkline_domain::{CallId, CommentId, EntityType, ErrorCode, ItemId, MessageId, NoteId, ThreadId};
use trunkline_store::threads::{self, CommentDetail, CommentRow, ThreadDetail, ThreadRow};
use trunkline_store::{conversations, items, notes, teams};

use crate::notes::{author, checked, mentions};
use crate::{Actor, Error, Refused, Work};

/// What a thread is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    /// A call.
    Call(CallId),
    /// A text message.
    Message(MessageId),
    /// A note on a conversation.
    Note(NoteId),
}

impl Entity {
    /// Its kind.
    #[must_use]
    pub const fn kind(self) -> EntityType {
        match self {
            Self::Call(_) => EntityType::Call,
            Self::Message(_) => EntityType::TextMessage,
            Self::Note(_) => EntityType::ConversationNote,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(self) -> String {
        match self {
            Self::Call(id) => id.to_string(),
            Self::Message(id) => id.to_string(),
            Self::Note(id) => id.to_string(),
        }
    }
}

/// The timeline number that stands for what a thread is to be about.
fn item_of(work: &mut Work<'_, '_>, entity: Entity) -> Result<i64, Error> {
    let missing = |code| Error::from(Refused::new(code).param("entity_id"));
    let item = |work: &mut Work<'_, '_>, id, code| -> Result<i64, Error> {
        Ok(items::get(work.tx, work.team, id)?
            .ok_or_else(|| missing(code))?
            .seq)
    };
    match entity {
        Entity::Call(id) => item(work, ItemId::Call(id), ErrorCode::CallNotFound),
        Entity::Message(id) => item(work, ItemId::Message(id), ErrorCode::TextMessageNotFound),
        Entity::Note(id) => {
            let note = notes::get(work.tx, work.team, id)?;
            let place = note.and_then(|note| note.row.conversation);
            let place = place.ok_or_else(|| missing(ErrorCode::NoteNotFound))?;
            let conversation = conversations::get(work.tx, work.team, place)?;
            Ok(conversation
                .ok_or_else(|| missing(ErrorCode::NoteNotFound))?
                .last_item)
        }
    }
}

/// Begins a thread with its first comment, and tells of both.
///
/// # Errors
/// `CALL_NOT_FOUND`, `TEXT_MESSAGE_NOT_FOUND`, `NOTE_NOT_FOUND`, `THREAD_ALREADY_EXISTS`, those of a comment.
pub fn create(
    work: &mut Work<'_, '_>,
    entity: Entity,
    content: &str,
    by: &Actor,
) -> Result<ThreadDetail, Error> {
    let (created_by, item) = (author(by)?, item_of(work, entity)?);
    let entity_id = entity.id();
    if threads::of_entity(work.tx, work.team, &entity_id)?.is_some() {
        return Err(Refused::new(ErrorCode::ThreadAlreadyExists)
            .param("entity_id")
            .into());
    }
    let thread = ThreadRow {
        thread: teams::next_entry(work.tx, work.team)?,
        id: work.new_id(work.now),
        entity_type: entity.kind(),
        entity_id,
        item: Some(item),
        comments: 0,
        created_at: work.now,
        created_by,
        resolved_at: None,
        resolved_by: None,
    };
    threads::insert(work.tx, work.team, &thread)?;
    work.emit(Topic::ThreadCreated, work.now, thread.item, &state(&thread, by))?;
    comment(work, thread.id, content, by)?;
    find(work, thread.id)
}

/// Writes a comment in a thread, resolved or not, and tells of it.
///
/// # Errors
/// `THREAD_NOT_FOUND`, `EMPTY_NOTE_CONTENT`, `NOTE_CONTENT_TOO_LONG`, `TOO_MANY_MENTIONS`, `NOTE_LIMIT_REACHED`,
/// `FORBIDDEN` for who is no user.
pub fn comment(
    work: &mut Work<'_, '_>,
    thread: ThreadId,
    content: &str,
    by: &Actor,
) -> Result<CommentDetail, Error> {
    let author = author(by)?;
    let thread = find(work, thread)?.row;
    let content = checked(work, content)?;
    if thread.comments >= MAX_COMMENTS {
        let message = format!("the thread has {MAX_COMMENTS} comments, the most there may be");
        return Err(Refused::new(ErrorCode::NoteLimitReached).because(message).into());
    }
    let row = CommentRow {
        thread: thread.thread,
        comment: teams::next_entry(work.tx, work.team)?,
        id: work.new_id(work.now),
        author,
        content,
        created_at: work.now,
        updated_at: work.now,
    };
    threads::insert_comment(work.tx, work.team, &row)?;
    let thread = ThreadRow {
        comments: thread.comments + 1,
        ..thread
    };
    threads::update(work.tx, work.team, &thread)?;
    tell(work, Topic::CommentCreated, &thread, &row, by)?;
    Ok(threads::comment(work.tx, work.team, row.id)?.ok_or(ErrorCode::ThreadCommentNotFound)?)
}

/// Changes the text of a comment, and tells of it.
///
/// # Errors
/// `THREAD_NOT_FOUND`, `THREAD_COMMENT_NOT_FOUND`, `NOT_COMMENT_AUTHOR`, those of a comment's text.
pub fn update_comment(
    work: &mut Work<'_, '_>,
    thread: ThreadId,
    id: CommentId,
    content: &str,
    by: &Actor,
) -> Result<CommentDetail, Error> {
    let thread = find(work, thread)?.row;
    let before = threads::comment(work.tx, work.team, id)?
        .filter(|comment| comment.row.thread == thread.thread)
        .ok_or(ErrorCode::ThreadCommentNotFound)?;
    if by.user_id() != Some(before.row.author) {
        return Err(ErrorCode::NotCommentAuthor.into());
    }
    let content = checked(work, content)?;
    if content == before.row.content {
        return Ok(before);
    }
    let row = CommentRow {
        content,
        updated_at: work.now,
        ..before.row
    };
    threads::update_comment(work.tx, work.team, &row)?;
    tell(work, Topic::CommentUpdated, &thread, &row, by)?;
    Ok(CommentDetail { row, ..before })
}

/// Resolves a thread and tells of it; one that is resolved already stays as it is.
///
/// # Errors
/// `THREAD_NOT_FOUND`.
pub fn resolve(work: &mut Work<'_, '_>, id: ThreadId, by: &Actor) -> Result<ThreadDetail, Error> {
    let thread = find(work, id)?;
    if thread.row.resolved_at.is_some() {
        return Ok(thread);
    }
    let row = ThreadRow {
        resolved_at: Some(work.now),
        resolved_by: by.user_id(),
        ..thread.row
    };
    threads::update(work.tx, work.team, &row)?;
    work.emit(Topic::ThreadResolved, work.now, row.item, &state(&row, by))?;
    find(work, id)
}

/// Takes back that a thread is resolved.
///
/// # Errors
/// `THREAD_NOT_FOUND`.
pub fn unresolve(work: &mut Work<'_, '_>, id: ThreadId) -> Result<ThreadDetail, Error> {
    let thread = find(work, id)?;
    if thread.row.resolved_at.is_none() {
        return Ok(thread);
    }
    let row = ThreadRow {
        resolved_at: None,
        resolved_by: None,
        ..thread.row
    };
    threads::update(work.tx, work.team, &row)?;
    find(work, id)
}

fn find(work: &mut Work<'_, '_>, id: ThreadId) -> Result<ThreadDetail, Error> {
    Ok(threads::get(work.tx, work.team, id)?.ok_or(ErrorCode::ThreadNotFound)?)
}

fn state(thread: &ThreadRow, by: &Actor) -> ThreadState {
    ThreadState {
        id: thread.id,
        entity_type: thread.entity_type,
        entity_id: thread.entity_id.clone(),
        created_at: thread.created_at,
        resolved_at: thread.resolved_at,
        user_id: by.user_id(),
        user_email: by.email(),
    }
}

fn tell(
    work: &mut Work<'_, '_>,
    topic: Topic,
    thread: &ThreadRow,
    comment: &CommentRow,
    by: &Actor,
) -> Result<(), Error> {
    let told = ThreadComment {
        id: comment.id,
        thread_id: thread.id,
        entity_type: thread.entity_type,
        entity_id: thread.entity_id.clone(),
        content: comment.content.clone(),
        mentions: mentions(&comment.content),
        created_at: comment.created_at,
        updated_at: comment.updated_at,
        user_id: comment.author,
        user_email: by.email(),
    };
    Ok(work.emit(topic, work.now, thread.item, &told)?)
}
