//! The people of the team.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{ErrorCode, Role, UserId, UserStatus};
use trunkline_store::users::{self, UserRow};
use trunkline_switchboard::members::{self, UpdateUser as Changes};
use trunkline_switchboard::{Error, Work};

use crate::AppState;
use crate::http::auth::{Caller, TeamManage, UsersRead};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, PathParams, Query};
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
    let PathParams([id]) = path;
    let id = user_id(&id)?;
    let team = caller.owner.team;
    let row = state
        .board
        .db()
        .read(move |conn| users::get(conn, team, id))
        .await
        .map_err(ApiError::from)?;
    Ok(reply::data(UserView::from(row.ok_or_else(not_found)?)))
}

/// What is to change about a user: a field that is left out stays as it is.
#[derive(utoipa::ToSchema)]
#[schema(as = UpdateUserRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct UpdateUser {
    #[schema(nullable = false, example = "Alex Kim", max_length = 200)]
    name: Option<String>,
    /// `ADMIN`, `MANAGER` or `MEMBER`; not above the role of the one who gives it.
    #[schema(nullable = false, example = "MANAGER")]
    role: Option<String>,
}

/// Update a user
///
/// Name and role. What the user's keys may do follows the role at once; on other nodes of the server within a second.
/// Managers can change neither admins nor make somebody one, and the team's last active admin stays one.
#[utoipa::path(patch, path = "/v2/api/users/{id}", operation_id = "updateUser", tag = "Users",
    params(("id" = String, Path, description = "The user's id", example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = UpdateUser,
    responses((status = 200, description = "The user as they are now", body = Data<UserView>)))]
pub async fn update(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let id = user_id(&id)?;
    let changes = Changes {
        name: input.text("name", 200),
        role: input.name("role"),
    };
    input.finish()?;
    let (by, power) = (caller.actor(), caller.power());
    change(&state, &caller, move |work| {
        members::update(work, id, &changes, &power, &by)
    })
    .await
}

/// Block a user
///
/// Their API keys open nothing from now on; on other nodes of the server within a second. What they did stays. The
/// team's last active admin cannot be blocked.
#[utoipa::path(post, path = "/v2/api/users/{id}/block", operation_id = "blockUser", tag = "Users",
    params(("id" = String, Path, description = "The user's id", example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The user as they are now", body = Data<UserView>)))]
pub async fn block(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let id = user_id(&id)?;
    let (by, power) = (caller.actor(), caller.power());
    change(&state, &caller, move |work| members::block(work, id, &power, &by)).await
}

/// Unblock a user
///
/// Their API keys open again what they opened before.
#[utoipa::path(post, path = "/v2/api/users/{id}/unblock", operation_id = "unblockUser", tag = "Users",
    params(("id" = String, Path, description = "The user's id", example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The user as they are now", body = Data<UserView>)))]
pub async fn unblock(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let id = user_id(&id)?;
    let (by, power) = (caller.actor(), caller.power());
    change(&state, &caller, move |work| {
        members::unblock(work, id, &power, &by)
    })
    .await
}

/// Changes a user, which all keys feel at once.
async fn change<F>(
    state: &AppState,
    caller: &Caller<TeamManage>,
    mut command: F,
) -> Result<Response, ApiError>
where
    F: FnMut(&mut Work<'_, '_>) -> Result<UserRow, Error> + Send + 'static,
{
    let done = commit(state, caller, StatusCode::OK, move |work| {
        command(work).map(UserView::from)
    });
    let reply = done.await?;
    state.keys.forget();
    Ok(reply)
}

/// Reads the id of a user in a path.
fn user_id(text: &str) -> Result<UserId, ApiError> {
    UserId::parse(text).map_err(|_| not_found())
}

fn not_found() -> ApiError {
    ApiError::new(ErrorCode::MemberNotFound).param("id")
}
