//! Tags: the team's, and those of a call.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::tag::{MAX_KEY_BYTES, MAX_LABEL, MAX_PROMPT, color, key, name_of};
use trunkline_domain::{CallId, ErrorCode, TagId};
use trunkline_store::tags::{self, TagRow};
use trunkline_switchboard::tags as commands;

use super::call_id;
use crate::AppState;
use crate::http::auth::{Caller, TagsRead, TagsWrite, TeamManage};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, Input, PathParams, Sent};
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
    /// When a call is to get it, for people who tag and for programs that read transcripts: the server itself tags nothing.
    #[schema(example = "The caller has a budget and a date")]
    prompt: Option<String>,
}

impl From<TagRow> for TagView {
    fn from(row: TagRow) -> Self {
        Self {
            id: row.id,
            name: row.key,
            color: row.color,
            label: row.name,
            prompt: row.prompt,
        }
    }
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
    Ok(reply::data(
        rows.into_iter().map(TagView::from).collect::<Vec<_>>(),
    ))
}

/// Get a tag
#[utoipa::path(get, path = "/v2/api/tags/{tag}", operation_id = "getTag", tag = "Tags",
    params(("tag" = String, Path, description = "The tag's key, or its id", example = "qualified")),
    responses((status = 200, description = "The tag", body = Data<TagView>)))]
pub async fn get(
    caller: Caller<TagsRead>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let (PathParams([tag]), team) = (path, caller.owner.team);
    let read = state
        .board
        .db()
        .read(move |conn| commands::find(conn, team, &tag));
    let missing = || ApiError::new(ErrorCode::TagNotFound).param("tag");
    Ok(reply::data(TagView::from(read.await?.ok_or_else(missing)?)))
}

/// A new tag.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateTagRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct CreateTag {
    /// What its key is made of: lower-case letters, digits, `-` and `_`, at most 64. Of one key a team has one tag.
    #[schema(max_length = 64, example = "Follow up")]
    name: String,
    /// What people call it; without it, `name`.
    #[schema(max_length = 100, example = "Follow up")]
    label: Option<String>,
    /// `#` and six hexadecimal digits; without it, one that follows from the key.
    #[schema(max_length = 7, example = "#FF8800")]
    color: Option<String>,
    /// When a call is to get it, for people who tag and for programs that read transcripts: the server itself tags nothing.
    #[schema(max_length = 2_000, example = "The caller wants to be called back")]
    prompt: Option<String>,
}

/// Create a tag
///
/// A team has at most 1,000.
#[utoipa::path(post, path = "/v2/api/tags", operation_id = "createTag", tag = "Tags",
    request_body = CreateTag,
    responses((status = 201, description = "The tag", body = Data<TagView>)))]
pub async fn create(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let name = input.text("name", MAX_KEY_BYTES);
    if input.sent("name") != Sent::Value {
        input.missing("name");
    }
    let key = name.as_deref().and_then(key);
    if let (Some(name), None) = (&name, &key) {
        let message =
            format!("{name:?} makes no tag key: use letters, digits, - and _, at most 64 characters");
        input.fault(ErrorCode::InvalidParameter, "name", message);
    }
    let label = read_worded(&mut input, "label", MAX_LABEL);
    let (color, prompt) = (
        read_color(&mut input),
        read_worded(&mut input, "prompt", MAX_PROMPT),
    );
    input.finish()?;
    let (Some(name), Some(key)) = (name, key) else {
        return Err(ErrorCode::MissingParameter.into());
    };
    // What was written for people is what people read.
    let shown = if name == key {
        name_of(&key)
    } else {
        name.trim().to_owned()
    };
    let tag = commands::CreateTag {
        name: label.unwrap_or(shown),
        key,
        color,
        prompt,
    };
    let by = caller.actor();
    commit(&state, &caller, StatusCode::CREATED, move |work| {
        commands::create_by(work, &tag, &by).map(TagView::from)
    })
    .await
}

/// What is to change about a tag: a field that is left out stays as it is.
#[derive(utoipa::ToSchema)]
#[schema(as = UpdateTagRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct UpdateTag {
    /// What people call it.
    #[schema(nullable = false, max_length = 100, example = "Follow up")]
    label: Option<String>,
    /// `#` and six hexadecimal digits.
    #[schema(nullable = false, max_length = 7, example = "#FF8800")]
    color: Option<String>,
    /// When a call is to get it; `null` takes it away.
    #[schema(max_length = 2_000, example = "The caller wants to be called back")]
    prompt: Option<String>,
}

/// Update a tag
///
/// Only the fields that are sent are changed. The key stays: it is what calls carry and what programs look for.
#[utoipa::path(patch, path = "/v2/api/tags/{tag}", operation_id = "updateTag", tag = "Tags",
    params(("tag" = String, Path, description = "The tag's key, or its id", example = "qualified")),
    request_body = UpdateTag,
    responses((status = 200, description = "The tag as it is now", body = Data<TagView>)))]
pub async fn update(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([tag]), Body(mut input)) = (path, body);
    let name = read_worded(&mut input, "label", MAX_LABEL);
    let color = read_color(&mut input);
    let prompt = read_worded(&mut input, "prompt", MAX_PROMPT);
    let changes = commands::UpdateTag {
        name,
        color,
        prompt: input.or_null("prompt", prompt),
    };
    input.finish()?;
    let by = caller.actor();
    commit(&state, &caller, StatusCode::OK, move |work| {
        commands::update(work, &tag, &changes, &by).map(TagView::from)
    })
    .await
}

/// Delete a tag
///
/// It is not in the team's list any more. Calls that carry it keep it, and are found and counted by it as before; whoever
/// tags a call with it makes it anew, unless the team turned that off.
#[utoipa::path(delete, path = "/v2/api/tags/{tag}", operation_id = "deleteTag", tag = "Tags",
    params(("tag" = String, Path, description = "The tag's key, or its id", example = "qualified")),
    responses((status = 204, description = "It is gone")))]
pub async fn delete(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([tag]) = path;
    let by = caller.actor();
    commit(&state, &caller, StatusCode::NO_CONTENT, move |work| {
        commands::delete(work, &tag, &by)
    })
    .await
}

/// Reads a text that has something in it, if it is there.
fn read_worded(input: &mut Input, name: &'static str, max: usize) -> Option<String> {
    let text = input.text(name, max)?.trim().to_owned();
    if text.is_empty() {
        input.empty(name);
        return None;
    }
    Some(text)
}

/// Reads `color`, if it is there.
fn read_color(input: &mut Input) -> Option<String> {
    let text = input.text("color", 7)?;
    let read = color(&text);
    if read.is_none() {
        let message = format!("{text:?} is no colour");
        let suggestion = "Send # and six hexadecimal digits, such as #FF8800.".to_owned();
        input.fault_with(ErrorCode::InvalidParameter, "color", message, suggestion);
    }
    read
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
