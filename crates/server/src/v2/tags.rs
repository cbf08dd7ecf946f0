//! Tags: the team's, and those of a call.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{CallId, TagId};
use trunkline_store::tags;
use trunkline_switchboard::tags as commands;

use super::call_id;
use crate::AppState;
use crate::http::auth::{Caller, TagsRead, TagsWrite};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, PathParams};
use crate::http::reply::{self, Data};

/// A tag.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Tag)]
pub struct TagView {
    #[schema(value_type = String, example = "tag-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: TagId,
    /// The key: what filters and `tags` arrays carry.
    #[schema(example = "qualified")]
    name: String,
    #[schema(example = "#00AA00")]
    color: String,
    /// What people call it.
    #[schema(example = "Qualified")]
    label: String,
}

/// List tags
///
/// All tags of the team, oldest first.
#[utoipa::path(get, path = "/v2/api/tags", operation_id = "listTags", tag = "Tags",
    responses((status = 200, description = "The tags", body = Data<Vec<TagView>>)))]
pub async fn list(caller: Caller<TagsRead>, State(state): State<AppState>) -> Result<Response, ApiError> {
    let team = caller.owner.team;
    let rows = state
        .board
        .db()
        .read(move |conn| tags::list(conn, team))
        .await
        .map_err(ApiError::from)?;
    let view = |row: tags::TagRow| TagView {
        id: row.id,
        name: row.key,
        color: row.color,
        label: row.name,
    };
    Ok(reply::data(rows.into_iter().map(view).collect::<Vec<_>>()))
}

/// Tags to be added to a call.
#[derive(utoipa::ToSchema)]
#[schema(as = AddTagsRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct AddTags {
    /// Tag keys. A key that the team has not defined is created with it, unless the team turned that off.
    #[schema(example = json!(["qualified", "follow_up"]))]
    tags: Vec<String>,
}

/// The tags of a call.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CallTags)]
pub struct CallTagsView {
    #[schema(value_type = String, example = "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: CallId,
    /// All tag keys of the call now, in the order they were added.
    #[schema(example = json!(["billing", "qualified"]))]
    tags: Vec<String>,
}

/// Add tags to a call
///
/// All or none: when the call has one of them already, nothing changes.
#[utoipa::path(post, path = "/v2/api/conversations/items/{id}/tags", operation_id = "addTags", tag = "Tags",
    params(("id" = String, Path, description = "The call's id", example = "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = AddTags,
    responses((status = 200, description = "The call's tags now", body = Data<CallTagsView>)))]
pub async fn add(
    caller: Caller<TagsWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let id = call_id(&id)?;
    let wanted = input.texts("tags", 100).unwrap_or_default();
    input.finish()?;
    let by = caller.actor();
    commit(&state, &caller, StatusCode::OK, move |work| {
        Ok(CallTagsView {
            id,
            tags: commands::add(work, id, &wanted, &by)?,
        })
    })
    .await
}

/// Remove a tag from a call
#[utoipa::path(delete, path = "/v2/api/conversations/items/{id}/tags/{tag}", operation_id = "removeTag", tag = "Tags",
    params(
        ("id" = String, Path, description = "The call's id", example = "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"),
        ("tag" = String, Path, description = "The tag's key", example = "qualified"),
    ),
    responses((status = 200, description = "The call's tags now", body = Data<CallTagsView>)))]
pub async fn remove(
    caller: Caller<TagsWrite>,
    State(state): State<AppState>,
    path: PathParams<2>,
) -> Result<Response, ApiError> {
    let PathParams([id, tag]) = path;
    let id = call_id(&id)?;
    let by = caller.actor();
    commit(&state, &caller, StatusCode::OK, move |work| {
        Ok(CallTagsView {
            id,
            tags: commands::remove(work, id, &tag, &by)?,
        })
    })
    .await
}
