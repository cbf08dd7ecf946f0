//! Searches for people.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use trunkline_domain::{ContactId, ErrorCode, PhoneNumber};
use trunkline_search::people::{Answer, PeopleIndex, PeoplePage};
use trunkline_store::crm::Place;
use trunkline_store::people::{self, PeopleFilter};
use trunkline_store::{Conn, StoreError, TeamKey, properties};

use super::people::PersonView;
use super::{Listing, MAX_NAME, read_part, read_words};
use crate::AppState;
use crate::http::auth::{Caller, CrmRead};
use crate::http::error::ApiError;
use crate::http::input::{Input, OptionalBody};
use crate::http::reply::{self, Page};

/// What to search for; every field may be left out.
#[derive(utoipa::ToSchema)]
#[schema(as = SearchPeopleRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct SearchPeople {
    /// All must hold.
    filters: Option<PeopleFilters>,
    /// A phone number in any formatting; or words, each the beginning of a word in name, e-mail address or company, or
    /// four digits and more of a number. All must be there. Case and accents do not matter.
    #[schema(example = "sarah bak", max_length = 1000)]
    search: Option<String>,
    /// `DATE_DESC` (default) and `DATE_ASC` go by the last activity, or the creation of who has none;
    /// `NAME_ASC`, `NAME_DESC`, `CREATED_DESC`, `CREATED_ASC`.
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

/// Filters of people. Texts may be anywhere in the field; case and accents do not matter.
#[derive(utoipa::ToSchema)]
#[schema(as = PeopleFilters)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct PeopleFilters {
    /// In the first name.
    #[schema(max_length = 255)]
    name: Option<String>,
    #[schema(max_length = 255)]
    last_name: Option<String>,
    #[schema(example = "engineer", max_length = 255)]
    job_title: Option<String>,
    #[schema(max_length = 255)]
    website: Option<String>,
    /// In the name of the company.
    #[schema(example = "Acme", max_length = 255)]
    company: Option<String>,
    /// Exactly this number, in any formatting.
    #[schema(example = "(415) 555-1234", max_length = 64)]
    phone_number: Option<String>,
    /// In one of the e-mail addresses.
    #[schema(max_length = 255)]
    email: Option<String>,
    /// Exactly the status of a deal of the person or its company.
    #[schema(max_length = 255)]
    deal_status: Option<String>,
}

/// Search people
///
/// All filters must hold together. Archived people are left out. `total_count` is exact. Page through everything with
/// `cursor`, at the price of a first page each.
#[utoipa::path(post, path = "/v2/api/crm/people/search", operation_id = "searchPeople", tag = "CRM",
    request_body(content = SearchPeople, description = "Filters; an empty body finds everybody"),
    responses((status = 200, description = "A page of people", body = Page<PersonView>)))]
pub async fn search_people(
    caller: Caller<CrmRead>,
    State(state): State<AppState>,
    body: OptionalBody,
) -> Result<Response, ApiError> {
    let OptionalBody(mut input) = body;
    let filter = read_filter(&mut input, &caller.owner.country);
    let listing = Listing::read(&mut input);
    input.finish()?;
    let team = caller.owner.team;
    let of = format!("people {team:?} {filter:?} {:?}", listing.sort);
    let place = listing.place(&of)?;
    let long = filter.needs_scan() || listing.paging.is_deep();
    let asked = Arc::new((filter, listing, place, of));
    let mut attempt = 0;
    loop {
        attempt += 1;
        let (asked, index) = (asked.clone(), state.people.clone());
        let work = move |conn: &mut Conn<'_>| -> Result<Option<Page<PersonView>>, StoreError> {
            let (filter, listing, place, of) = &*asked;
            let index = Some(&index).filter(|_| filter.needs_scan() && attempt < ATTEMPTS);
            let Some(mut page) = find(conn, team, filter, listing, place, index)? else {
                return Ok(None);
            };
            let pagination = listing.describe(&mut page.people, page.total, of);
            let ids: Vec<_> = page.people.into_iter().map(|(id, _)| id).collect();
            let data = views(conn, team, &ids)?;
            Ok(Some(Page { data, pagination }))
        };
        if let Some(page) = state.read_page(long, work).await? {
            return Ok(reply::page(&page));
        }
    }
}

/// How many moments of the database are tried until the index does not know more than that; the last one without it.
const ATTEMPTS: usize = 5;

/// The total, and a page with one entry too many; `None` if the index knows what came after this moment.
fn find(
    conn: &mut Conn<'_>,
    team: TeamKey,
    filter: &PeopleFilter,
    listing: &Listing,
    place: &Place,
    index: Option<&PeopleIndex>,
) -> Result<Option<PeoplePage>, StoreError> {
    let (sort, limit) = (listing.sort, listing.paging.size + 1);
    let answer = match index {
        Some(index) => index.search(conn, team, filter, sort, place, limit)?,
        None => Answer::Absent,
    };
    Ok(match answer {
        Answer::Page(page) => Some(page),
        Answer::Later => None,
        Answer::Absent => {
            let total = people::count(conn, team, filter)?;
            let people = people::page(conn, team, filter, sort, place, limit)?;
            Some(PeoplePage { total, people })
        }
    })
}

fn views(conn: &mut Conn<'_>, team: TeamKey, ids: &[ContactId]) -> Result<Vec<PersonView>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let definitions = properties::list(conn, team)?;
    let details = people::many(conn, team, ids)?;
    Ok(details
        .into_iter()
        .map(|detail| PersonView::new(detail, &definitions))
        .collect())
}

fn read_filter(input: &mut Input, country: &str) -> PeopleFilter {
    let mut filter = PeopleFilter::default();
    if let Some(mut filters) = input.object("filters") {
        filter = PeopleFilter {
            first_name: read_part(&mut filters, "name"),
            last_name: read_part(&mut filters, "last_name"),
            job_title: read_part(&mut filters, "job_title"),
            website: read_part(&mut filters, "website"),
            company: read_part(&mut filters, "company"),
            email: filters
                .text("email", MAX_NAME)
                .map(|text| text.trim().to_lowercase()),
            numbers: read_number(&mut filters, country).into_iter().collect(),
            deal_status: read_part(&mut filters, "deal_status"),
            words: Vec::new(),
        };
        input.absorb(filters);
    }
    if let Some(search) = input.text("search", 1_000) {
        match PhoneNumber::parse_any(&search, country) {
            Ok(number) if filter.numbers.is_empty() || filter.numbers == [number] => {
                filter.numbers = vec![number]
            }
            _ => filter.words = read_words(input, &search),
        }
    }
    filter
}

fn read_number(filters: &mut Input, country: &str) -> Option<PhoneNumber> {
    let text = filters.text("phone_number", 64)?;
    let number = PhoneNumber::parse_any(&text, country).ok();
    if number.is_none() {
        let code = ErrorCode::InvalidPhoneNumber;
        filters.fault(code, "phone_number", code.message());
    }
    number
}
