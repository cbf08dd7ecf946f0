//! Accounts that a partner makes for its customers: each is a team of its own, with a user, a number of the operator's pool
//! and a key. The key that made an account sees it, and no other does.
//!
//! Making an account is the one transaction that touches two teams: the partner's, whose row it holds, and the new one, which
//! nobody else knows before it is committed.

use trunkline_domain::events::{PartnerAccount, Topic};
use trunkline_domain::phone::has_plan;
use trunkline_domain::{
    AccountStatus, ApiKeyId, Capability, ErrorCode, Millis, NumberId, PhoneNumber, Plan, Role, Scope,
    ScopeSet, UserId,
};
use trunkline_store::crypto::Vault;
use trunkline_store::partner_accounts::{self, AccountRow};
use trunkline_store::{Conn, TeamKey, directory, keys, teams};

use crate::accounts::{self, AddNumber, Address, Claimed, CreateTeam, SANDBOX};
use crate::audit::enter;
use crate::people::is_email;
use crate::{Actor, Error, Refused, Work};

/// The longest reference of a partner's own, in characters.
pub const MAX_REF: usize = 255;

/// What the operator decides about partners.
#[derive(Clone, Default)]
pub struct Policy {
    /// The numbers that accounts may be given, in the order in which they are given.
    pub pool: Vec<PhoneNumber>,
    /// The carrier of these numbers; empty: the sandbox.
    pub carrier: String,
    /// What the carrier needs for them, if it needs anything: a secret.
    pub carrier_settings: Option<String>,
    /// How long the number of an account that was deactivated is given to nobody, in milliseconds.
    pub rest: i64,
    /// How many accounts a partner may have at a time; `None`: any number.
    pub seats: Option<i64>,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct CreateAccount {
    /// Its login.
    pub email: String,
    /// The customer's name.
    pub name: String,
    /// A mobile of the customer's.
    pub personal_mobile: PhoneNumber,
    /// The partner's own reference.
    pub client_ref: Option<String>,
    /// The country of its number, ISO 3166-1 alpha-2.
    pub country: String,
    /// What its number begins with.
    pub prefix: Option<String>,
}

/// An account that was just made. It has no `Debug`: the key is here and nowhere else.
pub struct NewAccount {
    /// The account.
    pub row: AccountRow,
    /// Its key.
    pub key: String,
}

impl Policy {
    fn carrier(&self) -> &str {
        if self.carrier.is_empty() {
            SANDBOX
        } else {
            &self.carrier
        }
    }

    /// Numbers of the pool that fit and are free, in their order.
    fn free(
        &self,
        conn: &mut Conn<'_>,
        account: &CreateAccount,
        now: Millis,
    ) -> Result<Vec<PhoneNumber>, Error> {
        let prefix = account.prefix.as_deref().unwrap_or_default();
        let fits = |number: &&PhoneNumber| {
            number.country().as_deref() == Some(account.country.as_str())
                && number.as_str().starts_with(prefix)
        };
        let fitting: Vec<PhoneNumber> = self.pool.iter().filter(fits).copied().collect();
        let taken = directory::taken(conn, &fitting, now.plus(-self.rest))?;
        Ok(fitting
            .into_iter()
            .filter(|number| !taken.contains(number))
            .collect())
    }
}

/// Whether an account can be made as things are: what is refused here, nobody need be asked to pay for.
///
/// # Errors
/// Those of [`create`].
pub fn check(
    conn: &mut Conn<'_>,
    team: TeamKey,
    policy: &Policy,
    account: &CreateAccount,
    now: Millis,
) -> Result<(), Error> {
    if !is_email(&account.email) {
        return Err(faulty("email", "this is no e-mail address"));
    }
    if !has_plan(&account.country) {
        let message = "this is no country; use two capital letters such as FR";
        return Err(faulty("number_preference.country", message));
    }
    if partner_accounts::has_email(conn, team, &account.email)? {
        return Err(Refused::new(ErrorCode::PartnerAccountAlreadyExists)
            .param("email")
            .into());
    }
    let sandbox = teams::get(conn, team)?.is_some_and(|team| team.sandbox);
    if sandbox && policy.carrier() != SANDBOX {
        return Err(Refused::new(ErrorCode::Forbidden)
            .because("a sandbox team cannot make accounts with real numbers")
            .into());
    }
    if let Some(seats) = policy.seats
        && partner_accounts::seats(conn, team)? >= seats
    {
        let message = format!("the partner has as many accounts as it may have ({seats})");
        return Err(Refused::new(ErrorCode::PartnerSubscriptionNotBillable)
            .because(message)
            .into());
    }
    if policy.free(conn, account, now)?.is_empty() {
        return Err(no_number());
    }
    Ok(())
}

fn faulty(param: &'static str, message: &str) -> Error {
    Refused::new(ErrorCode::InvalidParameter)
        .param(param)
        .because(message)
        .into()
}

fn no_number() -> Error {
    Refused::new(ErrorCode::NoNumberAvailable)
        .param("number_preference")
        .into()
}

/// Makes an account with a user who is its admin, a number, and a key for everything but partners' work and bills.
///
/// # Errors
/// `PARTNER_ACCOUNT_ALREADY_EXISTS`, `NO_NUMBER_AVAILABLE`, `PARTNER_SUBSCRIPTION_NOT_BILLABLE` beyond the limit of the
/// operator, `INVALID_PARAMETER`.
pub fn create(
    work: &mut Work<'_, '_>,
    vault: &Vault,
    policy: &Policy,
    account: &CreateAccount,
    key_id: ApiKeyId,
    by: &Actor,
) -> Result<NewAccount, Error> {
    check(work.tx, work.team, policy, account, work.now)?;
    let partner = teams::get(work.tx, work.team)?.ok_or(ErrorCode::TeamNotFound)?;
    let sandbox = policy.carrier() == SANDBOX;
    let new = CreateTeam {
        name: account.name.clone(),
        plan: Plan::Business,
        time_zone: partner.time_zone,
        country: account.country.clone(),
        sandbox,
    };
    let (team, team_id) = accounts::create_team(work.tx, work.ids, work.now, &new)?;
    let free = policy.free(work.tx, account, work.now)?;
    let mut number = None;
    for candidate in free {
        // Another partner may claim it in the same moment.
        if directory::claim(work.tx, candidate, team, work.now.plus(-policy.rest))? {
            number = Some(candidate);
            break;
        }
    }
    let number = number.ok_or_else(no_number)?;
    let mut inner = Work::begin(work.tx, team, work.now, work.ids, work.node)?;
    let user = accounts::create_user(&mut inner, &account.name, &account.email, Role::Admin)?;
    let line: NumberId = inner.new_id(inner.now);
    let settings = policy.carrier_settings.as_deref();
    let settings = settings.map(|settings| vault.seal(inner.ids, &line.to_string(), settings));
    let added = AddNumber {
        address: Address::Number(number),
        name: Some(account.name.clone()),
        capabilities: vec![Capability::Voice, Capability::Sms],
        carrier: policy.carrier().to_owned(),
        carrier_settings: settings,
        members: vec![user],
    };
    accounts::add_line(&mut inner, line, &added, Claimed::Yes)?;
    let scopes = Scope::all().iter().copied();
    let scopes: ScopeSet = scopes
        .filter(|scope| !matches!(scope, Scope::Partner | Scope::Billing))
        .collect();
    let key = accounts::create_key(&mut inner, user, "made by a partner", scopes, sandbox)?.secret;
    inner.finish()?;
    let row = AccountRow {
        id: user,
        key_id,
        account: team_id,
        email: account.email.clone(),
        name: account.name.clone(),
        personal_mobile: account.personal_mobile,
        number,
        client_ref: account.client_ref.clone(),
        status: AccountStatus::Active,
        created_at: work.now,
        updated_at: work.now,
    };
    partner_accounts::insert(work.tx, work.team, &row)?;
    enter(work, by, "partner_account.created", &row.id.to_string(), None)?;
    tell(work, Topic::AccountCreated, &row)?;
    Ok(NewAccount { row, key })
}

/// The numbers of an account; none any more once it is deactivated.
#[must_use]
pub fn numbers(row: &AccountRow) -> Vec<PhoneNumber> {
    if row.status == AccountStatus::Deactivated {
        return Vec::new();
    }
    vec![row.number]
}

fn tell(work: &mut Work<'_, '_>, topic: Topic, row: &AccountRow) -> Result<(), Error> {
    let payload = PartnerAccount {
        id: row.id,
        status: row.status,
        email: row.email.clone(),
        phone_numbers: numbers(row),
        partner_client_ref: row.client_ref.clone(),
        created_at: row.created_at,
    };
    Ok(work.emit(topic, work.now, None, &payload)?)
}

/// The account with this id, if this key has made it.
///
/// # Errors
/// `PARTNER_ACCOUNT_NOT_FOUND`.
pub fn find(
    conn: &mut Conn<'_>,
    team: TeamKey,
    key: ApiKeyId,
    id: Option<UserId>,
) -> Result<AccountRow, Error> {
    let found = match id {
        Some(id) => partner_accounts::get(conn, team, id)?,
        None => None,
    };
    let own = found.filter(|account| account.key_id == key);
    Ok(own.ok_or_else(|| Refused::new(ErrorCode::PartnerAccountNotFound).param("id"))?)
}

/// Suspends an account (its keys open nothing), resumes it, or deactivates it for good. What is so already stays, and nothing
/// is told of it. What comes in for the account meanwhile is kept.
///
/// # Errors
/// `PARTNER_ACCOUNT_NOT_FOUND`, also for one that is deactivated and is to be something else.
pub fn set_status(
    work: &mut Work<'_, '_>,
    key: ApiKeyId,
    id: Option<UserId>,
    status: AccountStatus,
    by: &Actor,
) -> Result<AccountRow, Error> {
    let before = find(work.tx, work.team, key, id)?;
    if before.status == status {
        return Ok(before);
    }
    if before.status == AccountStatus::Deactivated {
        let message = "this account was deactivated, which is for good";
        return Err(Refused::new(ErrorCode::PartnerAccountNotFound)
            .param("id")
            .because(message)
            .into());
    }
    let after = AccountRow {
        status,
        updated_at: work.now,
        ..before
    };
    let since = |is: bool| is.then_some(work.now);
    let (suspended, closed) = (
        since(status == AccountStatus::Suspended),
        since(status == AccountStatus::Deactivated),
    );
    if !teams::set_standing(work.tx, after.account, suspended, closed)? {
        let message = "the account's team is not on this installation";
        return Err(Refused::new(ErrorCode::PartnerAccountNotFound)
            .param("id")
            .because(message)
            .into());
    }
    partner_accounts::set_status(work.tx, work.team, &after)?;
    let action = match status {
        AccountStatus::Active => "partner_account.resumed",
        AccountStatus::Suspended => "partner_account.suspended",
        AccountStatus::Deactivated => "partner_account.deactivated",
    };
    enter(work, by, action, &after.id.to_string(), None)?;
    tell(work, Topic::AccountUpdated, &after)?;
    Ok(after)
}

/// Gives the accounts that one key made to another key of the team: nobody sees them any more once their key is revoked.
/// Returns how many there were.
///
/// # Errors
/// `API_KEY_NOT_FOUND` for a key that opens nothing, `API_KEY_INSUFFICIENT_SCOPE` for one without `PARTNER`,
/// `PARTNER_ACCOUNT_NOT_FOUND` where the one key has made none.
pub fn hand_over(work: &mut Work<'_, '_>, from: ApiKeyId, to: ApiKeyId, by: &Actor) -> Result<u64, Error> {
    let key = keys::get(work.tx, work.team, to)?
        .filter(|key| key.revoked_at.is_none() && key.expires_at.is_none_or(|end| end > work.now))
        .ok_or_else(|| {
            Refused::new(ErrorCode::ApiKeyNotFound).because(format!("the team has no valid key {to}"))
        })?;
    if !key.scopes.contains(Scope::Partner) {
        let message = format!("{to} does not have the scope PARTNER, so it would see no account");
        return Err(Refused::new(ErrorCode::ApiKeyInsufficientScope)
            .because(message)
            .into());
    }
    let count = partner_accounts::hand_over(work.tx, work.team, from, to)?;
    if count == 0 {
        let message = format!("no account of the team was made by {from}");
        return Err(Refused::new(ErrorCode::PartnerAccountNotFound)
            .because(message)
            .into());
    }
    let detail = format!("{count} accounts of {from}");
    enter(
        work,
        by,
        "partner_account.handed_over",
        &to.to_string(),
        Some(detail),
    )?;
    Ok(count)
}
