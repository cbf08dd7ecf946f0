//! Custom properties: the typed fields a team gives its people.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{ErrorCode, Millis, PropertyType};
use trunkline_store::properties::{self, PropertyRow};
use trunkline_switchboard::properties as commands;

use crate::AppState;
use crate::http::auth::{Caller, CrmDelete, CrmRead, CrmWrite};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, PathParams, Sent};
use crate::http::reply::{self, Data};

/// A custom property of people.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CrmProperty)]
pub struct PropertyView {
    /// The name of the field on people and in events.
    #[schema(example = "lead_source")]
    key: String,
    /// What people call it.
    #[schema(example = "Lead source")]
    name: String,
    /// `TEXT`, `NUMBER`, `DATE` (`YYYY-MM-DD`) or `BOOLEAN`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "TEXT")]
    property_type: PropertyType,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
}

impl From<PropertyRow> for PropertyView {
    fn from(row: PropertyRow) -> Self {
        Self {
            key: row.key,
            name: row.name,
            property_type: row.property_type,
            created_at: row.created_at,
        }
    }
}

/// List properties
///
/// The custom properties that people of the team may have, oldest first.
#[utoipa::path(get, path = "/v2/api/crm/properties", operation_id = "listProperties", tag = "CRM",
    responses((status = 200, description = "The properties", body = Data<Vec<PropertyView>>)))]
pub async fn list(caller: Caller<CrmRead>, State(state): State<AppState>) -> Result<Response, ApiError> {
    let team = caller.owner.team;
    let read = state.board.db().read(move |conn| properties::list(conn, team));
    let rows = read.await.map_err(ApiError::from)?;
    Ok(reply::data(
        rows.into_iter().map(PropertyView::from).collect::<Vec<_>>(),
    ))
}

/// A new property.
#[derive(utoipa::ToSchema)]
#[schema(as = CreatePropertyRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct CreateProperty {
    /// A lower-case slug that is not the name of a built-in field. It cannot be changed later.
    #[schema(example = "lead_source", max_length = 64)]
    key: String,
    /// What people call it.
    #[schema(example = "Lead source", max_length = 100)]
    name: String,
    /// `TEXT` (at most 150 a team), `NUMBER` (50), `DATE` (30) or `BOOLEAN` (30). It cannot be changed later.
    #[serde(rename = "type")]
    #[schema(rename = "type", example = "TEXT")]
    property_type: String,
}

/// Create a property
///
/// From now on people can have it, as a field of its own beside the built-in ones.
#[utoipa::path(post, path = "/v2/api/crm/properties", operation_id = "createProperty", tag = "CRM",
    request_body = CreateProperty,
    responses((status = 201, description = "The property", body = Data<PropertyView>)))]
pub async fn create(
    caller: Caller<CrmWrite>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let (key, name) = (input.text("key", 64), input.text("name", commands::MAX_NAME));
    let property_type = input.name::<PropertyType>("type");
    for name in ["key", "name", "type"] {
        if input.sent(name) != Sent::Value {
            input.missing(name);
        }
    }
    input.finish()?;
    let (Some(key), Some(name), Some(property_type)) = (key, name, property_type) else {
        return Err(ErrorCode::MissingParameter.into());
    };
    let by = caller.actor();
    commit(&state, &caller, StatusCode::CREATED, move |work| {
        commands::define_by(work, &key, &name, property_type, &by).map(PropertyView::from)
    })
    .await
}

/// What is to change about a property.
#[derive(utoipa::ToSchema)]
#[schema(as = UpdatePropertyRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct UpdateProperty {
    /// What people call it.
    #[schema(example = "Source of the lead", max_length = 100)]
    name: String,
}

/// Rename a property
///
/// Key and type stay as they are.
#[utoipa::path(put, path = "/v2/api/crm/properties/{key}", operation_id = "updateProperty", tag = "CRM",
    params(("key" = String, Path, description = "The property's key", example = "lead_source")),
    request_body = UpdateProperty,
    responses((status = 200, description = "The property as it is now", body = Data<PropertyView>)))]
pub async fn update(
    caller: Caller<CrmWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([key]), Body(mut input)) = (path, body);
    let name = input.text("name", commands::MAX_NAME);
    if input.sent("name") != Sent::Value {
        input.missing("name");
    }
    input.finish()?;
    let name = name.ok_or(ErrorCode::MissingParameter)?;
    let by = caller.actor();
    commit(&state, &caller, StatusCode::OK, move |work| {
        commands::rename(work, &key, &name, &by).map(PropertyView::from)
    })
    .await
}

/// Delete a property
///
/// People and events show it no more. Should it be defined again with the same type, the values are back of those who
/// were not changed meanwhile.
#[utoipa::path(delete, path = "/v2/api/crm/properties/{key}", operation_id = "deleteProperty", tag = "CRM",
    params(("key" = String, Path, description = "The property's key", example = "lead_source")),
    responses((status = 204, description = "It is gone")))]
pub async fn delete(
    caller: Caller<CrmDelete>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([key]) = path;
    let by = caller.actor();
    commit(&state, &caller, StatusCode::NO_CONTENT, move |work| {
        commands::delete(work, &key, &by)
    })
    .await
}
