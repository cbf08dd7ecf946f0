//! The team's numbers.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::PhoneNumber;
use trunkline_store::{StoreError, numbers};

use crate::AppState;
use crate::http::auth::{Caller, NumbersRead};
use crate::http::error::ApiError;
use crate::http::reply::{self, Data};

/// A number of the team.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PhoneNumberBrief)]
pub struct NumberView {
    /// In E.164.
    #[schema(value_type = String, example = "+14155550100")]
    number: PhoneNumber,
    /// What people call it.
    #[schema(example = "Sales US")]
    name: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "US")]
    country: Option<String>,
    /// Whether more than one user has it.
    is_shared_number: bool,
}

/// Get phone numbers
///
/// All numbers of the team. Sender ids are not among them: `GET /v2/api/numbers` has both.
#[utoipa::path(get, path = "/v1/api/numbers", operation_id = "getNumbers", tag = "Phone Numbers",
    responses((status = 200, description = "The numbers", body = Data<Vec<NumberView>>)))]
pub async fn list(caller: Caller<NumbersRead>, State(state): State<AppState>) -> Result<Response, ApiError> {
    let team = caller.owner.team;
    let read = state.board.db().read(move |conn| -> Result<_, StoreError> {
        Ok((numbers::list(conn, team)?, numbers::members(conn, team)?))
    });
    let (rows, members) = read.await.map_err(ApiError::from)?;
    let view = |row: numbers::NumberRow| {
        Some(NumberView {
            number: row.number?,
            name: row.name,
            country: row.country,
            is_shared_number: members.iter().filter(|member| member.line == row.line).count() > 1,
        })
    };
    Ok(reply::data(rows.into_iter().filter_map(view).collect::<Vec<_>>()))
}
