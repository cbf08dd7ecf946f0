//! People: made, read, changed, archived.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use parking_lot::Mutex;
use serde::Serialize;
use trunkline_domain::{ContactId, ErrorCode, Millis, PhoneNumber};
use trunkline_store::contacts::{self, Properties};
use trunkline_store::people::{self, PersonDetail};
use trunkline_store::properties::{self, PropertyRow};
use trunkline_store::{Conn, StoreError, TeamKey};
use trunkline_switchboard::people::{
    self as commands, CreateContact, Duplicates, MAX_PER_CONTACT, PatchContact,
};
use trunkline_switchboard::properties::{fits, wanted};
use trunkline_switchboard::{Error as CommandError, Work, erasure};

use super::{MAX_NAME, MAX_URL, PersonId, naming_the_id, person_id, read_company};
use crate::AppState;
use crate::http::auth::{Caller, CrmDelete, CrmRead, CrmWrite};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, Input, PathParams, Query, Sent};
use crate::http::reply::{self, Data};
use crate::v2::views::CompanyView;

/// How often it is looked whether an erasure is over.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The longest address, in characters.
pub(crate) const MAX_ADDRESS: usize = 1_000;

/// A person. Beside these fields it has those that the team has defined (`GET /v2/api/crm/properties`), each with a value
/// under its key.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CrmPerson)]
pub struct PersonView {
    #[schema(value_type = String, example = "per-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: PersonId,
    /// First name.
    #[schema(example = "John")]
    name: Option<String>,
    #[schema(example = "Doe")]
    last_name: Option<String>,
    #[schema(example = "CEO")]
    job_title: Option<String>,
    #[schema(example = "https://example.com")]
    website: Option<String>,
    #[schema(example = "123 Main St")]
    address: Option<String>,
    /// In E.164, the main one first.
    #[schema(value_type = Vec<String>, example = json!(["+33612345678"]))]
    numbers: Vec<PhoneNumber>,
    /// The main one first.
    #[schema(example = json!(["john@example.com"]))]
    emails: Vec<String>,
    /// `null` without one.
    company: Option<CompanyView>,
    /// Calls and messages with the person's numbers.
    #[schema(example = 5)]
    interactions: i64,
    /// When the last of them was.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_activity_at: Option<Millis>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
    /// Since when the person is archived; only then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    archived_at: Option<Millis>,
    #[serde(flatten)]
    #[schema(ignore)]
    properties: Properties,
}

impl PersonView {
    pub(super) fn new(detail: PersonDetail, definitions: &[PropertyRow]) -> Self {
        let PersonDetail { contact, company } = detail;
        Self {
            id: PersonId(contact.id),
            name: contact.first_name,
            last_name: contact.last_name,
            job_title: contact.job_title,
            website: contact.website,
            address: contact.address,
            numbers: contact.numbers,
            emails: contact.emails,
            company: CompanyView::brief(contact.company_id, company),
            interactions: contact.interactions,
            last_activity_at: contact.last_at,
            created_at: contact.created_at,
            updated_at: contact.updated_at,
            archived_at: contact.archived_at,
            properties: contacts::defined(definitions, contact.properties),
        }
    }
}

/// The person as it is at this point of a command.
fn present(work: &mut Work<'_, '_>, id: ContactId) -> Result<PersonView, CommandError> {
    let detail = commands::detail(work, id)?;
    let definitions = properties::list(work.tx, work.team)?;
    Ok(PersonView::new(detail, &definitions))
}

/// A new person. Beside these fields it can have those that the team has defined.
#[derive(utoipa::ToSchema)]
#[schema(as = CreatePersonRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct CreatePerson {
    /// First name.
    #[schema(example = "John", max_length = 255)]
    name: Option<String>,
    #[schema(example = "Doe", max_length = 255)]
    last_name: Option<String>,
    #[schema(example = "CEO", max_length = 255)]
    job_title: Option<String>,
    #[schema(example = "https://example.com", max_length = 2048)]
    website: Option<String>,
    #[schema(example = "123 Main St", max_length = 1000)]
    address: Option<String>,
    /// In E.164, the main one first; at least one.
    #[schema(min_items = 1, max_items = 20, example = json!(["+33612345678"]))]
    numbers: Vec<String>,
    /// The main one first.
    #[schema(max_items = 20, example = json!(["john@example.com"]))]
    emails: Option<Vec<String>>,
    #[schema(example = "com-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    company_id: Option<String>,
    /// Makes the person even if somebody else has one of the numbers.
    allow_duplicate_number: Option<bool>,
}

/// Create a person
///
/// Calls and messages that the numbers have had already count as the person's own.
#[utoipa::path(post, path = "/v2/api/crm/people", operation_id = "createPerson", tag = "CRM",
    request_body = CreatePerson,
    responses((status = 200, description = "The person", body = Data<PersonView>)))]
pub async fn create(
    caller: Caller<CrmWrite>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let definitions = definitions(&state, caller.owner.team).await?;
    let numbers = read_numbers(&mut input);
    if input.sent("numbers") != Sent::Value {
        input.missing("numbers");
    } else if numbers.as_ref().is_some_and(Vec::is_empty) {
        input.empty("numbers");
    }
    let person = CreateContact {
        first_name: input.text("name", MAX_NAME),
        last_name: input.text("last_name", MAX_NAME),
        job_title: input.text("job_title", MAX_NAME),
        website: input.text("website", MAX_URL),
        address: input.text("address", MAX_ADDRESS),
        company: read_company(&mut input).flatten(),
        numbers: numbers.unwrap_or_default(),
        emails: input.texts("emails", MAX_PER_CONTACT).unwrap_or_default(),
        properties: read_properties(&mut input, &definitions),
        duplicates: read_duplicates(&mut input),
    };
    input.finish()?;
    commit(&state, &caller, StatusCode::OK, move |work| {
        let id = commands::create_contact(work, &person)?;
        present(work, id)
    })
    .await
}

async fn definitions(state: &AppState, team: TeamKey) -> Result<Vec<PropertyRow>, ApiError> {
    Ok(state
        .board
        .db()
        .read(move |conn| properties::list(conn, team))
        .await?)
}

/// Numbers in E.164.
pub(crate) fn read_numbers(input: &mut Input) -> Option<Vec<String>> {
    let numbers = input.texts("numbers", MAX_PER_CONTACT)?;
    if let Some(faulty) = numbers.iter().find(|text| PhoneNumber::parse(text).is_err()) {
        let shown: String = faulty.chars().take(40).collect();
        let message = format!("{shown:?} is not a phone number in E.164 form");
        let hint = "Send each as + followed by country code and number, without spaces: +14155551234.";
        input.fault_with(ErrorCode::InvalidPhoneFormat, "numbers", message, hint.to_owned());
        return None;
    }
    Some(numbers)
}

pub(crate) fn read_duplicates(input: &mut Input) -> Duplicates {
    match input.flag("allow_duplicate_number") {
        Some(true) => Duplicates::Allowed,
        _ => Duplicates::Refused,
    }
}

fn read_properties(input: &mut Input, definitions: &[PropertyRow]) -> Properties {
    let names = definitions.iter().map(|property| property.key.as_str());
    input.defined(names, |name, value| {
        let known = definitions.iter().find(|property| property.key == name);
        match known.map(|property| property.property_type) {
            Some(property_type) if !value.is_null() && !fits(property_type, value) => {
                Err(format!("{name} takes {}", wanted(property_type)))
            }
            _ => Ok(()),
        }
    })
}

/// Get a person
///
/// One person, archived or not; for the id of one that was merged into another, that other.
#[utoipa::path(get, path = "/v2/api/crm/people/{id}", operation_id = "getPerson", tag = "CRM",
    params(("id" = String, Path, description = "The person's id", example = "per-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The person", body = Data<PersonView>)))]
pub async fn get(
    caller: Caller<CrmRead>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let (id, team) = (person_id(&id)?, caller.owner.team);
    let read = state
        .board
        .db()
        .read(move |conn: &mut Conn<'_>| -> Result<_, StoreError> {
            Ok((people::find(conn, team, id)?, properties::list(conn, team)?))
        });
    let (found, definitions) = read.await.map_err(ApiError::from)?;
    let found = found.ok_or_else(|| ApiError::new(ErrorCode::PersonNotFound).param("id"))?;
    Ok(reply::data(PersonView::new(found, &definitions)))
}

/// What is to change about a person: a field that is left out stays as it is, `null` takes its value away. So it is with
/// the fields that the team has defined.
#[derive(utoipa::ToSchema)]
#[schema(as = UpdatePersonRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct UpdatePerson {
    /// First name.
    #[schema(example = "John", max_length = 255)]
    name: Option<String>,
    #[schema(example = "Doe", max_length = 255)]
    last_name: Option<String>,
    #[schema(example = "CTO", max_length = 255)]
    job_title: Option<String>,
    #[schema(example = "https://example.com", max_length = 2048)]
    website: Option<String>,
    #[schema(example = "123 Main St", max_length = 1000)]
    address: Option<String>,
    /// All numbers from now on, in E.164.
    #[schema(max_items = 20, example = json!(["+33612345678"]))]
    numbers: Option<Vec<String>>,
    /// All addresses from now on.
    #[schema(max_items = 20, example = json!(["john@example.com"]))]
    emails: Option<Vec<String>>,
    #[schema(example = "com-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    company_id: Option<String>,
    /// Archives the person, or brings it back.
    archived: Option<bool>,
    /// Takes the numbers even if somebody else has one of them.
    allow_duplicate_number: Option<bool>,
}

/// Update a person
///
/// Only the fields that are sent are changed. Every conversation with the person's numbers shows it at once.
#[utoipa::path(put, path = "/v2/api/crm/people/{id}", operation_id = "updatePerson", tag = "CRM",
    params(("id" = String, Path, description = "The person's id", example = "per-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = UpdatePerson,
    responses((status = 200, description = "The person as it is now", body = Data<PersonView>)))]
pub async fn update(
    caller: Caller<CrmWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let id = person_id(&id)?;
    let definitions = definitions(&state, caller.owner.team).await?;
    let (numbers, emails) = (read_numbers(&mut input), input.texts("emails", MAX_PER_CONTACT));
    let patch = PatchContact {
        first_name: input.text_or_null("name", MAX_NAME),
        last_name: input.text_or_null("last_name", MAX_NAME),
        job_title: input.text_or_null("job_title", MAX_NAME),
        website: input.text_or_null("website", MAX_URL),
        address: input.text_or_null("address", MAX_ADDRESS),
        company: read_company(&mut input),
        numbers: input.or_null("numbers", numbers).map(Option::unwrap_or_default),
        emails: input.or_null("emails", emails).map(Option::unwrap_or_default),
        properties: read_properties(&mut input, &definitions),
        archived: input.flag("archived"),
        duplicates: read_duplicates(&mut input),
    };
    input.finish()?;
    let by = caller.actor();
    let done = commit(&state, &caller, StatusCode::OK, move |work| {
        let id = commands::update_contact_by(work, id, &patch, &by)?;
        present(work, id)
    });
    done.await.map_err(naming_the_id(ErrorCode::PersonNotFound))
}

/// Delete a person
///
/// The person is archived: in no search and no conversation any more, its numbers free for others. By its id it can
/// still be got, and brought back with `archived: false`.
///
/// With `erase=true` it is erased instead, archived or not, and nobody brings it back: its fields, what was said and
/// written with it and about it, and what the event log has of it are gone when this is answered. Its calls and texts
/// stay as nameless records, so that reports do not change. A number that somebody else has too keeps its history.
#[utoipa::path(delete, path = "/v2/api/crm/people/{id}", operation_id = "deletePerson", tag = "CRM",
    params(("id" = String, Path, description = "The person's id", example = "per-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"),
        ("erase" = Option<bool>, Query, description = "Erase instead of archive (ours); `false` by default", example = false)),
    responses((status = 204, description = "It is archived, or erased")))]
pub async fn delete(
    caller: Caller<CrmDelete>,
    State(state): State<AppState>,
    path: PathParams<1>,
    query: Query,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Query(mut input)) = (path, query);
    let id = person_id(&id)?;
    let erases = input.flag("erase").unwrap_or(false);
    input.finish()?;
    let (by, team) = (caller.actor(), caller.owner.team);
    // The id of one that was merged into another leads to that other.
    let whom = Arc::new(Mutex::new(id));
    let found = whom.clone();
    let done = commit(&state, &caller, StatusCode::NO_CONTENT, move |work| {
        if erases {
            erasure::erase(work, id, &by).map(|erased| *found.lock() = erased)
        } else {
            commands::archive_contact(work, id, &by)
        }
    });
    let answer = done.await.map_err(naming_the_id(ErrorCode::PersonNotFound))?;
    if erases {
        let whom = *whom.lock();
        erased(&state, team, whom).await?;
    }
    Ok(answer)
}

/// Waits until nothing can be read of a person any more. Should the request end before, the work goes on, at the next
/// start if need be.
async fn erased(state: &AppState, team: TeamKey, id: ContactId) -> Result<(), ApiError> {
    let db = state.board.db();
    while db.read(move |conn| erasure::is_under_way(conn, team, id)).await? {
        let look = state.stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY));
        if look.await.is_none() {
            return Err(ApiError::new(ErrorCode::ServiceUnavailable)
                .message("the person is erased; the server ends before all that is stored of it is gone")
                .suggestion(
                    "Nothing has to be repeated: the server goes on with it when it is started again.",
                ));
        }
    }
    Ok(())
}

/// Whom to merge.
#[derive(utoipa::ToSchema)]
#[schema(as = MergePersonRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct MergePerson {
    /// The person that becomes part of the one in the path.
    #[schema(example = "per-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    person_id: String,
}

/// Merge two people
///
/// The person in the path keeps its own fields and takes those it does not have from the other, with all numbers, e-mail
/// addresses, notes and deals of both; so the history of both is its own. The other is no more, and its id leads here.
#[utoipa::path(post, path = "/v2/api/crm/people/{id}/merge", operation_id = "mergePerson", tag = "CRM",
    params(("id" = String, Path, description = "The person's id", example = "per-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = MergePerson,
    responses((status = 200, description = "The one person", body = Data<PersonView>)))]
pub async fn merge(
    caller: Caller<CrmWrite>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let id = person_id(&id)?;
    let other = input.text("person_id", 100);
    if input.sent("person_id") != Sent::Value {
        input.missing("person_id");
    }
    let other = other.and_then(|text| {
        let id = ContactId::parse(&text).ok();
        if id.is_none() {
            let code = ErrorCode::PersonNotFound;
            input.fault(code, "person_id", code.message());
        }
        id
    });
    input.finish()?;
    let (other, by) = (other.ok_or(ErrorCode::MissingParameter)?, caller.actor());
    let done = commit(&state, &caller, StatusCode::OK, move |work| {
        let id = commands::merge_contacts(work, id, other, &by)?;
        present(work, id)
    });
    done.await.map_err(naming_the_id(ErrorCode::PersonNotFound))
}
