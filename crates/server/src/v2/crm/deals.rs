//! Deals: made, read, changed, deleted, searched.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{DealId, ErrorCode, Millis};
use trunkline_store::deals::{self, DealDetail, DealFilter};
use trunkline_store::{Conn, StoreError};
use trunkline_switchboard::deals::{self as commands, CreateDeal, PatchDeal};

use super::{Listing, MAX_NAME, naming_the_id, read_company, read_part, read_words};
use crate::AppState;
use crate::http::auth::{Caller, CrmDelete, CrmRead, CrmWrite};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, Input, OptionalBody, PathParams, Sent};
use crate::http::reply::{self, Data, Page};
use crate::v2::views::CompanyView;

/// The largest amount a deal may have: beyond it, cents would be lost.
const MAX_AMOUNT: f64 = 10_000_000_000_000.0;

/// A deal.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CrmDeal)]
pub struct DealView {
    #[schema(value_type = String, example = "dea-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: DealId,
    #[schema(example = "Enterprise Plan")]
    name: String,
    /// In the team's own word.
    #[schema(example = "negotiation")]
    status: Option<String>,
    /// What it is worth, in units of `currency`.
    #[schema(example = 50000)]
    amount: Option<f64>,
    /// ISO 4217.
    #[schema(example = "USD", min_length = 3, max_length = 3)]
    currency: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Millis>,
    /// `null` without one.
    company: Option<CompanyView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
}

impl From<DealDetail> for DealView {
    fn from(DealDetail { deal, company }: DealDetail) -> Self {
        Self {
            id: deal.id,
            name: deal.name,
            status: deal.status,
            amount: deal.value,
            currency: deal.currency,
            closed_at: deal.closed_at,
            company: CompanyView::brief(deal.company_id, company),
            created_at: deal.created_at,
            updated_at: deal.updated_at,
        }
    }
}

/// The id of a deal, in a path.
fn deal_id(text: &str) -> Result<DealId, ApiError> {
    DealId::parse(text).map_err(|_| ApiError::new(ErrorCode::DealNotFound).param("id"))
}

/// A new deal.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateDealRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct CreateDealBody {
    #[schema(example = "Enterprise Plan", max_length = 255)]
    name: String,
    /// In the team's own word. Conversations show a deal as `WON` or `LOST` if that word is in it, else as `OPEN`.
    #[schema(example = "negotiation", max_length = 255)]
    status: Option<String>,
    #[schema(example = 50000, minimum = 0, maximum = 10000000000000f64)]
    amount: Option<f64>,
    /// ISO 4217: three letters.
    #[schema(example = "USD", min_length = 3, max_length = 3)]
    currency: Option<String>,
    /// ISO 8601; UTC if there is no offset.
    #[schema(format = DateTime, example = "2026-04-28T12:00:00Z")]
    closed_at: Option<String>,
    #[schema(example = "com-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    company_id: Option<String>,
}

/// Create a deal
///
/// It is shown with everybody of its company.
#[utoipa::path(post, path = "/v2/api/crm/deals", operation_id = "createDeal", tag = "CRM",
    request_body = CreateDealBody,
    responses((status = 201, description = "The deal", body = Data<DealView>)))]
pub async fn create(
    caller: Caller<CrmWrite>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let name = input.text("name", MAX_NAME);
    if input.sent("name") != Sent::Value {
        input.missing("name");
    }
    let deal = CreateDeal {
        name: name.unwrap_or_default(),
        status: input.text("status", MAX_NAME),
        value: input.decimal("amount", 0.0..=MAX_AMOUNT),
        currency: read_currency(&mut input),
        closed_at: input.instant("closed_at"),
        company: read_company(&mut input).flatten(),
        ..CreateDeal::default()
    };
    input.finish()?;
    commit(&state, &caller, StatusCode::CREATED, move |work| {
        let id = commands::create(work, &deal)?;
        Ok(DealView::from(commands::find(work, id)?))
    })
    .await
}

fn read_currency(input: &mut Input) -> Option<String> {
    let text = input.text("currency", MAX_NAME)?;
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Some(text.to_ascii_uppercase());
    }
    let message = "currency is not the code of a currency".to_owned();
    let suggestion = "Send three letters by ISO 4217, such as USD or EUR.".to_owned();
    input.fault_with(ErrorCode::InvalidParameter, "currency", message, suggestion);
    None
}

/// Get a deal
#[utoipa::path(get, path = "/v2/api/crm/deals/{id}", operation_id = "getDeal", tag = "CRM",
    params(("id" = String, Path, description = "The deal's id", example = "dea-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The deal", body = Data<DealView>)))]
pub async fn get(
    caller: Caller<CrmRead>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let (id, team) = (deal_id(&id)?, caller.owner.team);
    let read = state.board.db().read(move |conn| deals::get(conn, team, id));
    let found = read.await.map_err(ApiError::from)?;
    let found = found.ok_or_else(|| ApiError::new(ErrorCode::DealNotFound).param("id"))?;
    Ok(reply::data(DealView::from(found)))
}

/// What is to change about a deal: a field that is left out stays as it is, `null` takes its value away (but not the
/// name's).
#[derive(utoipa::ToSchema)]
#[schema(as = UpdateDealRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct UpdateDealBody {
    #[schema(example = "Enterprise Plan", max_length = 255)]
    name: Option<String>,
    #[schema(example = "won", max_length = 255)]
    status: Option<String>,
    #[schema(example = 50000, minimum = 0, maximum = 10000000000000f64)]
    amount: Option<f64>,
    /// ISO 4217: three letters.
    #[schema(example = "USD", min_length = 3, max_length = 3)]
    currency: Option<String>,
    /// ISO 8601; UTC if there is no offset.
    #[schema(format = DateTime, example = "2026-04-28T12:00:00Z")]
    closed_at: Option<String>,
    #[schema(example = "com-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    company_id: Option<String>,
}

/// Update a deal
///
/// Only the fields that are sent are changed.
#[utoipa::path(patch, path = "/v2/api/crm/deals/{id}", operation_id = "updateDeal", tag = "CRM",
    params(("id" = String, Path, description = "The deal's id", example = "dea-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = UpdateDealBody,
    responses((status = 200, description = "The deal as it is now", body = Data<DealView>)))]
pub async fn update(
    caller: Caller<CrmWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let id = deal_id(&id)?;
    let amount = input.decimal("amount", 0.0..=MAX_AMOUNT);
    let (currency, closed_at) = (read_currency(&mut input), input.instant("closed_at"));
    let patch = PatchDeal {
        name: input.text("name", MAX_NAME),
        status: input.text_or_null("status", MAX_NAME),
        value: input.or_null("amount", amount),
        currency: input.or_null("currency", currency),
        closed_at: input.or_null("closed_at", closed_at),
        company: read_company(&mut input),
    };
    input.finish()?;
    let done = commit(&state, &caller, StatusCode::OK, move |work| {
        Ok(DealView::from(commands::update(work, id, &patch)?))
    });
    done.await.map_err(naming_the_id(ErrorCode::DealNotFound))
}

/// Delete a deal
#[utoipa::path(delete, path = "/v2/api/crm/deals/{id}", operation_id = "deleteDeal", tag = "CRM",
    params(("id" = String, Path, description = "The deal's id", example = "dea-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 204, description = "It is gone")))]
pub async fn delete(
    caller: Caller<CrmDelete>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let id = deal_id(&id)?;
    let done = commit(&state, &caller, StatusCode::NO_CONTENT, move |work| {
        commands::delete(work, id)
    });
    done.await.map_err(naming_the_id(ErrorCode::DealNotFound))
}

/// What to search for; every field may be left out.
#[derive(utoipa::ToSchema)]
#[schema(as = SearchDealsRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct SearchDeals {
    /// All must hold.
    filters: Option<DealFilters>,
    /// Words, each the beginning of a word in the deal's name or its company's. Case and accents do not matter.
    #[schema(example = "Enterprise", max_length = 1000)]
    search: Option<String>,
    /// `DATE_DESC` (default) and `DATE_ASC` go by the last change; `NAME_ASC`, `NAME_DESC`, `CREATED_DESC`,
    /// `CREATED_ASC`.
    #[schema(example = "NAME_ASC")]
    sort: Option<String>,
    /// Page, from 1.
    #[schema(minimum = 1)]
    page: Option<i64>,
    /// Entries on a page, 20 by default.
    #[schema(minimum = 1, maximum = 100)]
    size: Option<i64>,
    /// `pagination.next_cursor` of the previous answer; replaces `page`. Filters, sort and size stay the same.
    cursor: Option<String>,
}

/// Filters of deals.
#[derive(utoipa::ToSchema)]
#[schema(as = DealFilters)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct DealFilters {
    /// Exactly this status; case and accents do not matter.
    #[schema(example = "negotiation", max_length = 255)]
    stage: Option<String>,
}

/// Search deals
///
/// All filters must hold together. `total_count` is exact. Page through everything with `cursor`, at the price of a first
/// page each.
#[utoipa::path(post, path = "/v2/api/crm/deals/search", operation_id = "searchDeals", tag = "CRM",
    request_body(content = SearchDeals, description = "Filters; an empty body finds all deals"),
    responses((status = 200, description = "A page of deals", body = Page<DealView>)))]
pub async fn search(
    caller: Caller<CrmRead>,
    State(state): State<AppState>,
    body: OptionalBody,
) -> Result<Response, ApiError> {
    let OptionalBody(mut input) = body;
    let mut filter = DealFilter::default();
    if let Some(mut filters) = input.object("filters") {
        filter.status = read_part(&mut filters, "stage");
        input.absorb(filters);
    }
    if let Some(search) = input.text("search", 1_000) {
        filter.words = read_words(&mut input, &search);
    }
    let listing = Listing::read(&mut input);
    input.finish()?;
    let team = caller.owner.team;
    let of = format!("deals {team:?} {filter:?} {:?}", listing.sort);
    let place = listing.place(&of)?;
    let long = filter != DealFilter::default() || listing.paging.is_deep();
    let work = move |conn: &mut Conn<'_>| -> Result<Page<DealView>, StoreError> {
        let total = deals::count(conn, team, &filter)?;
        let limit = listing.paging.size + 1;
        let mut found = deals::page(conn, team, &filter, listing.sort, &place, limit)?;
        let pagination = listing.describe(&mut found, total, &of);
        let ids: Vec<DealId> = found.into_iter().map(|(id, _)| id).collect();
        let rows = deals::many(conn, team, &ids)?;
        Ok(Page {
            data: rows.into_iter().map(DealView::from).collect(),
            pagination,
        })
    };
    Ok(reply::page(&state.read_page(long, work).await?))
}
