//! Accounts that a partner makes for its customers.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use trunkline_domain::{AccountStatus, ErrorCode, PhoneNumber, UserId};
use trunkline_store::partner_accounts::AccountRow;
use trunkline_switchboard::Error as CommandError;
use trunkline_switchboard::partners::{self as commands, CreateAccount, MAX_REF};

use crate::AppState;
use crate::http::auth::{Caller, OwnAccounts, Partner};
use crate::http::error::ApiError;
use crate::http::idempotency::{commit, commit_secret_once};
use crate::http::input::{Body, Input, PathParams, Sent};
use crate::http::reply::{self, Data};
use crate::partners::Seat;

/// An account.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PartnerAccount)]
pub struct AccountView {
    #[schema(value_type = String, example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")]
    id: UserId,
    /// The account's own key, for everything but partners' work and bills; only when the account is made.
    #[schema(example = "ak_live_…")]
    api_key: Option<String>,
    /// Its numbers; none any more once it is deactivated.
    #[schema(value_type = Vec<String>, example = json!(["+33712345678"]))]
    phone_numbers: Vec<PhoneNumber>,
    /// `ACTIVE`, `SUSPENDED` (its keys open nothing until it is resumed) or `DEACTIVATED` (for good).
    #[schema(value_type = String, example = "ACTIVE")]
    status: AccountStatus,
    /// Whether the customer has signed in on a device: never yet, since there is nothing to sign in to.
    #[schema(example = false)]
    activated: bool,
    /// The partner's own reference.
    #[schema(example = "crm-12345")]
    partner_client_ref: Option<String>,
}

impl From<AccountRow> for AccountView {
    fn from(row: AccountRow) -> Self {
        Self {
            id: row.id,
            api_key: None,
            phone_numbers: commands::numbers(&row),
            status: row.status,
            activated: false,
            partner_client_ref: row.client_ref,
        }
    }
}

/// An account to be made.
#[derive(utoipa::ToSchema)]
#[schema(as = CreatePartnerAccountRequest)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct Create {
    /// The account's login.
    #[schema(max_length = 200, example = "client@example.com")]
    email: String,
    #[schema(max_length = 200, example = "Jane Doe")]
    name: String,
    /// A mobile of the customer's, in E.164.
    #[schema(example = "+33612345678")]
    personal_mobile: String,
    /// Your own reference, which comes back with the account and in its events.
    #[schema(max_length = 255, example = "crm-12345")]
    partner_client_ref: Option<String>,
    number_preference: NumberPreference,
}

/// Which number an account should get.
#[derive(utoipa::ToSchema)]
#[schema(as = PartnerNumberPreference)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that every fault is named"
)]
pub struct NumberPreference {
    /// Its country: ISO 3166-1 alpha-2, in capitals.
    #[schema(max_length = 2, example = "FR")]
    country: String,
    /// What it begins with: a plus sign and digits.
    #[schema(max_length = 16, example = "+337")]
    prefix: Option<String>,
}

fn read_account(input: &mut Input) -> Option<CreateAccount> {
    let (email, name) = (required(input, "email", 200), required(input, "name", 200));
    let personal_mobile = input.phone("personal_mobile");
    if input.sent("personal_mobile") != Sent::Value {
        input.missing("personal_mobile");
    }
    let client_ref = input.text("partner_client_ref", MAX_REF);
    let preference = input.object("number_preference");
    if input.sent("number_preference") != Sent::Value {
        input.missing("number_preference");
    }
    let mut preference = preference?;
    let country = required(&mut preference, "country", 2);
    let prefix = preference.text("prefix", 16);
    if let Some(text) = &prefix {
        let digits = text.strip_prefix('+');
        if !digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())) {
            let message = "prefix is the beginning of a number in E.164 form: a plus sign and digits";
            preference.fault(ErrorCode::InvalidParameter, "prefix", message);
        }
    }
    input.absorb(preference);
    Some(CreateAccount {
        email: email?.to_lowercase(),
        name: name?,
        personal_mobile: personal_mobile?,
        client_ref,
        country: country?,
        prefix,
    })
}

/// A text that must be there, without the space around it.
fn required(input: &mut Input, name: &'static str, max: usize) -> Option<String> {
    let text = input.text(name, max);
    let text = text
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty());
    if text.is_none() {
        input.missing(name);
    }
    text
}

/// Create an account
///
/// A team of its own for a customer, with a user, a number of the operator's pool and an API key, which is shown here only. It
/// is visible to the key that made it, and to no other.
#[utoipa::path(post, path = "/v2/api/partner/accounts", operation_id = "createPartnerAccount", tag = "Partner",
    request_body = Create,
    responses((status = 201, description = "The account, with its key", body = Data<AccountView>)))]
pub async fn create(
    caller: Caller<Partner>,
    State(state): State<AppState>,
    body: Body,
) -> Result<Response, ApiError> {
    let Body(mut input) = body;
    let account = read_account(&mut input);
    input.finish()?;
    let account = account.ok_or(ErrorCode::MissingParameter)?;
    let (policy, vault) = (state.partners.policy.clone(), state.vault.clone());
    let (by, key_id, now) = (caller.actor(), caller.owner.key_id, state.board.now());
    let allowed = async {
        // What cannot be made anyway is nothing to be billed.
        let (team, policy, wanted) = (caller.owner.team, policy.clone(), account.clone());
        let check = state.board.db().read(move |conn| -> Result<(), ApiError> {
            Ok(commands::check(conn, team, &policy, &wanted, now)?)
        });
        check.await?;
        let seat = Seat {
            partner: caller.owner.team_id,
            email: account.email.clone(),
            client_ref: account.client_ref.clone(),
        };
        Ok(state.partners.billing.decide(&seat).await?)
    };
    let (policy, wanted) = (policy.clone(), account.clone());
    commit_secret_once(&state, &caller, StatusCode::CREATED, allowed, move |work| {
        let made = commands::create(work, &vault, &policy, &wanted, key_id, &by)?;
        Ok(AccountView {
            api_key: Some(made.key),
            ..made.row.into()
        })
    })
    .await
}

/// Get an account
#[utoipa::path(get, path = "/v2/api/partner/accounts/{id}", operation_id = "getPartnerAccount", tag = "Partner",
    params(("id" = String, Path, description = "The account's id", example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The account", body = Data<AccountView>)))]
pub async fn get(
    caller: Caller<OwnAccounts>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let id = UserId::parse(&id).ok();
    let (team, key) = (caller.owner.team, caller.owner.key_id);
    let read = state
        .board
        .db()
        .read(move |conn| -> Result<AccountRow, CommandError> { commands::find(conn, team, key, id) });
    Ok(reply::data(AccountView::from(read.await?)))
}

/// Deactivate an account
///
/// For good, and at once: its keys open nothing any more, its seat is free, and its number rests before it is given to
/// somebody else. Doing it again changes nothing.
#[utoipa::path(delete, path = "/v2/api/partner/accounts/{id}", operation_id = "deletePartnerAccount", tag = "Partner",
    params(("id" = String, Path, description = "The account's id", example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 204, description = "It is deactivated")))]
pub async fn delete(
    caller: Caller<OwnAccounts>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    set_status(
        &caller,
        &state,
        path,
        AccountStatus::Deactivated,
        StatusCode::NO_CONTENT,
    )
    .await
}

/// Suspend an account
///
/// Its keys open nothing until it is resumed. Calls and texts that come in are kept. Doing it again changes nothing.
#[utoipa::path(post, path = "/v2/api/partner/accounts/{id}/suspend", operation_id = "suspendPartnerAccount", tag = "Partner",
    params(("id" = String, Path, description = "The account's id", example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The account as it is now", body = Data<AccountView>)))]
pub async fn suspend(
    caller: Caller<OwnAccounts>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    set_status(&caller, &state, path, AccountStatus::Suspended, StatusCode::OK).await
}

/// Resume an account
///
/// Its keys open again what they opened before. Doing it again changes nothing.
#[utoipa::path(post, path = "/v2/api/partner/accounts/{id}/resume", operation_id = "resumePartnerAccount", tag = "Partner",
    params(("id" = String, Path, description = "The account's id", example = "usr-2Hk9GqkQe7b1T4yVnUo3xZ0aBcD")),
    responses((status = 200, description = "The account as it is now", body = Data<AccountView>)))]
pub async fn resume(
    caller: Caller<OwnAccounts>,
    State(state): State<AppState>,
    path: PathParams<1>,
) -> Result<Response, ApiError> {
    set_status(&caller, &state, path, AccountStatus::Active, StatusCode::OK).await
}

async fn set_status(
    caller: &Caller<OwnAccounts>,
    state: &AppState,
    path: PathParams<1>,
    status: AccountStatus,
    success: StatusCode,
) -> Result<Response, ApiError> {
    let PathParams([id]) = path;
    let id = UserId::parse(&id).ok();
    let (by, key) = (caller.actor(), caller.owner.key_id);
    let done = commit(state, caller, success, move |work| {
        commands::set_status(work, key, id, status, &by).map(AccountView::from)
    })
    .await?;
    // What was remembered of the account's keys is not so any more.
    state.keys.forget();
    Ok(done)
}
