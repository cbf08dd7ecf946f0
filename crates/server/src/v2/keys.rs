//! API keys: listed, made and revoked by managers. What opens doors is shown once, when a key is made.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{ApiKeyId, ApiKeyState, ErrorCode, Millis, Scope, ScopeSet, UserId};
use trunkline_store::StoreError;
use trunkline_store::keys::{self, KeyRow};
use trunkline_store::users::{self, UserRow};
use trunkline_switchboard::keys::{self as commands, CreateKey};

use super::short_list::{Listed, ShortList};
use super::views::UserRefView;
use crate::AppState;
use crate::http::auth::{Caller, TeamManage};
use crate::http::error::ApiError;
use crate::http::idempotency::{commit, commit_secret};
use crate::http::input::{Body, Input, PathParams, Query, Sent};
use crate::http::reply::{self, Data, Page};

/// An API key, without what makes it one.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ApiKey)]
pub struct KeyView {
    #[schema(value_type = String, example = "api-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: ApiKeyId,
    /// What it is for.
    #[schema(example = "CRM sync")]
    name: String,
    /// Its last four characters.
    #[schema(example = "q7Zx")]
    hint: String,
    #[schema(example = json!(["CONVERSATIONS_READ", "TAGS_WRITE"]))]
    scopes: Vec<&'static str>,
    /// `ACTIVE`, `EXPIRED` or `REVOKED`.
    #[schema(value_type = String, example = "ACTIVE")]
    state: ApiKeyState,
    /// In whose name it acts.
    user: UserRefView,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    /// From when it opens nothing; `null`: it has no end.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Millis>,
    /// To within a minute; `null`: never yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Millis>,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Millis>,
    /// The key itself; only when it is made, and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "ak_live_kJ3…")]
    secret: Option<String>,
}

impl KeyView {
    pub(super) fn new(row: KeyRow, users: &[UserRow], now: Millis) -> Self {
        let user = users.iter().find(|user| user.id == row.user_id);
        Self {
            state: state_of(&row, now),
            user: UserRefView {
                id: row.user_id,
                name: user.map(|user| user.name.clone()).unwrap_or_default(),
                email: user.map(|user| user.email.clone()).unwrap_or_default(),
            },
            id: row.id,
            name: row.name,
            hint: row.hint,
            scopes: row.scopes.names(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
            secret: None,
        }
    }
}

impl KeyView {
    /// The same with the key itself, for the answer in which it is made.
    pub(super) fn with_secret(self, secret: String) -> Self {
        Self {
            secret: Some(secret),
            ..self
        }
    }
}

fn state_of(row: &KeyRow, now: Millis) -> ApiKeyState {
    if row.revoked_at.is_some() {
        ApiKeyState::Revoked
    } else if row.expires_at.is_some_and(|end| end <= now) {
        ApiKeyState::Expired
    } else {
        ApiKeyState::Active
    }
}

/// List API keys
///
/// The team's keys, oldest first; of the key itself only the last four characters.
#[utoipa::path(get, path = "/v2/api/keys", operation_id = "listApiKeys", tag = "API Keys",
    params(
        ("state" = Option<String>, Query, description = "Only keys of this state", example = "ACTIVE"),
        ("user_id" = Option<String>, Query, description = "Only keys that act for this user"),
        ("page" = Option<i64>, Query, description = "From 1", minimum = 1),
        ("size" = Option<i64>, Query, description = "Keys on a page, 20 by default", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`pagination.next_cursor` of the previous answer"),
    ),
    responses((status = 200, description = "A page of keys", body = Page<KeyView>)))]
pub async fn list(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    query: Query,
) -> Result<Response, ApiError> {
    let Query(mut input) = query;
    let wanted: Option<ApiKeyState> = input.name("state");
    let user = read_user(&mut input, ErrorCode::InvalidParameter);
    let list = ShortList::read(&mut input);
    input.finish()?;
    let (team, now) = (caller.owner.team, state.board.now());
    let listed = Listed {
        of: format!("keys {team:?} {wanted:?} {user:?}"),
        rows: keys::list,
        key: |row| (row.created_at, row.id.to_string()),
    };
    let keep = |row: &KeyRow| {
        wanted.is_none_or(|wanted| state_of(row, now) == wanted)
            && user.is_none_or(|user| row.user_id == user)
    };
    let page = list.page(&state, team, listed, keep, |row, users| {
        KeyView::new(row, users, now)
    });
    Ok(reply::page(&page.await?))
}

/// Reads the id of a user, if it is there; `code` is the fault of what is none.
fn read_user(input: &mut Input, code: ErrorCode) -> Option<UserId> {
    let text = input.text("user_id", 100)?;
    let id = UserId::parse(&text).ok();
    if id.is_none() {
        let message = "user_id is not the id of a user".to_owned();
        let suggestion = "Take the id from GET /v2/api/users; it begins with usr-.".to_owned();
        input.fault_with(code, "user_id", message, suggestion);
    }
    id
}

/// A new key.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateApiKeyRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct CreateApiKey {
    /// What it is for.
    #[schema(example = "CRM sync", max_length = 200)]
    name: String,
    /// What it opens: nothing that the key by which it is made does not open.
    #[schema(min_items = 1, example = json!(["CONVERSATIONS_READ", "TAGS_WRITE"]))]
    scopes: Vec<String>,
    /// In whose name it acts: a user whose role is not above that of the one who makes it, who is it by default.
    #[schema(example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    user_id: Option<String>,
    /// From when it opens nothing. Not later than the end of the key by which it is made, which is the default.
    #[schema(format = DateTime, example = "2027-04-20T10:00:00Z")]
    expires_at: Option<String>,
}

/// Create an API key
///
/// The answer has the key itself, which is not shown again: only a hash of it is stored.
#[utoipa::path(post, path = "/v2/api/keys", operation_id = "createApiKey", tag = "API Keys",
    request_body = CreateApiKey,
    responses((status = 201, description = "The key", body = Data<KeyView>)))]
pub async fn create(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let (name, scopes) = (input.text("name", 200), read_scopes(&mut input));
    for name in ["name", "scopes"] {
        if input.sent(name) != Sent::Value {
            input.missing(name);
        }
    }
    let (user, expires_at) = (
        read_user(&mut input, ErrorCode::MemberNotFound),
        input.instant("expires_at"),
    );
    input.finish()?;
    let key = CreateKey {
        user: user.unwrap_or(caller.owner.user_id),
        name: name.unwrap_or_default(),
        scopes: scopes.unwrap_or_default(),
        expires_at,
        sandbox: caller.owner.sandbox,
    };
    let (by, power) = (caller.actor(), caller.power());
    commit_secret(&state, &caller, StatusCode::CREATED, move |work| {
        let made = commands::create(work, &key, Some(&power), &by)?;
        let users = users::list(work.tx, work.team)?;
        Ok(KeyView::new(made.row, &users, work.now).with_secret(made.secret))
    })
    .await
}

/// Reads `scopes`, if it is there.
pub(super) fn read_scopes(input: &mut Input) -> Option<ScopeSet> {
    let names = input.texts("scopes", 100)?;
    let allowed = || format!("Use some of: {}.", ScopeSet::ALL);
    let scopes: Result<ScopeSet, _> = names.iter().map(|name| name.parse::<Scope>()).collect();
    match scopes {
        Ok(scopes) if !scopes.is_empty() => Some(scopes),
        Ok(_) => {
            let message = "scopes must name at least one scope".to_owned();
            input.fault_with(ErrorCode::MissingParameter, "scopes", message, allowed());
            None
        }
        Err(error) => {
            let message = format!("there is no scope {:?}", error.name);
            input.fault_with(ErrorCode::InvalidParameter, "scopes", message, allowed());
            None
        }
    }
}

/// Get an API key
///
/// One key of the team, whatever its state; of the key itself only the last four characters.
#[utoipa::path(get, path = "/v2/api/keys/{id}", operation_id = "getApiKey", tag = "API Keys",
    params(("id" = String, Path, description = "The key's id", example = "api-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The key", body = Data<KeyView>)))]
pub async fn get(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let (id, team) = (key_id(&id)?, caller.owner.team);
    let read = state.board.db().read(move |conn| -> Result<_, StoreError> {
        Ok((keys::get(conn, team, id)?, users::list(conn, team)?))
    });
    let (row, users) = read.await?;
    let row = row.ok_or_else(no_such_key)?;
    Ok(reply::data(KeyView::new(row, &users, state.board.now())))
}

/// Revoke an API key
///
/// It opens nothing from now on; on other nodes of the server within a second. What was revoked before stays so.
#[utoipa::path(delete, path = "/v2/api/keys/{id}", operation_id = "revokeApiKey", tag = "API Keys",
    params(("id" = String, Path, description = "The key's id", example = "api-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 204, description = "It is revoked")))]
pub async fn revoke(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let id = key_id(&id)?;
    let (by, power) = (caller.actor(), caller.power());
    let done = commit(&state, &caller, StatusCode::NO_CONTENT, move |work| {
        commands::revoke(work, id, Some(&power), &by)
    });
    let reply = done.await?;
    state.keys.forget();
    Ok(reply)
}

/// Reads the id of a key in a path.
fn key_id(text: &str) -> Result<ApiKeyId, ApiError> {
    ApiKeyId::parse(text).map_err(|_| no_such_key())
}

fn no_such_key() -> ApiError {
    ApiError::new(ErrorCode::ApiKeyNotFound).param("id")
}
