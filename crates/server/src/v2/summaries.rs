//! Summaries of calls.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{CallId, ErrorCode, ItemId, Millis, SummaryTemplate, UserId};
use trunkline_store::{items, users};
use trunkline_switchboard::summaries as commands;

use super::call_id;
use crate::AppState;
use crate::http::auth::{Caller, ConversationsRead, ConversationsWrite};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, PathParams};
use crate::http::reply::{self, Data};

/// A summary to be written.
#[derive(utoipa::ToSchema)]
#[schema(as = UpdateSummaryRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct UpdateSummary {
    /// The whole new text, in Markdown.
    #[schema(
        max_length = 100_000,
        example = "# Summary\n\nAsked about the Pro plan; call again on Tuesday."
    )]
    content: String,
    /// `MARKDOWN_CLASSIC` or `MARKDOWN_SHORT_CALL`: which summary, when the call has both.
    template_key: Option<String>,
}

/// A summary of a call.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CallSummary)]
pub struct SummaryView {
    #[schema(value_type = String, example = "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: CallId,
    content: String,
    /// Grows with every edit.
    #[schema(example = 4)]
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
    updated_by: Editor,
}

/// Who wrote it.
#[derive(Clone, Serialize, utoipa::ToSchema)]
#[schema(as = SummaryEditor)]
pub struct Editor {
    #[schema(value_type = String, example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: UserId,
    name: String,
}

/// One of the summaries of a call.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CallSummaryEntry)]
pub struct EntryView {
    /// `MARKDOWN_CLASSIC` or `MARKDOWN_SHORT_CALL`.
    #[schema(value_type = String, example = "MARKDOWN_CLASSIC")]
    template_key: SummaryTemplate,
    content: String,
    /// Grows with every edit.
    #[schema(example = 4)]
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
    /// Who edited it last; `null` when nobody did.
    updated_by: Option<Editor>,
}

/// List the summaries of a call
///
/// Each with its key, which an update needs when there are several.
#[utoipa::path(get, path = "/v2/api/conversations/items/{id}/summaries", operation_id = "listCallSummaries",
    tag = "Conversations",
    params(("id" = String, Path, description = "The call's id", example = "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The summaries", body = Data<Vec<EntryView>>)))]
pub async fn list(
    caller: Caller<ConversationsRead>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let (id, team) = (call_id(&id)?, caller.owner.team);
    let read = state
        .board
        .db()
        .read(move |conn| -> Result<Vec<EntryView>, ApiError> {
            let call = items::get(conn, team, ItemId::Call(id))?.ok_or(ErrorCode::CallNotFound)?;
            let mut all = Vec::new();
            for row in items::summaries(conn, team, call.seq)? {
                let editor = match row.updated_by {
                    Some(user) => users::get(conn, team, user)?,
                    None => None,
                };
                all.push(EntryView {
                    template_key: row.template,
                    content: row.content,
                    version: row.version,
                    updated_at: row.updated_at,
                    updated_by: editor.map(|user| Editor {
                        id: user.id,
                        name: user.name,
                    }),
                });
            }
            Ok(all)
        });
    Ok(reply::data(read.await?))
}

/// Update the summary of a call
///
/// Replaces the whole text. A call that has several summaries needs `template_key`; a call without one gets one.
#[utoipa::path(patch, path = "/v2/api/conversations/items/{id}/summary", operation_id = "updateCallSummary",
    tag = "Conversations",
    params(("id" = String, Path, description = "The call's id", example = "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = UpdateSummary,
    responses((status = 200, description = "The new version", body = Data<SummaryView>)))]
pub async fn update(
    caller: Caller<ConversationsWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let id = call_id(&id)?;
    let content = input.text("content", commands::MAX_CHARACTERS);
    if content.is_none() {
        input.missing("content");
    }
    let template: Option<SummaryTemplate> = input.name("template_key");
    input.finish()?;
    let (content, by) = (content.unwrap_or_default(), caller.actor());
    let editor = Editor {
        id: caller.owner.user_id,
        name: caller.owner.user_name.clone(),
    };
    commit(&state, &caller, StatusCode::OK, move |work| {
        let row = commands::edit(work, id, template, &content, &by)?;
        let (content, version, updated_at) = (row.content, row.version, row.updated_at);
        Ok(SummaryView {
            id,
            content,
            version,
            updated_at,
            updated_by: editor.clone(),
        })
    })
    .await
}
