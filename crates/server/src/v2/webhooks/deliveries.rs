//! The delivery log of an endpoint, and sending again.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::events::Topic;
use trunkline_domain::webhook::schedule::AttemptError;
use trunkline_domain::{DeliveryId, DeliveryState, EndpointId, ErrorCode, Millis};
use trunkline_store::webhook_messages::{self, MessageRow};
use trunkline_store::{Conn, StoreError, TeamKey};
use trunkline_switchboard::webhooks as commands;
use trunkline_webhooks::attempt::{self, Attempt};

use super::read::read_topics;
use super::{find, naming_the_id, webhook_id};
use crate::AppState;
use crate::http::auth::{Caller, Webhooks};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, Input, PathParams, Query, Sent};
use crate::http::reply::{self, Data, PAGE_SIZE};
use crate::v2::cursor::{Cursor, refused};

/// The most messages that one request looks at for those of a state that has no index of its own.
const LOOKED_AT: i64 = 2_000;

/// What one endpoint is told of one event.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = WebhookDelivery)]
pub struct DeliveryView {
    /// The `webhook-id` of every attempt.
    #[schema(value_type = String, example = "msg_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: DeliveryId,
    #[schema(value_type = String, example = "call.completed")]
    topic: Topic,
    /// `PENDING`, `DELIVERED`, `FAILED` (after its last attempt) or `SKIPPED` (its endpoint was disabled, and enabled
    /// again without what it had missed).
    #[schema(value_type = String, example = "DELIVERED")]
    state: DeliveryState,
    /// When the event happened.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Millis,
    /// When it is sent next; `null` unless it is pending. While an attempt is under way: when it is sent again should
    /// that attempt's result be lost.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Millis>,
    /// The attempts, oldest first; the last 20 of them.
    attempts: Vec<AttemptView>,
}

/// An attempt.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = WebhookAttempt)]
pub struct AttemptView {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    at: Millis,
    /// The receiver's HTTP status; `null` if there was no answer.
    #[schema(example = 503)]
    status: Option<u16>,
    #[schema(example = 84)]
    latency_ms: i64,
    /// Why it failed; `null` for a success.
    error: Option<FailureView>,
    /// The first kilobyte of the receiver's answer.
    #[schema(example = "out of order")]
    reply: String,
}

/// Why an attempt failed.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = WebhookFailure)]
pub struct FailureView {
    #[schema(value_type = String, example = "STATUS")]
    code: AttemptError,
    /// The same for people.
    #[schema(example = "The receiver answered with a status that is not 2xx.")]
    message: &'static str,
}

impl From<AttemptError> for FailureView {
    fn from(code: AttemptError) -> Self {
        Self {
            code,
            message: code.sentence(),
        }
    }
}

impl DeliveryView {
    fn new(endpoint: EndpointId, row: &MessageRow) -> Self {
        let attempt = |attempt: Attempt| AttemptView {
            at: attempt.at,
            status: attempt.status,
            latency_ms: attempt.ms,
            error: attempt.error.map(FailureView::from),
            reply: attempt.reply,
        };
        let attempts = attempt::read(row.attempts.as_deref());
        Self {
            id: DeliveryId::of(endpoint, row.event, row.at),
            topic: row.topic,
            state: row.state,
            timestamp: row.at,
            // 0 is at once, which it has been since it was stored or asked for again.
            next_attempt_at: row
                .due_at
                .map(|due| if due.0 == 0 { row.updated_at } else { due }),
            attempts: attempts.into_iter().map(attempt).collect(),
        }
    }
}

/// A part of a delivery log.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = WebhookDeliveries)]
pub struct DeliveriesPage {
    data: Vec<DeliveryView>,
    pagination: Continuation,
}

/// Where the next part begins.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Continuation {
    /// The most entries of a part.
    #[schema(example = 20)]
    size: i64,
    /// Whether something may follow.
    has_more: bool,
    /// Send it as `cursor` to go on from here; `null` at the end.
    next_cursor: Option<String>,
}

impl Continuation {
    /// Of a part of at most `size` entries, which `next_cursor` continues.
    pub(crate) const fn new(size: i64, next_cursor: Option<String>) -> Self {
        Self {
            size,
            has_more: next_cursor.is_some(),
            next_cursor,
        }
    }
}

struct Log {
    team: TeamKey,
    id: EndpointId,
    state: Option<DeliveryState>,
    size: i64,
    cursor: Option<(Millis, i64)>,
}

/// List deliveries of a webhook
///
/// What the endpoint was sent, or is to be sent, with every attempt: newest event first; those that are `PENDING`, when
/// asked for alone, in the order in which they are due. A part may hold fewer entries than asked for although more
/// follow. Finished messages are kept for 30 days, unless the operator decided otherwise.
#[utoipa::path(get, path = "/v2/api/webhooks/{webhook_id}/deliveries", operation_id = "listWebhookDeliveries",
    tag = "Webhooks",
    params(
        ("webhook_id" = String, Path, description = "The endpoint's id", example = "ep_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"),
        ("state" = Option<String>, Query, description = "Only messages of this state", example = "FAILED"),
        ("cursor" = Option<String>, Query, description = "`pagination.next_cursor` of the previous answer"),
        ("size" = Option<i64>, Query, description = "The most entries, 20 by default", minimum = 1, maximum = 100),
    ),
    responses((status = 200, description = "A part of the log", body = DeliveriesPage)))]
pub async fn list(
    caller: Caller<Webhooks>,
    State(state): State<AppState>,
    path: PathParams<1>,
    query: Query,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Query(mut input)) = (path, query);
    let id = webhook_id(&id)?;
    let wanted: Option<DeliveryState> = input.name("state");
    let size = input
        .integer("size", 1..=100, ErrorCode::InvalidPageSize)
        .unwrap_or(PAGE_SIZE);
    let cursor = input.cursor();
    input.finish()?;
    let of = format!("deliveries {:?} {id} {wanted:?}", caller.owner.team);
    let cursor = match cursor.map(|text| Cursor::read(&text, &of)).transpose()? {
        Some(Cursor::Behind(at, event)) => Some((at, event)),
        Some(Cursor::Ranked(..)) => return Err(refused()),
        None => None,
    };
    let log = Log {
        team: caller.owner.team,
        id,
        state: wanted,
        size,
        cursor,
    };
    let read = move |conn: &mut Conn<'_>| read_log(conn, &log, &of);
    let page = if wanted == Some(DeliveryState::Delivered) {
        state.board.db().scan(read).await?
    } else {
        state.board.db().read(read).await?
    };
    Ok(reply::json(StatusCode::OK, &page))
}

fn read_log(conn: &mut Conn<'_>, log: &Log, of: &str) -> Result<DeliveriesPage, ApiError> {
    let endpoint = find(conn, log.team, log.id)?.endpoint;
    let (team, limit) = (log.team, log.size + 1);
    let before = log.cursor.map_or(i64::MAX, |(_, event)| event);
    let mut rows = match log.state {
        None => webhook_messages::page(conn, team, endpoint, before, limit)?,
        Some(DeliveryState::Pending) => {
            let after = log.cursor.unwrap_or((Millis(-1), 0));
            webhook_messages::pending(conn, team, endpoint, after, limit)?
        }
        Some(DeliveryState::Delivered) => {
            let (rows, next) = delivered(conn, (team, endpoint), before, log.size)?;
            let next = next.map(|event| Cursor::Behind(Millis(0), event).write(of));
            return Ok(describe(log, &rows, next));
        }
        Some(state) => webhook_messages::given_up(conn, team, endpoint, state, before, limit)?,
    };
    let size = usize::try_from(log.size).unwrap_or(usize::MAX);
    let has_more = rows.len() > size;
    rows.truncate(size);
    let last = rows.last().filter(|_| has_more);
    let next = last.map(|row| Cursor::Behind(row.due_at.unwrap_or(Millis(0)), row.event).write(of));
    Ok(describe(log, &rows, next))
}

/// Messages that were delivered, picked from all: nearly all are. Returns behind which event to go on, too.
fn delivered(
    conn: &mut Conn<'_>,
    (team, endpoint): (TeamKey, i64),
    mut before: i64,
    size: i64,
) -> Result<(Vec<MessageRow>, Option<i64>), StoreError> {
    const STEP: i64 = 200;
    let wanted = usize::try_from(size).unwrap_or(usize::MAX);
    let (mut found, mut looked_at) = (Vec::new(), 0);
    while looked_at < LOOKED_AT {
        let rows = webhook_messages::page(conn, team, endpoint, before, STEP)?;
        let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < STEP);
        for row in rows {
            if found.len() == wanted {
                return Ok((found, Some(before)));
            }
            before = row.event;
            if row.state == DeliveryState::Delivered {
                found.push(row);
            }
        }
        if is_last {
            return Ok((found, None));
        }
        looked_at += STEP;
    }
    Ok((found, Some(before)))
}

fn describe(log: &Log, rows: &[MessageRow], next_cursor: Option<String>) -> DeliveriesPage {
    DeliveriesPage {
        data: rows.iter().map(|row| DeliveryView::new(log.id, row)).collect(),
        pagination: Continuation::new(log.size, next_cursor),
    }
}

/// What is to be sent again: either one message, or everything that failed since a time.
#[derive(utoipa::ToSchema)]
#[schema(as = ReplayWebhookRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct ReplayWebhook {
    /// One message, whatever became of it.
    #[schema(example = "msg_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    message_id: Option<String>,
    /// Everything that failed, of events that happened at this instant or later.
    #[schema(format = DateTime)]
    since: Option<String>,
    /// With `since`: only of these topics.
    #[schema(example = json!(["call.completed"]))]
    topics: Option<Vec<String>>,
}

/// A replay that was accepted.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = WebhookReplay)]
pub struct ReplayView {
    #[schema(value_type = String, example = "ep_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: EndpointId,
    #[schema(value_type = Option<String>, example = "msg_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    message_id: Option<DeliveryId>,
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Millis>,
    /// `null`: all.
    #[schema(value_type = Option<Vec<String>>, example = json!(["call.completed"]))]
    topics: Option<Vec<Topic>>,
}

/// Send again
///
/// One message, or everything that failed since a time, each with its old id and a fresh round of attempts. It is done
/// behind the scenes; the delivery log shows how it goes.
#[utoipa::path(post, path = "/v2/api/webhooks/{webhook_id}/replay", operation_id = "replayWebhook", tag = "Webhooks",
    params(("webhook_id" = String, Path, description = "The endpoint's id", example = "ep_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = ReplayWebhook,
    responses((status = 202, description = "It will be sent again", body = Data<ReplayView>)))]
pub async fn replay(
    caller: Caller<Webhooks>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let id = webhook_id(&id)?;
    let what = read_replay(&mut input, state.board.now());
    input.finish()?;
    let what = what.ok_or(ErrorCode::MissingParameter)?;
    let done = commit(&state, &caller, StatusCode::ACCEPTED, move |work| {
        let mut view = ReplayView {
            id,
            message_id: None,
            since: None,
            topics: None,
        };
        match &what {
            What::One(message) => {
                commands::replay_one(work, id, *message)?;
                view.message_id = Some(*message);
            }
            What::Failed(since, topics) => {
                commands::replay_failed(work, id, *since, topics.as_deref().unwrap_or_default())?;
                (view.since, view.topics) = (Some(*since), topics.clone());
            }
        }
        Ok(view)
    });
    let named = |error: ApiError| match error.code {
        ErrorCode::WebhookMessageNotFound => error.param("message_id"),
        _ => naming_the_id(error),
    };
    done.await.map_err(named)
}

enum What {
    One(DeliveryId),
    Failed(Millis, Option<Vec<Topic>>),
}

fn read_replay(input: &mut Input, now: Millis) -> Option<What> {
    let (message, since) = (input.text("message_id", 100), input.instant("since"));
    let topics = read_topics(input);
    let message = message.and_then(|text| {
        let id = DeliveryId::parse(&text).ok();
        if id.is_none() {
            let message = ErrorCode::WebhookMessageNotFound.message();
            input.fault(ErrorCode::WebhookMessageNotFound, "message_id", message);
        }
        id
    });
    let asked = |name| input.sent(name) == Sent::Value;
    match (asked("message_id"), asked("since"), asked("topics")) {
        (true, false, false) => message.map(What::One),
        (true, ..) => {
            let fault = "message_id names one message, and goes neither with since nor with topics";
            input.fault(ErrorCode::InvalidParameter, "message_id", fault);
            None
        }
        (false, true, _) => {
            if since.is_some_and(|since| since > now) {
                input.fault(ErrorCode::InvalidParameter, "since", "since is yet to come");
            }
            since.map(|since| What::Failed(since, topics))
        }
        (false, false, true) => {
            input.missing("since");
            None
        }
        (false, false, false) => {
            input.missing("message_id");
            input.missing("since");
            None
        }
    }
}
