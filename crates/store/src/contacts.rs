//! Contacts with their companies and deals, matched by number.

use std::collections::HashMap;

use trunkline_domain::events::{CompanyRef, ContactState, DealRef, Person};
use trunkline_domain::{CompanyId, ContactId, DealId, DealStatus, Millis, PhoneNumber, PropertyType, full_name, text};

use crate::engine::{Conn, Json, Row, StoreError, Tx, Value};
use crate::crm::{self, Kind};
use crate::{TeamKey, companies, params, properties};

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
    /// Website.
    pub website: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Company.
    pub company_id: Option<CompanyId>,
    /// Custom properties with a value.
    pub properties: Properties,
    /// Numbers, the main one first.
    pub numbers: Vec<PhoneNumber>,
    /// E-mail addresses, the main one first.
    pub emails: Vec<String>,
    /// Calls and messages with its numbers.
    pub interactions: i64,
    /// When the last of them was.
    pub last_at: Option<Millis>,
    /// Since when it is archived: its numbers find it no more.
    pub archived_at: Option<Millis>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was changed last.
    pub updated_at: Millis,
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
        "INSERT INTO contacts (team_id, id, first_name, last_name, job_title, website, address, company_id, properties,
                               has_deals, first_key, last_key, title_key, site_key, name_key, words, interactions, last_at,
                               active_at, created_at, updated_at, change)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, FALSE, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                 (SELECT t.last_event + 1 FROM teams t WHERE t.team_id = $1))";
    UPDATE =
        "UPDATE contacts
            SET first_name = $1, last_name = $2, job_title = $3, website = $4, address = $5, company_id = $6,
                properties = $7, first_key = $8, last_key = $9, title_key = $10, site_key = $11, name_key = $12,
                words = $13, interactions = $14, last_at = $15, active_at = $16, updated_at = $17, archived_at = $18,
                put_away = $19, change = (SELECT t.last_event + 1 FROM teams t WHERE t.team_id = $20)
          WHERE team_id = $20 AND id = $21";
    DELETE_NUMBERS = "DELETE FROM contact_numbers WHERE team_id = $1 AND contact_id = $2";
    DELETE_EMAILS = "DELETE FROM contact_emails WHERE team_id = $1 AND contact_id = $2";
    HOLDERS =
        "SELECT number, contact_id FROM contact_numbers
          WHERE team_id = $1 AND number IN (SELECT value FROM json_each(CAST($2 AS TEXT)))";
    PUT_AWAY =
        "SELECT id, put_away FROM contacts
          WHERE team_id = $1 AND archived_at IS NOT NULL AND put_away IS NOT NULL AND put_away <> '[]'";
    ACTIVITY =
        "SELECT CAST(COALESCE(SUM(items), 0) AS BIGINT), MAX(last_at) FROM conversations
          WHERE team_id = $1 AND contact_number IN (SELECT value FROM json_each(CAST($2 AS TEXT)))";
    ACTIVITIES =
        "SELECT contact_number, CAST(SUM(items) AS BIGINT), MAX(last_at) FROM conversations
          WHERE team_id = $1 AND contact_number IN (SELECT value FROM json_each(CAST($2 AS TEXT)))
          GROUP BY contact_number";
    TOUCH =
        "UPDATE contacts
            SET interactions = interactions + $1,
                last_at = CASE WHEN last_at > $2 THEN last_at ELSE $2 END,
                active_at = CASE WHEN last_at > $2 THEN last_at ELSE $2 END,
                change = (SELECT t.last_event + 1 FROM teams t WHERE t.team_id = $3)
          WHERE team_id = $3 AND id IN (SELECT n.contact_id FROM contact_numbers n WHERE n.team_id = $3 AND n.number = $4)
      RETURNING company_id";
    INSERT_NUMBER =
        "INSERT INTO contact_numbers (team_id, number, contact_id, position) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING";
    INSERT_EMAIL =
        "INSERT INTO contact_emails (team_id, email, contact_id, position) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING";
    GET =
        "SELECT id, first_name, last_name, job_title, website, address, company_id, properties, interactions, last_at,
                archived_at, put_away, created_at, updated_at
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
        "SELECT k.number, k.contact_id, p.first_name, p.last_name, p.has_deals OR o.has_deals, p.created_at,
                p.company_id, o.name
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
        "SELECT d.id, d.name, d.status, d.value, d.currency, d.close_date, d.closed_at, d.created_at
           FROM deal_contacts l JOIN deals d ON d.team_id = l.team_id AND d.id = l.deal_id
          WHERE l.team_id = $1 AND l.contact_id = $2
          UNION
         SELECT d.id, d.name, d.status, d.value, d.currency, d.close_date, d.closed_at, d.created_at
           FROM deals d WHERE d.team_id = $1 AND d.company_id = $3
          ORDER BY 8, 1 LIMIT 100";
    DEALS_OF_MANY =
        "SELECT l.contact_id, d.id, d.name, d.status, d.created_at
           FROM deal_contacts l JOIN deals d ON d.team_id = l.team_id AND d.id = l.deal_id
          WHERE l.team_id = $1 AND l.contact_id IN (SELECT value FROM json_each(CAST($2 AS TEXT)))
          UNION
         SELECT c.id, d.id, d.name, d.status, d.created_at
           FROM contacts c JOIN deals d ON d.team_id = c.team_id AND d.company_id = c.company_id
          WHERE c.team_id = $1 AND c.id IN (SELECT value FROM json_each(CAST($2 AS TEXT)))
          ORDER BY 5, 2 LIMIT 2000";
}

/// What is compared and sorted by, folded.
pub(crate) struct Keys {
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) title: String,
    pub(crate) site: String,
    pub(crate) name: String,
    pub(crate) words: String,
}

/// Sorts behind every name.
const NAMELESS: &str = "\u{ffff}";

impl Keys {
    pub(crate) fn of(contact: &ContactRow) -> Self {
        let folded = |text: &Option<String>| text.as_deref().map(text::fold).unwrap_or_default();
        let (first, last) = (folded(&contact.first_name), folded(&contact.last_name));
        let mut words = String::new();
        let mut add = |word: &str| {
            words.push(' ');
            words.push_str(word);
        };
        for name in [&contact.first_name, &contact.last_name].into_iter().flatten() {
            text::for_each_word(name, &mut add);
        }
        for number in &contact.numbers {
            add(number.as_str().trim_start_matches('+'));
        }
        for email in &contact.emails {
            text::for_each_word(email, &mut add);
        }
        let name = match format!("{first} {last}").trim() {
            "" => NAMELESS.to_owned(),
            name => name.to_owned(),
        };
        Self { title: folded(&contact.job_title), site: folded(&contact.website), first, last, name, words }
    }
}

fn properties_value(properties: &Properties) -> Value<'static> {
    if properties.is_empty() { Value::Null } else { Value::from(&Json(properties)) }
}

/// Stores a new contact with its numbers and e-mail addresses, and counts it. The team's row must be locked.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, contact: &ContactRow) -> Result<(), StoreError> {
    insert_uncounted(tx, team, contact)?;
    if let Some(company) = contact.company_id {
        companies::shift(tx, team, company, 1, contact.interactions)?;
    }
    crm::add(tx, team, Kind::Person, 1)
}

/// As [`insert`], without counting: for imports, which count at the end.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert_uncounted(tx: &mut Tx<'_>, team: TeamKey, contact: &ContactRow) -> Result<(), StoreError> {
    let keys = Keys::of(contact);
    tx.execute(
        INSERT,
        params![
            team,
            contact.id,
            contact.first_name.as_deref(),
            contact.last_name.as_deref(),
            contact.job_title.as_deref(),
            contact.website.as_deref(),
            contact.address.as_deref(),
            contact.company_id,
            properties_value(&contact.properties),
            keys.first,
            keys.last,
            keys.title,
            keys.site,
            keys.name,
            keys.words,
            contact.interactions,
            contact.last_at,
            contact.last_at.unwrap_or(contact.created_at),
            contact.created_at,
            contact.updated_at
        ],
    )?;
    insert_numbers(tx, team, contact)?;
    insert_emails(tx, team, contact)
}

fn insert_numbers(tx: &mut Tx<'_>, team: TeamKey, contact: &ContactRow) -> Result<(), StoreError> {
    for (position, number) in contact.numbers.iter().enumerate() {
        tx.execute(INSERT_NUMBER, params![team, *number, contact.id, position as i64])?;
    }
    Ok(())
}

fn insert_emails(tx: &mut Tx<'_>, team: TeamKey, contact: &ContactRow) -> Result<(), StoreError> {
    for (position, email) in contact.emails.iter().enumerate() {
        tx.execute(INSERT_EMAIL, params![team, email, contact.id, position as i64])?;
    }
    Ok(())
}

/// Replaces `before` by `after`, and keeps totals and companies right. What `after` says of interactions must be that of
/// its numbers: see [`activity`]. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, before: &ContactRow, after: &ContactRow) -> Result<(), StoreError> {
    let keys = Keys::of(after);
    let put_away = after.archived_at.is_some().then(|| Value::from(&Json(&after.numbers)));
    tx.execute(
        UPDATE,
        params![
            after.first_name.as_deref(),
            after.last_name.as_deref(),
            after.job_title.as_deref(),
            after.website.as_deref(),
            after.address.as_deref(),
            after.company_id,
            properties_value(&after.properties),
            keys.first,
            keys.last,
            keys.title,
            keys.site,
            keys.name,
            keys.words,
            after.interactions,
            after.last_at,
            after.last_at.unwrap_or(after.created_at),
            after.updated_at,
            after.archived_at,
            put_away,
            team,
            after.id
        ],
    )?;
    let is_there = |row: &ContactRow| row.archived_at.is_none();
    if before.numbers != after.numbers || is_there(before) != is_there(after) {
        tx.execute(DELETE_NUMBERS, params![team, after.id])?;
        if is_there(after) {
            insert_numbers(tx, team, after)?;
        }
    }
    if before.emails != after.emails {
        tx.execute(DELETE_EMAILS, params![team, after.id])?;
        insert_emails(tx, team, after)?;
    }
    let counted = |row: &ContactRow| (is_there(row).then_some(row.company_id), row.interactions, row.last_at);
    if counted(before) != counted(after) {
        for (row, n) in [(before, -1), (after, 1)] {
            if let Some(company) = row.company_id.filter(|_| is_there(row)) {
                companies::shift(tx, team, company, n, n * row.interactions)?;
            }
        }
    }
    match (is_there(before), is_there(after)) {
        (true, false) => crm::add(tx, team, Kind::Person, -1),
        (false, true) => crm::add(tx, team, Kind::Person, 1),
        _ => Ok(()),
    }
}

/// The contacts that have one of these numbers, with the number.
///
/// # Errors
/// Of the engine.
pub fn holders(
    conn: &mut Conn<'_>,
    team: TeamKey,
    numbers: &[PhoneNumber],
) -> Result<Vec<(PhoneNumber, ContactId)>, StoreError> {
    conn.rows(HOLDERS, params![team, &Json(numbers)], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Which of these numbers archived contacts had, and would have again. Walks the archived contacts of the team.
///
/// # Errors
/// Of the engine.
pub fn former_holders(
    conn: &mut Conn<'_>,
    team: TeamKey,
    numbers: &[PhoneNumber],
) -> Result<Vec<(PhoneNumber, ContactId)>, StoreError> {
    let mut found = Vec::new();
    conn.for_each(PUT_AWAY, params![team], |row| {
        let (id, away): (ContactId, Json<Vec<PhoneNumber>>) = (row.get(0)?, row.get(1)?);
        let same = away.0.into_iter().filter(|number| numbers.contains(number));
        found.extend(same.map(|number| (number, id)));
        Ok(true)
    })?;
    Ok(found)
}

/// How many calls and messages there are with these numbers, and when the last one was.
///
/// # Errors
/// Of the engine.
pub fn activity(
    conn: &mut Conn<'_>,
    team: TeamKey,
    numbers: &[PhoneNumber],
) -> Result<(i64, Option<Millis>), StoreError> {
    let found = conn.row(ACTIVITY, params![team, &Json(numbers)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.unwrap_or((0, None)))
}

/// As [`activity`], of each number that has any.
///
/// # Errors
/// Of the engine.
pub fn activities(
    conn: &mut Conn<'_>,
    team: TeamKey,
    numbers: &[PhoneNumber],
) -> Result<HashMap<PhoneNumber, (i64, Millis)>, StoreError> {
    let rows = conn.rows(ACTIVITIES, params![team, &Json(numbers)], |row| {
        Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))
    })?;
    Ok(rows.into_iter().collect())
}

/// There are `n` calls and messages more with this number, the last of them at `at`: counted for everybody who has it,
/// and for their companies. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn touch(tx: &mut Tx<'_>, team: TeamKey, number: PhoneNumber, n: i64, at: Millis) -> Result<(), StoreError> {
    let of: Vec<Option<CompanyId>> = tx.rows(TOUCH, params![n, at, team, number], |row| row.get(0))?;
    for company in of.into_iter().flatten() {
        companies::touch(tx, team, company, n, at)?;
    }
    Ok(())
}

/// The contact with this id, archived or not.
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
            website: row.get(4)?,
            address: row.get(5)?,
            company_id: row.get(6)?,
            properties: row.get::<Option<Json<Properties>>>(7)?.map(|json| json.0).unwrap_or_default(),
            interactions: row.get(8)?,
            last_at: row.get(9)?,
            archived_at: row.get(10)?,
            numbers: row.get::<Option<Json<_>>>(11)?.map(|json| json.0).unwrap_or_default(),
            emails: Vec::new(),
            created_at: row.get(12)?,
            updated_at: row.get(13)?,
        })
    })?;
    let Some(mut contact) = found else { return Ok(None) };
    if contact.archived_at.is_none() {
        contact.numbers = conn.rows(NUMBERS, params![team, id], |row| row.get(0))?;
    }
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
        has_deals: row.get::<Option<bool>>(first + 2)?.unwrap_or(false),
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
        let standing = DealStatus::of(row.column(3)?.text().unwrap_or_default());
        let (contact, deal): (ContactId, _) = (row.get(0)?, (row.get(1)?, row.get(2)?, standing));
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
        Some(id) => companies::get(conn, team, id)?.map(|row| CompanyRef { id: row.id, name: Some(row.name) }),
        None => None,
    };
    let deals = conn.rows(DEALS, params![team, contact.id, contact.company_id], |row| {
        let closed_at: Option<Millis> = row.get(6)?;
        let day = |at: Millis| at.to_string().chars().take(19).collect::<String>();
        Ok(DealRef {
            id: row.get(0)?,
            name: row.get(1)?,
            status: row.get::<Option<String>>(2)?.filter(|status| !status.is_empty()),
            value: row.get(3)?,
            currency: row.get(4)?,
            close_date: closed_at.map(day).or(row.get::<Option<String>>(5)?.map(|day| format!("{day}T00:00:00"))),
        })
    })?;
    let properties = shown_properties(conn, team, contact.properties)?;
    let person = Person {
        id: Some(contact.id),
        name: contact.first_name,
        last_name: contact.last_name,
        email: contact.emails.first().cloned(),
        emails: contact.emails,
        numbers: contact.numbers,
        job_title: contact.job_title,
        properties,
    };
    Ok(Context { person: Some(person), company, deals: (!deals.is_empty()).then_some(deals) })
}

/// Of the values that a contact has, those of properties that are defined today, with the type they have today.
fn shown_properties(conn: &mut Conn<'_>, team: TeamKey, stored: Properties) -> Result<Properties, StoreError> {
    if stored.is_empty() {
        return Ok(stored);
    }
    Ok(defined(&properties::list(conn, team)?, stored))
}

/// Of the values that a contact has, those that `definitions` know, with the type they have there.
#[must_use]
pub fn defined(definitions: &[properties::PropertyRow], mut stored: Properties) -> Properties {
    stored.retain(|key, value| {
        definitions.iter().any(|known| {
            known.key == *key
                && match known.property_type {
                    PropertyType::Text | PropertyType::Date => value.is_string(),
                    PropertyType::Number => value.is_number(),
                    PropertyType::Boolean => value.is_boolean(),
                }
        })
    });
    stored
}

/// What `contact.created` and `contact.updated` carry.
///
/// # Errors
/// Of the engine.
pub fn state(conn: &mut Conn<'_>, team: TeamKey, contact: &ContactRow) -> Result<ContactState, StoreError> {
    let company = match contact.company_id {
        Some(id) => companies::get(conn, team, id)?.map(|row| row.name),
        None => None,
    };
    Ok(ContactState {
        id: contact.id,
        name: contact.first_name.clone(),
        last_name: contact.last_name.clone(),
        company,
        emails: (!contact.emails.is_empty()).then(|| contact.emails.clone()),
        numbers: contact.numbers.clone(),
        properties: shown_properties(conn, team, contact.properties.clone())?,
    })
}
