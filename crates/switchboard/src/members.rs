//! The users of a team: renamed, given another role, blocked and let in again. A team never loses its last admin.

use trunkline_domain::{ErrorCode, Role, UserId, UserStatus};
use trunkline_store::users::{self, UserRow};

use crate::accounts::required;
use crate::audit::{enter, enter_fields};
use crate::keys::Power;
use crate::{Actor, Error, Refused, Work};

/// What of a user is to change; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct UpdateUser {
    /// Name.
    pub name: Option<String>,
    /// What the user may do.
    pub role: Option<Role>,
}

/// Changes a user, and returns how they are now.
///
/// # Errors
/// `MEMBER_NOT_FOUND`, `FORBIDDEN` for a role above the own one (that the user has, or is to get), `LAST_ADMIN`,
/// `INVALID_PARAMETER` for an empty name.
pub fn update(
    work: &mut Work<'_, '_>,
    id: UserId,
    changes: &UpdateUser,
    power: &Power,
    by: &Actor,
) -> Result<UserRow, Error> {
    let before = find(work, id, power)?;
    let name = changes
        .name
        .as_deref()
        .map(|name| required(name, "name"))
        .transpose()?;
    if let Some(role) = changes.role.filter(|role| !power.role.covers(*role)) {
        let message = format!("a key of {} cannot make anybody {role}", power.role);
        return Err(Refused::new(ErrorCode::Forbidden)
            .param("role")
            .because(message)
            .into());
    }
    let after = UserRow {
        name: name.unwrap_or_else(|| before.name.clone()),
        role: changes.role.unwrap_or(before.role),
        ..before.clone()
    };
    if after.role != before.role {
        must_not_be_the_last_admin(work, &before)?;
    }
    let changed = [
        ("name", after.name != before.name),
        ("role", after.role != before.role),
    ];
    let fields: Vec<&str> = changed
        .iter()
        .filter(|(_, changed)| *changed)
        .map(|(name, _)| *name)
        .collect();
    if !fields.is_empty() {
        users::update(work.tx, work.team, &after)?;
        enter_fields(work, by, "user.updated", &id.to_string(), &fields)?;
    }
    Ok(after)
}

/// Blocks a user: their keys open nothing from now on. Whoever is blocked already stays so.
///
/// # Errors
/// `MEMBER_NOT_FOUND`, `FORBIDDEN` for a user with a higher role, `LAST_ADMIN`.
pub fn block(work: &mut Work<'_, '_>, id: UserId, power: &Power, by: &Actor) -> Result<UserRow, Error> {
    let before = find(work, id, power)?;
    if before.status == UserStatus::Blocked {
        return Ok(before);
    }
    must_not_be_the_last_admin(work, &before)?;
    let after = UserRow {
        status: UserStatus::Blocked,
        blocked_at: Some(work.now),
        ..before
    };
    users::update(work.tx, work.team, &after)?;
    enter(work, by, "user.blocked", &id.to_string(), None)?;
    Ok(after)
}

/// Lets a user in again: their keys open what they opened before.
///
/// # Errors
/// `MEMBER_NOT_FOUND`, `FORBIDDEN` for a user with a higher role.
pub fn unblock(work: &mut Work<'_, '_>, id: UserId, power: &Power, by: &Actor) -> Result<UserRow, Error> {
    let before = find(work, id, power)?;
    if before.status == UserStatus::Active {
        return Ok(before);
    }
    let after = UserRow {
        status: UserStatus::Active,
        blocked_at: None,
        ..before
    };
    users::update(work.tx, work.team, &after)?;
    enter(work, by, "user.unblocked", &id.to_string(), None)?;
    Ok(after)
}

/// The user, over whom one has power.
fn find(work: &mut Work<'_, '_>, id: UserId, power: &Power) -> Result<UserRow, Error> {
    let missing = || Refused::new(ErrorCode::MemberNotFound).param("id");
    let user = users::get(work.tx, work.team, id)?.ok_or_else(missing)?;
    if power.role.covers(user.role) {
        return Ok(user);
    }
    let message = format!("a key of {} has no power over {}", power.role, user.role);
    Err(Refused::new(ErrorCode::Forbidden).because(message).into())
}

fn must_not_be_the_last_admin(work: &mut Work<'_, '_>, user: &UserRow) -> Result<(), Error> {
    let is_admin = user.role == Role::Admin && user.status == UserStatus::Active;
    if is_admin && users::active_with(work.tx, work.team, Role::Admin)? <= 1 {
        return Err(ErrorCode::LastAdmin.into());
    }
    Ok(())
}
