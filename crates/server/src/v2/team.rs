//! The settings of the team.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{ErrorCode, Millis, Plan, TeamId};
use trunkline_store::teams::{self, TeamRow};
use trunkline_switchboard::accounts::{self, UpdateTeam as Changes};

use crate::AppState;
use crate::http::auth::{Caller, TeamManage, TeamOwn};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::Body;
use crate::http::reply::{self, Data};

/// The settings of a team.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Team)]
pub struct TeamView {
    #[schema(value_type = String, example = "team-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: TeamId,
    #[schema(example = "Acme Corp")]
    name: String,
    /// `TRIAL`, `BUSINESS` or another plan; the operator decides.
    #[schema(value_type = String, example = "BUSINESS")]
    plan: Plan,
    /// What its days are counted in.
    #[schema(example = "Europe/Paris")]
    time_zone: String,
    /// How numbers without a country code are read (ISO 3166-1 alpha-2); chosen when the team is made.
    #[schema(example = "FR")]
    country: String,
    /// Whether its outside world is the sandbox.
    sandbox: bool,
    /// Whether tagging a call with an unknown tag creates the tag.
    create_tags: bool,
    /// Whether texts of marketing keep to the French hours.
    marketing_hours: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
}

impl From<TeamRow> for TeamView {
    fn from(row: TeamRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            plan: row.plan,
            time_zone: row.time_zone,
            country: row.country,
            sandbox: row.sandbox,
            create_tags: row.create_tags,
            marketing_hours: row.marketing_hours,
            created_at: row.created_at,
        }
    }
}

/// Get the team
///
/// Its settings, and what was chosen when it was made.
#[utoipa::path(get, path = "/v2/api/team", operation_id = "getTeam", tag = "Team",
    responses((status = 200, description = "The team", body = Data<TeamView>)))]
pub async fn get(caller: Caller<TeamManage>, State(state): State<AppState>) -> Result<Response, ApiError> {
    let team = caller.owner.team;
    let row = state.board.db().read(move |conn| teams::get(conn, team)).await;
    let row = row.map_err(ApiError::from)?.ok_or(ErrorCode::TeamNotFound)?;
    Ok(reply::data(TeamView::from(row)))
}

/// What is to change about the team: a field that is left out stays as it is.
#[derive(utoipa::ToSchema)]
#[schema(as = UpdateTeamRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct UpdateTeam {
    #[schema(nullable = false, example = "Acme Corp", max_length = 200)]
    name: Option<String>,
    /// An IANA name, such as `Europe/Paris`. What was counted by days is counted anew.
    #[schema(nullable = false, example = "Europe/Paris", max_length = 100)]
    time_zone: Option<String>,
    /// Whether tagging a call with an unknown tag creates the tag.
    #[schema(nullable = false)]
    create_tags: Option<bool>,
    /// Whether texts of marketing keep to the French hours.
    #[schema(nullable = false)]
    marketing_hours: Option<bool>,
}

/// Update the team
///
/// Only the fields that are sent are changed; the country stays, since numbers are read by it. With another time zone all
/// calls and texts are counted by its days, those of the past too. Where there are more than 2,000 of them that takes a while,
/// in which reports and usage answer 503 `SERVICE_UNAVAILABLE`. A second change of the time zone within a minute is refused with
/// 429 `RATE_LIMIT_EXCEEDED` and `Retry-After`.
#[utoipa::path(patch, path = "/v2/api/team", operation_id = "updateTeam", tag = "Team",
    request_body = UpdateTeam,
    responses((status = 200, description = "The team as it is now", body = Data<TeamView>)))]
pub async fn update(
    caller: Caller<TeamOwn>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let changes = Changes {
        name: input.text("name", 200),
        time_zone: input.text("time_zone", 100),
        create_tags: input.flag("create_tags"),
        marketing_hours: input.flag("marketing_hours"),
        ..Changes::default()
    };
    input.finish()?;
    let by = caller.actor();
    let done = commit(&state, &caller, StatusCode::OK, move |work| {
        accounts::update_team_by(work, &changes, &by).map(TeamView::from)
    });
    let reply = done.await?;
    // What is remembered of keys holds the team's name and time zone.
    state.keys.forget();
    Ok(reply)
}
