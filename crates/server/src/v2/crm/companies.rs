//! Companies: made, read, changed, searched.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{CompanyId, ErrorCode, Millis};
use trunkline_store::companies::{self, CompanyFilter, CompanyRow};
use trunkline_store::{Conn, StoreError};
use trunkline_switchboard::companies::{self as commands, CreateCompany, PatchCompany};

use super::{Listing, MAX_NAME, MAX_URL, company_id, naming_the_id, read_part};
use crate::AppState;
use crate::http::auth::{Caller, CrmRead, CrmWrite};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, Input, OptionalBody, PathParams, Sent};
use crate::http::reply::{self, Data, Page};

/// A company.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CrmCompany)]
pub struct CompanyView {
    #[schema(value_type = String, example = "com-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: CompanyId,
    #[schema(example = "Acme Corp")]
    name: String,
    #[schema(example = "https://acme.com")]
    website: Option<String>,
    #[schema(example = "Technology")]
    industry: Option<String>,
    /// How many people it has, the archived ones left out.
    #[schema(example = 3)]
    person_count: i64,
    /// Calls and messages of these people.
    #[schema(example = 12)]
    interactions: i64,
    /// When the last of them was.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_activity_at: Option<Millis>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
}

impl From<CompanyRow> for CompanyView {
    fn from(row: CompanyRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            website: row.website,
            industry: row.industry,
            person_count: row.person_count,
            interactions: row.interactions,
            last_activity_at: row.last_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A new company.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateCompanyRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct CreateCompanyBody {
    #[schema(example = "Acme Corp", max_length = 255)]
    name: String,
    #[schema(example = "https://acme.com", max_length = 2048)]
    website: Option<String>,
    #[schema(example = "Technology", max_length = 255)]
    industry: Option<String>,
}

/// Create a company
#[utoipa::path(post, path = "/v2/api/crm/companies", operation_id = "createCompany", tag = "CRM",
    request_body = CreateCompanyBody,
    responses((status = 201, description = "The company", body = Data<CompanyView>)))]
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
    let company = CreateCompany {
        name: name.unwrap_or_default(),
        website: input.text("website", MAX_URL),
        industry: input.text("industry", MAX_NAME),
    };
    input.finish()?;
    commit(&state, &caller, StatusCode::CREATED, move |work| {
        Ok(CompanyView::from(commands::create(work, &company)?))
    })
    .await
}

/// Get a company
#[utoipa::path(get, path = "/v2/api/crm/companies/{id}", operation_id = "getCompany", tag = "CRM",
    params(("id" = String, Path, description = "The company's id", example = "com-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The company", body = Data<CompanyView>)))]
pub async fn get(
    caller: Caller<CrmRead>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let (id, team) = (company_id(&id)?, caller.owner.team);
    let read = state.board.db().read(move |conn| companies::get(conn, team, id));
    let found = read.await.map_err(ApiError::from)?;
    let found = found.ok_or_else(|| ApiError::new(ErrorCode::CompanyNotFound).param("id"))?;
    Ok(reply::data(CompanyView::from(found)))
}

/// What is to change about a company: a field that is left out stays as it is, `null` takes its value away (but not the
/// name's).
#[derive(utoipa::ToSchema)]
#[schema(as = UpdateCompanyRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct UpdateCompanyBody {
    #[schema(example = "Acme Corp", max_length = 255)]
    name: Option<String>,
    #[schema(example = "https://acme.com", max_length = 2048)]
    website: Option<String>,
    #[schema(example = "SaaS", max_length = 255)]
    industry: Option<String>,
}

/// Update a company
///
/// Only the fields that are sent are changed. People and conversations show it at once.
#[utoipa::path(put, path = "/v2/api/crm/companies/{id}", operation_id = "updateCompany", tag = "CRM",
    params(("id" = String, Path, description = "The company's id", example = "com-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = UpdateCompanyBody,
    responses((status = 200, description = "The company as it is now", body = Data<CompanyView>)))]
pub async fn update(
    caller: Caller<CrmWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let id = company_id(&id)?;
    let patch = PatchCompany {
        name: input.text("name", MAX_NAME),
        website: input.text_or_null("website", MAX_URL),
        industry: input.text_or_null("industry", MAX_NAME),
    };
    input.finish()?;
    let done = commit(&state, &caller, StatusCode::OK, move |work| {
        Ok(CompanyView::from(commands::update(work, id, &patch)?))
    });
    done.await.map_err(naming_the_id(ErrorCode::CompanyNotFound))
}

/// What to search for; every field may be left out.
#[derive(utoipa::ToSchema)]
#[schema(as = SearchCompaniesRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct SearchCompanies {
    /// All must hold.
    filters: Option<CompanyFilters>,
    /// `DATE_DESC` (default) and `DATE_ASC` go by the last activity, or the creation of who has none; `NAME_ASC`,
    /// `NAME_DESC`, `CREATED_DESC`, `CREATED_ASC`.
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

/// Filters of companies. Texts may be anywhere in the field; case and accents do not matter.
#[derive(utoipa::ToSchema)]
#[schema(as = CompanyFilters)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct CompanyFilters {
    #[schema(example = "Acme", max_length = 255)]
    name: Option<String>,
    #[schema(max_length = 255)]
    website: Option<String>,
    #[schema(example = "Technology", max_length = 255)]
    industry: Option<String>,
}

/// Search companies
///
/// All filters must hold together. `total_count` is exact. Page through everything with `cursor`, at the price of a first
/// page each.
#[utoipa::path(post, path = "/v2/api/crm/companies/search", operation_id = "searchCompanies", tag = "CRM",
    request_body(content = SearchCompanies, description = "Filters; an empty body finds all companies"),
    responses((status = 200, description = "A page of companies", body = Page<CompanyView>)))]
pub async fn search(
    caller: Caller<CrmRead>,
    State(state): State<AppState>,
    body: OptionalBody,
) -> Result<Response, ApiError> {
    let OptionalBody(mut input) = body;
    let filter = read_filter(&mut input);
    let listing = Listing::read(&mut input);
    input.finish()?;
    let team = caller.owner.team;
    let of = format!("companies {team:?} {filter:?} {:?}", listing.sort);
    let place = listing.place(&of)?;
    let long = filter != CompanyFilter::default() || listing.paging.is_deep();
    let work = move |conn: &mut Conn<'_>| -> Result<Page<CompanyView>, StoreError> {
        let total = companies::count(conn, team, &filter)?;
        let limit = listing.paging.size + 1;
        let mut found = companies::page(conn, team, &filter, listing.sort, &place, limit)?;
        let pagination = listing.describe(&mut found, total, &of);
        let ids: Vec<CompanyId> = found.into_iter().map(|(id, _)| id).collect();
        let rows = companies::many(conn, team, &ids)?;
        Ok(Page {
            data: rows.into_iter().map(CompanyView::from).collect(),
            pagination,
        })
    };
    Ok(reply::page(&state.read_page(long, work).await?))
}

fn read_filter(input: &mut Input) -> CompanyFilter {
    let Some(mut filters) = input.object("filters") else {
        return CompanyFilter::default();
    };
    let filter = CompanyFilter {
        name: read_part(&mut filters, "name"),
        website: read_part(&mut filters, "website"),
        industry: read_part(&mut filters, "industry"),
    };
    input.absorb(filters);
    filter
}
