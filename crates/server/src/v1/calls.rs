//! Calls of a line.

use axum::extract::State;
use axum::response::Response;
use trunkline_domain::{ItemKind, PhoneNumber};
use trunkline_store::conversations::Position;
use trunkline_store::search::{self, ItemFilter, Order};
use trunkline_store::{Conn, TeamKey, items};

use super::views::{self, CallView};
use super::{Counted, Paging, Results};
use crate::AppState;
use crate::http::auth::{Caller, ConversationsRead};
use crate::http::error::ApiError;
use crate::http::input::Query;
use crate::http::reply::{self, Data};
use crate::v2::conversations::the_line;

/// Search calls
///
/// The calls of one number, newest first, with summaries and transcripts.
#[utoipa::path(get, path = "/v1/api/calls", operation_id = "searchCalls", tag = "Calls",
    params(
        ("allo_number" = Option<String>, Query, description = "A number of the team, in E.164; may be left out by a team with exactly one", example = "+14155550100"),
        ("contact_number" = Option<String>, Query, description = "Only calls with this outside number, in E.164"),
        ("page" = Option<i64>, Query, description = "Page, from 0", minimum = 0),
        ("size" = Option<i64>, Query, description = "Entries on a page, 10 by default", minimum = 1, maximum = 100),
    ),
    responses((status = 200, description = "A page of calls", body = Data<Results<CallView, Counted>>)))]
pub async fn list(
    caller: Caller<ConversationsRead>,
    State(state): State<AppState>,
    query: Query,
) -> Result<Response, ApiError> {
    let Query(mut input) = query;
    let (line, contact) = (input.phone("allo_number"), input.phone("contact_number"));
    let paging = Paging::read(&mut input);
    input.finish()?;
    let team = caller.owner.team;
    let read = move |conn: &mut Conn<'_>| page(conn, team, line, contact, paging);
    Ok(reply::data(state.read_page(true, read).await?))
}

fn page(
    conn: &mut Conn<'_>,
    team: TeamKey,
    line: Option<PhoneNumber>,
    contact: Option<PhoneNumber>,
    paging: Paging,
) -> Result<Results<CallView, Counted>, ApiError> {
    let filter = ItemFilter {
        line: Some(the_line(conn, team, line)?),
        contact,
        kind: Some(ItemKind::Call),
        ..ItemFilter::default()
    };
    let total = search::count(conn, team, &filter)?;
    let mut results = Vec::new();
    if paging.offset() < total {
        let place = Position::Offset(paging.offset());
        let seqs = search::page(conn, team, &filter, Order::NewestFirst, place, paging.size)?;
        let details = items::details_by_seq(conn, team, &seqs)?;
        results = views::calls(conn, team, details)?;
    }
    Ok(Results {
        results,
        metadata: paging.describe(total),
    })
}
