//! The team's lines, and its phone numbers one by one.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::sms::rules::needs_a2p;
use trunkline_domain::{Capability, ErrorCode, LineKind, Millis, NumberId, PhoneNumber, TemplateId};
use trunkline_store::numbers::{self, MemberRow, NumberRow};
use trunkline_store::{Conn, StoreError, TeamKey};
use trunkline_switchboard::Refused;
use trunkline_switchboard::lines::{self, ChangeLine};

use super::lines::read_members;
use super::views::UserRefView;
use crate::AppState;
use crate::http::auth::{Caller, NumbersRead, TeamManage};
use crate::http::error::ApiError;
use crate::http::idempotency::commit;
use crate::http::input::{Body, Input, PathParams};
use crate::http::reply::{self, Data};

/// A phone number or sender id of the team.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PhoneNumber)]
pub struct NumberView {
    /// In E.164; `null` for a sender id.
    #[schema(value_type = Option<String>, example = "+14155550100")]
    number: Option<PhoneNumber>,
    /// What people call it; for a sender id without a name, the sender id.
    #[schema(example = "Sales US")]
    name: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "US")]
    country: Option<String>,
    /// `NUMBER` or `SENDER_ID`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "NUMBER")]
    kind: LineKind,
    /// Of `VOICE`, `SMS`, `MMS`.
    #[schema(value_type = Vec<String>, example = json!(["VOICE", "SMS"]))]
    capabilities: Vec<Capability>,
    /// Who works with it, the main one first.
    users: Vec<UserRefView>,
}

/// List phone numbers
///
/// All numbers and sender ids of the team, with what they can do and who works with them.
#[utoipa::path(get, path = "/v2/api/numbers", operation_id = "listNumbers", tag = "Phone Numbers",
    responses((status = 200, description = "The numbers and sender ids", body = Data<Vec<NumberView>>)))]
pub async fn list(caller: Caller<NumbersRead>, State(state): State<AppState>) -> Result<Response, ApiError> {
    let view = |(row, members): (NumberRow, Vec<MemberRow>)| NumberView {
        users: members.into_iter().map(UserRefView::from).collect(),
        number: row.number,
        name: row.name.or(row.sender_id),
        country: row.country,
        kind: row.kind,
        capabilities: row.capabilities,
    };
    let all = super::lines::all(&state, caller.owner.team).await?;
    Ok(reply::data(all.into_iter().map(view).collect::<Vec<_>>()))
}

/// A phone number of the team, with everything that is set about it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PhoneNumberDetail)]
pub struct NumberDetailView {
    #[schema(value_type = String, example = "num-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: NumberId,
    /// In E.164.
    #[schema(value_type = Option<String>, example = "+14155550100")]
    number: Option<PhoneNumber>,
    /// What people call it.
    #[schema(example = "Sales US")]
    name: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "US")]
    country: Option<String>,
    /// Always `NUMBER`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "NUMBER")]
    kind: LineKind,
    /// What it does, of `VOICE`, `SMS`, `MMS`.
    #[schema(value_type = Vec<String>, example = json!(["VOICE", "SMS"]))]
    capabilities: Vec<Capability>,
    /// What its carrier lets it do; the team can switch parts of it off.
    #[schema(value_type = Vec<String>, example = json!(["VOICE", "SMS", "MMS"]))]
    offered_capabilities: Vec<Capability>,
    /// Who works with it, the main one first.
    users: Vec<UserRefView>,
    /// Through whom it is reached.
    #[schema(example = "sandbox")]
    carrier: String,
    /// Whether texts of applications from this number need a registration, as in the US and in Canada.
    a2p_required: bool,
    /// Whether it has that registration.
    a2p_registered: bool,
    /// The IANA name of the time zone in which its texts of a day are counted, for its daily limit and for when that is over;
    /// `null`: the team's. Reports and the team's own limits go by the time zone of the team.
    #[schema(example = "America/New_York")]
    time_zone: Option<String>,
    /// By which template its calls are summed up; `null`: by the usual one.
    #[schema(value_type = Option<String>, example = "tst-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    default_summary_template_id: Option<TemplateId>,
    /// The most texts in a second; `null`: as the operator has it for all numbers.
    #[schema(example = 0.25)]
    texts_per_second: Option<f64>,
    /// The most texts on a day; `null`: as the operator has it for all numbers.
    #[schema(example = 2000)]
    texts_per_day: Option<i64>,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
}

impl NumberDetailView {
    fn new(row: NumberRow, members: Vec<MemberRow>) -> Self {
        Self {
            id: row.id,
            number: row.number,
            kind: row.kind,
            offered_capabilities: row.offered().to_vec(),
            capabilities: row.capabilities,
            users: members.into_iter().map(UserRefView::from).collect(),
            a2p_required: needs_a2p(row.country.as_deref()),
            a2p_registered: row.a2p_registered,
            carrier: row.carrier,
            name: row.name,
            country: row.country,
            time_zone: row.time_zone,
            default_summary_template_id: row.summary_template,
            texts_per_second: row.text_interval_us.map(per_second),
            texts_per_day: row.texts_per_day,
            created_at: row.created_at,
        }
    }
}

/// How many texts a second go out with so many microseconds between two.
#[expect(
    clippy::cast_precision_loss,
    reason = "at most ten days in microseconds, which a double holds exactly"
)]
fn per_second(interval_us: i64) -> f64 {
    1_000_000.0 / interval_us as f64
}

/// Get a phone number
///
/// One number of the team, with everything that is set about it. Sender ids are at `/v2/api/sender_ids`.
#[utoipa::path(get, path = "/v2/api/numbers/{number}", operation_id = "getNumber", tag = "Phone Numbers",
    params(("number" = String, Path, description = "The team's number in E.164, `+` as `%2B`, or its id", example = "+14155550100")),
    responses((status = 200, description = "The number", body = Data<NumberDetailView>)))]
pub async fn get(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([number]) = path;
    let (named, team) = (Named::read(&number)?, caller.owner.team);
    let read = state.board.db().read(move |conn| -> Result<_, ApiError> {
        let row = named.find(conn, team)?.ok_or_else(no_such_number)?;
        let members = numbers::members_of(conn, team, row.line)?;
        Ok((row, members))
    });
    let (row, members) = read.await?;
    Ok(reply::data(NumberDetailView::new(row, members)))
}

/// What is to change about a number: a field that is left out stays as it is.
#[derive(utoipa::ToSchema)]
#[schema(as = UpdatePhoneNumberRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct UpdateNumber {
    /// What people call it; `null` takes it away.
    #[schema(max_length = 200, example = "Sales US")]
    name: Option<String>,
    /// Who works with it, the main one first; all of them from now on.
    #[schema(nullable = false, max_items = 100, example = json!(["usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD"]))]
    user_ids: Option<Vec<String>>,
    /// What it is to do, of `offered_capabilities`.
    #[schema(nullable = false, max_items = 10, example = json!(["VOICE", "SMS"]))]
    capabilities: Option<Vec<String>>,
    /// The IANA name of the time zone in which its texts of a day are counted; `null`: the team's.
    #[schema(max_length = 100, example = "America/New_York")]
    time_zone: Option<String>,
    /// By which template its calls are summed up; `null`: by the usual one.
    #[schema(max_length = 100, example = "tst-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    default_summary_template_id: Option<String>,
    /// Only on lines of the sandbox: elsewhere it is the carrier's word, which the operator enters.
    #[schema(nullable = false)]
    a2p_registered: Option<bool>,
}

/// Update a phone number
///
/// Only the fields that are sent are changed. `user_ids` says who works with the number: they are shown with it; the first one
/// stands in events of calls and texts that nobody of the team handled, and takes scripted calls of the sandbox that name
/// nobody. It keeps nobody out: what a key reaches is told by its scopes, for all numbers of the team alike. What the carrier says of the number, the operator of the server enters:
/// what it can do at most, and whether it is registered for texts of applications.
#[utoipa::path(patch, path = "/v2/api/numbers/{number}", operation_id = "updateNumber", tag = "Phone Numbers",
    params(("number" = String, Path, description = "The team's number in E.164, `+` as `%2B`, or its id", example = "+14155550100")),
    request_body = UpdateNumber,
    responses((status = 200, description = "The number as it is now", body = Data<NumberDetailView>)))]
pub async fn update(
    caller: Caller<TeamManage>,
    State(state): State<AppState>,
    path: PathParams<1>,
    body: Body,
) -> Result<Response, ApiError> {
    let (PathParams([number]), Body(mut input)) = (path, body);
    let named = Named::read(&number)?;
    let name = input.text_or_null("name", 200);
    let members = read_members(&mut input);
    let capabilities = read_capabilities(&mut input);
    let time_zone = input.text_or_null("time_zone", 100);
    let template = input.text_or_null("default_summary_template_id", 100);
    let a2p_registered = input.flag("a2p_registered");
    input.finish()?;
    let no_template =
        |_| ApiError::new(ErrorCode::SummaryTemplateNotFound).param("default_summary_template_id");
    let template = template.map(|id| {
        id.map(|id| TemplateId::parse(&id).map_err(no_template))
            .transpose()
    });
    let changes = ChangeLine {
        name,
        members: members.transpose()?,
        capabilities,
        time_zone,
        template: template.transpose()?,
        a2p_registered,
        status: None,
    };
    let by = caller.actor();
    let done = commit(&state, &caller, StatusCode::OK, move |work| {
        let missing = || Refused::new(ErrorCode::PhoneNumberNotFound).param("number");
        let before = named.find(work.tx, work.team)?.ok_or_else(missing)?;
        let after = lines::change(work, &before, &changes, &by)?;
        let members = numbers::members_of(work.tx, work.team, after.line)?;
        Ok(NumberDetailView::new(after, members))
    });
    done.await.map_err(|error| match error.code {
        ErrorCode::SummaryTemplateNotFound => error.param("default_summary_template_id"),
        _ => error,
    })
}

/// How a path names a number.
#[derive(Clone, Copy, Debug)]
enum Named {
    Number(PhoneNumber),
    Id(NumberId),
}

impl Named {
    fn read(text: &str) -> Result<Self, ApiError> {
        if let Ok(id) = NumberId::parse(text) {
            return Ok(Self::Id(id));
        }
        PhoneNumber::parse(text).map(Self::Number).map_err(|error| {
            ApiError::new(ErrorCode::InvalidPhoneFormat)
                .param("number")
                .message(error.to_string())
        })
    }

    /// The number of the team, if it is in service.
    fn find(self, conn: &mut Conn<'_>, team: TeamKey) -> Result<Option<NumberRow>, StoreError> {
        let found = match self {
            Self::Number(number) => numbers::by_number(conn, team, number)?,
            Self::Id(id) => numbers::by_id(conn, team, id)?,
        };
        Ok(found.filter(|row| row.kind == LineKind::Number))
    }
}

fn no_such_number() -> ApiError {
    ApiError::new(ErrorCode::PhoneNumberNotFound).param("number")
}

/// Reads `capabilities`, if it is there.
fn read_capabilities(input: &mut Input) -> Option<Vec<Capability>> {
    let names = input.texts("capabilities", 10)?;
    let read: Result<Vec<Capability>, _> = names.iter().map(|name| name.parse()).collect();
    if read.is_err() {
        let message = "capabilities has a name that is not known".to_owned();
        let suggestion = format!("Use some of: {}.", Capability::NAMES.join(", "));
        input.fault_with(ErrorCode::InvalidParameter, "capabilities", message, suggestion);
    }
    read.ok()
}
