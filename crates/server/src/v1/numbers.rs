//! The team's numbers.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::PhoneNumber;
use trunkline_store::numbers::{MemberRow, NumberRow};

use crate::AppState;
use crate::http::auth::{Caller, NumbersBrief};
use crate::http::error::ApiError;
use crate::http::reply::{self, Data};
use crate::v2::lines;

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
pub async fn list(caller: Caller<NumbersBrief>, State(state): State<AppState>) -> Result<Response, ApiError> {
    let all = lines::all(&state, caller.owner.team).await?;
    let view = |(row, members): (NumberRow, Vec<MemberRow>)| {
        Some(NumberView {
            number: row.number?,
            name: row.name,
            country: row.country,
            is_shared_number: members.len() > 1,
        })
    };
    Ok(reply::data(all.into_iter().filter_map(view).collect::<Vec<_>>()))
}
