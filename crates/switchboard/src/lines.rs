//! Lines: what the operator and the carrier say of them, what the team itself decides, and sender ids.
//!
//! Whether a number is registered for texts of applications, and whether a sender id may be used, is the carrier's word:
//! the operator enters it. In the sandbox there is no carrier, so there the team plays it. What a line can do is the
//! carrier's word too; the team may switch parts of it off.

use jiff::tz::TimeZone;
use trunkline_domain::phone::has_plan;
use trunkline_domain::sms::SenderId;
use trunkline_domain::sms::rules::SenderIdStatus;
use trunkline_domain::{Capability, ErrorCode, LineKind, NumberId, TemplateId, UserId};
use trunkline_store::numbers::{self, NumberRow};
use trunkline_store::{directory, teams, text_counts, users};

use crate::accounts::{self, AddNumber, Address, SANDBOX, note, required};
use crate::audit::{enter, enter_fields};
use crate::{Actor, Error, Refused, Work, templates};

/// The name that stands for a carrier where none was chosen yet.
pub const NO_CARRIER: &str = "none";

/// The most sender ids a team may have.
pub const MAX_SENDER_IDS: i64 = 50;

/// The most sender ids a team may ever have had: their history stays.
const MAX_SENDER_IDS_EVER: i64 = 1_000;

/// What of a line is to change for the operator; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct UpdateNumber {
    /// Whether it is registered for texts of applications.
    pub a2p_registered: Option<bool>,
    /// Whether the sender id may be used.
    pub sender_id_status: Option<SenderIdStatus>,
    /// Texts it may send in a second; 0: as the operator has it for all lines.
    pub texts_per_second: Option<f64>,
    /// Texts it may send on a day; 0: as the operator has it for all lines.
    pub texts_per_day: Option<i64>,
    /// What its carrier lets it do; the line can do all of it.
    pub capabilities: Option<Vec<Capability>>,
    /// The carrier, and what it needs for the line, sealed.
    pub carrier: Option<(String, Option<String>)>,
}

/// The most texts a second that a line may be allowed: a microsecond each.
const MAX_TEXTS_PER_SECOND: f64 = 1_000_000.0;

/// The fewest: one in ten days.
const MIN_TEXTS_PER_SECOND: f64 = 0.000_001;

/// Changes for the operator what a line can do and send, and returns how it is now.
///
/// # Errors
/// `PHONE_NUMBER_NOT_FOUND`, `INVALID_PARAMETER`.
pub fn update(work: &mut Work<'_, '_>, line: i64, changes: &UpdateNumber) -> Result<NumberRow, Error> {
    let before = numbers::by_line(work.tx, work.team, line)?.ok_or(ErrorCode::PhoneNumberNotFound)?;
    if before.removed_at.is_some() {
        return Err(ErrorCode::PhoneNumberNotFound.into());
    }
    let mut after = before.clone();
    if changes
        .carrier
        .as_ref()
        .is_some_and(|(carrier, _)| *carrier != before.carrier)
    {
        // What one carrier has registered, or was played in the sandbox, is not the other's word.
        after.a2p_registered = false;
        after.sender_id_status = before.sender_id_status.map(|_| SenderIdStatus::Pending);
    }
    match (before.kind, changes.a2p_registered, changes.sender_id_status) {
        (LineKind::SenderId, Some(_), _) => {
            let message = "a sender id is not registered for A2P; it has a status";
            return Err(refused("a2p_registered", message));
        }
        (LineKind::Number, _, Some(_)) => {
            let message = "a phone number has no status; that is for sender ids";
            return Err(refused("sender_id_status", message));
        }
        (_, registered, status) => {
            after.a2p_registered = registered.unwrap_or(after.a2p_registered);
            after.sender_id_status = status.or(after.sender_id_status);
        }
    }
    match changes.texts_per_second {
        None => {}
        Some(0.0) => after.text_interval_us = None,
        Some(rate) if (MIN_TEXTS_PER_SECOND..=MAX_TEXTS_PER_SECOND).contains(&rate) => {
            after.text_interval_us = Some(interval_us(rate));
        }
        Some(_) => {
            let message =
                "texts_per_second must be a number up to 1,000,000, or 0 for the server's own limit";
            return Err(refused("texts_per_second", message));
        }
    }
    match changes.texts_per_day {
        None => {}
        Some(limit @ 0..) => after.texts_per_day = (limit > 0).then_some(limit),
        Some(_) => {
            let message = "texts_per_day must be a whole number, or 0 for the server's own limit";
            return Err(refused("texts_per_day", message));
        }
    }
    if let Some(capabilities) = &changes.capabilities {
        if before.kind == LineKind::SenderId && capabilities.contains(&Capability::Voice) {
            return Err(refused(
                "capabilities",
                "nobody can call a sender id: leave VOICE out",
            ));
        }
        after.capabilities = tidy(capabilities);
        after.offered = None;
    }
    if let Some((carrier, settings)) = &changes.carrier {
        after.carrier.clone_from(carrier);
        after.carrier_settings.clone_from(settings);
    }
    if after.sender_id_status == Some(SenderIdStatus::Active) && after.carrier == NO_CARRIER {
        let message = "the sender id has no carrier yet; name the one that has registered it";
        return Err(refused("carrier", message));
    }
    if after != before {
        numbers::update(work.tx, work.team, &after)?;
        let detail = format!("{} -> {}", settings(&before), settings(&after));
        note(work, "number.updated", &after.id.to_string(), Some(detail))?;
    }
    Ok(after)
}

/// The time between two texts at `rate` texts a second, in microseconds, rounded up; 0 for no limit.
#[must_use]
pub fn interval_us(rate: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it saturates: a rate close to nothing is an endless time"
    )]
    let interval = (1_000_000.0 / rate).ceil() as i64;
    if rate > 0.0 { interval } else { 0 }
}

/// What a team changes about a line of its own; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ChangeLine {
    /// What people call it; `Some(None)`: nothing.
    pub name: Option<Option<String>>,
    /// Who works with it, the main one first.
    pub members: Option<Vec<UserId>>,
    /// What it is to do of what its carrier offers.
    pub capabilities: Option<Vec<Capability>>,
    /// IANA name of the time zone in which its texts of a day are counted; `Some(None)`: the team's.
    pub time_zone: Option<Option<String>>,
    /// By which template its calls are summed up; `Some(None)`: by the usual one.
    pub template: Option<Option<TemplateId>>,
    /// Whether it is registered for texts of applications; in the sandbox only.
    pub a2p_registered: Option<bool>,
    /// Whether the sender id may be used.
    pub status: Option<SenderIdStatus>,
}

/// Changes a line for its team, and returns how it is now.
///
/// # Errors
/// `MEMBER_NOT_FOUND`, `UNKNOWN_TIME_ZONE`, `SUMMARY_TEMPLATE_NOT_FOUND`, `FORBIDDEN` for what is the carrier's word,
/// `INVALID_PARAMETER` for an empty name and for what the carrier does not offer.
pub fn change(
    work: &mut Work<'_, '_>,
    before: &NumberRow,
    changes: &ChangeLine,
    by: &Actor,
) -> Result<NumberRow, Error> {
    let mut after = before.clone();
    if let Some(name) = &changes.name {
        after.name = name.as_deref().map(|name| required(name, "name")).transpose()?;
    }
    if let Some(zone) = &changes.time_zone {
        zone.as_deref().map(accounts::time_zone).transpose()?;
        after.time_zone.clone_from(zone);
    }
    if let Some(wanted) = &changes.capabilities {
        switch(&mut after, wanted)?;
    }
    carriers_word(before, changes)?;
    after.a2p_registered = changes.a2p_registered.unwrap_or(before.a2p_registered);
    after.sender_id_status = changes.status.or(before.sender_id_status);
    let mut changed = Vec::new();
    if let Some(wanted) = &changes.members
        && set_members(work, before.line, wanted)?
    {
        changed.push("user_ids");
    }
    if let Some(template) = changes.template
        && templates::choose(work, before, template)?
    {
        changed.push("default_summary_template_id");
        after.summary_template = template;
    }
    if after != *before {
        numbers::update(work.tx, work.team, &after)?;
        carry_texts_over(work, before, &after)?;
    }
    let others = [
        ("name", after.name != before.name),
        ("capabilities", after.capabilities != before.capabilities),
        ("time_zone", after.time_zone != before.time_zone),
        ("a2p_registered", after.a2p_registered != before.a2p_registered),
        ("status", after.sender_id_status != before.sender_id_status),
    ];
    changed.extend(
        others
            .iter()
            .filter(|(_, changed)| *changed)
            .map(|(name, _)| *name),
    );
    if !changed.is_empty() {
        enter_fields(work, by, "number.updated", &after.id.to_string(), &changed)?;
    }
    Ok(after)
}

/// Switches on what is wanted of what the carrier offers, and the rest off.
fn switch(line: &mut NumberRow, wanted: &[Capability]) -> Result<(), Error> {
    let (offered, wanted) = (line.offered().to_vec(), tidy(wanted));
    if let Some(missing) = wanted.iter().find(|wanted| !offered.contains(wanted)) {
        let names: Vec<&str> = offered.iter().map(|capability| capability.as_str()).collect();
        let message = format!(
            "{missing} is not among what the line's carrier offers ({}); the operator can have it added",
            names.join(", ")
        );
        return Err(refused("capabilities", &message));
    }
    line.offered = (wanted != tidy(&offered)).then_some(offered);
    line.capabilities = wanted;
    Ok(())
}

/// Whether the team may say itself what it says of registrations.
fn carriers_word(line: &NumberRow, changes: &ChangeLine) -> Result<(), Error> {
    if line.carrier == SANDBOX {
        return Ok(());
    }
    let forbidden = |param: &'static str, message: String| {
        let refused = Refused::new(ErrorCode::Forbidden).param(param);
        Err(refused.because(message).into())
    };
    if changes
        .a2p_registered
        .is_some_and(|wanted| wanted != line.a2p_registered)
    {
        let message = "whether a number is registered for texts of applications is the carrier's word; the \
                       operator enters it with `trunkline numbers update --a2p`";
        return forbidden("a2p_registered", message.to_owned());
    }
    if let (Some(now), Some(wanted)) = (line.sender_id_status, changes.status)
        && !now.team_may_set(wanted)
    {
        let message = format!(
            "a team cannot make a sender id that is {now} {wanted}: that is the carrier's word, which the operator \
             enters with `trunkline numbers update --status`"
        );
        return forbidden("status", message);
    }
    Ok(())
}

/// Replaces who works with a line; tells whether that changes anything.
fn set_members(work: &mut Work<'_, '_>, line: i64, wanted: &[UserId]) -> Result<bool, Error> {
    let mut members: Vec<UserId> = Vec::with_capacity(wanted.len());
    for user in wanted {
        if users::get(work.tx, work.team, *user)?.is_none() {
            return Err(Refused::new(ErrorCode::MemberNotFound).param("user_ids").into());
        }
        if !members.contains(user) {
            members.push(*user);
        }
    }
    let now = numbers::members_of(work.tx, work.team, line)?;
    if now
        .iter()
        .map(|member| member.user_id)
        .eq(members.iter().copied())
    {
        return Ok(false);
    }
    numbers::set_members(work.tx, work.team, line, &members)?;
    Ok(true)
}

/// A sender id that a team asks for.
#[derive(Clone, Debug)]
pub struct CreateSenderId {
    /// The name that is shown in place of a number.
    pub sender_id: SenderId,
    /// What people call it.
    pub name: Option<String>,
    /// ISO 3166-1 alpha-2; `None`: the team's country.
    pub country: Option<String>,
    /// Who works with it, the main one first.
    pub members: Vec<UserId>,
}

/// Makes a sender id for its team. In the sandbox it can be used at once; elsewhere it waits for the operator, who has a
/// carrier register it.
///
/// # Errors
/// `SENDER_ID_ALREADY_EXISTS`, `MEMBER_NOT_FOUND`, `INVALID_PARAMETER` for an empty name or an unknown country,
/// `TEAM_LIMIT_REACHED` for too many.
pub fn create_sender_id(
    work: &mut Work<'_, '_>,
    wanted: &CreateSenderId,
    by: &Actor,
) -> Result<NumberRow, Error> {
    let name = wanted
        .name
        .as_deref()
        .map(|name| required(name, "name"))
        .transpose()?;
    let country = wanted.country.clone().unwrap_or_else(|| work.country.clone());
    if !has_plan(&country) {
        let message = format!("{country:?} is no country; use two capital letters such as FR");
        return Err(refused("country", &message));
    }
    let (ever, now) = numbers::count_sender_ids(work.tx, work.team)?;
    let comes_back = numbers::ever_of_sender(work.tx, work.team, wanted.sender_id)?.is_some();
    if now >= MAX_SENDER_IDS || (ever >= MAX_SENDER_IDS_EVER && !comes_back) {
        let message = format!(
            "a team has at most {MAX_SENDER_IDS} sender ids, and {MAX_SENDER_IDS_EVER} with those that were deleted"
        );
        return Err(Refused::new(ErrorCode::TeamLimitReached)
            .param("sender_id")
            .because(message)
            .into());
    }
    let mut members: Vec<UserId> = Vec::with_capacity(wanted.members.len());
    for user in &wanted.members {
        if !members.contains(user) {
            members.push(*user);
        }
    }
    let team = teams::get(work.tx, work.team)?.ok_or(ErrorCode::TeamNotFound)?;
    let line = AddNumber {
        address: Address::SenderId(wanted.sender_id.as_str().to_owned(), country),
        name,
        capabilities: vec![Capability::Sms],
        carrier: if team.sandbox { SANDBOX } else { NO_CARRIER }.to_owned(),
        carrier_settings: None,
        members,
    };
    let id: NumberId = work.new_id(work.now);
    let line = accounts::add_line_by(work, id, &line, accounts::Claimed::No, by)?;
    Ok(numbers::by_line(work.tx, work.team, line)?.ok_or(ErrorCode::SenderIdNotFound)?)
}

/// Takes a line out of service: nothing comes in or goes out by it any more, but what was accepted before. Its history
/// stays, and can be read by its number; added again, it is the same line.
///
/// # Errors
/// `PHONE_NUMBER_NOT_FOUND` where it is out of service already.
pub fn remove(work: &mut Work<'_, '_>, line: i64, by: &Actor) -> Result<(), Error> {
    let line = numbers::by_line(work.tx, work.team, line)?
        .filter(|line| line.removed_at.is_none())
        .ok_or(ErrorCode::PhoneNumberNotFound)?;
    let gone = NumberRow {
        removed_at: Some(work.now),
        ..line.clone()
    };
    numbers::update(work.tx, work.team, &gone)?;
    numbers::set_members(work.tx, work.team, line.line, &[])?;
    if let Some(number) = line.number {
        // A number of a closed account may be another's by now, and stays that.
        directory::release(work.tx, number, work.team, work.now)?;
    }
    enter(
        work,
        by,
        "number.removed",
        &line.id.to_string(),
        Some(line.label()),
    )
}

/// The time zone in which the texts of a line are counted by days: its own, or else the team's.
pub(crate) fn zone_of(work: &Work<'_, '_>, line: &NumberRow) -> TimeZone {
    let own = line
        .time_zone
        .as_deref()
        .and_then(|name| TimeZone::get(name).ok());
    own.unwrap_or_else(|| work.zone().clone())
}

/// Where the date of a line is another by another time zone, what it has sent on the date that it was counts on the new one
/// too: nobody gets a day's limit anew by moving.
///
/// # Errors
/// The store's failure.
pub(crate) fn carry_texts_over(
    work: &mut Work<'_, '_>,
    before: &NumberRow,
    after: &NumberRow,
) -> Result<(), Error> {
    let day = |line| i64::from(work.now.day_in(&zone_of(work, line)));
    let (from, to) = (day(before), day(after));
    if from != to {
        text_counts::raise_of_lines(work.tx, work.team, &[after.line], from, to)?;
    }
    Ok(())
}

/// The same for another time zone of the team, for its own limits and those of the lines that go by it.
///
/// # Errors
/// The store's failure.
pub(crate) fn carry_all_texts_over(work: &mut Work<'_, '_>, zone: &str) -> Result<(), Error> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let (from, to) = (work.day(work.now), i64::from(work.now.day_in(&zone)));
    if from == to {
        return Ok(());
    }
    let all = numbers::all(work.tx, work.team)?;
    let by_it = all.iter().filter(|line| line.time_zone.is_none());
    let lines: Vec<i64> = by_it.map(|line| line.line).collect();
    text_counts::raise(work.tx, work.team, from, to)?;
    Ok(text_counts::raise_of_lines(work.tx, work.team, &lines, from, to)?)
}

/// Each capability once, in the order in which they are told.
fn tidy(capabilities: &[Capability]) -> Vec<Capability> {
    let order = [Capability::Voice, Capability::Sms, Capability::Mms];
    order
        .into_iter()
        .filter(|known| capabilities.contains(known))
        .collect()
}

fn refused(param: &'static str, message: &str) -> Error {
    Refused::new(ErrorCode::InvalidParameter)
        .param(param)
        .because(message)
        .into()
}

/// What may be sent from a line, for the audit log.
fn settings(line: &NumberRow) -> String {
    let standing = match line.sender_id_status {
        Some(status) => status.as_str(),
        None if line.a2p_registered => "registered for A2P",
        None => "not registered for A2P",
    };
    let limit = |limit: Option<i64>| limit.map_or_else(|| "the server's".to_owned(), |n| n.to_string());
    let can: Vec<&str> = line.capabilities.iter().map(|what| what.as_str()).collect();
    format!(
        "carrier {}, {}, {standing}, microseconds between texts: {}, texts a day: {}",
        line.carrier,
        can.join(" "),
        limit(line.text_interval_us),
        limit(line.texts_per_day)
    )
}
