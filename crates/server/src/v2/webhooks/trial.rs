//! The test button: a signed sample, sent while the client waits.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;
use trunkline_domain::events::Topic;
use trunkline_domain::webhook::{samples, topic};
use trunkline_domain::{DeliveryId, EndpointId, ErrorCode, Millis};
use trunkline_store::webhooks::EndpointRow;
use trunkline_webhooks::Target;

use super::deliveries::FailureView;
use super::{find, webhook_id};
use crate::AppState;
use crate::http::auth::{Caller, Webhooks};
use crate::http::error::ApiError;
use crate::http::idempotency::once;
use crate::http::input::{Input, OptionalBody, PathParams};

/// Which sample is to be sent.
#[derive(utoipa::ToSchema)]
#[schema(as = TestWebhookRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct TestWebhook {
    /// The topic of the sample, whether the endpoint is subscribed to it or not; by default the first of the endpoint's.
    #[schema(example = "call.completed")]
    topic: Option<String>,
}

/// What came of a test.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = WebhookTest)]
pub struct TestView {
    /// The `webhook-id` it was sent with. A test is not in the delivery log.
    #[schema(value_type = String, example = "msg_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: DeliveryId,
    #[schema(value_type = String, example = "call.completed")]
    topic: Topic,
    #[schema(value_type = String, format = DateTime)]
    sent_at: Millis,
    /// Whether the receiver answered 2xx in time.
    #[schema(example = true)]
    delivered: bool,
    /// The receiver's HTTP status; `null` if there was no answer.
    #[schema(example = 200)]
    status: Option<u16>,
    #[schema(example = 84)]
    latency_ms: i64,
    /// Why it failed; `null` for a success.
    error: Option<FailureView>,
    /// The first kilobyte of the receiver's answer.
    #[schema(example = "ok")]
    reply: String,
}

/// Send a test to a webhook
///
/// Posts a signed sample of a topic to the endpoint, now and once, also when the endpoint is disabled, and tells what the
/// receiver answered. The answer is 200 even where the receiver failed: `delivered` tells.
#[utoipa::path(post, path = "/v2/api/webhooks/{webhook_id}/test", operation_id = "testWebhook", tag = "Webhooks",
    params(("webhook_id" = String, Path, description = "The endpoint's id", example = "ep_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = TestWebhook,
    responses((status = 200, description = "What came of it", body = crate::http::reply::Data<TestView>)))]
pub async fn test(
    caller: Caller<Webhooks>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: OptionalBody,
) -> Result<Response, ApiError> {
    let (PathParams([id]), OptionalBody(mut input)) = (path, body);
    let (id, team) = (webhook_id(&id)?, caller.owner.team);
    let asked = read_topic(&mut input);
    input.finish()?;
    let found = state.board.db().read(move |conn| find(conn, team, id)).await?;
    once(&state, &caller, StatusCode::OK, send(&state, id, found, asked)).await
}

fn read_topic(input: &mut Input) -> Option<Topic> {
    let name = input.text("topic", 100)?;
    let topic = topic::parse(&name);
    if topic.is_err() {
        let suggestion = format!("Use one of: {}.", topic::NAMES.join(", "));
        let message = format!("there is no event {name:?}");
        input.fault_with(ErrorCode::InvalidEventType, "topic", message, suggestion);
    }
    topic.ok()
}

async fn send(
    state: &AppState,
    endpoint: EndpointId,
    row: EndpointRow,
    asked: Option<Topic>,
) -> Result<TestView, ApiError> {
    let topic = asked
        .or_else(|| row.topics.first().copied())
        .unwrap_or(Topic::CallCompleted);
    let broken = |what: &str| {
        tracing::error!(webhook.id = %endpoint, "{what}");
        ApiError::new(ErrorCode::InternalServerError)
    };
    let sent_at = state.board.now();
    let mut sample = samples::body(topic).ok_or_else(|| broken("a topic has no sample"))?;
    sample.timestamp = sent_at;
    let body = serde_json::to_vec(&sample).map_err(|_| broken("a sample cannot be written"))?;
    let body = Bytes::from(body);
    let target = Target::open(&state.vault, &row).map_err(|error| broken(&error.to_string()))?;
    let id = DeliveryId::new(state.board.ids().as_ref(), sent_at);
    let headers = target.headers(id, &body, sent_at);
    let reply = state
        .webhooks
        .client
        .post(target.url, headers, body, sent_at)
        .await;
    let outcome = reply.outcome;
    Ok(TestView {
        id,
        topic,
        sent_at,
        delivered: outcome.is_success(),
        status: outcome.status(),
        latency_ms: state.board.now().since(sent_at).max(0),
        error: outcome.error().map(FailureView::from),
        reply: reply.body,
    })
}
