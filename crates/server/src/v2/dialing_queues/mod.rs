//! Queues of the power dialer: who calls which numbers next, and what came of those that were called.

mod read;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::dialer::{DoNotDisturb, NotReached, RoutingResult, VoicemailHandling};
use trunkline_domain::{CallId, ErrorCode, Millis, PhoneNumber, QueueId, UserId};
use trunkline_store::dialing_queues::{self, EntryRow, QueueRow};
use trunkline_store::{Conn, StoreError, TeamKey};
use trunkline_switchboard::dialer::{self as commands, PatchQueue};

use super::cursor::{Cursor, refused};
use crate::AppState;
use crate::http::auth::{Caller, DialingQueues, HandOver};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, OptionalBody, PathParams, Query};
use crate::http::reply::{self, Data, Pagination, Paging};
use read::{read_clear, read_name, read_numbers, read_target};

/// A number in a queue.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = QueueNumber)]
pub struct NumberView {
    /// The number to call.
    #[schema(value_type = String, example = "+14155551234")]
    number_to: PhoneNumber,
    /// Its place, from 0. It stays the same for as long as the number is queued, and no other number gets it.
    #[schema(example = 0)]
    position: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
    /// When its call began to ring; `null` before.
    #[schema(value_type = Option<String>, format = DateTime)]
    call_start_date: Option<Millis>,
    /// Its call; `null` before there is one.
    #[schema(value_type = Option<String>, example = "cll-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    call_id: Option<CallId>,
    /// How the call ended; `null` before.
    #[schema(value_type = Option<String>, example = "ANSWERED")]
    routing_result: Option<RoutingResult>,
    /// `SYNCED` once there is a contact with the number, which is from the first moment on; `NOT_SYNCED` after that
    /// contact was erased.
    #[schema(example = "SYNCED")]
    sync_status: &'static str,
    /// Whether a voicemail picked up; `null` before the call has ended.
    detected_outbound_voicemail: Option<bool>,
    /// Why the call reached nobody; `null` where it did, or where the caller gave up.
    #[schema(value_type = Option<String>, example = "BUSY")]
    not_reached_destination_reason: Option<NotReached>,
    /// Whether a message was left: `false` where no voicemail picked up, else `null`, since that is not known.
    voicemail_left: Option<bool>,
}

/// Whether the contact of a number is there.
pub(crate) const SYNC_STATES: &[&str] = &["NOT_SYNCED", "SYNCED"];

impl From<EntryRow> for NumberView {
    fn from(row: EntryRow) -> Self {
        Self {
            number_to: row.number,
            position: row.position,
            created_at: row.created_at,
            updated_at: row.updated_at,
            call_start_date: row.call_started_at,
            call_id: row.call_id,
            routing_result: row.outcome.map(|outcome| outcome.result),
            sync_status: SYNC_STATES[usize::from(row.contact_id.is_some())],
            detected_outbound_voicemail: row.outcome.map(|outcome| outcome.voicemail),
            not_reached_destination_reason: row.outcome.and_then(|outcome| outcome.not_reached),
            voicemail_left: row.outcome.and_then(|outcome| outcome.voicemail_left),
        }
    }
}

/// A queue without its numbers.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DialingQueueMeta)]
pub struct MetaView {
    #[schema(value_type = String, example = "pdl_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: QueueId,
    #[schema(example = "Monday cold calls")]
    name: Option<String>,
    /// Who made it.
    #[schema(value_type = String, example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    creator_id: UserId,
    /// Who is to call its numbers.
    #[schema(value_type = String, example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    assignee_id: UserId,
    /// What the dialer does at a voicemail: `SKIP` goes on to the next number, `NO_SKIP` keeps the user on the call.
    #[schema(value_type = String, example = "NO_SKIP")]
    voicemail_handling: VoicemailHandling,
    /// Whether incoming calls are silenced meanwhile: `ENABLED` or `DISABLED`.
    #[schema(value_type = String, example = "DISABLED")]
    do_not_disturb: DoNotDisturb,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
}

impl From<QueueRow> for MetaView {
    fn from(row: QueueRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            creator_id: row.creator_id,
            assignee_id: row.assignee_id,
            voicemail_handling: row.voicemail_handling,
            do_not_disturb: row.do_not_disturb,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A queue with its numbers.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DialingQueue)]
pub struct QueueView {
    #[serde(flatten)]
    meta: MetaView,
    /// All of them, in order.
    numbers: Vec<NumberView>,
}

impl QueueView {
    fn read(conn: &mut Conn<'_>, team: TeamKey, row: QueueRow) -> Result<Self, StoreError> {
        let entries = dialing_queues::entries(conn, team, row.queue, -1, i64::MAX, 0)?;
        Ok(Self {
            meta: row.into(),
            numbers: entries.into_iter().map(NumberView::from).collect(),
        })
    }
}

/// A page of the numbers of a queue.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DialingQueuePage)]
pub struct PageView {
    /// The numbers, in order.
    data: Vec<NumberView>,
    pagination: Pagination,
    /// The queue; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    queue: Option<MetaView>,
}

/// Whose queue is meant.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "describes the query; it is read field by field, so that every fault is named"
)]
struct Whose {
    /// A colleague whose queue is meant; without it or `email`, the user of the key
    #[param(example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    user_id: Option<String>,
    /// The same by e-mail address; `user_id` goes before it
    email: Option<String>,
}

/// Describes a body that can say whose queue is meant: `Name as Schema { fields }`.
macro_rules! of_a_queue {
    ($(#[$doc:meta])* $name:ident as $schema:ident { $($fields:tt)* }) => {
        $(#[$doc])*
        #[derive(utoipa::ToSchema)]
        #[schema(as = $schema)]
        #[expect(
            dead_code,
            reason = "describes the body; it is read field by field, so that every fault is named"
        )]
        pub struct $name {
            $($fields)*
            /// A colleague whose queue is meant; without it or `email`, the user of the key.
            #[schema(max_length = 100, example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
            user_id: Option<String>,
            /// The same by e-mail address; `user_id` goes before it.
            #[schema(max_length = 254, example = "alex@acme.example")]
            email: Option<String>,
        }
    };
}

/// List the numbers of the current queue
///
/// In the order of their positions; the current queue is the one that was made for the user, or handed to them, last.
/// Without a queue the list is empty and there is no `queue`.
#[utoipa::path(get, path = "/v2/api/dialing-queues/current", operation_id = "getCurrentDialingQueue", tag = "Power Dialer",
    params(
        Whose,
        ("page" = Option<i64>, Query, description = "Page, from 1", minimum = 1),
        ("size" = Option<i64>, Query, description = "Entries on a page, 20 by default", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`pagination.next_cursor` of the previous answer; replaces `page`"),
    ),
    responses((status = 200, description = "A page of numbers", body = PageView)))]
pub async fn get(
    caller: Caller<DialingQueues>,
    State(state): State<AppState>,
    query: Query,
) -> Result<Response, ApiError> {
    let Query(mut input) = query;
    let (target, paging) = (read_target(&mut input), Paging::read(&mut input));
    let cursor = input.cursor();
    input.finish()?;
    let (own, team) = (caller.owner.user_id, caller.owner.team);
    let read = state.read_page(false, move |conn: &mut Conn<'_>| -> Result<PageView, ApiError> {
        let assignee = match target {
            Some(target) => commands::assignee(conn, team, &target)?.id,
            None => own,
        };
        let Some(queue) = dialing_queues::current(conn, team, assignee)? else {
            return Ok(PageView {
                data: Vec::new(),
                pagination: paging.describe(0, false, None),
                queue: None,
            });
        };
        let of = format!("dialing queue {}", queue.id);
        let behind = match cursor.map(|text| Cursor::read(&text, &of)).transpose()? {
            Some(Cursor::Behind(_, position)) => Some(position),
            Some(Cursor::Ranked(..)) => return Err(refused()),
            None => None,
        };
        let skip = if behind.is_some() { 0 } else { paging.offset() };
        let total = dialing_queues::count(conn, team, queue.queue)?;
        let mut rows = dialing_queues::entries(
            conn,
            team,
            queue.queue,
            behind.unwrap_or(-1),
            paging.size + 1,
            skip,
        )?;
        let full = usize::try_from(paging.size).unwrap_or(usize::MAX);
        let has_more = rows.len() > full;
        rows.truncate(full);
        let last = rows.last().filter(|_| has_more);
        let next = last.map(|entry| Cursor::Behind(entry.created_at, entry.position).write(&of));
        Ok(PageView {
            data: rows.into_iter().map(NumberView::from).collect(),
            pagination: paging.describe(total, has_more, next),
            queue: Some(queue.into()),
        })
    });
    Ok(reply::json(StatusCode::OK, &read.await?))
}

of_a_queue! {
    /// A queue to be made.
    Reset as ResetDialingQueueRequest {
        #[schema(max_length = 255, example = "Monday cold calls")]
        name: Option<String>,
    }
}

/// Begin a new queue
///
/// Empty, and the current one from now on. The one that was current is not shown any more; a user's ten newest queues are
/// kept.
#[utoipa::path(post, path = "/v2/api/dialing-queues/current", operation_id = "resetCurrentDialingQueue",
    tag = "Power Dialer", request_body = Reset,
    responses((status = 200, description = "The new queue", body = Data<QueueView>)))]
pub async fn reset(
    caller: Caller<DialingQueues>,
    State(state): State<AppState>,
    body: OptionalBody,
) -> Result<Response, ApiError> {
    let OptionalBody(mut input) = body;
    let (name, target) = (
        input.text("name", trunkline_domain::dialer::MAX_NAME),
        read_target(&mut input),
    );
    input.finish()?;
    let own = caller.owner.user_id;
    let target = target.unwrap_or(commands::Target::User(own));
    commit(&state, &caller, StatusCode::OK, move |work| {
        let row = commands::reset(work, &target, name.as_deref(), own)?;
        Ok(QueueView {
            meta: row.into(),
            numbers: Vec::new(),
        })
    })
    .await
}

of_a_queue! {
    /// What is to change about a queue: a field that is left out stays as it is.
    Upsert as UpsertDialingQueueRequest {
        /// `null` takes it away.
        #[schema(min_length = 1, max_length = 255, example = "Cold calls")]
        name: Option<String>,
        /// What the dialer does at a voicemail: `SKIP` or `NO_SKIP`.
        #[schema(example = "SKIP")]
        voicemail_handling: Option<String>,
        /// Whether incoming calls are silenced meanwhile: `ENABLED` or `DISABLED`.
        #[schema(example = "ENABLED")]
        do_not_disturb: Option<String>,
    }
}

/// Change the current queue
///
/// Makes one where there is none.
#[utoipa::path(patch, path = "/v2/api/dialing-queues/current", operation_id = "upsertCurrentDialingQueue",
    tag = "Power Dialer", request_body = Upsert,
    responses((status = 200, description = "The queue as it is now", body = Data<QueueView>)))]
pub async fn upsert(
    caller: Caller<DialingQueues>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let patch = PatchQueue {
        name: read_name(&mut input),
        voicemail_handling: input.name("voicemail_handling"),
        do_not_disturb: input.name("do_not_disturb"),
    };
    let target = read_target(&mut input);
    input.finish()?;
    let (own, team) = (caller.owner.user_id, caller.owner.team);
    let target = target.unwrap_or(commands::Target::User(own));
    commit(&state, &caller, StatusCode::OK, move |work| {
        let row = commands::upsert(work, &target, &patch, own)?;
        Ok(QueueView::read(work.tx, team, row)?)
    })
    .await
}

of_a_queue! {
    /// Numbers to be queued.
    Append as AppendQueueNumbersRequest {
        /// At most as many as fit into the queue, which holds 1,000.
        #[schema(min_items = 1, max_items = 1_000)]
        numbers: Vec<AppendNumber>,
    }
}

/// A number to be queued, with what is known of whose it is. A contact that is there already keeps what it has, and gets
/// what it does not have.
#[derive(utoipa::ToSchema)]
#[schema(as = AppendQueueNumber)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct AppendNumber {
    /// In any formatting; without a country code it is read with the team's country.
    #[schema(max_length = 100, example = "+1 (415) 555-1234")]
    number: String,
    /// First name.
    #[schema(max_length = 255, example = "John")]
    name: Option<String>,
    #[schema(max_length = 255, example = "Doe")]
    last_name: Option<String>,
    /// The name of the company, whatever its case; it is made where there is none.
    #[schema(max_length = 255, example = "Acme Inc")]
    company: Option<String>,
    #[schema(max_length = 2_048, example = "https://acme.example")]
    website: Option<String>,
    #[schema(max_length = 255, example = "Sales Manager")]
    job_title: Option<String>,
    #[schema(max_items = 20, example = json!(["john@acme.example"]))]
    emails: Option<Vec<String>>,
    /// The first one is kept.
    #[schema(max_items = 20, example = json!(["1 Main St"]))]
    addresses: Option<Vec<String>>,
}

/// What came of numbers to be queued.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AppendQueueNumbersResponse)]
pub struct AppendedView {
    /// Those in the queue now, in the order in which they were sent.
    added: Vec<NumberView>,
    /// Those that are not.
    skipped: Vec<SkippedView>,
}

/// A number that was not queued.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SkippedQueueNumber)]
pub struct SkippedView {
    /// As it was sent.
    #[schema(example = "12")]
    number: String,
    /// `INVALID_PHONE_NUMBER`: no number can be made of it.
    #[schema(example = "INVALID_PHONE_NUMBER")]
    reason: &'static str,
}

/// Why a number is not queued.
pub(crate) const SKIP_REASONS: &[&str] = &["INVALID_PHONE_NUMBER"];

/// Queue numbers
///
/// Behind those that are there, in the order in which they are sent; a number may be queued more than once. The queue is
/// made where there is none. Contacts and companies are matched by number and by name, and made where there are none. What
/// is no number is skipped; where the rest would exceed the limit of 1,000, none is queued.
#[utoipa::path(post, path = "/v2/api/dialing-queues/current/numbers", operation_id = "appendDialingQueueNumbers",
    tag = "Power Dialer", request_body = Append,
    responses((status = 200, description = "What was queued", body = Data<AppendedView>)))]
pub async fn append(
    caller: Caller<DialingQueues>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let (numbers, target) = (read_numbers(&mut input), read_target(&mut input));
    input.finish()?;
    let own = caller.owner.user_id;
    let target = target.unwrap_or(commands::Target::User(own));
    commit(&state, &caller, StatusCode::OK, move |work| {
        let appended = commands::append(work, &target, &numbers, own)?;
        let skipped = appended.skipped.into_iter();
        Ok(AppendedView {
            added: appended.added.into_iter().map(NumberView::from).collect(),
            skipped: skipped
                .map(|number| SkippedView {
                    number,
                    reason: SKIP_REASONS[0],
                })
                .collect(),
        })
    })
    .await
}

/// How many numbers were removed.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ClearQueueNumbersResponse)]
pub struct ClearedView {
    #[schema(example = 4)]
    removed: u64,
}

/// Remove numbers from the current queue
///
/// By `number` (all entries with it), by `position`, by both (one of several entries with the same number), or all that
/// were not called yet. Those that stay keep their positions.
#[utoipa::path(delete, path = "/v2/api/dialing-queues/current/numbers", operation_id = "clearDialingQueueNumbers",
    tag = "Power Dialer",
    params(
        ("number" = Option<String>, Query, description = "A number in any formatting (`+` as `%2B`)", example = "+14155551234"),
        ("position" = Option<i64>, Query, description = "A position", minimum = 0),
        ("unassigned" = Option<bool>, Query, description = "`true`: all numbers that were not called yet; stands alone"),
        Whose,
    ),
    responses((status = 200, description = "How many were removed", body = Data<ClearedView>)))]
pub async fn clear(
    caller: Caller<DialingQueues>,
    State(state): State<AppState>,
    query: Query,
) -> Result<Response, ApiError> {
    let Query(mut input) = query;
    let (clear, target) = (read_clear(&mut input), read_target(&mut input));
    input.finish()?;
    let clear = clear?;
    let target = target.unwrap_or(commands::Target::User(caller.owner.user_id));
    commit(&state, &caller, StatusCode::OK, move |work| {
        commands::remove(work, &target, &clear).map(|removed| ClearedView { removed })
    })
    .await
}

/// Who is to have a queue: one of the two is required.
#[derive(utoipa::ToSchema)]
#[schema(as = AssignDialingQueueRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct Assign {
    /// The colleague.
    #[schema(max_length = 100, example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    user_id: Option<String>,
    /// The same by e-mail address; `user_id` goes before it.
    #[schema(max_length = 254, example = "alex@acme.example")]
    email: Option<String>,
}

/// Hand a queue over
///
/// It is the colleague's current one from now on. Admins and managers do it, with a queue that they made or own, while none
/// of its numbers is being called.
#[utoipa::path(patch, path = "/v2/api/dialing-queues/{id}/assignee", operation_id = "assignDialingQueue",
    tag = "Power Dialer",
    params(("id" = String, Path, description = "The queue's id", example = "pdl_2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    request_body = Assign,
    responses((status = 200, description = "The queue as it is now", body = Data<QueueView>)))]
pub async fn assign(
    caller: Caller<HandOver>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let id = QueueId::parse(&id).ok();
    let target = read_target(&mut input);
    input.finish()?;
    let target =
        target.ok_or_else(|| ApiError::new(ErrorCode::DialingQueueAssigneeRequired).param("user_id"))?;
    let (by, team) = (caller.actor(), caller.owner.team);
    commit(&state, &caller, StatusCode::OK, move |work| {
        let row = commands::assign(work, id, &target, &by)?;
        Ok(QueueView::read(work.tx, team, row)?)
    })
    .await
}
