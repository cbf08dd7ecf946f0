//! Contacts, companies, deals and custom properties.

use trunkline_domain::events::Topic;
use trunkline_domain::{CompanyId, ContactId, DealId, DealStatus, ErrorCode, PhoneNumber, PropertyType};
use trunkline_store::contacts::{self, CompanyRow, ContactRow, DealRow, Properties, PropertyRow};

use crate::{Error, Refused, Work};

/// The most numbers, and the most e-mail addresses, a contact may have.
pub const MAX_PER_CONTACT: usize = 20;

/// A contact to be made.
#[derive(Clone, Debug, Default)]
pub struct CreateContact {
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Company.
    pub company: Option<CompanyId>,
    /// Numbers in any formatting, read with the team's country; the main one first.
    pub numbers: Vec<String>,
    /// E-mail addresses, the main one first.
    pub emails: Vec<String>,
    /// Custom properties by key.
    pub properties: Properties,
}

/// Makes a contact and tells of it.
///
/// # Errors
/// `INVALID_PHONE_FORMAT` for a number that no numbering plan knows, `COMPANY_NOT_FOUND`, `INVALID_PARAMETER` for a
/// property that is not defined or of another type.
pub fn create_contact(work: &mut Work<'_, '_>, contact: &CreateContact) -> Result<ContactId, Error> {
    let id: ContactId = work.new_id(work.now);
    let row = ContactRow {
        id,
        first_name: tidy(contact.first_name.as_deref()),
        last_name: tidy(contact.last_name.as_deref()),
        job_title: tidy(contact.job_title.as_deref()),
        company_id: known_company(work, contact.company)?,
        properties: checked_properties(work, &contact.properties)?,
        numbers: numbers(work, &contact.numbers)?,
        emails: emails(&contact.emails)?,
        created_at: work.now,
        updated_at: work.now,
    };
    contacts::insert(work.tx, work.team, &row)?;
    let state = contacts::state(work.tx, work.team, &row)?;
    work.emit(Topic::ContactCreated, work.now, None, &state)?;
    Ok(id)
}

fn tidy(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn known_company(work: &mut Work<'_, '_>, company: Option<CompanyId>) -> Result<Option<CompanyId>, Error> {
    match company {
        Some(id) if contacts::get_company(work.tx, work.team, id)?.is_none() => {
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
        let shaped = email
            .split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
        if !shaped || email.len() > 254 || email.contains(char::is_whitespace) {
            return Err(invalid("emails", format!("{email:?} is no e-mail address")));
        }
        if !emails.contains(&email) {
            emails.push(email);
        }
    }
    Ok(emails)
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

fn invalid(param: &'static str, message: String) -> Error {
    Refused::new(ErrorCode::InvalidParameter)
        .param(param)
        .because(message)
        .into()
}

fn checked_properties(work: &mut Work<'_, '_>, given: &Properties) -> Result<Properties, Error> {
    if given.is_empty() {
        return Ok(Properties::new());
    }
    let defined = contacts::properties(work.tx, work.team)?;
    let mut checked = Properties::new();
    for (key, value) in given {
        let Some(property) = defined.iter().find(|property| property.key == *key) else {
            return Err(invalid("properties", format!("the team has no property {key:?}")));
        };
        let fits = match (property.property_type, value) {
            (_, serde_json::Value::Null) => continue,
            (PropertyType::Text, serde_json::Value::String(text)) => text.len() <= 4_000,
            (PropertyType::Number, serde_json::Value::Number(_))
            | (PropertyType::Boolean, serde_json::Value::Bool(_)) => true,
            (PropertyType::Date, serde_json::Value::String(text)) => {
                text.parse::<jiff::civil::Date>().is_ok()
            }
            _ => false,
        };
        if !fits {
            return Err(invalid(
                "properties",
                format!(
                    "the property {key:?} takes a value of type {}",
                    property.property_type
                ),
            ));
        }
        checked.insert(key.clone(), value.clone());
    }
    Ok(checked)
}

/// Makes a company.
///
/// # Errors
/// `INVALID_PARAMETER` for an empty name.
pub fn create_company(work: &mut Work<'_, '_>, name: &str) -> Result<CompanyId, Error> {
    let name = tidy(Some(name)).ok_or_else(|| invalid("name", "a company needs a name".into()))?;
    let id: CompanyId = work.new_id(work.now);
    contacts::insert_company(
        work.tx,
        work.team,
        &CompanyRow {
            id,
            name,
            created_at: work.now,
        },
    )?;
    Ok(id)
}

/// A deal to be made.
#[derive(Clone, Debug)]
pub struct CreateDeal {
    /// Name.
    pub name: String,
    /// Where it stands.
    pub status: DealStatus,
    /// What it is worth.
    pub value: Option<f64>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// When it should close.
    pub close_date: Option<jiff::civil::Date>,
    /// Its company.
    pub company: Option<CompanyId>,
    /// Whom it is with.
    pub contacts: Vec<ContactId>,
}

/// Makes a deal.
///
/// # Errors
/// `COMPANY_NOT_FOUND`, `PERSON_NOT_FOUND`, `INVALID_PARAMETER`.
pub fn create_deal(work: &mut Work<'_, '_>, deal: &CreateDeal) -> Result<DealId, Error> {
    let name = tidy(Some(&deal.name)).ok_or_else(|| invalid("name", "a deal needs a name".into()))?;
    if deal.value.is_some_and(|value| !value.is_finite()) {
        return Err(invalid("value", "the value must be a finite number".into()));
    }
    for contact in &deal.contacts {
        if contacts::get(work.tx, work.team, *contact)?.is_none() {
            return Err(Refused::new(ErrorCode::PersonNotFound).param("contacts").into());
        }
    }
    let id: DealId = work.new_id(work.now);
    let row = DealRow {
        id,
        name,
        status: deal.status,
        value: deal.value,
        currency: deal.currency.clone(),
        close_date: deal.close_date.map(|date| date.to_string()),
        company_id: known_company(work, deal.company)?,
        contacts: deal.contacts.clone(),
        created_at: work.now,
    };
    contacts::insert_deal(work.tx, work.team, &row)?;
    Ok(id)
}

/// Keys that events carry with a meaning of their own.
const RESERVED_KEYS: [&str; 7] = [
    "id",
    "name",
    "last_name",
    "email",
    "emails",
    "numbers",
    "job_title",
];

/// Defines a custom property of contacts.
///
/// # Errors
/// `INVALID_PARAMETER` for a key that is no slug, or reserved, or taken.
pub fn define_property(
    work: &mut Work<'_, '_>,
    key: &str,
    name: &str,
    property_type: PropertyType,
) -> Result<(), Error> {
    if trunkline_domain::tag::key(key).as_deref() != Some(key) || RESERVED_KEYS.contains(&key) {
        return Err(invalid(
            "key",
            format!("{key:?} cannot be the key of a property: use a lower-case slug that is not reserved"),
        ));
    }
    if contacts::properties(work.tx, work.team)?
        .iter()
        .any(|property| property.key == key)
    {
        return Err(invalid("key", format!("the team has a property {key:?} already")));
    }
    let row = PropertyRow {
        key: key.to_owned(),
        name: name.trim().to_owned(),
        property_type,
    };
    Ok(contacts::insert_property(work.tx, work.team, &row, work.now)?)
}
