//! The people of the team.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{ErrorCode, Role, UserId, UserStatus};
use trunkline_store::users::{self, UserRow};

use crate::AppState;
use crate::http::auth::{Caller, UsersRead};
use crate::http::error::ApiError;
use crate::http::input::{PathParams, Query};
use crate::http::reply::{self, Data};

/// A user.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = User)]
pub struct UserView {
    #[schema(value_type = String, example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: UserId,
    #[schema(example = "Alex Kim")]
    name: String,
    #[schema(example = "alex@acme.example")]
    email: String,
    /// `ADMIN`, `MANAGER` or `MEMBER`.
    #[schema(value_type = String, example = "MEMBER")]
    role: Role,
    /// `ACTIVE` or `BLOCKED`.
    #[schema(value_type = String, example = "ACTIVE")]
    status: UserStatus,
    /// Picture; `null` without one.
    image_url: Option<String>,
}

impl From<UserRow> for UserView {
    fn from(row: UserRow) -> Self {
        let UserRow {
            id,
            name,
            email,
            role,
            status,
            image_url,
            ..
        } = row;
        Self {
            id,
            name,
            email,
            role,
            status,
            image_url,
        }
    }
}

/// List users
///
/// Everybody of the team, oldest account first. Without `status`, only active users.
#[utoipa::path(get, path = "/v2/api/users", operation_id = "listUsers", tag = "Users",
    params(
        ("role" = Option<String>, Query, description = "Only this role: `ADMIN`, `MANAGER` or `MEMBER`"),
        ("status" = Option<String>, Query, description = "Only this status: `ACTIVE` (default) or `BLOCKED`"),
    ),
    responses((status = 200, description = "The users", body = Data<Vec<UserView>>)))]
pub async fn list(
    caller: Caller<UsersRead>,
    State(state): State<AppState>,
    query: Query,
) -> Result<Response, ApiError> {
    let Query(mut input) = query;
    let role: Option<Role> = input.name("role");
    let status: UserStatus = input.name("status").unwrap_or(UserStatus::Active);
    input.finish()?;
    let team = caller.owner.team;
    let rows = state
        .board
        .db()
        .read(move |conn| users::list(conn, team))
        .await
        .map_err(ApiError::from)?;
    let wanted = |user: &UserRow| user.status == status && role.is_none_or(|role| user.role == role);
    Ok(reply::data(
        rows.into_iter()
            .filter(wanted)
            .map(UserView::from)
            .collect::<Vec<_>>(),
    ))
}

/// Get a user
///
/// One user of the team, whatever the status.
#[utoipa::path(get, path = "/v2/api/users/{id}", operation_id = "getUser", tag = "Users",
    params(("id" = String, Path, description = "The user's id", example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The user", body = Data<UserView>)))]
pub async fn get(
    caller: Caller<UsersRead>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let not_found = || ApiError::new(ErrorCode::MemberNotFound).param("id");
    let PathParams([id]) = path;
    let id = UserId::parse(&id).map_err(|_| not_found())?;
    let team = caller.owner.team;
    let row = state
        .board
        .db()
        .read(move |conn| users::get(conn, team, id))
        .await
        .map_err(ApiError::from)?;
    Ok(reply::data(UserView::from(row.ok_or_else(not_found)?)))
}
