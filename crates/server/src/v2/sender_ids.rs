//! Sender ids: names that are shown to the recipient of a text in place of a number.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::sms::SenderId;
use trunkline_domain::sms::rules::SenderIdStatus;
use trunkline_domain::{ErrorCode, LineKind, Millis, NumberId};
use trunkline_store::numbers::{self, MemberRow, NumberRow};
use trunkline_store::{Conn, StoreError, TeamKey};
use trunkline_switchboard::lines::{self, ChangeLine, CreateSenderId as Wanted, NO_CARRIER};
use trunkline_switchboard::{Error, Refused, Work};

use super::lines::read_members;
use super::views::UserRefView;
use crate::AppState;
use crate::http::auth::{Caller, TeamManage};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, PathParams, Sent};
use crate::http::reply::{self, Data};

/// A sender id of the team.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SenderId)]
pub struct SenderIdView {
    #[schema(value_type = String, example = "num-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: NumberId,
    /// What recipients see.
    #[schema(example = "AcmeCorp")]
    sender_id: String,
    /// What people of the team call it.
    #[schema(example = "Newsletter")]
    name: Option<String>,
    /// ISO 3166-1 alpha-2: texts stay within it.
    #[schema(example = "FR")]
    country: Option<String>,
    /// Whether it may be used: `ACTIVE`, `PENDING` (its registration is under way), `REJECTED` or `SUSPENDED`.
    #[schema(value_type = String, example = "PENDING")]
    status: SenderIdStatus,
    /// Who works with it, the main one first.
    users: Vec<UserRefView>,
    /// Who sends its texts; `null` as long as nobody has registered it.
    #[schema(example = "twilio")]
    carrier: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
}

impl SenderIdView {
    fn new(row: NumberRow, members: Vec<MemberRow>) -> Self {
        Self {
            id: row.id,
            sender_id: row.sender_id.unwrap_or_default(),
            name: row.name,
            country: row.country,
            status: row.sender_id_status.unwrap_or(SenderIdStatus::Pending),
            users: members.into_iter().map(UserRefView::from).collect(),
            carrier: Some(row.carrier).filter(|carrier| carrier != NO_CARRIER),
            created_at: row.created_at,
        }
    }
}

/// List sender ids
///
/// All of the team, oldest first.
#[utoipa::path(get, path = "/v2/api/sender_ids", operation_id = "listSenderIds", tag = "Phone Numbers",
    responses((status = 200, description = "The sender ids", body = Data<Vec<SenderIdView>>)))]
pub async fn list(caller: Caller<TeamManage>, State(state): State<AppState>) -> Result<Response, ApiError> {
    let all = super::lines::all(&state, caller.owner.team).await?;
    let sender_ids = all.into_iter().filter(|(row, _)| row.kind == LineKind::SenderId);
    let view = |(row, members)| SenderIdView::new(row, members);
    Ok(reply::data(sender_ids.map(view).collect::<Vec<_>>()))
}

/// A new sender id.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateSenderIdRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct CreateSenderId {
    /// What recipients are to see: 3 to 11 letters or digits of ASCII, at least one letter. Of names that differ in upper
    /// and lower case only a team has one.
    #[schema(max_length = 100, example = "AcmeCorp")]
    sender_id: String,
    /// What people of the team call it.
    #[schema(max_length = 200, example = "Newsletter")]
    name: Option<String>,
    /// Two capital letters (ISO 3166-1 alpha-2); without it, the team's country.
    #[schema(max_length = 2, example = "FR")]
    country: Option<String>,
    /// Who works with it, the main one first.
    #[schema(max_items = 100, example = json!(["usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"]))]
    user_ids: Option<Vec<String>>,
}

/// Create a sender id
///
/// It is `PENDING` until a carrier has registered it, which the operator of the server sees to; in the sandbox it is
/// `ACTIVE` at once. A team has at most 50.
#[utoipa::path(post, path = "/v2/api/sender_ids", operation_id = "createSenderId", tag = "Phone Numbers",
    request_body = CreateSenderId,
    responses((status = 201, description = "The sender id", body = Data<SenderIdView>)))]
pub async fn create(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let wanted = input.text("sender_id", 100);
    if input.sent("sender_id") != Sent::Value {
        input.missing("sender_id");
    }
    let sender_id = wanted.and_then(|text| {
        let read = SenderId::parse(&text);
        if let Err(error) = &read {
            input.fault(ErrorCode::InvalidSenderId, "sender_id", error.to_string());
        }
        read.ok()
    });
    let (name, country) = (input.text("name", 200), input.text("country", 2));
    let members = read_members(&mut input);
    input.finish()?;
    let wanted = Wanted {
        sender_id: sender_id.ok_or(ErrorCode::MissingParameter)?,
        name,
        country,
        members: members.transpose()?.unwrap_or_default(),
    };
    let by = caller.actor();
    commit(&state, &caller, StatusCode::CREATED, move |work| {
        let row = lines::create_sender_id(work, &wanted, &by)?;
        shown(work, row)
    })
    .await
}

/// Get a sender id
#[utoipa::path(get, path = "/v2/api/sender_ids/{sender_id}", operation_id = "getSenderId", tag = "Phone Numbers",
    params(("sender_id" = String, Path, description = "The name, or its id", example = "AcmeCorp")),
    responses((status = 200, description = "The sender id", body = Data<SenderIdView>)))]
pub async fn get(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([name]) = path;
    let team = caller.owner.team;
    let read = state.board.db().read(move |conn| -> Result<_, ApiError> {
        let missing = || ApiError::new(ErrorCode::SenderIdNotFound).param("sender_id");
        let row = find(conn, team, &name)?.ok_or_else(missing)?;
        let members = numbers::members_of(conn, team, row.line)?;
        Ok((row, members))
    });
    let (row, members) = read.await?;
    Ok(reply::data(SenderIdView::new(row, members)))
}

/// What is to change about a sender id: a field that is left out stays as it is.
#[derive(utoipa::ToSchema)]
#[schema(as = UpdateSenderIdRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct UpdateSenderId {
    /// What people of the team call it; `null` takes it away.
    #[schema(max_length = 200, example = "Newsletter")]
    name: Option<String>,
    /// Who works with it, the main one first; all of them from now on.
    #[schema(nullable = false, max_items = 100, example = json!(["usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"]))]
    user_ids: Option<Vec<String>>,
    /// `SUSPENDED`: it is not to be used any more. `PENDING`: a carrier is to register it (again). In the sandbox, any.
    #[schema(nullable = false, example = "SUSPENDED")]
    status: Option<String>,
}

/// Update a sender id
///
/// Only the fields that are sent are changed. A team stops using a sender id, and asks again for one that was rejected or
/// suspended; that it is `ACTIVE` or `REJECTED` is the carrier's word, which the operator of the server enters. In the
/// sandbox there is no carrier, and the team sets every status itself.
#[utoipa::path(patch, path = "/v2/api/sender_ids/{sender_id}", operation_id = "updateSenderId", tag = "Phone Numbers",
    params(("sender_id" = String, Path, description = "The name, or its id", example = "AcmeCorp")),
    request_body = UpdateSenderId,
    responses((status = 200, description = "The sender id as it is now", body = Data<SenderIdView>)))]
pub async fn update(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([id]), Body(mut input)) = (path, body);
    let name = input.text_or_null("name", 200);
    let members = read_members(&mut input);
    let status = input.name("status");
    input.finish()?;
    let changes = ChangeLine {
        name,
        members: members.transpose()?,
        status,
        ..ChangeLine::default()
    };
    let by = caller.actor();
    commit(&state, &caller, StatusCode::OK, move |work| {
        let before = own(work, &id)?;
        let after = lines::change(work, &before, &changes, &by)?;
        shown(work, after)
    })
    .await
}

/// Delete a sender id
///
/// No text goes out from it any more, but those that were accepted before. What was written with it stays; created
/// again, it has its conversations back.
#[utoipa::path(delete, path = "/v2/api/sender_ids/{sender_id}", operation_id = "deleteSenderId", tag = "Phone Numbers",
    params(("sender_id" = String, Path, description = "The name, or its id", example = "AcmeCorp")),
    responses((status = 204, description = "It is gone")))]
pub async fn delete(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let by = caller.actor();
    commit(&state, &caller, StatusCode::NO_CONTENT, move |work| {
        let line = own(work, &id)?;
        lines::remove(work, line.line, &by)
    })
    .await
}

/// The sender id with this name or id.
fn find(conn: &mut Conn<'_>, team: TeamKey, text: &str) -> Result<Option<NumberRow>, StoreError> {
    let found = match (NumberId::parse(text), SenderId::parse(text)) {
        (Ok(id), _) => numbers::by_id(conn, team, id)?,
        (_, Ok(sender)) => numbers::by_sender_id(conn, team, sender)?,
        _ => None,
    };
    Ok(found.filter(|row| row.kind == LineKind::SenderId))
}

fn own(work: &mut Work<'_, '_>, text: &str) -> Result<NumberRow, Error> {
    let missing = || Refused::new(ErrorCode::SenderIdNotFound).param("sender_id");
    Ok(find(work.tx, work.team, text)?.ok_or_else(missing)?)
}

fn shown(work: &mut Work<'_, '_>, row: NumberRow) -> Result<SenderIdView, Error> {
    let members = numbers::members_of(work.tx, work.team, row.line)?;
    Ok(SenderIdView::new(row, members))
}
