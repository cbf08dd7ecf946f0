//! People: the contacts of a team, as the CRM has them.

use serde_json::json;
use trunkline_domain::events::Topic;
use trunkline_domain::{CompanyId, ContactId, ErrorCode, PhoneNumber};
use trunkline_store::contacts::{self, ContactRow, Properties};
use trunkline_store::people::{self, PersonDetail};
use trunkline_store::{companies, merges};

use crate::audit::enter;
use crate::{Actor, Error, Refused, Work, properties};

/// The most numbers, and the most e-mail addresses, a contact may have.
pub const MAX_PER_CONTACT: usize = 20;

/// Whether two people may have the same number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// They may.
    #[default]
    Allowed,
    /// A number that somebody else has is refused.
    Refused,
}

/// A contact to be made.
#[derive(Clone, Debug, Default)]
pub struct CreateContact {
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Website.
    pub website: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Company.
    pub company: Option<CompanyId>,
    /// Numbers in any formatting, read with the team's country; the main one first.
    pub numbers: Vec<String>,
    /// E-mail addresses, the main one first.
    pub emails: Vec<String>,
    /// Custom properties by key.
    pub properties: Properties,
    /// Whether somebody else may have one of the numbers.
    pub duplicates: Duplicates,
}

/// What to change about a contact: `None` leaves it as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
pub struct PatchContact {
    /// First name.
    pub first_name: Option<Option<String>>,
    /// Last name.
    pub last_name: Option<Option<String>>,
    /// Job title.
    pub job_title: Option<Option<String>>,
    /// Website.
    pub website: Option<Option<String>>,
    /// Postal address.
    pub address: Option<Option<String>>,
    /// Company.
    pub company: Option<Option<CompanyId>>,
    /// All numbers from now on.
    pub numbers: Option<Vec<String>>,
    /// All e-mail addresses from now on.
    pub emails: Option<Vec<String>>,
    /// Custom properties by key; null takes the value away.
    pub properties: Properties,
    /// Whether it is archived.
    pub archived: Option<bool>,
    /// Whether somebody else may have one of the numbers.
    pub duplicates: Duplicates,
}

/// Makes a contact and tells of it. Calls and texts that its numbers have had already are its own.
///
/// # Errors
/// `INVALID_PHONE_FORMAT` for a number that no numbering plan knows, `COMPANY_NOT_FOUND`, `INVALID_PARAMETER` for a
/// property that is not defined or of another type, `NUMBER_ALREADY_ASSIGNED`.
pub fn create_contact(work: &mut Work<'_, '_>, contact: &CreateContact) -> Result<ContactId, Error> {
    let numbers = numbers(work, &contact.numbers)?;
    if contact.duplicates == Duplicates::Refused {
        must_be_free(work, &numbers, None)?;
    }
    let (interactions, last_at) = activity(work, &numbers)?;
    let row = ContactRow {
        id: work.new_id(work.now),
        first_name: tidy(contact.first_name.as_deref()),
        last_name: tidy(contact.last_name.as_deref()),
        job_title: tidy(contact.job_title.as_deref()),
        website: tidy(contact.website.as_deref()),
        address: tidy(contact.address.as_deref()),
        company_id: known_company(work, contact.company)?,
        properties: properties::applied(work, &Properties::new(), &contact.properties)?,
        numbers,
        emails: emails(&contact.emails)?,
        interactions,
        last_at,
        archived_at: None,
        created_at: work.now,
        updated_at: work.now,
    };
    contacts::insert(work.tx, work.team, &row)?;
    tell(work, Topic::ContactCreated, &row)?;
    Ok(row.id)
}

fn tell(work: &mut Work<'_, '_>, topic: Topic, row: &ContactRow) -> Result<(), Error> {
    let state = contacts::state(work.tx, work.team, row)?;
    Ok(work.emit(topic, work.now, None, &state)?)
}

fn activity(
    work: &mut Work<'_, '_>,
    numbers: &[PhoneNumber],
) -> Result<(i64, Option<trunkline_domain::Millis>), Error> {
    if numbers.is_empty() {
        return Ok((0, None));
    }
    Ok(contacts::activity(work.tx, work.team, numbers)?)
}

/// The contact with this id, archived or not; or the one that it was merged into.
///
/// # Errors
/// `PERSON_NOT_FOUND`.
pub fn find(work: &mut Work<'_, '_>, id: ContactId) -> Result<ContactRow, Error> {
    let mut found = contacts::get(work.tx, work.team, id)?;
    if found.is_none()
        && let Some(into) = merges::into(work.tx, work.team, id)?
    {
        found = contacts::get(work.tx, work.team, into)?;
    }
    Ok(found.ok_or_else(|| Refused::new(ErrorCode::PersonNotFound))?)
}

/// The person with this id, with the name of its company.
///
/// # Errors
/// `PERSON_NOT_FOUND`.
pub fn detail(work: &mut Work<'_, '_>, id: ContactId) -> Result<PersonDetail, Error> {
    let found = people::many(work.tx, work.team, &[id])?.pop();
    Ok(found.ok_or_else(|| Refused::new(ErrorCode::PersonNotFound))?)
}

/// Changes a contact, and tells of it if anything did change. Returns its id, which is another one if it was merged.
///
/// # Errors
/// `PERSON_NOT_FOUND`, and those of [`create_contact`].
pub fn update_contact(
    work: &mut Work<'_, '_>,
    id: ContactId,
    patch: &PatchContact,
) -> Result<ContactId, Error> {
    update_contact_by(work, id, patch, &Actor::System)
}

/// As [`update_contact`], by somebody: that a contact was archived or brought back is entered in the audit log.
///
/// # Errors
/// As [`update_contact`].
pub fn update_contact_by(
    work: &mut Work<'_, '_>,
    id: ContactId,
    patch: &PatchContact,
    by: &Actor,
) -> Result<ContactId, Error> {
    let before = find(work, id)?;
    let id = before.id;
    let mut after = before.clone();
    for (field, wanted) in [
        (&mut after.first_name, &patch.first_name),
        (&mut after.last_name, &patch.last_name),
        (&mut after.job_title, &patch.job_title),
        (&mut after.website, &patch.website),
        (&mut after.address, &patch.address),
    ] {
        if let Some(wanted) = wanted {
            *field = tidy(wanted.as_deref());
        }
    }
    if let Some(company) = patch.company {
        after.company_id = known_company(work, company)?;
    }
    if let Some(wanted) = &patch.emails {
        after.emails = emails(wanted)?;
    }
    after.properties = properties::applied(work, &before.properties, &patch.properties)?;
    if let Some(wanted) = &patch.numbers {
        after.numbers = numbers(work, wanted)?;
    }
    if let Some(archived) = patch.archived {
        after.archived_at = archived.then(|| before.archived_at.unwrap_or(work.now));
    }
    if patch.duplicates == Duplicates::Refused && after.archived_at.is_none() {
        let back = before.archived_at.is_some();
        let added: Vec<PhoneNumber> = after
            .numbers
            .iter()
            .filter(|number| back || !before.numbers.contains(number))
            .copied()
            .collect();
        must_be_free(work, &added, Some(id))?;
    }
    let archived = (before.archived_at.is_some(), after.archived_at.is_some());
    write(work, &before, after)?;
    match archived {
        (false, true) => enter(work, by, "person.archived", &id.to_string(), None)?,
        (true, false) => enter(work, by, "person.restored", &id.to_string(), None)?,
        _ => {}
    }
    Ok(id)
}

/// Stores what has changed and tells of it.
fn write(work: &mut Work<'_, '_>, before: &ContactRow, mut after: ContactRow) -> Result<(), Error> {
    if after == *before {
        return Ok(());
    }
    (after.interactions, after.last_at) = activity(work, &after.numbers)?;
    after.updated_at = work.now;
    contacts::update(work.tx, work.team, before, &after)?;
    tell(work, Topic::ContactUpdated, &after)
}

/// Archives a contact: it is in no list and no conversation any more, and its numbers are free for others. Doing it
/// again changes nothing.
///
/// # Errors
/// `PERSON_NOT_FOUND`.
pub fn archive_contact(work: &mut Work<'_, '_>, id: ContactId, by: &Actor) -> Result<(), Error> {
    let patch = PatchContact {
        archived: Some(true),
        ..PatchContact::default()
    };
    update_contact_by(work, id, &patch, by).map(drop)
}

/// Makes one person of two: `other` becomes part of `id`. The person keeps its own fields and takes those it does not have,
/// with all numbers, e-mail addresses, deals and notes of both; so calls and texts of both are its own. The id of `other`
/// leads to it from now on.
///
/// # Errors
/// `PERSON_NOT_FOUND` (of `person_id` for the other), `INVALID_PARAMETER` for a person and itself, and where both have more
/// numbers or e-mail addresses than one may have.
pub fn merge_contacts(
    work: &mut Work<'_, '_>,
    id: ContactId,
    other: ContactId,
    by: &Actor,
) -> Result<ContactId, Error> {
    let before = find(work, id)?;
    let from = find(work, other).map_err(|error| match error {
        Error::Refused(refused) => refused.param("person_id").into(),
        store => store,
    })?;
    if from.id == before.id && other != id {
        // They were merged before.
        return Ok(before.id);
    }
    if from.id == before.id {
        return Err(invalid(
            "person_id",
            "a person cannot be merged with itself".into(),
        ));
    }
    let mut after = before.clone();
    for (own, others) in [
        (&mut after.first_name, &from.first_name),
        (&mut after.last_name, &from.last_name),
        (&mut after.job_title, &from.job_title),
        (&mut after.website, &from.website),
        (&mut after.address, &from.address),
    ] {
        if own.is_none() {
            own.clone_from(others);
        }
    }
    after.company_id = before.company_id.or(from.company_id);
    for (key, value) in &from.properties {
        after
            .properties
            .entry(key.clone())
            .or_insert_with(|| value.clone());
    }
    for number in &from.numbers {
        if !after.numbers.contains(number) {
            after.numbers.push(*number);
        }
    }
    for email in &from.emails {
        if !after.emails.contains(email) {
            after.emails.push(email.clone());
        }
    }
    for (count, what) in [(after.numbers.len(), "numbers"), (after.emails.len(), "emails")] {
        if count > MAX_PER_CONTACT {
            let message =
                format!("both together have {count} {what}; a person has at most {MAX_PER_CONTACT}");
            return Err(invalid("person_id", message));
        }
    }
    merges::merge(work.tx, work.team, &from, before.id)?;
    note(
        work,
        by,
        "person.merged",
        before.id,
        &json!({ "merged": from.id }),
    )?;
    after.updated_at = work.now;
    (after.interactions, after.last_at) = activity(work, &after.numbers)?;
    contacts::update(work.tx, work.team, &before, &after)?;
    tell(work, Topic::ContactUpdated, &after)?;
    Ok(before.id)
}

/// Writes down who did something that cannot be undone.
fn note(
    work: &mut Work<'_, '_>,
    by: &Actor,
    action: &str,
    of: ContactId,
    detail: &serde_json::Value,
) -> Result<(), Error> {
    crate::audit::enter_value(work, by, action, &of.to_string(), Some(detail))
}

/// Refuses numbers that somebody else than `own` has.
fn must_be_free(
    work: &mut Work<'_, '_>,
    numbers: &[PhoneNumber],
    own: Option<ContactId>,
) -> Result<(), Error> {
    if numbers.is_empty() {
        return Ok(());
    }
    let holders = contacts::holders(work.tx, work.team, numbers)?;
    let taken = holders.into_iter().find(|(_, holder)| Some(*holder) != own);
    let Some((number, holder)) = taken else {
        return Ok(());
    };
    let message = format!("{number} is the number of per-{} already", holder.ksuid());
    Err(Refused::new(ErrorCode::NumberAlreadyAssigned)
        .param("numbers")
        .because(message)
        .into())
}

pub(crate) fn tidy(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

pub(crate) fn known_company(
    work: &mut Work<'_, '_>,
    company: Option<CompanyId>,
) -> Result<Option<CompanyId>, Error> {
    match company {
        Some(id) if companies::get(work.tx, work.team, id)?.is_none() => {
            Err(Refused::new(ErrorCode::CompanyNotFound)
                .param("company_id")
                .into())
        }
        other => Ok(other),
    }
}

fn numbers(work: &Work<'_, '_>, texts: &[String]) -> Result<Vec<PhoneNumber>, Error> {
    bounded(texts.len(), "numbers")?;
    let mut numbers = Vec::with_capacity(texts.len());
    for text in texts {
        let number = PhoneNumber::parse_any(text, &work.country).map_err(|error| {
            Refused::new(ErrorCode::InvalidPhoneFormat)
                .param("numbers")
                .because(error.to_string())
        })?;
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    Ok(numbers)
}

fn emails(texts: &[String]) -> Result<Vec<String>, Error> {
    bounded(texts.len(), "emails")?;
    let mut emails: Vec<String> = Vec::with_capacity(texts.len());
    for text in texts {
        let email = text.trim().to_lowercase();
        if !is_email(&email) {
            let shown: String = text.chars().take(80).collect();
            return Err(invalid("emails", format!("{shown:?} is no e-mail address")));
        }
        if !emails.contains(&email) {
            emails.push(email);
        }
    }
    Ok(emails)
}

/// Something, an at sign and something, without spaces, at most 254 bytes (RFC 5321, 4.5.3.1.3).
#[must_use]
pub fn is_email(email: &str) -> bool {
    let shaped = email
        .split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    shaped && email.len() <= 254 && !email.contains(|c: char| c.is_whitespace() || c.is_control())
}

fn bounded(count: usize, param: &'static str) -> Result<(), Error> {
    if count > MAX_PER_CONTACT {
        return Err(invalid(
            param,
            format!("at most {MAX_PER_CONTACT} {param} a contact"),
        ));
    }
    Ok(())
}

pub(crate) fn invalid(param: &'static str, message: String) -> Error {
    Refused::new(ErrorCode::InvalidParameter)
        .param(param)
        .because(message)
        .into()
}
