//! Teams, users, lines and API keys.

use trunkline_domain::phone::has_plan;
use trunkline_domain::sms::SenderId;
use trunkline_domain::sms::rules::SenderIdStatus;
use trunkline_domain::{
    ApiKeyId, Capability, ErrorCode, Ids, LineKind, Millis, NumberId, PhoneNumber, Plan, Role, ScopeSet,
    TeamId, UserId, UserStatus,
};
use trunkline_store::numbers::{self, NumberRow};
use trunkline_store::teams::{self, TeamRow};
use trunkline_store::templates;
use trunkline_store::users::{self, UserRow};
use trunkline_store::{StoreError, TeamKey, Tx, directory, invitations};

use crate::audit::{enter, enter_fields};
pub use crate::keys::NewKey;
use crate::keys::{self, CreateKey};
use crate::{Actor, Error, Refused, Work, counting, lines};

/// A team to be made.
#[derive(Clone, Debug)]
pub struct CreateTeam {
    /// Name.
    pub name: String,
    /// What it pays for.
    pub plan: Plan,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Whether the outside world is the sandbox.
    pub sandbox: bool,
}

/// GET requests a key may make in a second, unless the operator says otherwise.
pub const READ_PER_SECOND: i64 = 20;
/// Other requests a key may make in a second, unless the operator says otherwise.
pub const WRITE_PER_SECOND: i64 = 5;

/// What of a team is to change; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct UpdateTeam {
    /// Name.
    pub name: Option<String>,
    /// What it pays for.
    pub plan: Option<Plan>,
    /// GET requests a key may make in a second.
    pub read_per_second: Option<i64>,
    /// Other requests a key may make in a second.
    pub write_per_second: Option<i64>,
    /// Whether tagging with an unknown tag creates the tag.
    pub create_tags: Option<bool>,
    /// Whether it keeps to the French hours for marketing texts.
    pub marketing_hours: Option<bool>,
    /// IANA name of its time zone.
    pub time_zone: Option<String>,
}

/// The name of the carrier that plays the outside world.
pub const SANDBOX: &str = "sandbox";

/// The least time between two changes of a team's time zone by its users, in milliseconds: each counts everything anew.
pub const BETWEEN_ZONES: i64 = Millis::MINUTE;

/// The most requests a second that may be allowed.
const MAX_PER_SECOND: i64 = 1_000_000;

/// Changes settings of the team for the operator, and returns how it is now.
///
/// # Errors
/// `TEAM_NOT_FOUND`, `INVALID_PARAMETER`.
pub fn update_team(work: &mut Work<'_, '_>, changes: &UpdateTeam) -> Result<TeamRow, Error> {
    update_team_by(work, changes, &Actor::System)
}

/// The time zone of this IANA name, in whatever case, by its own name.
fn known_zone(name: &str) -> Result<String, Refused> {
    let found = jiff::tz::TimeZone::get(name).ok();
    let known = found.and_then(|zone| zone.iana_name().map(str::to_owned));
    known.ok_or_else(|| {
        let message = format!("{name:?} is no time zone; use an IANA name such as Europe/Paris");
        Refused::new(ErrorCode::UnknownTimeZone)
            .param("time_zone")
            .because(message)
    })
}

/// Changes settings of the team, and returns how it is now. With another time zone its calls and texts are counted by other
/// days: see [`counting`].
///
/// # Errors
/// `TEAM_NOT_FOUND`, `INVALID_PARAMETER`, `UNKNOWN_TIME_ZONE`; `RATE_LIMIT_EXCEEDED` for a user who changes the time zone within
/// [`BETWEEN_ZONES`] of the last time.
pub fn update_team_by(work: &mut Work<'_, '_>, changes: &UpdateTeam, by: &Actor) -> Result<TeamRow, Error> {
    let before = teams::get(work.tx, work.team)?.ok_or(ErrorCode::TeamNotFound)?;
    let limit = |wanted: Option<i64>, now: i64, param| match wanted {
        Some(limit) if !(1..=MAX_PER_SECOND).contains(&limit) => {
            let message = format!("{param} must be between 1 and {MAX_PER_SECOND}");
            Err(Refused::new(ErrorCode::InvalidParameter)
                .param(param)
                .because(message))
        }
        Some(limit) => Ok(limit),
        None => Ok(now),
    };
    let name = changes
        .name
        .as_deref()
        .map(|name| required(name, "name"))
        .transpose()?;
    let time_zone = match &changes.time_zone {
        Some(name) => known_zone(name)?,
        None => before.time_zone.clone(),
    };
    let after = TeamRow {
        name: name.unwrap_or_else(|| before.name.clone()),
        time_zone,
        plan: changes.plan.unwrap_or(before.plan),
        read_per_second: limit(changes.read_per_second, before.read_per_second, "read_per_second")?,
        write_per_second: limit(
            changes.write_per_second,
            before.write_per_second,
            "write_per_second",
        )?,
        create_tags: changes.create_tags.unwrap_or(before.create_tags),
        marketing_hours: changes.marketing_hours.unwrap_or(before.marketing_hours),
        ..before.clone()
    };
    if after != before {
        let moves = after.time_zone != before.time_zone;
        if moves {
            may_move(work, by)?;
        }
        teams::update(work.tx, &after)?;
        if moves {
            move_to(work, &after.time_zone)?;
        }
        let changed = [
            ("name", after.name != before.name),
            ("plan", after.plan != before.plan),
            ("time_zone", after.time_zone != before.time_zone),
            ("read_per_second", after.read_per_second != before.read_per_second),
            (
                "write_per_second",
                after.write_per_second != before.write_per_second,
            ),
            ("create_tags", after.create_tags != before.create_tags),
            ("marketing_hours", after.marketing_hours != before.marketing_hours),
        ];
        let changed = changed.into_iter().filter(|(_, changed)| *changed);
        let fields: Vec<&str> = changed.map(|(name, _)| name).collect();
        enter_fields(work, by, "team.updated", &after.id.to_string(), &fields)?;
    }
    Ok(after)
}

/// Whether the time zone may be changed so soon. The operator is not kept waiting.
fn may_move(work: &mut Work<'_, '_>, by: &Actor) -> Result<(), Error> {
    let last = teams::zone_changed_at(work.tx, work.team)?;
    let wait = last.map_or(0, |last| last.plus(BETWEEN_ZONES).since(work.now));
    if wait > 0 && *by != Actor::System {
        let seconds = u64::try_from(wait).unwrap_or_default().div_ceil(1_000);
        return Err(Refused {
            retry_after: Some(seconds),
            ..Refused::new(ErrorCode::RateLimitExceeded)
                .param("time_zone")
                .because("the team's time zone was changed just now; wait a minute between two changes")
        }
        .into());
    }
    Ok(())
}

/// Goes by another time zone from now on.
fn move_to(work: &mut Work<'_, '_>, zone: &str) -> Result<(), Error> {
    teams::set_zone_changed_at(work.tx, work.team, work.now)?;
    lines::carry_all_texts_over(work, zone)?;
    counting::begin(work, zone)
}

/// Makes a team. Runs outside of any team's lock: nobody knows the team yet.
///
/// # Errors
/// `UNKNOWN_TIME_ZONE`, `INVALID_PARAMETER`.
pub fn create_team(
    tx: &mut Tx<'_>,
    ids: &dyn Ids,
    now: Millis,
    team: &CreateTeam,
) -> Result<(TeamKey, TeamId), Error> {
    let time_zone = known_zone(&team.time_zone)?;
    if !has_plan(&team.country) {
        let message = format!(
            "{:?} is no country; use two capital letters such as US",
            team.country
        );
        return Err(Refused::new(ErrorCode::InvalidParameter)
            .param("country")
            .because(message)
            .into());
    }
    let id = TeamId::new(ids, now);
    let row = TeamRow {
        key: TeamKey(0),
        id,
        name: required(&team.name, "name")?,
        plan: team.plan,
        time_zone,
        country: team.country.clone(),
        sandbox: team.sandbox,
        read_per_second: READ_PER_SECOND,
        write_per_second: WRITE_PER_SECOND,
        create_tags: true,
        created_at: now,
        marketing_hours: false,
    };
    Ok((teams::insert(tx, &row)?, id))
}

/// Checks that a time zone has this name.
///
/// # Errors
/// `UNKNOWN_TIME_ZONE`.
pub(crate) fn time_zone(name: &str) -> Result<(), Error> {
    Ok(known_zone(name).map(drop)?)
}

pub(crate) fn required(text: &str, param: &'static str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 200 {
        let message = format!("{param} must have 1 to 200 characters");
        return Err(Refused::new(ErrorCode::InvalidParameter)
            .param(param)
            .because(message)
            .into());
    }
    Ok(text.to_owned())
}

/// Makes a user.
///
/// # Errors
/// `INVALID_PARAMETER` for an empty name, no e-mail address, or one that the team has.
pub fn create_user(work: &mut Work<'_, '_>, name: &str, email: &str, role: Role) -> Result<UserId, Error> {
    let (name, email) = (required(name, "name")?, required(email, "email")?.to_lowercase());
    let refuse = |message: String| {
        Refused::new(ErrorCode::InvalidParameter)
            .param("email")
            .because(message)
    };
    if !email.contains('@') {
        return Err(refuse(format!("{email:?} is no e-mail address")).into());
    }
    if users::by_email(work.tx, work.team, &email)?.is_some() {
        return Err(refuse(format!("the team has a user with the address {email} already")).into());
    }
    // Whoever was invited is on the team now, and nobody else gets in by that.
    if let Some(open) = invitations::by_email(work.tx, work.team, &email)? {
        invitations::delete(work.tx, work.team, &open)?;
    }
    let user = add_user(work, name, email, role)?;
    note(work, "user.created", &user.id.to_string(), None)?;
    Ok(user.id)
}

/// Stores a user who is new to the team.
pub(crate) fn add_user(
    work: &mut Work<'_, '_>,
    name: String,
    email: String,
    role: Role,
) -> Result<UserRow, Error> {
    let user = UserRow {
        id: work.new_id(work.now),
        name,
        email,
        role,
        status: UserStatus::Active,
        image_url: None,
        created_at: work.now,
        blocked_at: None,
    };
    users::insert(work.tx, work.team, &user)?;
    Ok(user)
}

/// A line to be added.
#[derive(Clone, Debug)]
pub struct AddNumber {
    /// The number, or a sender id.
    pub address: Address,
    /// What people call it.
    pub name: Option<String>,
    /// What it can do.
    pub capabilities: Vec<Capability>,
    /// The carrier.
    pub carrier: String,
    /// What the carrier needs for it, sealed.
    pub carrier_settings: Option<String>,
    /// Who works with it, the main one first.
    pub members: Vec<UserId>,
}

/// What the outside reaches a line by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A phone number.
    Number(PhoneNumber),
    /// A sender id, and its country.
    SenderId(String, String),
}

/// Adds a line to the team. `id` is the line's public id, so that its settings could be sealed for it. A number or sender
/// id that the team had before comes back as the line it was, with its history.
///
/// # Errors
/// `NUMBER_ALREADY_ASSIGNED` when a team has the number, `SENDER_ID_ALREADY_EXISTS`, `MEMBER_NOT_FOUND`,
/// `INVALID_SENDER_ID`.
pub fn add_number(work: &mut Work<'_, '_>, id: NumberId, number: &AddNumber) -> Result<i64, Error> {
    add_line(work, id, number, Claimed::No)
}

/// Whether the directory leads from a number to the team already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claimed {
    /// It does.
    Yes,
    /// It is yet to be entered.
    No,
}

/// As [`add_number`], also for a number that was claimed before.
pub(crate) fn add_line(
    work: &mut Work<'_, '_>,
    id: NumberId,
    number: &AddNumber,
    claimed: Claimed,
) -> Result<i64, Error> {
    add_line_by(work, id, number, claimed, &Actor::System)
}

/// As [`add_line`], for whoever does it.
pub(crate) fn add_line_by(
    work: &mut Work<'_, '_>,
    id: NumberId,
    number: &AddNumber,
    claimed: Claimed,
    by: &Actor,
) -> Result<i64, Error> {
    for member in &number.members {
        if users::get(work.tx, work.team, *member)?.is_none() {
            return Err(Refused::new(ErrorCode::MemberNotFound).param("user_ids").into());
        }
    }
    let (known, kind, phone, sender_id, country) = match &number.address {
        Address::Number(phone) => {
            if claimed == Claimed::No {
                claim(work, *phone)?;
            }
            let known = numbers::ever_of_number(work.tx, work.team, *phone)?;
            (known, LineKind::Number, Some(*phone), None, phone.country())
        }
        Address::SenderId(name, country) => {
            let sender = SenderId::parse(name).map_err(|error| {
                let refused = Refused::new(ErrorCode::InvalidSenderId).param("sender_id");
                refused.because(error.to_string())
            })?;
            let known = numbers::ever_of_sender(work.tx, work.team, sender)?;
            if known.as_ref().is_some_and(|line| line.removed_at.is_none()) {
                return Err(Refused::new(ErrorCode::SenderIdAlreadyExists)
                    .param("sender_id")
                    .into());
            }
            (
                known,
                LineKind::SenderId,
                None,
                Some(name.clone()),
                Some(country.clone()),
            )
        }
    };
    let is_played = number.carrier == SANDBOX;
    let row = NumberRow {
        line: known
            .as_ref()
            .map_or_else(|| work.next_line(), |known| known.line),
        id,
        kind,
        number: phone,
        sender_id,
        name: number.name.clone(),
        country,
        capabilities: number.capabilities.clone(),
        offered: None,
        carrier: number.carrier.clone(),
        carrier_settings: number.carrier_settings.clone(),
        created_at: known.as_ref().map_or(work.now, |known| known.created_at),
        // Nothing leaves the sandbox, so nobody asks for a registration there.
        a2p_registered: kind == LineKind::Number && is_played,
        sender_id_status: (kind == LineKind::SenderId).then_some(if is_played {
            SenderIdStatus::Active
        } else {
            SenderIdStatus::Pending
        }),
        text_interval_us: None,
        texts_per_day: None,
        time_zone: None,
        summary_template: None,
        removed_at: None,
    };
    if let Some(known) = &known {
        numbers::update(work.tx, work.team, &row)?;
        lines::carry_texts_over(work, known, &row)?;
        templates::set_default(work.tx, work.team, row.line, None)?;
        numbers::set_members(work.tx, work.team, row.line, &number.members)?;
    } else {
        numbers::insert(work.tx, work.team, &row, &number.members)?;
    }
    enter(work, by, "number.added", &id.to_string(), Some(row.label()))?;
    Ok(row.line)
}

/// Enters that a number leads to the team.
fn claim(work: &mut Work<'_, '_>, phone: PhoneNumber) -> Result<(), Error> {
    let entered = directory::put(work.tx, &directory::Entry::Number(phone), work.team);
    entered.map_err(|error| match error {
        StoreError::Duplicate { .. } => {
            let message = format!("{phone} is a line already, of this team or another of this server");
            let refused = Refused::new(ErrorCode::NumberAlreadyAssigned).param("number");
            refused.because(message).into()
        }
        other => Error::Store(other),
    })
}

/// Makes an API key of a user for the operator. `sandbox` tells whether the team's outside world is the sandbox: the key
/// says so.
///
/// # Errors
/// `MEMBER_NOT_FOUND`, `INVALID_PARAMETER` for an empty name or no scopes.
pub fn create_key(
    work: &mut Work<'_, '_>,
    user: UserId,
    name: &str,
    scopes: ScopeSet,
    sandbox: bool,
) -> Result<NewKey, Error> {
    let key = CreateKey {
        user,
        name: name.to_owned(),
        scopes,
        expires_at: None,
        sandbox,
    };
    keys::create(work, &key, None, &Actor::System)
}

/// Revokes a key for the operator; tells whether it was valid until now.
///
/// # Errors
/// The store's failure.
pub fn revoke_key(work: &mut Work<'_, '_>, key: ApiKeyId) -> Result<bool, Error> {
    match keys::revoke(work, key, None, &Actor::System) {
        Err(Error::Refused(refused)) if refused.code == ErrorCode::ApiKeyNotFound => Ok(false),
        outcome => outcome,
    }
}

pub(crate) fn note(
    work: &mut Work<'_, '_>,
    action: &str,
    subject: &str,
    detail: Option<String>,
) -> Result<(), Error> {
    enter(work, &Actor::System, action, subject, detail)
}
