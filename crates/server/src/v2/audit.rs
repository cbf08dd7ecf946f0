//! The audit log: who changed what of the team, and when.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use trunkline_domain::{
    ApiKeyId, ContactId, EndpointId, ErrorCode, IdError, InvitationId, Millis, NumberId, TagId, TeamId,
    TemplateId, UserId,
};
use trunkline_store::audit::{self, AuditFilter, AuditRow};
use trunkline_store::crm::{Place, SortKey};
use trunkline_store::users::{self, UserRow};
use trunkline_store::{Conn, StoreError};
use trunkline_switchboard::audit::OPERATOR;

use super::cursor::{read_place, refused, write_place};
use super::views::UserRefView;
use super::webhooks::deliveries::Continuation;
use crate::AppState;
use crate::http::auth::{Caller, TeamManage};
use crate::http::error::ApiError;
use crate::http::input::{Input, Query};
use crate::http::reply::{self, PAGE_SIZE};

/// Who did something.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AuditActor)]
pub struct ActorView {
    /// `USER`, or `OPERATOR`: the command line, or the server itself.
    #[serde(rename = "type")]
    #[schema(example = "USER")]
    kind: &'static str,
    /// The user; `null` for the operator.
    user: Option<UserRefView>,
    /// By which API key; `null` where there was none, or it was not written down yet.
    #[schema(value_type = Option<String>, example = "api-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    api_key_id: Option<ApiKeyId>,
}

/// An entry of the audit log.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AuditEntry)]
pub struct EntryView {
    #[schema(example = "aud-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: String,
    #[schema(value_type = String, format = DateTime)]
    at: Millis,
    actor: ActorView,
    /// What was done.
    #[schema(example = "key.created")]
    action: String,
    /// The id of what it was done to.
    #[schema(example = "api-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    object: String,
    /// Which fields were changed, where that is known. Their values are not written down.
    #[schema(example = json!(["role"]))]
    fields: Vec<String>,
    /// More, in words; never a secret.
    #[schema(example = "name: CRM sync, scopes: TAGS_READ, TAGS_WRITE")]
    details: Option<String>,
}

/// What kinds of actors there are.
pub(crate) const ACTORS: &[&str] = &["USER", "OPERATOR"];

impl EntryView {
    fn new(row: AuditRow, users: &[UserRow]) -> Self {
        let (fields, details) = read_detail(row.detail.as_deref());
        let user = users.iter().find(|user| user.id.to_string() == row.actor);
        Self {
            id: row.id,
            at: row.at,
            actor: ActorView {
                kind: if row.actor == OPERATOR { "OPERATOR" } else { "USER" },
                user: user.map(UserRefView::from),
                api_key_id: row.api_key,
            },
            action: row.action,
            object: row.subject,
            fields,
            details,
        }
    }
}

/// The names of changed fields, and what else was written down, in words.
fn read_detail(text: Option<&str>) -> (Vec<String>, Option<String>) {
    match text.and_then(|text| serde_json::from_str(text).ok()) {
        Some(Value::String(words)) => (Vec::new(), Some(words)),
        Some(Value::Object(mut all)) => {
            let fields = all.remove("fields");
            let names = fields.as_ref().and_then(Value::as_array).into_iter().flatten();
            let names = names
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect();
            let more = |(name, value): (String, Value)| match value {
                Value::String(text) => format!("{name}: {text}"),
                other => format!("{name}: {other}"),
            };
            let details: Vec<String> = all.into_iter().map(more).collect();
            (names, (!details.is_empty()).then(|| details.join(", ")))
        }
        _ => (Vec::new(), None),
    }
}

/// Reads `actor`: the id of a user, or the operator.
fn read_actor(input: &mut Input) -> Option<String> {
    let text = input.text("actor", 100)?;
    if text == OPERATOR {
        return Some(text);
    }
    match UserId::parse(&text) {
        Ok(id) => Some(id.to_string()),
        // A user of another system, who has done nothing here.
        Err(IdError::NeverIssued) => Some(text),
        Err(IdError::Malformed { .. }) => {
            let message = "actor is neither the id of a user nor the operator".to_owned();
            let suggestion =
                "Send an id of GET /v2/api/users, which begins with usr-, or operator.".to_owned();
            input.fault_with(ErrorCode::InvalidParameter, "actor", message, suggestion);
            None
        }
    }
}

/// The id of something, spelt as entries have it (`usr_x` is `usr-x`); what is no id of ours stays as it is.
fn one_spelling(text: &str) -> String {
    let known = [
        UserId::parse(text).map(|id| id.to_string()),
        ApiKeyId::parse(text).map(|id| id.to_string()),
        InvitationId::parse(text).map(|id| id.to_string()),
        NumberId::parse(text).map(|id| id.to_string()),
        EndpointId::parse(text).map(|id| id.to_string()),
        TemplateId::parse(text).map(|id| id.to_string()),
        ContactId::parse(text).map(|id| id.to_string()),
        TeamId::parse(text).map(|id| id.to_string()),
        TagId::parse(text).map(|id| id.to_string()),
    ];
    known
        .into_iter()
        .flatten()
        .next()
        .unwrap_or_else(|| text.to_owned())
}

/// A part of the audit log.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AuditLog)]
pub struct AuditPage {
    data: Vec<EntryView>,
    pagination: Continuation,
}

/// List the audit log
///
/// Who changed what of the team, newest first: keys, users and invitations, the team's settings, numbers and sender ids,
/// tags, properties, summary templates, webhooks, partner accounts, dialing queues that were handed over, and people who
/// were archived, restored, merged or erased. Tags on calls are not in it; events tell of them. `cursor` continues where a
/// part ended, whatever was written meanwhile.
#[utoipa::path(get, path = "/v2/api/audit", operation_id = "listAuditLog", tag = "Team",
    params(
        ("actor" = Option<String>, Query, description = "Only of this user (an id), or of the `operator`"),
        ("action" = Option<String>, Query, description = "Only this", example = "key.created"),
        ("object" = Option<String>, Query, description = "Only what was done to this (an id)"),
        ("since" = Option<String>, Query, description = "Only then or later", example = "2026-04-20T10:00:00Z"),
        ("until" = Option<String>, Query, description = "Only earlier than then", example = "2026-04-21T10:00:00Z"),
        ("cursor" = Option<String>, Query, description = "`pagination.next_cursor` of the previous answer"),
        ("size" = Option<i64>, Query, description = "The most entries, 20 by default", minimum = 1, maximum = 100),
    ),
    responses((status = 200, description = "A part of the log", body = AuditPage)))]
pub async fn list(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    query: Query,
) -> Result<Response, ApiError> {
    let Query(mut input) = query;
    let filter = AuditFilter {
        actor: read_actor(&mut input),
        action: input.text("action", 100),
        subject: input.text("object", 100).map(|text| one_spelling(&text)),
        from: input.instant("since"),
        until: input.instant("until"),
    };
    let size = input
        .integer("size", 1..=100, ErrorCode::InvalidPageSize)
        .unwrap_or(PAGE_SIZE);
    let cursor = input.cursor();
    input.finish()?;
    let team = caller.owner.team;
    let of = format!("audit {team:?} {filter:?}");
    let behind = match cursor.map(|text| read_place(&text, &of)).transpose()? {
        None => None,
        Some(Place::Behind(SortKey::Time(at), id)) => Some((Millis(at), id)),
        Some(_) => return Err(refused()),
    };
    // One condition is answered from an index; of several, the others are looked for along it.
    let conditions = [&filter.actor, &filter.action, &filter.subject];
    let long = conditions.iter().filter(|wanted| wanted.is_some()).count() > 1;
    let read = move |conn: &mut Conn<'_>| -> Result<_, StoreError> {
        let behind = behind.as_ref().map(|(at, id)| (*at, id.as_str()));
        let rows = audit::page(conn, team, &filter, behind, size + 1)?;
        Ok((rows, users::list(conn, team)?))
    };
    let (mut rows, users) = state.read_page(long, read).await?;
    let full = usize::try_from(size).unwrap_or(usize::MAX);
    let has_more = rows.len() > full;
    rows.truncate(full);
    let last = rows.last().filter(|_| has_more);
    let next_cursor = last.map(|row| write_place(&SortKey::Time(row.at.0), &row.id, &of));
    let page = AuditPage {
        data: rows.into_iter().map(|row| EntryView::new(row, &users)).collect(),
        pagination: Continuation::new(size, next_cursor),
    };
    Ok(reply::json(StatusCode::OK, &page))
}
