//! Bulk import of people: a file comes in, and is worked on behind the scenes.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{ErrorCode, ImportId, Millis};
use trunkline_store::crypto;
use trunkline_store::imports::{self, ImportRow, RowError};
use trunkline_switchboard::people_file::{FileError, Format, MAX_ROWS, parse};
use trunkline_switchboard::people_import::{self as commands};

use crate::AppState;
use crate::http::auth::{Caller, CrmRead, CrmWrite};
use crate::http::body::read_up_to;
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::PathParams;
use crate::http::reply::{self, Data};

/// The largest file, in bytes.
const MAX_FILE_BYTES: usize = 64 << 20;

/// An import of people.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PeopleImport)]
pub struct ImportView {
    #[schema(value_type = String, example = "imp-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: ImportId,
    /// `RUNNING` or `DONE`.
    #[schema(example = "RUNNING")]
    state: &'static str,
    /// Rows in the file.
    #[schema(example = 50000)]
    total: i64,
    /// Rows that were looked at.
    #[schema(example = 12000)]
    done: i64,
    /// People that were made.
    #[schema(example = 11000)]
    created: i64,
    /// People that were changed.
    #[schema(example = 700)]
    updated: i64,
    /// People that were like that already.
    #[schema(example = 298)]
    unchanged: i64,
    /// Rows that were not imported.
    #[schema(example = 2)]
    failed: i64,
    /// The first thousand of these, with what is wrong.
    errors: Vec<RowErrorView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Millis>,
}

/// A row that was not imported.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PeopleImportError)]
pub struct RowErrorView {
    /// Its line in the file, from 1.
    #[schema(example = 17)]
    row: u64,
    /// The field that is to blame; `null` where the row could not be read at all.
    #[schema(example = "numbers")]
    param: Option<String>,
    #[schema(example = "INVALID_PHONE_FORMAT")]
    code: String,
    /// What is wrong.
    message: String,
}

impl From<ImportRow> for ImportView {
    fn from(row: ImportRow) -> Self {
        let error = |error: RowError| RowErrorView {
            row: error.row,
            param: error.param,
            code: error.code,
            message: error.message,
        };
        Self {
            id: row.id,
            state: STATES[usize::from(row.finished_at.is_some())],
            total: row.total,
            done: row.done,
            created: row.created,
            updated: row.updated,
            unchanged: row.unchanged,
            failed: row.failed,
            errors: row.errors.into_iter().map(error).collect(),
            created_at: row.created_at,
            finished_at: row.finished_at,
        }
    }
}

/// States of imports.
pub(crate) const STATES: &[&str] = &["RUNNING", "DONE"];

/// Import people
///
/// A file of at most 100,000 rows and 64 MB, as `text/csv` with a header or as `application/x-ndjson`. It is worked on behind the
/// scenes; the answer has the id to ask how far it has come. A row is about the person who has one of its numbers, or about
/// a new one. It adds and replaces, and takes nothing away; so the same file once more changes nothing.
#[utoipa::path(post, path = "/v2/api/crm/people/import", operation_id = "importPeople", tag = "CRM",
    responses((status = 202, description = "The import", body = Data<ImportView>)))]
pub async fn begin(
    caller: Caller<CrmWrite>,
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let bytes = read_up_to(body, MAX_FILE_BYTES).await?;
    if caller.context.idempotency_key.is_some() {
        drop(caller.context.fingerprint.set(crypto::sha256_hex(&bytes)));
    }
    if bytes.is_empty() {
        return Err(refused(FileError::Empty));
    }
    let format = read_format(&parts.headers)?;
    let parsed = tokio::task::spawn_blocking(move || parse(&bytes, format)).await;
    let file = parsed
        .map_err(|_| ErrorCode::InternalServerError)?
        .map_err(refused)?;
    commit(&state, &caller, StatusCode::ACCEPTED, move |work| {
        let at = work.now;
        Ok(ImportView::from(commands::begin(work, &file, at)?))
    })
    .await
}

fn refused(error: FileError) -> ApiError {
    let code = match error {
        FileError::TooManyRows => ErrorCode::PayloadTooLarge,
        FileError::Empty | FileError::Header(_) => ErrorCode::InvalidRequestBody,
    };
    ApiError::new(code).message(error.to_string()).suggestion(format!(
        "Send a file of at most {MAX_ROWS} rows with one header line (CSV), or one JSON object a line."
    ))
}

fn read_format(headers: &HeaderMap) -> Result<Format, ApiError> {
    let known = "Send text/csv with a header line, or application/x-ndjson with a JSON object a line.";
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Err(ApiError::new(ErrorCode::MissingHeader)
            .message("what the file is made of cannot be told: it has no Content-Type")
            .param("Content-Type")
            .suggestion(known));
    };
    let value = value.to_str().unwrap_or_default();
    let media_type = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match media_type.as_str() {
        "text/csv" => Ok(Format::Csv),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Format::JsonLines),
        _ => Err(ApiError::new(ErrorCode::UnsupportedMediaType)
            .message(format!("the body has Content-Type {value:?}"))
            .param("Content-Type")
            .suggestion(known)),
    }
}

/// Get an import
///
/// How far an import has come, and which rows were not imported.
#[utoipa::path(get, path = "/v2/api/crm/people/import/{import_id}", operation_id = "getPeopleImport", tag = "CRM",
    params(("import_id" = String, Path, description = "The import's id", example = "imp-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The import", body = Data<ImportView>)))]
pub async fn get(
    caller: Caller<CrmRead>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let missing = || ApiError::new(ErrorCode::ImportNotFound).param("import_id");
    let (id, team) = (ImportId::parse(&id).map_err(|_| missing())?, caller.owner.team);
    let read = state.board.db().read(move |conn| imports::get(conn, team, id));
    let found = read.await.map_err(ApiError::from)?.ok_or_else(missing)?;
    Ok(reply::data(ImportView::from(found)))
}
