//! Notes: on conversations, and on people of the CRM. Only their authors change or delete them.

pub mod people;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{ErrorCode, Millis, NoteId, PhoneNumber, UserId};
use trunkline_store::notes::{self, NoteDetail, Place};
use trunkline_store::{Conn, TeamKey};
use trunkline_switchboard::notes::{self as commands, Line, On};

use super::contact_number;
use super::cursor::{Cursor, refused};
use super::views::UserRefView;
use crate::AppState;
use crate::http::auth::{Caller, NotesRead, NotesWrite, OwnNotes};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, Input, PathParams, Query, Sent};
use crate::http::reply::{self, Data, Page, Paging};

/// A note on a conversation.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ConversationNote)]
pub struct NoteView {
    #[schema(value_type = String, example = "not-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: NoteId,
    /// The outside number.
    #[schema(value_type = String, example = "+14155551234")]
    contact_number: Option<PhoneNumber>,
    /// The team's number; `null` for a sender id.
    #[schema(value_type = Option<String>, example = "+14155550100")]
    allo_number: Option<PhoneNumber>,
    /// The sender id; `null` for a number.
    #[schema(example = "ACME")]
    sender_id: Option<String>,
    #[serde(flatten)]
    text: TextView,
}

/// What notes and comments have in common.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = NoteText)]
pub struct TextView {
    /// With its mentions as they were written; those of users whom the team does not have are plain text.
    #[schema(example = "Prefers mornings. @[Alex Kim](usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD) knows more.")]
    content: String,
    /// Whom it mentions, each once.
    mentions: Vec<MentionView>,
    /// Who wrote it.
    author: Option<UserRefView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    /// The same as `created_at` until its author changes it.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
}

/// Somebody who is mentioned.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Mention)]
pub struct MentionView {
    /// `null` for everybody.
    #[schema(value_type = Option<String>, example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    user_id: Option<UserId>,
    /// As the text calls them.
    #[schema(example = "Alex Kim")]
    name: String,
}

impl TextView {
    pub(super) fn new(
        content: String,
        (id, person): (UserId, Option<(String, String)>),
        (created_at, updated_at): (Millis, Millis),
    ) -> Self {
        let mentioned = commands::mentions(&content).into_iter();
        Self {
            mentions: mentioned
                .map(|mention| MentionView {
                    user_id: mention.user_id,
                    name: mention.name,
                })
                .collect(),
            author: person.map(|(name, email)| UserRefView { id, name, email }),
            content,
            created_at,
            updated_at,
        }
    }

    fn of_note(note: &mut NoteDetail) -> Self {
        let content = std::mem::take(&mut note.row.content);
        let times = (note.row.created_at, note.row.updated_at);
        Self::new(content, (note.row.author, note.author.take()), times)
    }
}

impl From<NoteDetail> for NoteView {
    fn from(mut note: NoteDetail) -> Self {
        Self {
            text: TextView::of_note(&mut note),
            id: note.row.id,
            contact_number: note.contact_number,
            allo_number: note.allo_number,
            sender_id: note.sender_id,
        }
    }
}

/// Reads the text of a note or comment. What is wrong with it beyond its type, the command knows.
pub(super) fn read_content(input: &mut Input) -> String {
    let content = input.text("content", usize::MAX);
    if input.sent("content") != Sent::Value {
        let missing = ErrorCode::EmptyNoteContent;
        input.fault(missing, "content", missing.message());
    }
    content.unwrap_or_default()
}

/// Reads which line the conversation is on.
fn read_line(input: &mut Input) -> Option<Line> {
    let (number, sender) = (input.phone("allo_number"), input.text("sender_id", 100));
    match (input.sent("allo_number"), input.sent("sender_id")) {
        (Sent::Value, Sent::Value) => {
            let message = "allo_number and sender_id name two lines; a conversation is on one";
            input.fault(ErrorCode::InvalidParameter, "sender_id", message);
            None
        }
        (Sent::Value, _) => number.map(Line::Number),
        (_, Sent::Value) => sender.map(Line::SenderId),
        _ => {
            let missing = ErrorCode::MissingAlloNumberOrSenderId;
            input.fault(missing, "allo_number", missing.message());
            None
        }
    }
}

/// The notes of one page, as far as they are to be shown.
struct List {
    team: TeamKey,
    paging: Paging,
    before: Option<i64>,
}

impl List {
    fn read(team: TeamKey, paging: Paging, cursor: Option<&str>, of: &str) -> Result<Self, ApiError> {
        let before = match cursor.map(|text| Cursor::read(text, of)).transpose()? {
            Some(Cursor::Behind(_, note)) => Some(note),
            Some(Cursor::Ranked(..)) => return Err(refused()),
            None => None,
        };
        Ok(Self { team, paging, before })
    }

    fn page<V>(
        &self,
        conn: &mut Conn<'_>,
        place: Place,
        of: &str,
        view: impl Fn(NoteDetail) -> V,
    ) -> Result<Page<V>, ApiError> {
        let total = notes::count(conn, self.team, place)?;
        let skip = if self.before.is_some() {
            0
        } else {
            self.paging.offset()
        };
        let before = self.before.unwrap_or(i64::MAX);
        let mut rows = notes::list(conn, self.team, place, before, skip, self.paging.size + 1)?;
        let full = usize::try_from(self.paging.size).unwrap_or(usize::MAX);
        let has_more = rows.len() > full;
        rows.truncate(full);
        let last = rows.last().filter(|_| has_more);
        let next = last.map(|note| Cursor::Behind(note.row.created_at, note.row.note).write(of));
        Ok(Page {
            data: rows.into_iter().map(view).collect(),
            pagination: self.paging.describe(total, has_more, next),
        })
    }
}

/// List the notes of a conversation
///
/// Newest first.
#[utoipa::path(get, path = "/v2/api/conversations/{contact_number}/notes", operation_id = "listConversationNotes",
    tag = "Notes",
    params(
        ("contact_number" = String, Path, description = "The outside number in E.164, `+` as `%2B`", example = "+14155551234"),
        ("allo_number" = Option<String>, Query, description = "The team's number that the conversation is on, in E.164 (`+` as `%2B`); it or `sender_id` is required", example = "+14155550100"),
        ("sender_id" = Option<String>, Query, description = "The team's sender id that the conversation is on"),
        ("page" = Option<i64>, Query, description = "Page, from 1", minimum = 1),
        ("size" = Option<i64>, Query, description = "Entries on a page, 20 by default", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`pagination.next_cursor` of the previous answer; replaces `page`"),
    ),
    responses((status = 200, description = "A page of notes", body = Page<NoteView>)))]
pub async fn list(
    caller: Caller<NotesRead>,
    State(state): State<AppState>,
    path: PathParams<1>,
    query: Query,
) -> Result<Response, ApiError> {
    let (PathParams([number]), Query(mut input)) = (path, query);
    let number = contact_number(&number)?;
    let line = read_line(&mut input);
    let (paging, cursor) = (Paging::read(&mut input), input.cursor());
    input.finish()?;
    let line = line.ok_or(ErrorCode::MissingAlloNumberOrSenderId)?;
    let of = format!("notes {:?} {number} {line:?}", caller.owner.team);
    let wanted = List::read(caller.owner.team, paging, cursor.as_deref(), &of)?;
    let work = move |conn: &mut Conn<'_>| {
        conn.at_one_moment(|conn| -> Result<_, ApiError> {
            let found = commands::conversation(conn, wanted.team, number, &line)?;
            let place = Place::Conversation(found.conversation);
            wanted.page(conn, place, &of, NoteView::from)
        })
    };
    Ok(reply::page(&state.board.db().read(work).await?))
}

/// A note to be written on a conversation.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateConversationNoteRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct CreateNote {
    /// 1 to 4,000 characters. At most 15 mentions: `@[Name](usr-…)`, or `@[all](all)` for everybody.
    #[schema(max_length = 4_000, example = "Prefers mornings. @[all](all)")]
    content: String,
    /// The team's number that the conversation is on; it or `sender_id` is required.
    #[schema(example = "+14155550100")]
    allo_number: Option<String>,
    /// The team's sender id that the conversation is on.
    #[schema(example = "ACME")]
    sender_id: Option<String>,
}

/// Write a note on a conversation
///
/// The author is the user whose key it is.
#[utoipa::path(post, path = "/v2/api/conversations/{contact_number}/notes", operation_id = "createConversationNote",
    tag = "Notes",
    params(("contact_number" = String, Path, description = "The outside number in E.164, `+` as `%2B`", example = "+14155551234")),
    request_body = CreateNote,
    responses((status = 201, description = "The note", body = Data<NoteView>)))]
pub async fn create(
    caller: Caller<NotesWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([number]), Body(mut input)) = (path, body);
    let number = contact_number(&number)?;
    let (content, line) = (read_content(&mut input), read_line(&mut input));
    input.finish()?;
    let line = line.ok_or(ErrorCode::MissingAlloNumberOrSenderId)?;
    let by = caller.actor();
    commit(&state, &caller, StatusCode::CREATED, move |work| {
        commands::on_conversation(work, number, &line, &content, &by).map(NoteView::from)
    })
    .await
}

/// Get a note of a conversation
#[utoipa::path(get, path = "/v2/api/conversations/notes/{id}", operation_id = "getConversationNote", tag = "Notes",
    params(("id" = String, Path, description = "The note's id", example = "not-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The note", body = Data<NoteView>)))]
pub async fn get(
    caller: Caller<NotesRead>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let (id, team) = (
        note_id(&id).map_err(|error| error.param("id"))?,
        caller.owner.team,
    );
    let read = state.board.db().read(move |conn| notes::get(conn, team, id));
    let note = read.await?.filter(|note| On::AnyConversation.has(&note.row));
    let note = note.ok_or_else(|| no_such_note().param("id"))?;
    Ok(reply::data(NoteView::from(note)))
}

/// What is to change about a note.
#[derive(utoipa::ToSchema)]
#[schema(as = UpdateNoteRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct UpdateNote {
    /// The whole new text: 1 to 4,000 characters, at most 15 mentions.
    #[schema(max_length = 4_000, example = "Prefers afternoons.")]
    content: String,
}

/// Update a note of a conversation
///
/// Only by its author.
#[utoipa::path(patch, path = "/v2/api/conversations/notes/{id}", operation_id = "updateConversationNote", tag = "Notes",
    params(("id" = String, Path, description = "The note's id", example = "not-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = UpdateNote,
    responses((status = 200, description = "The note as it is now", body = Data<NoteView>)))]
pub async fn update(
    caller: Caller<OwnNotes>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let id = note_id(&id).map_err(|error| error.param("id"))?;
    let content = read_content(&mut input);
    input.finish()?;
    let by = caller.actor();
    let done = commit(&state, &caller, StatusCode::OK, move |work| {
        commands::update(work, On::AnyConversation, id, &content, &by).map(NoteView::from)
    });
    done.await.map_err(|error| naming(error, "id"))
}

/// Delete a note of a conversation
///
/// Only by its author. A thread about it stays.
#[utoipa::path(delete, path = "/v2/api/conversations/notes/{id}", operation_id = "deleteConversationNote", tag = "Notes",
    params(("id" = String, Path, description = "The note's id", example = "not-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 204, description = "It is gone")))]
pub async fn delete(
    caller: Caller<OwnNotes>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let id = note_id(&id).map_err(|error| error.param("id"))?;
    let by = caller.actor();
    let done = commit(&state, &caller, StatusCode::NO_CONTENT, move |work| {
        commands::delete(work, On::AnyConversation, id, &by)
    });
    done.await.map_err(|error| naming(error, "id"))
}

/// Reads the id of a note.
pub(super) fn note_id(text: &str) -> Result<NoteId, ApiError> {
    NoteId::parse(text).map_err(|_| no_such_note())
}

fn no_such_note() -> ApiError {
    ApiError::new(ErrorCode::NoteNotFound)
}

/// Says of a note that a command did not find, or not as the caller's, which parameter named it.
fn naming(error: ApiError, param: &str) -> ApiError {
    match error.code {
        ErrorCode::NoteNotFound | ErrorCode::NotNoteAuthor => error.param(param),
        _ => error,
    }
}
