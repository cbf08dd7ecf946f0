//! Contacts: the people of the CRM, under their older names.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::engagement::{Engagement, History};
use trunkline_domain::{ContactId, ErrorCode, Millis, PhoneNumber};
use trunkline_store::contacts::Properties;
use trunkline_store::crm::{self, Kind, Place, Sort, SortBy};
use trunkline_store::people::{self, PeopleFilter, PersonDetail};
use trunkline_store::search::Order;
use trunkline_store::{Conn, StoreError, TeamKey, histories};
use trunkline_switchboard::people::{self as commands, CreateContact, MAX_PER_CONTACT, PatchContact};
use trunkline_switchboard::{Error as CommandError, Work};

use super::{Paged, Paging, Results};
use crate::AppState;
use crate::http::auth::{Caller, ContactsRead, ContactsWrite};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, PathParams, Query, Sent};
use crate::http::reply::{self, Data};
use crate::v2::crm::people::{read_duplicates, read_numbers};
use crate::v2::crm::{MAX_NAME, MAX_URL};
use crate::v2::views::CompanyView;

/// A contact.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ContactRecord)]
pub struct ContactView {
    #[schema(value_type = String, example = "cnt-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: ContactId,
    /// First name.
    #[schema(example = "John")]
    name: Option<String>,
    #[schema(example = "Doe")]
    last_name: Option<String>,
    /// `null` without one.
    company: Option<CompanyView>,
    #[schema(example = "CEO")]
    job_title: Option<String>,
    #[schema(example = "https://acme.example")]
    website: Option<String>,
    /// Always `null`.
    status: Option<&'static str>,
    is_archived: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
    /// In E.164, the main one first.
    #[schema(value_type = Vec<String>, example = json!(["+14155551234"]))]
    numbers: Vec<PhoneNumber>,
    /// Ours: the main one first.
    #[schema(example = json!(["john@acme.example"]))]
    emails: Vec<String>,
    /// Always `false`: nobody is kept from calling.
    is_whitelisted: bool,
    /// When the last call or message was.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_activity_date: Option<Millis>,
    /// `ENGAGED`, `COOLING` or `COLD`; `null` before the first call or message.
    #[schema(value_type = Option<String>, example = "ENGAGED")]
    engagement: Option<Engagement>,
}

impl ContactView {
    fn new(detail: PersonDetail, histories: &HashMap<PhoneNumber, History>, now: Millis) -> Self {
        let PersonDetail { contact, company } = detail;
        Self {
            engagement: histories::together(histories, &contact.numbers).engagement(now),
            id: contact.id,
            name: contact.first_name,
            last_name: contact.last_name,
            company: CompanyView::brief(contact.company_id, company),
            job_title: contact.job_title,
            website: contact.website,
            status: None,
            is_archived: contact.archived_at.is_some(),
            created_at: contact.created_at,
            updated_at: contact.updated_at,
            numbers: contact.numbers,
            emails: contact.emails,
            is_whitelisted: false,
            last_activity_date: contact.last_at,
        }
    }
}

/// List contacts
///
/// All contacts but archived ones, latest activity first.
#[utoipa::path(get, path = "/v1/api/contacts", operation_id = "searchContacts", tag = "Contacts",
    params(
        ("page" = Option<i64>, Query, description = "Page, from 0", minimum = 0),
        ("size" = Option<i64>, Query, description = "Entries on a page, 10 by default", minimum = 1, maximum = 100),
    ),
    responses((status = 200, description = "A page of contacts", body = Data<Results<ContactView, Paged>>)))]
pub async fn list(
    caller: Caller<ContactsRead>,
    State(state): State<AppState>,
    query: Query,
) -> Result<Response, ApiError> {
    let Query(mut input) = query;
    let paging = Paging::read(&mut input);
    input.finish()?;
    let (team, now) = (caller.owner.team, state.board.now());
    let read = move |conn: &mut Conn<'_>| page(conn, team, paging, now);
    Ok(reply::data(state.read_page(true, read).await?))
}

fn page(
    conn: &mut Conn<'_>,
    team: TeamKey,
    paging: Paging,
    now: Millis,
) -> Result<Results<ContactView, Paged>, StoreError> {
    let total = crm::total(conn, team, Kind::Person)?;
    let sort = Sort {
        by: SortBy::Date,
        order: Order::NewestFirst,
    };
    let place = Place::Offset(paging.offset());
    let found = people::page(conn, team, &PeopleFilter::default(), sort, &place, paging.size)?;
    let ids: Vec<ContactId> = found.into_iter().map(|(id, _)| id).collect();
    let details = people::many(conn, team, &ids)?;
    let numbers: Vec<PhoneNumber> = details
        .iter()
        .flat_map(|detail| detail.contact.numbers.clone())
        .collect();
    let histories = histories::of_numbers(conn, team, &numbers)?;
    let view = |detail| ContactView::new(detail, &histories, now);
    Ok(Results {
        results: details.into_iter().map(view).collect(),
        metadata: Paged {
            pagination: paging.describe(total),
        },
    })
}

/// The contact that the id in a path means.
///
/// # Errors
/// `CONTACT_NOT_FOUND`.
pub(super) fn contact_id(text: &str) -> Result<ContactId, ApiError> {
    ContactId::parse(text).map_err(|_| not_found())
}

pub(super) fn not_found() -> ApiError {
    let code = ErrorCode::ContactNotFound;
    ApiError::new(code).message(code.message()).param("contact_id")
}

/// A person is a contact here.
fn naming_the_contact(error: ApiError) -> ApiError {
    if error.code == ErrorCode::PersonNotFound {
        not_found()
    } else {
        error
    }
}

/// The contact with this id, or the one that it was merged into.
///
/// # Errors
/// `CONTACT_NOT_FOUND`, and those of the store.
pub(super) fn find(conn: &mut Conn<'_>, team: TeamKey, id: ContactId) -> Result<PersonDetail, ApiError> {
    people::find(conn, team, id)?.ok_or_else(not_found)
}

/// The contact as it is at this point of a command.
fn present(work: &mut Work<'_, '_>, id: ContactId) -> Result<ContactView, CommandError> {
    let detail = commands::detail(work, id)?;
    let histories = histories::of_numbers(work.tx, work.team, &detail.contact.numbers)?;
    Ok(ContactView::new(detail, &histories, work.now))
}

/// A new contact.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateContactRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct CreateRequest {
    /// First name.
    #[schema(example = "John", max_length = 255)]
    name: Option<String>,
    #[schema(example = "Doe", max_length = 255)]
    last_name: Option<String>,
    #[schema(example = "CEO", max_length = 255)]
    job_title: Option<String>,
    #[schema(example = "https://acme.example", max_length = 2048)]
    website: Option<String>,
    /// The main one first.
    #[schema(max_items = 20, example = json!(["john@acme.example"]))]
    emails: Option<Vec<String>>,
    /// In E.164, the main one first; at least one.
    #[schema(min_items = 1, max_items = 20, example = json!(["+14155551234"]))]
    numbers: Vec<String>,
    /// Ours: makes the contact even if somebody else has one of the numbers.
    allow_duplicate_number: Option<bool>,
}

/// Create a contact
///
/// Calls and messages that the numbers have had already count as the contact's own.
#[utoipa::path(post, path = "/v1/api/contacts", operation_id = "createContact", tag = "Contacts",
    request_body = CreateRequest,
    responses((status = 200, description = "The contact", body = Data<ContactView>)))]
pub async fn create(
    caller: Caller<ContactsWrite>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let numbers = read_numbers(&mut input);
    if input.sent("numbers") != Sent::Value {
        input.missing("numbers");
    } else if numbers.as_ref().is_some_and(Vec::is_empty) {
        input.empty("numbers");
    }
    let contact = CreateContact {
        first_name: input.text("name", MAX_NAME),
        last_name: input.text("last_name", MAX_NAME),
        job_title: input.text("job_title", MAX_NAME),
        website: input.text("website", MAX_URL),
        address: None,
        company: None,
        numbers: numbers.unwrap_or_default(),
        emails: input.texts("emails", MAX_PER_CONTACT).unwrap_or_default(),
        properties: Properties::new(),
        duplicates: read_duplicates(&mut input),
    };
    input.finish()?;
    commit(&state, &caller, StatusCode::OK, move |work| {
        let id = commands::create_contact(work, &contact)?;
        present(work, id)
    })
    .await
}

/// What is to change about a contact: a field that is left out stays as it is, `null` takes its value away, a list replaces
/// the one before.
#[derive(utoipa::ToSchema)]
#[schema(as = UpdateContactRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct UpdateRequest {
    /// First name.
    #[schema(example = "John", max_length = 255)]
    name: Option<String>,
    #[schema(example = "Smith", max_length = 255)]
    last_name: Option<String>,
    #[schema(example = "CTO", max_length = 255)]
    job_title: Option<String>,
    #[schema(example = "https://acme.example", max_length = 2048)]
    website: Option<String>,
    /// All addresses from now on.
    #[schema(max_items = 20)]
    emails: Option<Vec<String>>,
    /// All numbers from now on, in E.164.
    #[schema(max_items = 20)]
    numbers: Option<Vec<String>>,
    /// Ours: takes the numbers even if somebody else has one of them.
    allow_duplicate_number: Option<bool>,
}

/// Update a contact
///
/// Only the fields that are sent are changed. Every conversation with the contact's numbers shows it at once.
#[utoipa::path(put, path = "/v1/api/contacts/{contact_id}", operation_id = "updateContact", tag = "Contacts",
    params(("contact_id" = String, Path, description = "The contact's id", example = "cnt-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = UpdateRequest,
    responses((status = 200, description = "The contact as it is now", body = Data<ContactView>)))]
pub async fn update(
    caller: Caller<ContactsWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let id = contact_id(&id)?;
    let (numbers, emails) = (read_numbers(&mut input), input.texts("emails", MAX_PER_CONTACT));
    let patch = PatchContact {
        first_name: input.text_or_null("name", MAX_NAME),
        last_name: input.text_or_null("last_name", MAX_NAME),
        job_title: input.text_or_null("job_title", MAX_NAME),
        website: input.text_or_null("website", MAX_URL),
        numbers: input.or_null("numbers", numbers).map(Option::unwrap_or_default),
        emails: input.or_null("emails", emails).map(Option::unwrap_or_default),
        duplicates: read_duplicates(&mut input),
        ..PatchContact::default()
    };
    input.finish()?;
    let done = commit(&state, &caller, StatusCode::OK, move |work| {
        let id = commands::update_contact(work, id, &patch)?;
        present(work, id)
    });
    done.await.map_err(naming_the_contact)
}
