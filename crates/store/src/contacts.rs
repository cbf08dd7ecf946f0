//! Contacts with their companies and deals, matched by number.

use std::collections::HashMap;

use trunkline_domain::events::{CompanyRef, ContactState, DealRef, Person};
use trunkline_domain::{CompanyId, ContactId, DealId, DealStatus, Millis, PhoneNumber, PropertyType, full_name};

use crate::engine::{Conn, Json, Row, StoreError, Tx, Value};
use crate::{TeamKey, params};

/// Custom properties of a contact, by key.
pub type Properties = serde_json::Map<String, serde_json::Value>;

/// A contact as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ContactRow {
    /// Public id.
    pub id: ContactId,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Company.
    pub company_id: Option<CompanyId>,
    /// Custom properties with a value.
    pub properties: Properties,
    /// Numbers, the main one first.
    pub numbers: Vec<PhoneNumber>,
    /// E-mail addresses, the main one first.
    pub emails: Vec<String>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was changed last.
    pub updated_at: Millis,
}

/// A company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompanyRow {
    /// Public id.
    pub id: CompanyId,
    /// Name.
    pub name: String,
    /// When it was made.
    pub created_at: Millis,
}

/// A deal.
#[derive(Clone, Debug, PartialEq)]
pub struct DealRow {
    /// Public id.
    pub id: DealId,
    /// Name.
    pub name: String,
    /// Where it stands.
    pub status: DealStatus,
    /// What it is worth.
    pub value: Option<f64>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// When it should close, `YYYY-MM-DD`.
    pub close_date: Option<String>,
    /// Its company.
    pub company_id: Option<CompanyId>,
    /// Whom it is with.
    pub contacts: Vec<ContactId>,
    /// When it was made.
    pub created_at: Millis,
}

/// A typed custom property that contacts of the team may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyRow {
    /// The key, as it stands in events and API.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Its type.
    pub property_type: PropertyType,
}

/// What lists and items show of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactCard {
    /// The contact.
    pub id: ContactId,
    /// First and last name, `None` if there is neither.
    pub name: Option<String>,
    /// Company.
    pub company: Option<(CompanyId, String)>,
    /// Deals: id, name, status.
    pub deals: Vec<(DealId, String, DealStatus)>,
    /// When the contact was made.
    pub created_at: Millis,
    has_deals: bool,
}

statements! {
    INSERT =
        "INSERT INTO contacts (team_id, id, first_name, last_name, job_title, company_id, properties, has_deals,
                               created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, FALSE, $8, $9)";
    INSERT_NUMBER =
        "INSERT INTO contact_numbers (team_id, number, contact_id, position) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING";
    INSERT_EMAIL =
        "INSERT INTO contact_emails (team_id, email, contact_id, position) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING";
    GET =
        "SELECT id, first_name, last_name, job_title, company_id, properties, created_at, updated_at
           FROM contacts WHERE team_id = $1 AND id = $2";
    NUMBERS = "SELECT number FROM contact_numbers WHERE team_id = $1 AND contact_id = $2 ORDER BY position";
    EMAILS = "SELECT email FROM contact_emails WHERE team_id = $1 AND contact_id = $2 ORDER BY position";
    FIRST_BY_NUMBER =
        "SELECT n.contact_id FROM contact_numbers n JOIN contacts c ON c.team_id = n.team_id AND c.id = n.contact_id
          WHERE n.team_id = $1 AND n.number = $2 ORDER BY c.created_at, c.id LIMIT 1";
    NAME_BY_NUMBER =
        "SELECT c.first_name, c.last_name
           FROM contact_numbers n JOIN contacts c ON c.team_id = n.team_id AND c.id = n.contact_id
          WHERE n.team_id = $1 AND n.number = $2 ORDER BY c.created_at, c.id LIMIT 1";
    CARDS =
        "SELECT k.number, k.contact_id, p.first_name, p.last_name, p.has_deals, p.created_at, p.company_id, o.name
           FROM contact_numbers k
           JOIN contacts p ON p.team_id = k.team_id AND p.id = k.contact_id
           LEFT JOIN companies o ON o.team_id = p.team_id AND o.id = p.company_id
          WHERE k.team_id = $1 AND k.number IN (SELECT value FROM json_each(CAST($2 AS TEXT)))";
    MAIN_NUMBERS =
        "SELECT n.number, c.first_name, c.last_name, o.name
           FROM contacts c
           JOIN contact_numbers n ON n.team_id = c.team_id AND n.contact_id = c.id AND n.position = 0
           LEFT JOIN companies o ON o.team_id = c.team_id AND o.id = c.company_id
          WHERE c.team_id = $1 ORDER BY c.created_at, c.id";
    DEALS =
        "SELECT d.id, d.name, d.status, d.value, d.currency, d.close_date
           FROM deal_contacts l JOIN deals d ON d.team_id = l.team_id AND d.id = l.deal_id
          WHERE l.team_id = $1 AND l.contact_id = $2 ORDER BY d.created_at, d.id";
    DEALS_OF_MANY =
        "SELECT l.contact_id, d.id, d.name, d.status
           FROM deal_contacts l JOIN deals d ON d.team_id = l.team_id AND d.id = l.deal_id
          WHERE l.team_id = $1 AND l.contact_id IN (SELECT value FROM json_each(CAST($2 AS TEXT)))
          ORDER BY d.created_at, d.id";
    INSERT_COMPANY =
        "INSERT INTO companies (team_id, id, name, name_key, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)";
    GET_COMPANY = "SELECT id, name, created_at FROM companies WHERE team_id = $1 AND id = $2";
    COMPANY_BY_NAME =
        "SELECT id, name, created_at FROM companies WHERE team_id = $1 AND name_key = $2 ORDER BY created_at, id LIMIT 1";
    INSERT_DEAL =
        "INSERT INTO deals (team_id, id, name, status, value, currency, close_date, company_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    INSERT_DEAL_CONTACT =
        "INSERT INTO deal_contacts (team_id, contact_id, deal_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    MARK_DEALS = "UPDATE contacts SET has_deals = TRUE WHERE team_id = $1 AND id = $2";
    INSERT_PROPERTY =
        "INSERT INTO property_definitions (team_id, key, name, type, created_at) VALUES ($1, $2, $3, $4, $5)";
    PROPERTIES = "SELECT key, name, type FROM property_definitions WHERE team_id = $1 ORDER BY created_at, key";
}

/// Stores a new contact with its numbers and e-mail addresses.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, contact: &ContactRow) -> Result<(), StoreError> {
    let properties = (!contact.properties.is_empty()).then(|| Value::from(&Json(&contact.properties)));
    tx.execute(
        INSERT,
        params![
            team,
            contact.id,
            contact.first_name.as_deref(),
            contact.last_name.as_deref(),
            contact.job_title.as_deref(),
            contact.company_id,
            properties,
            contact.created_at,
            contact.updated_at
        ],
    )?;
    for (position, number) in contact.numbers.iter().enumerate() {
        tx.execute(INSERT_NUMBER, params![team, *number, contact.id, position as i64])?;
    }
    for (position, email) in contact.emails.iter().enumerate() {
        tx.execute(INSERT_EMAIL, params![team, email, contact.id, position as i64])?;
    }
    Ok(())
}

/// The contact with this id.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, id: ContactId) -> Result<Option<ContactRow>, StoreError> {
    let found = conn.row(GET, params![team, id], |row| {
        Ok(ContactRow {
            id: row.get(0)?,
            first_name: row.get(1)?,
            last_name: row.get(2)?,
            job_title: row.get(3)?,
            company_id: row.get(4)?,
            properties: row.get::<Option<Json<Properties>>>(5)?.map(|json| json.0).unwrap_or_default(),
            numbers: Vec::new(),
            emails: Vec::new(),
            created_at: row.get(6)?,
            updated_at: row.get(7)?,
        })
    })?;
    let Some(mut contact) = found else { return Ok(None) };
    contact.numbers = conn.rows(NUMBERS, params![team, id], |row| row.get(0))?;
    contact.emails = conn.rows(EMAILS, params![team, id], |row| row.get(0))?;
    Ok(Some(contact))
}

/// The contact with this number; of several the oldest.
///
/// # Errors
/// Of the engine.
pub fn by_number(conn: &mut Conn<'_>, team: TeamKey, number: PhoneNumber) -> Result<Option<ContactRow>, StoreError> {
    match conn.row(FIRST_BY_NUMBER, params![team, number], |row| row.get(0))? {
        Some(id) => get(conn, team, id),
        None => Ok(None),
    }
}

/// The name of the contact with this number; of several the oldest.
///
/// # Errors
/// Of the engine.
pub fn name_by_number(conn: &mut Conn<'_>, team: TeamKey, number: PhoneNumber) -> Result<Option<String>, StoreError> {
    let found = conn.row(NAME_BY_NUMBER, params![team, number], |row| {
        Ok(full_name(row.get::<Option<String>>(0)?.as_deref(), row.get::<Option<String>>(1)?.as_deref()))
    })?;
    Ok(found.flatten())
}

/// The card in the columns of `row` from `first` on: first name, last name, whether there are deals, when it was made,
/// id and name of the company. Its deals are added by [`complete`].
pub(crate) fn map_card(row: &Row<'_>, id: ContactId, first: usize) -> Result<ContactCard, StoreError> {
    let (first_name, last_name) = (row.column(first)?.text(), row.column(first + 1)?.text());
    Ok(ContactCard {
        id,
        name: full_name(first_name, last_name),
        company: row.get::<Option<_>>(first + 4)?.zip(row.get::<Option<_>>(first + 5)?),
        deals: Vec::new(),
        created_at: row.get(first + 3)?,
        has_deals: row.get(first + 2)?,
    })
}

/// Puts the cards of each number in order, oldest first, and adds their deals.
///
/// # Errors
/// Of the engine.
pub(crate) fn complete<'c>(
    conn: &mut Conn<'_>,
    team: TeamKey,
    cards: impl Iterator<Item = &'c mut Vec<ContactCard>>,
) -> Result<(), StoreError> {
    let mut with_deals = Vec::new();
    for same_number in cards {
        same_number.sort_by_key(|card| (card.created_at, card.id));
        with_deals.extend(same_number.iter_mut().filter(|card| card.has_deals));
    }
    if with_deals.is_empty() {
        return Ok(());
    }
    let ids: Vec<ContactId> = with_deals.iter().map(|card| card.id).collect();
    conn.for_each(DEALS_OF_MANY, params![team, &Json(&ids)], |row| {
        let (contact, deal): (ContactId, _) = (row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?));
        for card in with_deals.iter_mut().filter(|card| card.id == contact) {
            card.deals.push(deal.clone());
        }
        Ok(true)
    })
}

/// The cards of all contacts that have one of `numbers`, by number, each oldest first.
///
/// # Errors
/// Of the engine.
pub fn cards(
    conn: &mut Conn<'_>,
    team: TeamKey,
    numbers: &[PhoneNumber],
) -> Result<HashMap<PhoneNumber, Vec<ContactCard>>, StoreError> {
    let mut cards: HashMap<PhoneNumber, Vec<ContactCard>> = HashMap::with_capacity(numbers.len());
    conn.for_each(CARDS, params![team, &Json(numbers)], |row| {
        cards.entry(row.get(0)?).or_default().push(map_card(row, row.get(1)?, 2)?);
        Ok(true)
    })?;
    complete(conn, team, cards.values_mut())?;
    Ok(cards)
}

/// A contact by its main number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MainNumber {
    /// The number.
    pub number: PhoneNumber,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// The company's name.
    pub company: Option<String>,
}

/// All contacts that have a number, oldest first. Long: for [`crate::Db::scan`].
///
/// # Errors
/// Of the engine.
pub fn main_numbers(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<MainNumber>, StoreError> {
    conn.rows(MAIN_NUMBERS, params![team], |row| {
        Ok(MainNumber { number: row.get(0)?, first_name: row.get(1)?, last_name: row.get(2)?, company: row.get(3)? })
    })
}

/// What ringing events say of the outside number: person, company, deals.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The contact.
    pub person: Option<Person>,
    /// Its company.
    pub company: Option<CompanyRef>,
    /// Its deals, `None` if there are none.
    pub deals: Option<Vec<DealRef>>,
}

/// What ringing events say of `number`.
///
/// # Errors
/// Of the engine.
pub fn context(conn: &mut Conn<'_>, team: TeamKey, number: PhoneNumber) -> Result<Context, StoreError> {
    let Some(contact) = by_number(conn, team, number)? else { return Ok(Context::default()) };
    let company = match contact.company_id {
        Some(id) => get_company(conn, team, id)?.map(|row| CompanyRef { id: row.id, name: Some(row.name) }),
        None => None,
    };
    let deals = conn.rows(DEALS, params![team, contact.id], |row| {
        Ok(DealRef {
            id: row.get(0)?,
            name: row.get(1)?,
            status: row.get(2)?,
            value: row.get(3)?,
            currency: row.get(4)?,
            close_date: row.get::<Option<String>>(5)?.map(|day| format!("{day}T00:00:00")),
        })
    })?;
    let person = Person {
        id: Some(contact.id),
        name: contact.first_name,
        last_name: contact.last_name,
        email: contact.emails.first().cloned(),
        emails: contact.emails,
        numbers: contact.numbers,
        job_title: contact.job_title,
        properties: contact.properties,
    };
    Ok(Context { person: Some(person), company, deals: (!deals.is_empty()).then_some(deals) })
}

/// What `contact.created` and `contact.updated` carry.
///
/// # Errors
/// Of the engine.
pub fn state(conn: &mut Conn<'_>, team: TeamKey, contact: &ContactRow) -> Result<ContactState, StoreError> {
    let company = match contact.company_id {
        Some(id) => get_company(conn, team, id)?.map(|row| row.name),
        None => None,
    };
    Ok(ContactState {
        id: contact.id,
        name: contact.first_name.clone(),
        last_name: contact.last_name.clone(),
        company,
        emails: (!contact.emails.is_empty()).then(|| contact.emails.clone()),
        numbers: contact.numbers.clone(),
    })
}

/// The form in which company names are compared: folded, words joined by single spaces.
#[must_use]
pub fn company_key(name: &str) -> String {
    trunkline_domain::text::words(name).join(" ")
}

/// Stores a new company.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert_company(tx: &mut Tx<'_>, team: TeamKey, company: &CompanyRow) -> Result<(), StoreError> {
    let CompanyRow { id, name, created_at } = company;
    tx.execute(INSERT_COMPANY, params![team, *id, name, company_key(name), *created_at, *created_at]).map(drop)
}

fn map_company(row: &Row<'_>) -> Result<CompanyRow, StoreError> {
    Ok(CompanyRow { id: row.get(0)?, name: row.get(1)?, created_at: row.get(2)? })
}

/// The company with this id.
///
/// # Errors
/// Of the engine.
pub fn get_company(conn: &mut Conn<'_>, team: TeamKey, id: CompanyId) -> Result<Option<CompanyRow>, StoreError> {
    conn.row(GET_COMPANY, params![team, id], map_company)
}

/// The company of this name, whatever its case and accents; of several the oldest.
///
/// # Errors
/// Of the engine.
pub fn company_by_name(conn: &mut Conn<'_>, team: TeamKey, name: &str) -> Result<Option<CompanyRow>, StoreError> {
    conn.row(COMPANY_BY_NAME, params![team, company_key(name)], map_company)
}

/// Stores a new deal.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert_deal(tx: &mut Tx<'_>, team: TeamKey, deal: &DealRow) -> Result<(), StoreError> {
    tx.execute(
        INSERT_DEAL,
        params![
            team,
            deal.id,
            &deal.name,
            deal.status,
            deal.value,
            deal.currency.as_deref(),
            deal.close_date.as_deref(),
            deal.company_id,
            deal.created_at,
            deal.created_at
        ],
    )?;
    for contact in &deal.contacts {
        tx.execute(INSERT_DEAL_CONTACT, params![team, *contact, deal.id])?;
        tx.execute(MARK_DEALS, params![team, *contact])?;
    }
    Ok(())
}

/// Defines a custom property.
///
/// # Errors
/// [`StoreError::Duplicate`] when the key is taken.
pub fn insert_property(tx: &mut Tx<'_>, team: TeamKey, property: &PropertyRow, at: Millis) -> Result<(), StoreError> {
    let PropertyRow { key, name, property_type } = property;
    tx.execute(INSERT_PROPERTY, params![team, key, name, *property_type, at]).map(drop)
}

/// The custom properties of the team.
///
/// # Errors
/// Of the engine.
pub fn properties(conn: &mut Conn<'_>, team: TeamKey) -> Result<Vec<PropertyRow>, StoreError> {
    conn.rows(PROPERTIES, params![team], |row| {
        Ok(PropertyRow { key: row.get(0)?, name: row.get(1)?, property_type: row.get(2)? })
    })
}
