//! Threads: what the team says about a call, a message or a note.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{
    CallId, CommentId, EntityType, ErrorCode, Id, IdError, MessageId, Millis, ThreadId, UserId, ids::IdKind,
};
use trunkline_store::threads::{self, CommentDetail, Person, ThreadDetail};
use trunkline_store::{Conn, StoreError, TeamKey};
use trunkline_switchboard::threads::{self as commands, Entity};

use super::notes::{TextView, note_id, read_content};
use super::views::UserRefView;
use crate::AppState;
use crate::http::auth::{Caller, OwnComments, ThreadsRead, ThreadsWrite};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, Input, PathParams, Query, Sent};
use crate::http::reply::{self, Data};

/// A thread.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Thread)]
pub struct ThreadView {
    #[schema(value_type = String, example = "thr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: ThreadId,
    /// What it is about: a `CALL`, a `TEXT_MESSAGE` or a `CONVERSATION_NOTE`.
    #[schema(value_type = String, example = "CALL")]
    entity_type: EntityType,
    /// The id of the call, message or note.
    #[schema(example = "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    entity_id: String,
    /// Whether somebody has resolved it. Resolving does not lock: comments may follow.
    #[schema(example = false)]
    resolved: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved_at: Option<Millis>,
    /// Who resolved it; `null` while it is not.
    resolved_by: Option<UserRefView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    /// Who began it.
    created_by: Option<UserRefView>,
    /// All of them, oldest first.
    comments: Vec<CommentView>,
}

/// A comment in a thread.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ThreadComment)]
pub struct CommentView {
    #[schema(value_type = String, example = "cmt-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: CommentId,
    #[serde(flatten)]
    text: TextView,
}

impl From<CommentDetail> for CommentView {
    fn from(comment: CommentDetail) -> Self {
        let row = comment.row;
        let (author, times) = ((row.author, comment.author), (row.created_at, row.updated_at));
        Self {
            id: row.id,
            text: TextView::new(row.content, author, times),
        }
    }
}

fn person(id: Option<UserId>, person: Person) -> Option<UserRefView> {
    let (name, email) = person?;
    Some(UserRefView { id: id?, name, email })
}

fn view(conn: &mut Conn<'_>, team: TeamKey, thread: ThreadDetail) -> Result<ThreadView, StoreError> {
    let comments = threads::comments(conn, team, thread.row.thread)?;
    let row = thread.row;
    Ok(ThreadView {
        id: row.id,
        entity_type: row.entity_type,
        entity_id: row.entity_id,
        resolved: row.resolved_at.is_some(),
        resolved_at: row.resolved_at,
        resolved_by: person(row.resolved_by, thread.resolver),
        created_at: row.created_at,
        created_by: person(Some(row.created_by), thread.creator),
        comments: comments.into_iter().map(CommentView::from).collect(),
    })
}

/// Reads what a thread is about.
fn read_entity(input: &mut Input) -> Option<Entity> {
    let kind: Option<EntityType> = input.name("entity_type");
    let id = input.text("entity_id", 100);
    for name in ["entity_type", "entity_id"] {
        if input.sent(name) != Sent::Value {
            input.missing(name);
        }
    }
    let (kind, id) = (kind?, id?);
    let parsed = match kind {
        EntityType::Call => item(CallId::parse(&id), ErrorCode::CallNotFound).map(Entity::Call),
        EntityType::TextMessage => {
            item(MessageId::parse(&id), ErrorCode::TextMessageNotFound).map(Entity::Message)
        }
        EntityType::ConversationNote => note_id(&id).map(Entity::Note).map_err(|error| error.code),
    };
    match parsed {
        Ok(entity) => Some(entity),
        Err(code) => {
            input.fault(code, "entity_id", code.message());
            None
        }
    }
}

fn item<K: IdKind>(parsed: Result<Id<K>, IdError>, missing: ErrorCode) -> Result<Id<K>, ErrorCode> {
    parsed.map_err(|error| match error {
        IdError::Malformed { .. } => ErrorCode::InvalidItemId,
        IdError::NeverIssued => missing,
    })
}

/// Find the thread about a call, message or note
///
/// There is one at most.
#[utoipa::path(get, path = "/v2/api/threads", operation_id = "findThread", tag = "Threads",
    params(
        ("entity_type" = String, Query, description = "`CALL`, `TEXT_MESSAGE` or `CONVERSATION_NOTE`", example = "CALL"),
        ("entity_id" = String, Query, description = "The id of the call, message or note", example = "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"),
    ),
    responses((status = 200, description = "The thread", body = Data<ThreadView>)))]
pub async fn find(
    caller: Caller<ThreadsRead>,
    State(state): State<AppState>,
    query: Query,
) -> Result<Response, ApiError> {
    let Query(mut input) = query;
    let entity = read_entity(&mut input);
    input.finish()?;
    let entity = entity.ok_or(ErrorCode::MissingParameter)?;
    let team = caller.owner.team;
    let read = state
        .board
        .db()
        .read(move |conn| -> Result<ThreadView, ApiError> {
            let missing = || ApiError::new(ErrorCode::ThreadNotFound).param("entity_id");
            let found = threads::of_entity(conn, team, &entity.id())?.ok_or_else(missing)?;
            Ok(view(conn, team, found)?)
        });
    Ok(reply::data(read.await?))
}

/// A thread to be begun.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateThreadRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct CreateThread {
    /// `CALL`, `TEXT_MESSAGE` or `CONVERSATION_NOTE`.
    #[schema(example = "CALL")]
    entity_type: String,
    /// The id of the call, message or note.
    #[schema(example = "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD", max_length = 100)]
    entity_id: String,
    /// The first comment: 1 to 4,000 characters, at most 15 mentions.
    #[schema(max_length = 4_000, example = "Who calls back?")]
    content: String,
}

/// Begin a thread
///
/// With its first comment. A call, message or note has one thread at most.
#[utoipa::path(post, path = "/v2/api/threads", operation_id = "createThread", tag = "Threads",
    request_body = CreateThread,
    responses((status = 201, description = "The thread", body = Data<ThreadView>)))]
pub async fn create(
    caller: Caller<ThreadsWrite>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let (entity, content) = (read_entity(&mut input), read_content(&mut input));
    input.finish()?;
    let entity = entity.ok_or(ErrorCode::MissingParameter)?;
    let (by, team) = (caller.actor(), caller.owner.team);
    commit(&state, &caller, StatusCode::CREATED, move |work| {
        let thread = commands::create(work, entity, &content, &by)?;
        Ok(view(work.tx, team, thread)?)
    })
    .await
}

/// Get a thread
#[utoipa::path(get, path = "/v2/api/threads/{thread_id}", operation_id = "getThread", tag = "Threads",
    params(("thread_id" = String, Path, description = "The thread's id", example = "thr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The thread with all its comments", body = Data<ThreadView>)))]
pub async fn get(
    caller: Caller<ThreadsRead>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let (id, team) = (thread_id(&id)?, caller.owner.team);
    let read = state
        .board
        .db()
        .read(move |conn| -> Result<ThreadView, ApiError> {
            let found = threads::get(conn, team, id)?.ok_or_else(no_such_thread)?;
            Ok(view(conn, team, found)?)
        });
    Ok(reply::data(read.await?))
}

/// A comment to be written, or its new text.
#[derive(utoipa::ToSchema)]
#[schema(as = CommentRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct WriteComment {
    /// 1 to 4,000 characters. At most 15 mentions: `@[Name](usr-…)`, or `@[all](all)` for everybody.
    #[schema(max_length = 4_000, example = "I do. @[all](all)")]
    content: String,
}

/// Write a comment in a thread
///
/// Resolved or not. A thread has 500 comments at most.
#[utoipa::path(post, path = "/v2/api/threads/{thread_id}/comments", operation_id = "createThreadComment", tag = "Threads",
    params(("thread_id" = String, Path, description = "The thread's id", example = "thr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = WriteComment,
    responses((status = 201, description = "The comment", body = Data<CommentView>)))]
pub async fn comment(
    caller: Caller<ThreadsWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let id = thread_id(&id)?;
    let content = read_content(&mut input);
    input.finish()?;
    let by = caller.actor();
    let done = commit(&state, &caller, StatusCode::CREATED, move |work| {
        commands::comment(work, id, &content, &by).map(CommentView::from)
    });
    done.await.map_err(naming)
}

/// Update a comment
///
/// Only by its author.
#[utoipa::path(patch, path = "/v2/api/threads/{thread_id}/comments/{comment_id}", operation_id = "updateThreadComment",
    tag = "Threads",
    params(
        ("thread_id" = String, Path, description = "The thread's id", example = "thr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"),
        ("comment_id" = String, Path, description = "The comment's id", example = "cmt-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"),
    ),
    request_body = WriteComment,
    responses((status = 200, description = "The comment as it is now", body = Data<CommentView>)))]
pub async fn update_comment(
    caller: Caller<OwnComments>,
    State(state): State<AppState>,
    path: PathParams<2>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([thread, id]), Body(mut input)) = (path, body);
    let thread = thread_id(&thread)?;
    let missing = |_| ApiError::new(ErrorCode::ThreadCommentNotFound).param("comment_id");
    let id = CommentId::parse(&id).map_err(missing)?;
    let content = read_content(&mut input);
    input.finish()?;
    let by = caller.actor();
    let done = commit(&state, &caller, StatusCode::OK, move |work| {
        commands::update_comment(work, thread, id, &content, &by).map(CommentView::from)
    });
    done.await.map_err(naming)
}

/// Resolve a thread
///
/// Doing it twice changes nothing. Comments may still follow.
#[utoipa::path(post, path = "/v2/api/threads/{thread_id}/resolve", operation_id = "resolveThread", tag = "Threads",
    params(("thread_id" = String, Path, description = "The thread's id", example = "thr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The thread as it is now", body = Data<ThreadView>)))]
pub async fn resolve(
    caller: Caller<ThreadsWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let id = thread_id(&id)?;
    let (by, team) = (caller.actor(), caller.owner.team);
    let done = commit(&state, &caller, StatusCode::OK, move |work| {
        let thread = commands::resolve(work, id, &by)?;
        Ok(view(work.tx, team, thread)?)
    });
    done.await.map_err(naming)
}

/// Take back that a thread is resolved
///
/// Doing it twice changes nothing.
#[utoipa::path(post, path = "/v2/api/threads/{thread_id}/unresolve", operation_id = "unresolveThread", tag = "Threads",
    params(("thread_id" = String, Path, description = "The thread's id", example = "thr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The thread as it is now", body = Data<ThreadView>)))]
pub async fn unresolve(
    caller: Caller<ThreadsWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let id = thread_id(&id)?;
    let team = caller.owner.team;
    let done = commit(&state, &caller, StatusCode::OK, move |work| {
        let thread = commands::unresolve(work, id)?;
        Ok(view(work.tx, team, thread)?)
    });
    done.await.map_err(naming)
}

/// Reads the id of a thread in a path.
fn thread_id(text: &str) -> Result<ThreadId, ApiError> {
    ThreadId::parse(text).map_err(|_| no_such_thread())
}

fn no_such_thread() -> ApiError {
    ApiError::new(ErrorCode::ThreadNotFound).param("thread_id")
}

/// Says of what a command did not find, or not as the caller's, which parameter named it.
fn naming(error: ApiError) -> ApiError {
    match error.code {
        ErrorCode::ThreadNotFound => error.param("thread_id"),
        ErrorCode::ThreadCommentNotFound | ErrorCode::NotCommentAuthor => error.param("comment_id"),
        _ => error,
    }
}
