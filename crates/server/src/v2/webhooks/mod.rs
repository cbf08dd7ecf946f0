//! Webhook endpoints: where the team's events are sent, and how that goes.

pub mod deliveries;
mod read;
pub mod trial;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::events::Topic;
use trunkline_domain::webhook::{Breaker, Health, topic};
use trunkline_domain::{EndpointId, ErrorCode, Millis};
use trunkline_store::crypto::Vault;
use trunkline_store::numbers::{self, NumberRow};
use trunkline_store::webhooks::{self, EndpointRow};
use trunkline_store::{Conn, StoreError, TeamKey};
use trunkline_switchboard::webhooks::{self as commands, CreateEndpoint, Header, PatchEndpoint};

use crate::AppState;
use crate::http::auth::{Caller, Webhooks};
use crate::http::error::ApiError;
use crate::http::idempotency::{commit, commit_secret};
use crate::http::input::{Body, Input, PathParams, Sent};
use crate::http::reply::{self, Data};
use read::{read_headers, read_lines, read_topics, read_url};

/// A webhook endpoint.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookView {
    #[schema(value_type = String, example = "ep_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: EndpointId,
    /// Where events are posted to.
    #[schema(format = "uri", example = "https://example.com/webhooks")]
    url: String,
    /// What it is sent.
    #[schema(value_type = Vec<String>, example = json!(["call.completed", "sms.received"]))]
    topics: Vec<Topic>,
    #[schema(example = "Production")]
    description: Option<String>,
    /// Whether it is sent anything.
    #[schema(example = true)]
    enabled: bool,
    /// What deliveries are signed with; only when the endpoint is created, and when it is got by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    signing_secret: Option<String>,
    /// If there are any: only calls and texts of these numbers and sender ids, beside events that are about none.
    #[schema(example = json!(["+14155550100"]))]
    allo_numbers: Option<Vec<String>>,
    /// Extra headers of every delivery. The values are there only when the endpoint is created, and when it is got by
    /// its id; elsewhere they are `null`.
    #[schema(value_type = Object, example = json!({ "X-Tenant": "north" }))]
    headers: BTreeMap<String, Option<String>>,
    health: HealthView,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
}

/// How an endpoint is doing.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = WebhookHealth)]
pub struct HealthView {
    /// `HEALTHY`, `FAILING` (deliveries have failed since the last success) or `DISABLED`.
    #[schema(value_type = String, example = "HEALTHY")]
    state: Health,
    /// Since when everything fails.
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Millis>,
    /// `OWNER` (somebody disabled it), or `FAILURES` (everything failed for five days).
    #[schema(example = "FAILURES")]
    disabled_reason: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Millis>,
    /// To within a second.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_success_at: Option<Millis>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_failure_at: Option<Millis>,
    /// How the last failed delivery failed: a code of the delivery log, and the status if there was one.
    #[schema(example = "STATUS 503")]
    last_error: Option<String>,
}

/// Why an endpoint may be disabled.
pub(crate) const DISABLED_REASONS: &[&str] = &[commands::BY_OWNER, commands::BY_FAILURES];

impl HealthView {
    fn new(row: &EndpointRow) -> Self {
        let breaker = Breaker::read(row.breaker.as_deref());
        Self {
            state: Health::of(row.enabled, &breaker),
            failing_since: breaker.failing_since(),
            disabled_reason: row.disabled_reason.clone(),
            disabled_at: row.disabled_at,
            last_success_at: row.last_success_at,
            last_failure_at: row.last_failure_at,
            last_error: row.last_error.clone(),
        }
    }
}

/// What of an endpoint is a secret.
struct Revealed {
    signing_secret: String,
    headers: Vec<Header>,
}

impl WebhookView {
    /// An endpoint without its secrets: no signing secret, and no values of headers. `lines` are the team's.
    fn new(vault: &Vault, row: EndpointRow, lines: &[NumberRow]) -> Result<Self, StoreError> {
        let headers = commands::open_headers(vault, &row)?;
        let names = headers.into_iter().map(|header| (header.name, None));
        Ok(Self {
            health: HealthView::new(&row),
            allo_numbers: row.lines.as_deref().map(|own| labels(own, lines)),
            headers: names.collect(),
            id: row.id,
            url: row.url,
            topics: row.topics,
            description: row.description,
            enabled: row.enabled,
            signing_secret: None,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }

    /// With its secrets, for whoever made it or asks for it by its id.
    fn revealing(self, revealed: Revealed) -> Self {
        let headers = revealed.headers.into_iter();
        Self {
            signing_secret: Some(revealed.signing_secret),
            headers: headers.map(|header| (header.name, Some(header.value))).collect(),
            ..self
        }
    }
}

fn labels(own: &[i64], lines: &[NumberRow]) -> Vec<String> {
    let chosen = lines.iter().filter(|line| own.contains(&line.line));
    chosen.map(NumberRow::label).collect()
}

/// A topic that can be subscribed to.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = WebhookEventType)]
pub struct EventTypeView {
    #[schema(example = "call.received")]
    name: &'static str,
    #[schema(example = "An inbound call rings")]
    description: &'static str,
    /// When exactly it is sent.
    when: &'static str,
    /// Whether a fact is told once, however often it is reported.
    deduplicated: bool,
}

/// List event types
///
/// The topics that an endpoint can be sent. `/docs/events` shows each with an example.
#[utoipa::path(get, path = "/v2/api/webhooks/event_types", operation_id = "listWebhookEventTypes", tag = "Webhooks",
    responses((status = 200, description = "The topics", body = Data<Vec<EventTypeView>>)))]
pub async fn event_types(_: Caller<Webhooks>) -> Response {
    let view = |info: &topic::TopicInfo| EventTypeView {
        name: info.topic.as_str(),
        description: info.description,
        when: info.when,
        deduplicated: info.deduplicated,
    };
    reply::data(topic::CATALOGUE.iter().map(view).collect::<Vec<_>>())
}

/// List webhooks
///
/// All endpoints of the team, oldest first, with how they are doing. Secrets are not among it.
#[utoipa::path(get, path = "/v2/api/webhooks", operation_id = "listWebhooks", tag = "Webhooks",
    responses((status = 200, description = "The endpoints", body = Data<Vec<WebhookView>>)))]
pub async fn list(caller: Caller<Webhooks>, State(state): State<AppState>) -> Result<Response, ApiError> {
    let team = caller.owner.team;
    let read = state.board.db().read(move |conn| -> Result<_, StoreError> {
        Ok((webhooks::list(conn, team)?, numbers::all(conn, team)?))
    });
    let (rows, lines) = read.await.map_err(ApiError::from)?;
    let views: Result<Vec<WebhookView>, StoreError> = rows
        .into_iter()
        .map(|row| WebhookView::new(&state.vault, row, &lines))
        .collect();
    Ok(reply::data(views?))
}

/// A new endpoint.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateWebhookRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct CreateWebhook {
    /// An `https` URL that the public internet can reach.
    #[schema(format = "uri", example = "https://example.com/webhooks", max_length = 2048)]
    url: String,
    /// What it is to be sent; at least one topic of `GET /v2/api/webhooks/event_types`.
    #[schema(min_items = 1, example = json!(["call.completed", "sms.received"]))]
    topics: Vec<String>,
    #[schema(example = "Production", max_length = 500)]
    description: Option<String>,
    /// Only calls and texts of these numbers and sender ids of the team (events that are about none are sent too);
    /// without it, of all.
    #[schema(example = json!(["+14155550100"]), max_items = 100)]
    allo_numbers: Option<Vec<String>>,
    /// At most 20 headers that every delivery is to carry, with texts as values.
    #[schema(value_type = Option<Object>, example = json!({ "X-Tenant": "north" }))]
    headers: Option<BTreeMap<String, String>>,
}

/// Create a webhook
///
/// The endpoint hears of everything that happens from now on. The answer has its signing secret.
#[utoipa::path(post, path = "/v2/api/webhooks", operation_id = "createWebhook", tag = "Webhooks",
    request_body = CreateWebhook,
    responses((status = 201, description = "The endpoint", body = Data<WebhookView>)))]
pub async fn create(
    caller: Caller<Webhooks>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let lines = own_lines(&state, caller.owner.team).await?;
    let (url, topics) = (read_url(&mut input, &state.webhooks), read_topics(&mut input));
    for name in ["url", "topics"] {
        if input.sent(name) != Sent::Value {
            input.missing(name);
        }
    }
    let description = input.text("description", read::MAX_DESCRIPTION);
    let filter = read_lines(&mut input, &lines);
    let headers = read_headers(&mut input).unwrap_or_default();
    input.finish()?;
    let (Some(url), Some(topics)) = (url, topics) else {
        return Err(ErrorCode::MissingParameter.into());
    };
    read::resolve(&url, &state.webhooks).await?;
    let endpoint = CreateEndpoint {
        url: url.url().to_string(),
        topics,
        description,
        lines: filter,
        headers,
    };
    let (by, vault) = (caller.actor(), state.vault.clone());
    commit_secret(&state, &caller, StatusCode::CREATED, move |work| {
        let (row, secret) = commands::create(work, &vault, &endpoint, &by)?;
        let revealed = Revealed {
            signing_secret: secret.secret,
            headers: endpoint.headers.clone(),
        };
        Ok(WebhookView::new(&vault, row, &lines)?.revealing(revealed))
    })
    .await
}

/// Get a webhook
///
/// One endpoint, with its signing secret and its extra headers.
#[utoipa::path(get, path = "/v2/api/webhooks/{webhook_id}", operation_id = "getWebhook", tag = "Webhooks",
    params(("webhook_id" = String, Path, description = "The endpoint's id", example = "ep_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The endpoint", body = Data<WebhookView>)))]
pub async fn get(
    caller: Caller<Webhooks>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let (id, team) = (webhook_id(&id)?, caller.owner.team);
    let read = state
        .board
        .db()
        .read(move |conn| -> Result<_, ApiError> { Ok((find(conn, team, id)?, numbers::all(conn, team)?)) });
    let (row, lines) = read.await?;
    let secrets = commands::open_secrets(&state.vault, &row)?;
    let newest = secrets.into_iter().next().ok_or(StoreError::Sealed)?;
    let revealed = Revealed {
        signing_secret: newest.secret,
        headers: commands::open_headers(&state.vault, &row)?,
    };
    let view = WebhookView::new(&state.vault, row, &lines)?;
    Ok(reply::data(view.revealing(revealed)))
}

/// What is to change about an endpoint: a field that is left out stays as it is. `null` takes away what can be taken
/// away, and changes nothing about the rest.
#[derive(utoipa::ToSchema)]
#[schema(as = UpdateWebhookRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct UpdateWebhook {
    #[schema(
        nullable = false,
        format = "uri",
        example = "https://example.com/webhooks",
        max_length = 2048
    )]
    url: Option<String>,
    /// All topics from now on.
    #[schema(nullable = false, example = json!(["call.completed"]))]
    topics: Option<Vec<String>>,
    /// `null` takes it away.
    #[schema(example = "Production", max_length = 500)]
    description: Option<String>,
    enabled: Option<bool>,
    /// With `enabled: true`, for an endpoint that was disabled: whether it is sent what it has missed since, as far as
    /// it is kept. Without it, what it has missed is skipped.
    resume: Option<bool>,
    /// `null` takes the filter away.
    #[schema(example = json!(["+14155550100"]), max_items = 100)]
    allo_numbers: Option<Vec<String>>,
    /// All extra headers from now on; `null` takes them away.
    #[schema(value_type = Option<Object>, example = json!({ "X-Tenant": "north" }))]
    headers: Option<BTreeMap<String, String>>,
}

/// Update a webhook
///
/// Only the fields that are sent are changed. The change holds for every attempt that begins after it.
#[utoipa::path(put, path = "/v2/api/webhooks/{webhook_id}", operation_id = "updateWebhook", tag = "Webhooks",
    params(("webhook_id" = String, Path, description = "The endpoint's id", example = "ep_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = UpdateWebhook,
    responses((status = 200, description = "The endpoint as it is now", body = Data<WebhookView>)))]
pub async fn update(
    caller: Caller<Webhooks>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let id = webhook_id(&id)?;
    let lines = own_lines(&state, caller.owner.team).await?;
    let url = read_url(&mut input, &state.webhooks);
    let patch = read_patch(&mut input, &lines);
    input.finish()?;
    if let Some(url) = &url {
        read::resolve(url, &state.webhooks).await?;
    }
    let patch = PatchEndpoint {
        url: url.map(|url| url.url().to_string()),
        ..patch
    };
    let (by, vault) = (caller.actor(), state.vault.clone());
    let done = commit(&state, &caller, StatusCode::OK, move |work| {
        let row = commands::update(work, &vault, id, &patch, &by)?;
        Ok(WebhookView::new(&vault, row, &lines)?)
    });
    done.await.map_err(naming_the_id)
}

/// Reads everything but the URL.
fn read_patch(input: &mut Input, lines: &[NumberRow]) -> PatchEndpoint {
    let topics = read_topics(input);
    let description = input.text("description", read::MAX_DESCRIPTION);
    let filter = read_lines(input, lines);
    let headers = read_headers(input);
    let (enabled, resume) = (input.flag("enabled"), input.flag("resume"));
    if resume == Some(true) && enabled != Some(true) {
        input.fault_with(
            ErrorCode::InvalidParameter,
            "resume",
            "resume says how an endpoint is enabled again".to_owned(),
            "Send it together with enabled: true.".to_owned(),
        );
    }
    let taken_away = |name| input.sent(name) == Sent::Null;
    PatchEndpoint {
        url: None,
        topics,
        description: description
            .map(Some)
            .or(taken_away("description").then_some(None)),
        lines: filter.map(Some).or(taken_away("allo_numbers").then_some(None)),
        headers: headers.or(taken_away("headers").then(Vec::new)),
        enabled,
        resume: resume.unwrap_or(false),
    }
}

/// Delete a webhook
///
/// With its delivery log. What is being sent at this moment may still arrive.
#[utoipa::path(delete, path = "/v2/api/webhooks/{webhook_id}", operation_id = "deleteWebhook", tag = "Webhooks",
    params(("webhook_id" = String, Path, description = "The endpoint's id", example = "ep_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 204, description = "It is gone")))]
pub async fn delete(
    caller: Caller<Webhooks>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let id = webhook_id(&id)?;
    let by = caller.actor();
    let done = commit(&state, &caller, StatusCode::NO_CONTENT, move |work| {
        commands::delete(work, id, &by)
    });
    done.await.map_err(naming_the_id)
}

/// A new signing secret.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = RotatedSecret)]
pub struct RotatedView {
    #[schema(value_type = String, example = "ep_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: EndpointId,
    /// The new secret.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    signing_secret: String,
    /// Until then every delivery carries a signature by the old secret too.
    #[schema(value_type = String, format = DateTime)]
    previous_secret_expires_at: Millis,
}

/// Rotate the signing secret of a webhook
///
/// For 24 hours deliveries are signed with both the new secret and the old one (with up to 10 old ones, when it is
/// rotated again meanwhile), so that the receiver can be changed over without losing anything.
#[utoipa::path(post, path = "/v2/api/webhooks/{webhook_id}/rotate_secret", operation_id = "rotateWebhookSecret",
    tag = "Webhooks",
    params(("webhook_id" = String, Path, description = "The endpoint's id", example = "ep_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The new secret", body = Data<RotatedView>)))]
pub async fn rotate_secret(
    caller: Caller<Webhooks>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let id = webhook_id(&id)?;
    let (by, vault) = (caller.actor(), state.vault.clone());
    let done = commit_secret(&state, &caller, StatusCode::OK, move |work| {
        let (row, secret, until) = commands::rotate_secret(work, &vault, id, &by)?;
        Ok(RotatedView {
            id: row.id,
            signing_secret: secret.secret,
            previous_secret_expires_at: until,
        })
    });
    done.await.map_err(naming_the_id)
}

/// Reads the id of an endpoint in a path.
fn webhook_id(text: &str) -> Result<EndpointId, ApiError> {
    EndpointId::parse(text).map_err(|_| no_such_webhook())
}

fn no_such_webhook() -> ApiError {
    ApiError::new(ErrorCode::WebhookNotFound).param("webhook_id")
}

/// Says of an endpoint that a command did not find which parameter named it.
fn naming_the_id(error: ApiError) -> ApiError {
    if error.code == ErrorCode::WebhookNotFound {
        return error.param("webhook_id");
    }
    error
}

fn find(conn: &mut Conn<'_>, team: TeamKey, id: EndpointId) -> Result<EndpointRow, ApiError> {
    webhooks::get(conn, team, id)?.ok_or_else(no_such_webhook)
}

async fn own_lines(state: &AppState, team: TeamKey) -> Result<Vec<NumberRow>, ApiError> {
    let lines = state.board.db().read(move |conn| numbers::all(conn, team)).await;
    Ok(lines?)
}
