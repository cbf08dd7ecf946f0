//! The team's lines.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{Capability, LineKind, PhoneNumber};
use trunkline_store::StoreError;
use trunkline_store::numbers;

use super::views::UserRefView;
use crate::AppState;
use crate::http::auth::{Caller, NumbersRead};
use crate::http::error::ApiError;
use crate::http::reply::{self, Data};

/// A phone number or sender id of the team.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PhoneNumber)]
pub struct NumberView {
    /// In E.164; `null` for a sender id.
    #[schema(value_type = Option<String>, example = "+14155550100")]
    number: Option<PhoneNumber>,
    /// What people call it; for a sender id without a name, the sender id.
    #[schema(example = "Sales US")]
    name: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "US")]
    country: Option<String>,
    /// `NUMBER` or `SENDER_ID`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "NUMBER")]
    kind: LineKind,
    /// Of `VOICE`, `SMS`, `MMS`.
    #[schema(value_type = Vec<String>, example = json!(["VOICE", "SMS"]))]
    capabilities: Vec<Capability>,
    /// Who has access.
    users: Vec<UserRefView>,
}

/// List phone numbers
///
/// All numbers and sender ids of the team, with what they can do and who has access.
#[utoipa::path(get, path = "/v2/api/numbers", operation_id = "listNumbers", tag = "Phone Numbers",
    responses((status = 200, description = "The numbers and sender ids", body = Data<Vec<NumberView>>)))]
pub async fn list(caller: Caller<NumbersRead>, State(state): State<AppState>) -> Result<Response, ApiError> {
    let team = caller.owner.team;
    let read = state.board.db().read(move |conn| -> Result<_, StoreError> {
        Ok((numbers::list(conn, team)?, numbers::members(conn, team)?))
    });
    let (rows, members) = read.await.map_err(ApiError::from)?;
    let view = |row: numbers::NumberRow| NumberView {
        users: members
            .iter()
            .filter(|member| member.line == row.line)
            .map(|member| UserRefView {
                id: member.user_id,
                name: member.name.clone(),
                email: member.email.clone(),
            })
            .collect(),
        number: row.number,
        name: row.name.or(row.sender_id),
        country: row.country,
        kind: row.kind,
        capabilities: row.capabilities,
    };
    Ok(reply::data(rows.into_iter().map(view).collect::<Vec<_>>()))
}
