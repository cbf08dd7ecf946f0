//! Single items, and many by their ids.

use axum::extract::State;
use axum::response::Response;
use trunkline_domain::{ErrorCode, IdError, ItemId};
use trunkline_store::items;

use super::views::{self, ItemView};
use super::{item_id, read_extend};
use crate::AppState;
use crate::http::auth::{Caller, ConversationsRead};
use crate::http::error::ApiError;
use crate::http::input::{Body, PathParams, Query};
use crate::http::reply::{self, Data};

/// The most ids in one request.
const MAX_BATCH: usize = 100;

/// Get a call or message
#[utoipa::path(get, path = "/v2/api/conversations/items/{id}", operation_id = "getConversationItem",
    tag = "Conversations",
    params(
        ("id" = String, Path, description = "The item's id: `cll-…` or `msg-…`", example = "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"),
        ("extend" = Option<String>, Query, description = "`transcript`: with the transcript", example = "transcript"),
    ),
    responses((status = 200, description = "The item", body = Data<ItemView>)))]
pub async fn get(
    caller: Caller<ConversationsRead>,
    State(state): State<AppState>,
    path: PathParams<1>,
    query: Query,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Query(mut input)) = (path, query);
    let extend = read_extend(&mut input);
    input.finish()?;
    let (team, id) = (caller.owner.team, item_id(&id)?);
    let read = state.board.db().read(move |conn| -> Result<ItemView, ApiError> {
        let detail = items::detail(conn, team, id)?.ok_or(ErrorCode::ConversationItemNotFound)?;
        let view = views::items(conn, team, vec![detail], extend)?.pop();
        view.ok_or_else(|| ErrorCode::ConversationItemNotFound.into())
    });
    Ok(reply::data(read.await?))
}

/// Ids of items.
#[derive(utoipa::ToSchema)]
#[schema(as = BatchRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct Batch {
    /// At most 100 ids, `cll-…` or `msg-…`.
    #[schema(max_items = 100, example = json!(["cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"]))]
    ids: Vec<String>,
    /// `transcript`: with the transcripts.
    extend: Option<String>,
}

/// Get many calls and messages
///
/// In the order of the ids; ids that do not exist are left out.
#[utoipa::path(post, path = "/v2/api/conversations/items/batch", operation_id = "batchGetConversationItems",
    tag = "Conversations", request_body = Batch,
    responses((status = 200, description = "The items", body = Data<Vec<ItemView>>)))]
pub async fn batch(
    caller: Caller<ConversationsRead>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let texts = input.texts("ids", usize::MAX);
    if texts.is_none() {
        input.missing("ids");
    }
    let texts = texts.unwrap_or_default();
    if texts.len() > MAX_BATCH {
        let message = format!("{} ids; at most {MAX_BATCH} in a request", texts.len());
        input.fault(ErrorCode::BatchTooLarge, "ids", message);
    }
    let mut ids = Vec::with_capacity(texts.len().min(MAX_BATCH));
    for text in texts.iter().take(MAX_BATCH) {
        match ItemId::parse(text) {
            Ok(id) if !ids.contains(&id) => ids.push(id),
            Ok(_) | Err(IdError::NeverIssued) => {}
            Err(IdError::Malformed { .. }) => {
                let shown: String = text.chars().take(40).collect();
                input.fault(
                    ErrorCode::InvalidItemId,
                    "ids",
                    format!("{shown:?} is not the id of an item"),
                );
            }
        }
    }
    let extend = read_extend(&mut input);
    input.finish()?;
    let team = caller.owner.team;
    let read = state
        .board
        .db()
        .read(move |conn| -> Result<Vec<ItemView>, ApiError> {
            let details = items::details_by_id(conn, team, &ids)?;
            Ok(views::items(conn, team, details, extend)?)
        });
    Ok(reply::data(read.await?))
}
