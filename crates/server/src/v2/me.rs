//! What a key may do.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{ApiKeyId, Role, TeamId, UserId};

use crate::AppState;
use crate::http::auth::{AnyKey, Caller};
use crate::http::endpoint::EndpointView;
use crate::http::reply::{self, Data};

/// What a key may do.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = MeResponse)]
pub struct MeView {
    /// The key's public id.
    #[schema(value_type = String, example = "api-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    api_key_id: ApiKeyId,
    /// Its scopes.
    #[schema(example = json!(["CONVERSATIONS_READ", "TAGS_WRITE"]))]
    scopes: Vec<&'static str>,
    /// Exactly the endpoints it can call.
    endpoints: Vec<EndpointView>,
    /// In whose name it acts.
    user: MeUser,
    /// The team it belongs to.
    team: MeTeam,
    /// How often it may call.
    rate_limits: MeLimits,
}

/// The team of a key.
#[derive(Serialize, utoipa::ToSchema)]
pub struct MeTeam {
    #[schema(value_type = String, example = "team-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: TeamId,
    name: String,
    /// What its days are counted in.
    #[schema(example = "Europe/Paris")]
    time_zone: String,
}

/// The user of a key.
#[derive(Serialize, utoipa::ToSchema)]
pub struct MeUser {
    #[schema(value_type = String, example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: UserId,
    #[schema(example = "Alex Kim")]
    name: String,
    #[schema(example = "alex@acme.example")]
    email: String,
    /// `ADMIN`, `MANAGER` or `MEMBER`.
    #[schema(value_type = String, example = "MANAGER")]
    role: Role,
}

/// How often a key may call.
#[derive(Serialize, utoipa::ToSchema)]
pub struct MeLimits {
    /// GET requests in a second.
    #[schema(example = 20)]
    read_per_second: i64,
    /// POST, PUT, PATCH and DELETE requests in a second.
    #[schema(example = 5)]
    write_per_second: i64,
}

/// Tell what this key may do
///
/// Scopes, user, team, rate limits and exactly the endpoints that the key can call. Any valid key may ask; agents ask first.
#[utoipa::path(get, path = "/v2/api/me", operation_id = "getMe", tag = "Users",
    responses((status = 200, description = "What the key may do", body = Data<MeView>)))]
pub async fn get(caller: Caller<AnyKey>, State(state): State<AppState>) -> Response {
    let owner = &caller.owner;
    let opens = |entry: &&crate::Listed| entry.access.includes(owner);
    reply::data(MeView {
        api_key_id: owner.key_id,
        scopes: owner.scopes.names(),
        endpoints: state
            .endpoints
            .iter()
            .filter(opens)
            .map(|entry| entry.view.clone())
            .collect(),
        user: MeUser {
            id: owner.user_id,
            name: owner.user_name.clone(),
            email: owner.user_email.clone(),
            role: owner.user_role,
        },
        team: MeTeam {
            id: owner.team_id,
            name: owner.team_name.clone(),
            time_zone: owner.time_zone.clone(),
        },
        rate_limits: MeLimits {
            read_per_second: owner.read_per_second,
            write_per_second: owner.write_per_second,
        },
    })
}
