//! API keys: made and revoked. Nobody makes a key that may do more than their own.

use serde_json::json;
use trunkline_domain::{ApiKeyId, ErrorCode, Millis, Role, Scope, ScopeSet, UserId, UserStatus};
use trunkline_store::keys::{self, KeyRow};
use trunkline_store::{crypto, users};

use crate::accounts::required;
use crate::audit::enter_value;
use crate::{Actor, Error, Refused, Work, invitations};

/// The most keys of a team that are not revoked, expired ones included.
pub const MAX_KEYS: usize = 1_000;

/// The most revoked keys of a team that are remembered; those that were revoked first are forgotten first.
pub const MAX_REVOKED: usize = 1_000;

/// A key to be made.
#[derive(Clone, Debug)]
pub struct CreateKey {
    /// In whose name it acts.
    pub user: UserId,
    /// What for.
    pub name: String,
    /// What it opens.
    pub scopes: ScopeSet,
    /// From when it opens nothing; `None`: it has no end.
    pub expires_at: Option<Millis>,
    /// Whether the team's outside world is the sandbox: the key says so.
    pub sandbox: bool,
}

/// A key that was just made. The secret is here and nowhere else; it has no `Debug`.
pub struct NewKey {
    /// Public id.
    pub id: ApiKeyId,
    /// The key itself, shown once.
    pub secret: String,
    /// What is stored of it.
    pub row: KeyRow,
}

/// What somebody who makes or revokes keys may do: more cannot be given.
#[derive(Clone, Copy, Debug)]
pub struct Power {
    /// The user whose key is used.
    pub user: UserId,
    /// The role of the user whose key is used.
    pub role: Role,
    /// What this key opens.
    pub scopes: ScopeSet,
    /// When it ends.
    pub expires_at: Option<Millis>,
}

impl Power {
    /// Refuses to give scopes that the own key does not have.
    ///
    /// # Errors
    /// `API_KEY_INSUFFICIENT_SCOPE`.
    pub(crate) fn must_have(&self, scopes: ScopeSet) -> Result<(), Refused> {
        let lacking: Vec<&str> = scopes
            .iter()
            .filter(|scope| !self.scopes.contains(*scope))
            .map(Scope::as_str)
            .collect();
        if lacking.is_empty() {
            return Ok(());
        }
        let message = format!(
            "this API key cannot give what it does not have: it lacks {}",
            lacking.join(", ")
        );
        Err(Refused::new(ErrorCode::ApiKeyInsufficientScope)
            .param("scopes")
            .because(message))
    }
}

/// Makes an API key. `power` is that of the key by which it is made, `None` for the operator.
///
/// # Errors
/// `MEMBER_NOT_FOUND`, `FORBIDDEN` for a user with a higher role, `API_KEY_INSUFFICIENT_SCOPE` for scopes that the own
/// key does not have, `INVALID_PARAMETER` for an empty name, no scopes, an end that is past or later than the own key's, or
/// a blocked user, `TEAM_LIMIT_REACHED` beyond [`MAX_KEYS`].
pub fn create(
    work: &mut Work<'_, '_>,
    key: &CreateKey,
    power: Option<&Power>,
    by: &Actor,
) -> Result<NewKey, Error> {
    let name = required(&key.name, "name")?;
    if key.scopes.is_empty() {
        return Err(faulty("scopes", "a key needs at least one scope"));
    }
    let user = users::get(work.tx, work.team, key.user)?
        .ok_or_else(|| Refused::new(ErrorCode::MemberNotFound).param("user_id"))?;
    if user.status == UserStatus::Blocked {
        return Err(faulty(
            "user_id",
            "the user is blocked, and a key of theirs would open nothing",
        ));
    }
    let expires_at = match power {
        Some(power) => within(power, key, user.role)?,
        None => key.expires_at,
    };
    if expires_at.is_some_and(|at| at <= work.now) {
        return Err(faulty(
            "expires_at",
            "expires_at is past; a key needs an end in the future, or none",
        ));
    }
    make_room(work)?;
    let id: ApiKeyId = work.new_id(work.now);
    let prefix = if key.sandbox { "ak_test_" } else { "ak_live_" };
    let secret = format!("{prefix}{}", work.ids.token(43));
    let row = KeyRow {
        id,
        user_id: key.user,
        name,
        hash: crypto::sha256_hex(secret.as_bytes()),
        hint: secret[secret.len() - 4..].to_owned(),
        scopes: key.scopes,
        created_at: work.now,
        revoked_at: None,
        expires_at,
        last_used_at: None,
    };
    keys::insert(work.tx, work.team, &row)?;
    let mut detail = json!({ "name": row.name, "scopes": key.scopes.to_string() });
    if let Some(end) = expires_at {
        detail["expires_at"] = json!(end);
    }
    enter_value(work, by, "key.created", &id.to_string(), Some(&detail))?;
    Ok(NewKey { id, secret, row })
}

/// When the new key ends, if whoever has this power may make it.
fn within(power: &Power, key: &CreateKey, role: Role) -> Result<Option<Millis>, Error> {
    // Whoever holds a key of somebody else's has what that user is given later, too: only admins have all of it anyway.
    if key.user != power.user && power.role != Role::Admin {
        let message = format!(
            "a {} makes keys in the own name only, and not for a {role}",
            power.role
        );
        return Err(Refused::new(ErrorCode::Forbidden)
            .param("user_id")
            .because(message)
            .into());
    }
    power.must_have(key.scopes)?;
    match (key.expires_at, power.expires_at) {
        (Some(wanted), Some(own)) if wanted > own => {
            let message = format!("a key cannot outlive the one by which it is made, which ends at {own}");
            Err(faulty("expires_at", message))
        }
        (wanted, own) => Ok(wanted.or(own)),
    }
}

/// Whether the team may have one more key.
///
/// # Errors
/// The store's failure.
pub(crate) fn has_room(work: &mut Work<'_, '_>) -> Result<bool, Error> {
    let all = keys::list(work.tx, work.team)?;
    Ok(all.iter().filter(|key| key.revoked_at.is_none()).count() < MAX_KEYS)
}

/// Forgets revoked keys beyond [`MAX_REVOKED`], and refuses another key beyond [`MAX_KEYS`].
fn make_room(work: &mut Work<'_, '_>) -> Result<(), Error> {
    let all = keys::list(work.tx, work.team)?;
    let (mut revoked, valid): (Vec<KeyRow>, Vec<KeyRow>) =
        all.into_iter().partition(|key| key.revoked_at.is_some());
    if valid.len() >= MAX_KEYS {
        let message = format!("a team has at most {MAX_KEYS} keys; revoke one that is not needed");
        return Err(Refused::new(ErrorCode::TeamLimitReached).because(message).into());
    }
    revoked.sort_by_key(|key| (key.revoked_at, key.id));
    let too_many = revoked.len().saturating_sub(MAX_REVOKED);
    for key in &revoked[..too_many] {
        keys::delete(work.tx, work.team, key)?;
    }
    Ok(())
}

/// Revokes a key; tells whether it was not revoked until now.
///
/// # Errors
/// `API_KEY_NOT_FOUND`, `FORBIDDEN` for the key of a user with a higher role.
pub fn revoke(
    work: &mut Work<'_, '_>,
    id: ApiKeyId,
    power: Option<&Power>,
    by: &Actor,
) -> Result<bool, Error> {
    let missing = || Refused::new(ErrorCode::ApiKeyNotFound).param("id");
    let key = keys::get(work.tx, work.team, id)?.ok_or_else(missing)?;
    if let Some(power) = power {
        let role = users::get(work.tx, work.team, key.user_id)?.map(|user| user.role);
        if let Some(role) = role.filter(|role| !power.role.covers(*role)) {
            let message = format!("a key of {} cannot revoke that of {role}", power.role);
            return Err(Refused::new(ErrorCode::Forbidden).because(message).into());
        }
    }
    let revoked = keys::revoke(work.tx, work.team, id, work.now)?;
    if revoked {
        enter_value(work, by, "key.revoked", &id.to_string(), None)?;
        invitations::revoke_all_of(work, key.user_id, by)?;
    }
    Ok(revoked)
}

fn faulty(param: &'static str, message: impl Into<String>) -> Error {
    Refused::new(ErrorCode::InvalidParameter)
        .param(param)
        .because(message)
        .into()
}
