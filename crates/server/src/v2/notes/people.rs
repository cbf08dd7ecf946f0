//! Notes on people of the CRM.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{ContactId, ErrorCode, NoteId};
use trunkline_store::notes::{NoteDetail, Place};
use trunkline_store::{Conn, contacts};
use trunkline_switchboard::notes::{self as commands, On};

use super::{List, TextView, UpdateNote, naming, note_id, read_content};
use crate::AppState;
use crate::http::auth::{Caller, NotesRead, NotesWrite, OwnNotes};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, PathParams, Query};
use crate::http::reply::{self, Data, Page, Paging};

/// A note on a person.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PersonNote)]
pub struct PersonNoteView {
    #[schema(value_type = String, example = "not-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: NoteId,
    #[schema(example = "per-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    person_id: Option<String>,
    #[serde(flatten)]
    text: TextView,
}

impl From<NoteDetail> for PersonNoteView {
    fn from(mut note: NoteDetail) -> Self {
        Self {
            text: TextView::of_note(&mut note),
            id: note.row.id,
            person_id: note.row.contact_id.map(|id| format!("per-{}", id.ksuid())),
        }
    }
}

fn person_id(text: &str) -> Result<ContactId, ApiError> {
    ContactId::parse(text).map_err(|_| no_such_person())
}

fn no_such_person() -> ApiError {
    ApiError::new(ErrorCode::PersonNotFound).param("id")
}

/// List the notes on a person
///
/// Newest first. Notes on conversations with the person are not among them.
#[utoipa::path(get, path = "/v2/api/crm/people/{id}/notes", operation_id = "listPersonNotes", tag = "Notes",
    params(
        ("id" = String, Path, description = "The person's id", example = "per-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"),
        ("page" = Option<i64>, Query, description = "Page, from 1", minimum = 1),
        ("size" = Option<i64>, Query, description = "Entries on a page, 20 by default", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`pagination.next_cursor` of the previous answer; replaces `page`"),
    ),
    responses((status = 200, description = "A page of notes", body = Page<PersonNoteView>)))]
pub async fn list(
    caller: Caller<NotesRead>,
    State(state): State<AppState>,
    path: PathParams<1>,
    query: Query,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Query(mut input)) = (path, query);
    let id = person_id(&id)?;
    let (paging, cursor) = (Paging::read(&mut input), input.cursor());
    input.finish()?;
    let of = format!("notes {:?} {id}", caller.owner.team);
    let wanted = List::read(caller.owner.team, paging, cursor.as_deref(), &of)?;
    let work = move |conn: &mut Conn<'_>| {
        conn.at_one_moment(|conn| -> Result<_, ApiError> {
            contacts::get(conn, wanted.team, id)?.ok_or_else(no_such_person)?;
            wanted.page(conn, Place::Contact(id), &of, PersonNoteView::from)
        })
    };
    Ok(reply::page(&state.board.db().read(work).await?))
}

/// A note to be written on a person.
#[derive(utoipa::ToSchema)]
#[schema(as = CreatePersonNoteRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct CreatePersonNote {
    /// 1 to 4,000 characters. At most 15 mentions: `@[Name](usr-…)`, or `@[all](all)` for everybody.
    #[schema(max_length = 4_000, example = "Met at the trade fair. @[all](all)")]
    content: String,
}

/// Write a note on a person
///
/// The author is the user whose key it is.
#[utoipa::path(post, path = "/v2/api/crm/people/{id}/notes", operation_id = "createPersonNote", tag = "Notes",
    params(("id" = String, Path, description = "The person's id", example = "per-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = CreatePersonNote,
    responses((status = 201, description = "The note", body = Data<PersonNoteView>)))]
pub async fn create(
    caller: Caller<NotesWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let id = person_id(&id)?;
    let content = read_content(&mut input);
    input.finish()?;
    let by = caller.actor();
    commit(&state, &caller, StatusCode::CREATED, move |work| {
        commands::on_contact(work, id, &content, &by).map(PersonNoteView::from)
    })
    .await
}

/// Update a note on a person
///
/// Only by its author.
#[utoipa::path(patch, path = "/v2/api/crm/people/{id}/notes/{note_id}", operation_id = "updatePersonNote", tag = "Notes",
    params(
        ("id" = String, Path, description = "The person's id", example = "per-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"),
        ("note_id" = String, Path, description = "The note's id", example = "not-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"),
    ),
    request_body = UpdateNote,
    responses((status = 200, description = "The note as it is now", body = Data<PersonNoteView>)))]
pub async fn update(
    caller: Caller<OwnNotes>,
    State(state): State<AppState>,
    path: PathParams<2>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([person, id]), Body(mut input)) = (path, body);
    let (person, id) = (person_id(&person)?, named_note(&id)?);
    let content = read_content(&mut input);
    input.finish()?;
    let by = caller.actor();
    let done = commit(&state, &caller, StatusCode::OK, move |work| {
        commands::update(work, On::Contact(person), id, &content, &by).map(PersonNoteView::from)
    });
    done.await.map_err(|error| naming(error, "note_id"))
}

/// Delete a note on a person
///
/// Only by its author.
#[utoipa::path(delete, path = "/v2/api/crm/people/{id}/notes/{note_id}", operation_id = "deletePersonNote", tag = "Notes",
    params(
        ("id" = String, Path, description = "The person's id", example = "per-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"),
        ("note_id" = String, Path, description = "The note's id", example = "not-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"),
    ),
    responses((status = 204, description = "It is gone")))]
pub async fn delete(
    caller: Caller<OwnNotes>,
    State(state): State<AppState>,
    path: PathParams<2>,
) -> Result<Response, ApiError> {
    let PathParams([person, id]) = path;
    let (person, id) = (person_id(&person)?, named_note(&id)?);
    let by = caller.actor();
    let done = commit(&state, &caller, StatusCode::NO_CONTENT, move |work| {
        commands::delete(work, On::Contact(person), id, &by)
    });
    done.await.map_err(|error| naming(error, "note_id"))
}

fn named_note(text: &str) -> Result<NoteId, ApiError> {
    note_id(text).map_err(|error| error.param("note_id"))
}
