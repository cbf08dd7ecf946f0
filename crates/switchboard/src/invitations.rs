//! Invitations: somebody is asked to join the team, by mail or by a link, and becomes a user of it by accepting.
//!
//! The link's token is in no row: what is stored is its hash. A mail's token is made when the mail is sent ([`letter`]),
//! so that it waits in no queue either; a mail that is tried again has a token of its own, and the earlier ones end.

use serde_json::json;
use trunkline_domain::{
    ErrorCode, InvitationDelivery, InvitationId, Millis, Role, Scope, ScopeSet, TeamId, UserId, UserStatus,
};
use trunkline_store::invitations::{self, InvitationRow};
use trunkline_store::jobs::{self, JobRow};
use trunkline_store::users::{self, UserRow};
use trunkline_store::{crypto, teams};

use crate::accounts::{add_user, required};
use crate::audit::{enter, enter_value};
use crate::keys::{self, CreateKey, NewKey, Power};
use crate::people::is_email;
use crate::{Actor, Error, Refused, Work};

/// How long an invitation can be accepted, in milliseconds.
pub const VALID_FOR: i64 = 7 * Millis::DAY;

/// The most invitations of a team, expired ones included.
pub const MAX_INVITATIONS: usize = 100;

/// The most users of a team, blocked ones and invited ones included.
pub const MAX_USERS: i64 = 1_000;

/// How long after a mail was asked for another one to the same person can be asked for, in milliseconds.
pub const BETWEEN_MAILS: i64 = Millis::MINUTE;

/// How many mails with invitations a team may ask for on a day (UTC), those that are sent again included; 0: any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailLimit(pub i64);

impl Default for MailLimit {
    fn default() -> Self {
        Self(100)
    }
}

/// The kind of the job that mails an invitation; its payload is [`mail_job`]'s.
pub const INVITATION_MAIL_JOB: &str = "invitation-mail";

/// The characters of a token.
const TOKEN: usize = 43;

/// Somebody to be invited.
#[derive(Clone, Debug)]
pub struct Invite {
    /// Their address.
    pub email: String,
    /// What they are called; `None`: they say so themselves.
    pub name: Option<String>,
    /// What they may do in the team.
    pub role: Role,
    /// What their first key opens; `None`: what fits the role, of what the own key opens.
    pub scopes: Option<ScopeSet>,
    /// How the link gets to them.
    pub delivery: InvitationDelivery,
}

/// An open invitation, with the token of its link where the one who invites is to hand it on. It has no `Debug`.
pub struct Invited {
    /// The invitation.
    pub row: InvitationRow,
    /// The token, shown once; `None` where it is mailed.
    pub token: Option<String>,
}

/// Who joined by an invitation. It has no `Debug`: the key is here and nowhere else.
pub struct Joined {
    /// The user.
    pub user: UserRow,
    /// The team's public id.
    pub team_id: TeamId,
    /// The team's name.
    pub team_name: String,
    /// Their first key, if the invitation has scopes for one.
    pub key: Option<NewKey>,
}

/// What is written in the mail of an invitation. It has no `Debug`: it holds the token.
pub struct Letter {
    /// To whom.
    pub email: String,
    /// What they are called, if that is known.
    pub name: Option<String>,
    /// Who invites, if it is a user.
    pub from: Option<String>,
    /// The team's name.
    pub team: String,
    /// What they may do in the team.
    pub role: Role,
    /// What makes the link.
    pub token: String,
    /// Until when it can be accepted.
    pub expires_at: Millis,
}

/// What a first key may open for a user with this role: scopes for what needs a higher role would open nothing, and
/// accounts of partners belong to the key that makes them.
fn fitting(role: Role, scopes: ScopeSet) -> ScopeSet {
    let fits = |scope: &Scope| match scope {
        Scope::Partner => false,
        Scope::TeamManage => role.covers(Role::Manager),
        Scope::Billing => role.covers(Role::Admin),
        _ => true,
    };
    scopes.iter().filter(fits).collect()
}

/// Invites somebody. An invitation for the same address that has expired makes room for the new one.
///
/// # Errors
/// `FORBIDDEN` for a role above the own one, `API_KEY_INSUFFICIENT_SCOPE` for scopes that the own key does not have,
/// `USER_ALREADY_EXISTS`, `INVITATION_ALREADY_EXISTS`, `INVALID_PARAMETER` for what is no address, an empty name, or no
/// scopes, `TEAM_LIMIT_REACHED` for too many users or invitations, `RATE_LIMIT_EXCEEDED` for more mails than `mails` on a day.
pub fn create(
    work: &mut Work<'_, '_>,
    invite: &Invite,
    mails: MailLimit,
    power: &Power,
    by: &Actor,
) -> Result<Invited, Error> {
    let name = invite.name.as_deref().map(named);
    let (name, email) = (name.transpose()?, invite.email.trim().to_lowercase());
    // What mails have around or between addresses would make another recipient of it.
    if !is_email(&email)
        || email.matches('@').count() > 1
        || email.contains(['<', '>', '(', ')', '"', ',', ';', ':', '\\'])
    {
        return Err(faulty("email", "this is no e-mail address"));
    }
    must_cover(power, invite.role, "invite anybody as")?;
    let scopes = match invite.scopes {
        Some(scopes) if scopes.is_empty() => return Err(faulty("scopes", "a key needs at least one scope")),
        Some(scopes) => scopes,
        None => fitting(invite.role, power.scopes),
    };
    power.must_have(scopes)?;
    if users::by_email(work.tx, work.team, &email)?.is_some() {
        return Err(Refused::new(ErrorCode::UserAlreadyExists).param("email").into());
    }
    if let Some(before) = invitations::by_email(work.tx, work.team, &email)? {
        if before.expires_at > work.now {
            return Err(Refused::new(ErrorCode::InvitationAlreadyExists)
                .param("email")
                .into());
        }
        invitations::delete(work.tx, work.team, &before)?;
    }
    must_have_room(work)?;
    if invite.delivery == InvitationDelivery::Mail {
        count_mail(work, mails)?;
    }
    let token = work.ids.token(TOKEN);
    let row = InvitationRow {
        id: work.new_id(work.now),
        email,
        name,
        role: invite.role,
        hash: crypto::sha256_hex(token.as_bytes()),
        invited_by: by.user_id(),
        created_at: work.now,
        expires_at: work.now.plus(VALID_FOR),
        scopes,
        key_until: power.expires_at,
        delivery: invite.delivery,
        asked_at: work.now,
        mailed_at: None,
    };
    invitations::insert(work.tx, work.team, &row)?;
    let detail = json!({ "role": row.role, "delivery": row.delivery });
    enter_value(work, by, "invitation.created", &row.id.to_string(), Some(&detail))?;
    hand_over(work, row, token)
}

/// Counts a mail that is asked for. Days are those of UTC, which no setting of the team's moves.
fn count_mail(work: &mut Work<'_, '_>, MailLimit(most): MailLimit) -> Result<(), Error> {
    let day = work.now.0.div_euclid(Millis::DAY);
    let asked = teams::mails_of(work.tx, work.team, day)?;
    if most > 0 && asked >= most {
        let midnight = Millis((day + 1) * Millis::DAY);
        let seconds = u64::try_from(midnight.since(work.now)).unwrap_or_default();
        let message = format!(
            "the team has mailed {asked} invitations today (UTC), and {most} are the most of a day; with delivery LINK there is \
             no mail"
        );
        return Err(Refused {
            retry_after: Some(seconds.div_ceil(1_000)),
            ..Refused::new(ErrorCode::RateLimitExceeded).because(message)
        }
        .into());
    }
    Ok(teams::set_mails(work.tx, work.team, day, asked + 1)?)
}

/// Lets the token get to whom it is for: by a job, or by who asked.
fn hand_over(work: &mut Work<'_, '_>, row: InvitationRow, token: String) -> Result<Invited, Error> {
    if row.delivery == InvitationDelivery::Link {
        let token = Some(token);
        return Ok(Invited { row, token });
    }
    let id = mail_job(row.id);
    // One that is being tried for long begins anew: whoever asks again expects it now.
    if !jobs::again(work.tx, work.team, &id, work.now)? {
        let job = JobRow {
            team: work.team,
            id,
            kind: INVITATION_MAIL_JOB.to_owned(),
            run_at: work.now,
            attempts: 0,
            payload: row.id.to_string(),
        };
        jobs::insert(work.tx, &job)?;
    }
    Ok(Invited { row, token: None })
}

/// The id of the job that mails this invitation: there is one at a time. Its payload is the invitation's id.
fn mail_job(id: InvitationId) -> String {
    format!("{INVITATION_MAIL_JOB} {id}")
}

/// A name as it may stand in a mail.
fn named(name: &str) -> Result<String, Error> {
    if name.trim().contains(char::is_control) {
        return Err(faulty(
            "name",
            "a name has no line breaks and no other control characters",
        ));
    }
    required(name, "name")
}

fn must_have_room(work: &mut Work<'_, '_>) -> Result<(), Error> {
    let open = invitations::list(work.tx, work.team)?.len();
    if open >= MAX_INVITATIONS {
        return Err(full(format!(
            "a team has at most {MAX_INVITATIONS} invitations, expired ones included; withdraw one that is not needed"
        )));
    }
    let invited = i64::try_from(open).unwrap_or(i64::MAX);
    if users::count(work.tx, work.team)? + invited >= MAX_USERS {
        return Err(full(format!(
            "a team has at most {MAX_USERS} users, invited ones included"
        )));
    }
    Ok(())
}

fn full(message: String) -> Error {
    Refused::new(ErrorCode::TeamLimitReached)
        .param("email")
        .because(message)
        .into()
}

fn must_cover(power: &Power, role: Role, what: &str) -> Result<(), Error> {
    if power.role.covers(role) {
        return Ok(());
    }
    let message = format!("a key of {} cannot {what} {role}", power.role);
    Err(Refused::new(ErrorCode::Forbidden)
        .param("role")
        .because(message)
        .into())
}

fn find(work: &mut Work<'_, '_>, id: InvitationId) -> Result<InvitationRow, Error> {
    let missing = || Refused::new(ErrorCode::InvitationNotFound).param("id");
    Ok(invitations::get(work.tx, work.team, id)?.ok_or_else(missing)?)
}

/// Withdraws an invitation: its link opens nothing from now on.
///
/// # Errors
/// `INVITATION_NOT_FOUND`, `FORBIDDEN` for a role above the own one.
pub fn revoke(work: &mut Work<'_, '_>, id: InvitationId, power: &Power, by: &Actor) -> Result<(), Error> {
    let row = find(work, id)?;
    must_cover(power, row.role, "withdraw an invitation as")?;
    invitations::delete(work.tx, work.team, &row)?;
    enter(work, by, "invitation.revoked", &id.to_string(), None)
}

/// Sends an invitation again, with a new link (the earlier ones end when it is made) and a new end. Whoever does so is the
/// one who invites from now on, and gives no more than they have.
///
/// # Errors
/// `INVITATION_NOT_FOUND`, `FORBIDDEN` for a role above the own one, `API_KEY_INSUFFICIENT_SCOPE` for scopes that the
/// own key does not have, `RATE_LIMIT_EXCEEDED` for a mail within [`BETWEEN_MAILS`] of the one before, or for more than `mails`
/// on a day.
pub fn resend(
    work: &mut Work<'_, '_>,
    id: InvitationId,
    (delivery, mails): (InvitationDelivery, MailLimit),
    power: &Power,
    by: &Actor,
) -> Result<Invited, Error> {
    let before = find(work, id)?;
    must_cover(power, before.role, "send an invitation as")?;
    power.must_have(before.scopes)?;
    let again = before.asked_at.plus(BETWEEN_MAILS).since(work.now);
    if delivery == InvitationDelivery::Mail && again > 0 {
        let seconds = u64::try_from(again).unwrap_or_default().div_ceil(1_000);
        return Err(Refused {
            retry_after: Some(seconds),
            ..Refused::new(ErrorCode::RateLimitExceeded)
                .because("a mail with this invitation was asked for just now; wait a minute between two")
        }
        .into());
    }
    if delivery == InvitationDelivery::Mail {
        count_mail(work, mails)?;
    }
    let token = work.ids.token(TOKEN);
    let ends = [before.key_until, power.expires_at];
    let after = InvitationRow {
        // A mail brings its own token; until then the one of a mail that is just being sent stays good.
        hash: match delivery {
            InvitationDelivery::Link => crypto::sha256_hex(token.as_bytes()),
            InvitationDelivery::Mail => before.hash.clone(),
        },
        invited_by: by.user_id(),
        expires_at: work.now.plus(VALID_FOR),
        key_until: ends.into_iter().flatten().min(),
        delivery,
        asked_at: work.now,
        ..before.clone()
    };
    invitations::replace(work.tx, work.team, &before, &after)?;
    let detail = json!({ "delivery": delivery });
    enter_value(work, by, "invitation.sent_again", &id.to_string(), Some(&detail))?;
    hand_over(work, after, token)
}

/// Forgets invitations that expired before `before`. Returns how many there were.
///
/// # Errors
/// The store's failure.
pub(crate) fn prune(work: &mut Work<'_, '_>, before: Millis) -> Result<u64, Error> {
    let mut pruned = 0;
    for row in invitations::list(work.tx, work.team)? {
        if row.expires_at < before {
            invitations::delete(work.tx, work.team, &row)?;
            pruned += 1;
        }
    }
    Ok(pruned)
}

/// Withdraws what a user has invited to and nobody has accepted: whoever had a key of theirs that is revoked now may have
/// made it.
///
/// # Errors
/// The store's failure.
pub(crate) fn revoke_all_of(work: &mut Work<'_, '_>, user: UserId, by: &Actor) -> Result<(), Error> {
    for row in invitations::list(work.tx, work.team)? {
        if row.invited_by == Some(user) {
            invitations::delete(work.tx, work.team, &row)?;
            enter(work, by, "invitation.revoked", &row.id.to_string(), None)?;
        }
    }
    Ok(())
}

/// What is to be mailed for an invitation, with a token that takes the place of the earlier ones. `None` where there is
/// nothing to be mailed any more: it was accepted, withdrawn or handed over as a link, or has expired.
///
/// # Errors
/// The store's failure.
pub fn letter(work: &mut Work<'_, '_>, id: InvitationId) -> Result<Option<Letter>, Error> {
    let Some(before) = invitations::get(work.tx, work.team, id)? else {
        return Ok(None);
    };
    if before.delivery != InvitationDelivery::Mail || !is_open(work, &before)? {
        return Ok(None);
    }
    let from = match before.invited_by {
        Some(user) => users::get(work.tx, work.team, user)?.map(|user| user.name),
        None => None,
    };
    let team = teams::get(work.tx, work.team)?.ok_or(ErrorCode::TeamNotFound)?;
    let token = work.ids.token(TOKEN);
    let after = InvitationRow {
        hash: crypto::sha256_hex(token.as_bytes()),
        ..before.clone()
    };
    invitations::replace(work.tx, work.team, &before, &after)?;
    Ok(Some(Letter {
        email: after.email,
        name: after.name,
        from,
        team: team.name,
        role: after.role,
        token,
        expires_at: after.expires_at,
    }))
}

/// Notes that the mail with an invitation was handed to the mail server.
///
/// # Errors
/// The store's failure.
pub fn mailed(work: &mut Work<'_, '_>, id: InvitationId) -> Result<(), Error> {
    if let Some(before) = invitations::get(work.tx, work.team, id)? {
        let after = InvitationRow {
            mailed_at: Some(work.now),
            ..before.clone()
        };
        invitations::replace(work.tx, work.team, &before, &after)?;
    }
    Ok(())
}

/// Whether an invitation can be accepted: it has not expired, the team is open, and who invited may still do so.
fn is_open(work: &mut Work<'_, '_>, row: &InvitationRow) -> Result<bool, Error> {
    let may = match row.invited_by {
        None => true,
        Some(user) => users::get(work.tx, work.team, user)?.is_some_and(|user| {
            user.status == UserStatus::Active && user.role.covers(Role::Manager) && user.role.covers(row.role)
        }),
    };
    Ok(may && row.expires_at > work.now && teams::is_open(work.tx, work.team)?)
}

/// Accepts the invitation whose token has this hash: makes the user, and a first key of theirs. `name` is what they call
/// themselves; without one they are called as in the invitation.
///
/// # Errors
/// `INVITATION_NOT_FOUND` for any token that opens nothing, whatever the reason; `MISSING_PARAMETER` where nobody said a
/// name, `INVALID_PARAMETER` for an empty one.
pub fn accept(work: &mut Work<'_, '_>, hash: &str, name: Option<&str>) -> Result<Joined, Error> {
    let found = invitations::by_hash(work.tx, work.team, hash)?;
    let row = match found {
        Some(row) if is_open(work, &row)? => row,
        _ => return Err(no_such_token()),
    };
    let name = match name.or(row.name.as_deref()) {
        Some(name) => named(name)?,
        None => {
            return Err(Refused::new(ErrorCode::MissingParameter)
                .param("name")
                .because("the invitation has no name in it; send yours")
                .into());
        }
    };
    invitations::delete(work.tx, work.team, &row)?;
    let team = teams::get(work.tx, work.team)?.ok_or(ErrorCode::TeamNotFound)?;
    let user = add_user(work, name, row.email.clone(), row.role)?;
    let by = Actor::User {
        id: user.id,
        email: user.email.clone(),
        name: user.name.clone(),
    };
    let detail = json!({ "user": user.id, "invited_by": row.invited_by });
    enter_value(
        work,
        &by,
        "invitation.accepted",
        &row.id.to_string(),
        Some(&detail),
    )?;
    let detail = json!({ "role": user.role });
    enter_value(work, &by, "user.created", &user.id.to_string(), Some(&detail))?;
    Ok(Joined {
        key: first_key(work, &row, user.id, team.sandbox, &by)?,
        user,
        team_id: team.id,
        team_name: team.name,
    })
}

/// The answer for a token that opens nothing: the same for each reason.
#[must_use]
pub fn no_such_token() -> Error {
    Refused::new(ErrorCode::InvitationNotFound).param("token").into()
}

/// The first key of who joined; none where the invitation gives no scopes, the key by which it was made has ended, or the
/// team has no room for another one.
fn first_key(
    work: &mut Work<'_, '_>,
    row: &InvitationRow,
    user: UserId,
    sandbox: bool,
    by: &Actor,
) -> Result<Option<NewKey>, Error> {
    let has_ended = row.key_until.is_some_and(|end| end <= work.now);
    if row.scopes.is_empty() || has_ended || !keys::has_room(work)? {
        return Ok(None);
    }
    let key = CreateKey {
        user,
        name: "made by accepting the invitation".to_owned(),
        scopes: row.scopes,
        expires_at: row.key_until,
        sandbox,
    };
    keys::create(work, &key, None, by).map(Some)
}

fn faulty(param: &'static str, message: impl Into<String>) -> Error {
    Refused::new(ErrorCode::InvalidParameter)
        .param(param)
        .because(message)
        .into()
}
