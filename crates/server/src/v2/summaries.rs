//! Summaries of calls.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{CallId, Millis, SummaryTemplate, UserId};
use trunkline_switchboard::summaries as commands;

use super::call_id;
use crate::AppState;
use crate::http::auth::{Caller, ConversationsWrite};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, PathParams};
use crate::http::reply::Data;

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
