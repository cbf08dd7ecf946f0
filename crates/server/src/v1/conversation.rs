//! One contact, and everything between it and the team.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::engagement::Engagement;
use trunkline_domain::{ContactId, Direction, ErrorCode, Millis, PhoneNumber};
use trunkline_store::contacts::{self, Properties};
use trunkline_store::items::{self, ItemDetail};
use trunkline_store::people::PersonDetail;
use trunkline_store::{Conn, StoreError, TeamKey, histories, properties};

use super::contacts::{contact_id, find};
use super::views::{self, RecordView};
use super::{Paged, Paging, Results};
use crate::AppState;
use crate::http::auth::{Caller, ContactsRead, ConversationsRead};
use crate::http::error::ApiError;
use crate::http::input::{Input, PathParams, Query};
use crate::http::reply::{self, Data};
use crate::media::TeamLinks;
use crate::v2::conversations::the_line;
use crate::v2::views::CompanyView;

/// So many calls and messages are the recent activity.
const ACTIVITY: i64 = 20;

/// A call or message, in brief.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ContactActivity)]
pub struct ActivityView {
    /// `INBOUND_CALL`, `OUTBOUND_CALL`, `INBOUND_SMS` or `OUTBOUND_SMS`.
    #[serde(rename = "type")]
    #[schema(example = "INBOUND_CALL")]
    kind: &'static str,
    /// Who of the team handled or sent it; `null` when nobody did.
    #[schema(example = "Alex Kim")]
    made_by: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    made_at: Millis,
    /// Calls: the team's number. `null` on messages.
    #[schema(value_type = Option<String>, example = "+14155550100")]
    allo_number: Option<PhoneNumber>,
    /// Messages: the text. `null` on calls.
    content: Option<String>,
}

impl ActivityView {
    fn new(detail: ItemDetail) -> Self {
        let is_call = detail.id.call().is_some();
        Self {
            kind: match (detail.direction, is_call) {
                (Direction::Inbound, true) => "INBOUND_CALL",
                (Direction::Outbound, true) => "OUTBOUND_CALL",
                (Direction::Inbound, false) => "INBOUND_SMS",
                (Direction::Outbound, false) => "OUTBOUND_SMS",
            },
            made_by: detail.user.map(|(_, name, _)| name),
            made_at: detail.at,
            allo_number: detail.allo_number.filter(|_| is_call),
            content: detail.content.filter(|_| !is_call),
        }
    }
}

/// A contact with what the team knows of it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ContactContext)]
pub struct ContextView {
    #[schema(value_type = String, example = "cnt-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: ContactId,
    /// First name.
    #[schema(example = "John")]
    name: Option<String>,
    #[schema(example = "Doe")]
    last_name: Option<String>,
    /// In E.164, the main one first.
    #[schema(value_type = Vec<String>, example = json!(["+14155551234"]))]
    numbers: Vec<PhoneNumber>,
    /// The main one first.
    #[schema(example = json!(["john@acme.example"]))]
    emails: Vec<String>,
    /// `null` without one.
    company: Option<CompanyView>,
    #[schema(example = "CEO")]
    job_title: Option<String>,
    #[schema(example = "https://acme.example")]
    website: Option<String>,
    /// Always empty: what other systems know stays with them.
    #[schema(value_type = Object)]
    integration_data: serde_json::Map<String, serde_json::Value>,
    /// The fields that the team has defined, by their keys.
    #[schema(value_type = Object)]
    custom_properties: Properties,
    /// Only with `extend=engagement`: `ENGAGED`, `COOLING` or `COLD`; `null` before the first call or message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "ENGAGED")]
    engagement: Option<Option<Engagement>>,
    /// Only with `extend=activity`: the last 20 calls and messages, newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<ActivityView>>)]
    activity: Option<Vec<ActivityView>>,
    /// Where everything is.
    #[schema(example = "/v1/api/contact/cnt-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD/conversation")]
    conversation_url: String,
}

#[derive(Clone, Copy, Debug, Default)]
struct Extend {
    engagement: bool,
    activity: bool,
}

impl Extend {
    fn read(input: &mut Input) -> Self {
        let mut extend = Self::default();
        let Some(text) = input.text("extend", 200) else {
            return extend;
        };
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part {
                "engagement" => extend.engagement = true,
                "activity" => extend.activity = true,
                _ => input.fault_with(
                    ErrorCode::UnsupportedExtendValue,
                    "extend",
                    format!("{part:?} is nothing that a contact can be extended by"),
                    "Use engagement, activity, or both with a comma between them.".to_owned(),
                ),
            }
        }
        extend
    }
}

/// Get a contact
///
/// One contact, archived or not; for the id of one that was merged into another, that other.
#[utoipa::path(get, path = "/v1/api/contact/{contact_id}", operation_id = "getContact", tag = "Contacts",
    params(
        ("contact_id" = String, Path, description = "The contact's id", example = "cnt-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"),
        ("extend" = Option<String>, Query, description = "`engagement`, `activity`, or both with a comma between them", example = "engagement,activity"),
    ),
    responses((status = 200, description = "The contact", body = Data<ContextView>)))]
pub async fn get(
    caller: Caller<ContactsRead>,
    State(state): State<AppState>,
    path: PathParams<1>,
    query: Query,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Query(mut input)) = (path, query);
    let extend = Extend::read(&mut input);
    input.finish()?;
    let (id, team, now) = (contact_id(&id)?, caller.owner.team, state.board.now());
    let read = move |conn: &mut Conn<'_>| context(conn, team, id, extend, now);
    Ok(reply::data(state.read_page(true, read).await?))
}

fn context(
    conn: &mut Conn<'_>,
    team: TeamKey,
    id: ContactId,
    extend: Extend,
    now: Millis,
) -> Result<ContextView, ApiError> {
    let PersonDetail { contact, company } = find(conn, team, id)?;
    let definitions = properties::list(conn, team)?;
    let mut engagement = None;
    if extend.engagement {
        let histories = histories::of_numbers(conn, team, &contact.numbers)?;
        engagement = Some(histories::together(&histories, &contact.numbers).engagement(now));
    }
    let mut activity = None;
    if extend.activity {
        let details = details(conn, team, &contact.numbers, None, (ACTIVITY, 0))?;
        activity = Some(details.into_iter().map(ActivityView::new).collect());
    }
    Ok(ContextView {
        id: contact.id,
        name: contact.first_name,
        last_name: contact.last_name,
        numbers: contact.numbers,
        emails: contact.emails,
        company: CompanyView::brief(contact.company_id, company),
        job_title: contact.job_title,
        website: contact.website,
        integration_data: serde_json::Map::new(),
        custom_properties: contacts::defined(&definitions, contact.properties),
        engagement,
        activity,
        conversation_url: format!("/v1/api/contact/{}/conversation", contact.id),
    })
}

fn details(
    conn: &mut Conn<'_>,
    team: TeamKey,
    numbers: &[PhoneNumber],
    line: Option<i64>,
    window: (i64, i64),
) -> Result<Vec<ItemDetail>, StoreError> {
    let seqs = histories::page(conn, team, numbers, line, window)?;
    items::details_by_seq(conn, team, &seqs)
}

/// Get a contact's conversation
///
/// Calls and messages with all numbers of the contact, newest first.
#[utoipa::path(get, path = "/v1/api/contact/{contact_id}/conversation", operation_id = "searchConversations",
    tag = "Contacts",
    params(
        ("contact_id" = String, Path, description = "The contact's id", example = "cnt-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"),
        ("allo_number" = Option<String>, Query, description = "Only what was on this number of the team, in E.164"),
        ("page" = Option<i64>, Query, description = "Page, from 0", minimum = 0),
        ("size" = Option<i64>, Query, description = "Entries on a page, 10 by default", minimum = 1, maximum = 100),
    ),
    responses((status = 200, description = "A page of calls and messages", body = Data<Results<RecordView, Paged>>)))]
pub async fn list(
    caller: Caller<ConversationsRead>,
    State(state): State<AppState>,
    path: PathParams<1>,
    query: Query,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Query(mut input)) = (path, query);
    let line = input.phone("allo_number");
    let (paging, links) = (Paging::read(&mut input), input.media_links());
    input.finish()?;
    let (id, team) = (contact_id(&id)?, caller.owner.team);
    let read = move |conn: &mut Conn<'_>| page(conn, team, id, line, (paging, links));
    Ok(reply::data(state.read_page(true, read).await?))
}

fn page(
    conn: &mut Conn<'_>,
    team: TeamKey,
    id: ContactId,
    line: Option<PhoneNumber>,
    (paging, links): (Paging, Option<TeamLinks>),
) -> Result<Results<RecordView, Paged>, ApiError> {
    let numbers = find(conn, team, id)?.contact.numbers;
    let line = line
        .map(|number| the_line(conn, team, Some(number)))
        .transpose()?;
    let total = histories::count(conn, team, &numbers, line)?;
    let mut results = Vec::new();
    if paging.offset() < total {
        let details = details(conn, team, &numbers, line, (paging.size, paging.offset()))?;
        results = views::records(conn, team, details, links)?;
    }
    Ok(Results {
        results,
        metadata: Paged {
            pagination: paging.describe(total),
        },
    })
}
