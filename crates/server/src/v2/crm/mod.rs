//! The CRM: people, companies, deals, and the custom properties of people.

pub mod companies;
pub mod deals;
pub mod import;
pub mod people;
pub mod properties;
pub mod search;

use std::fmt;

use serde::{Serialize, Serializer};
use trunkline_domain::{CompanyId, ContactId, ErrorCode, UnknownName, text};
use trunkline_store::crm::{Place, Sort, SortBy, SortKey};
use trunkline_store::search::Order;

use super::cursor;
use crate::http::error::ApiError;
use crate::http::input::Input;
use crate::http::reply::{Pagination, Paging};

/// The longest name, job title, industry or status, in characters.
pub(crate) const MAX_NAME: usize = 255;
/// The longest URL, in characters.
pub(crate) const MAX_URL: usize = 2_048;

/// A contact as the CRM writes its id: `per-…` instead of `cnt-…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonId(pub ContactId);

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "per-{}", self.0.ksuid())
    }
}

impl Serialize for PersonId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Orders of lists of the CRM, the default first.
pub(crate) const SORTS: &[&str] = &[
    "DATE_DESC",
    "DATE_ASC",
    "NAME_ASC",
    "NAME_DESC",
    "CREATED_DESC",
    "CREATED_ASC",
];

struct SortName(Sort);

impl std::str::FromStr for SortName {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let (by, order) = match text {
            "DATE_DESC" => (SortBy::Date, Order::NewestFirst),
            "DATE_ASC" => (SortBy::Date, Order::OldestFirst),
            "NAME_ASC" => (SortBy::Name, Order::OldestFirst),
            "NAME_DESC" => (SortBy::Name, Order::NewestFirst),
            "CREATED_DESC" => (SortBy::Created, Order::NewestFirst),
            "CREATED_ASC" => (SortBy::Created, Order::OldestFirst),
            _ => return Err(UnknownName { allowed: SORTS }),
        };
        Ok(Self(Sort { by, order }))
    }
}

/// What a client asked of a list of the CRM, filters aside.
struct Listing {
    sort: Sort,
    paging: Paging,
    cursor: Option<String>,
}

impl Listing {
    fn read(input: &mut Input) -> Self {
        let newest = Sort {
            by: SortBy::Date,
            order: Order::NewestFirst,
        };
        Self {
            sort: input.name::<SortName>("sort").map_or(newest, |name| name.0),
            paging: Paging::read(input),
            cursor: input.cursor(),
        }
    }

    /// Where the page begins. `of` is what a cursor must belong to.
    fn place(&self, of: &str) -> Result<Place, ApiError> {
        let Some(cursor) = &self.cursor else {
            return Ok(Place::Offset(self.paging.offset()));
        };
        let place = cursor::read_place(cursor, of)?;
        let fits = matches!(
            (&place, self.sort.by),
            (Place::Behind(SortKey::Name(_), _), SortBy::Name)
                | (Place::Behind(SortKey::Time(_), _), SortBy::Date | SortBy::Created)
        );
        if fits { Ok(place) } else { Err(cursor::refused()) }
    }

    /// Cuts a page that was read with one entry too many, and describes it.
    fn describe<I: fmt::Display>(&self, found: &mut Vec<(I, SortKey)>, total: i64, of: &str) -> Pagination {
        let full = usize::try_from(self.paging.size).unwrap_or(usize::MAX);
        let has_more = found.len() > full;
        found.truncate(full);
        let last = found.last().filter(|_| has_more);
        let next = last.map(|(id, key)| cursor::write_place(key, &id.to_string(), of));
        self.paging.describe(total, has_more, next)
    }
}

/// A text that is looked for anywhere in a field: folded.
fn read_part(input: &mut Input, name: &'static str) -> Option<String> {
    let folded = text::fold(&input.text(name, MAX_NAME)?);
    if folded.is_empty() {
        let message = format!("{name} holds no letter and no digit to look for");
        let suggestion = format!("Send some of what is to be in {name}, or leave it out.");
        input.fault_with(ErrorCode::InvalidSearchQuery, name, message, suggestion);
        return None;
    }
    Some(folded)
}

/// Words of a free-text search.
fn read_words(input: &mut Input, search: &str) -> Vec<String> {
    let words = text::query_words(search);
    if words.is_empty() {
        let code = ErrorCode::InvalidSearchQuery;
        input.fault(code, "search", code.message());
    } else if words.len() > text::MAX_QUERY_WORDS {
        let most = text::MAX_QUERY_WORDS;
        let message = format!("search has {} words; at most {most} are looked for", words.len());
        let suggestion = format!("Send at most {most} words.");
        input.fault_with(ErrorCode::InvalidSearchQuery, "search", message, suggestion);
    }
    words
}

/// The id of a company, in a body.
fn read_company(input: &mut Input) -> Option<Option<CompanyId>> {
    let text = input.text("company_id", 100);
    let id = text.and_then(|text| {
        let id = CompanyId::parse(&text).ok();
        if id.is_none() {
            let code = ErrorCode::CompanyNotFound;
            input.fault(code, "company_id", code.message());
        }
        id
    });
    input.or_null("company_id", id)
}

/// The id of a company, in a path.
fn company_id(text: &str) -> Result<CompanyId, ApiError> {
    CompanyId::parse(text).map_err(|_| ApiError::new(ErrorCode::CompanyNotFound).param("id"))
}

/// The id of a person, in a path.
fn person_id(text: &str) -> Result<ContactId, ApiError> {
    ContactId::parse(text).map_err(|_| ApiError::new(ErrorCode::PersonNotFound).param("id"))
}

/// Names the path's parameter where that is to blame: `missing` is the code of what it points at.
fn naming_the_id(missing: ErrorCode) -> impl Fn(ApiError) -> ApiError {
    move |error| {
        if error.code == missing && error.param.is_none() {
            error.param("id")
        } else {
            error
        }
    }
}
