//! People as lists and searches show them: everything by filters, answered by the database alone.

use std::collections::HashMap;

use trunkline_domain::{ContactId, Millis, PhoneNumber};

use crate::contacts::{ContactRow, Properties};
use crate::crm::{self, Kind, Place, Sort, SortBy, SortKey};
use crate::engine::{Conn, Json, Row, StoreError};
use crate::search::Builder;
use crate::{TeamKey, merges, params};

/// A person with the name of its company.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonDetail {
    /// The person.
    pub contact: ContactRow,
    /// The name of its company.
    pub company: Option<String>,
}

/// What a search for people is limited to; all conditions must hold. Texts are folded, and may be anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleFilter {
    /// In the first name.
    pub first_name: Option<String>,
    /// In the last name.
    pub last_name: Option<String>,
    /// In the job title.
    pub job_title: Option<String>,
    /// In the website.
    pub website: Option<String>,
    /// In the name of the company.
    pub company: Option<String>,
    /// In an e-mail address (lower case, but not folded).
    pub email: Option<String>,
    /// Exactly these numbers.
    pub numbers: Vec<PhoneNumber>,
    /// Exactly this status of a deal.
    pub deal_status: Option<String>,
    /// Each is the beginning of a word in name, e-mail address or company, or some digits of a number.
    pub words: Vec<String>,
}

impl PeopleFilter {
    /// Whether the database may have to look at many rows.
    #[must_use]
    pub fn needs_scan(&self) -> bool {
        self.numbers.is_empty() && *self != Self::default()
    }
}

statements! {
    MANY =
        "SELECT c.id, c.first_name, c.last_name, c.job_title, c.website, c.address, c.company_id, c.properties,
                c.interactions, c.last_at, c.archived_at, c.put_away, c.created_at, c.updated_at, o.name
           FROM contacts c LEFT JOIN companies o ON o.team_id = c.team_id AND o.id = c.company_id
          WHERE c.team_id = $1 AND c.id IN (SELECT value FROM json_each(CAST($2 AS TEXT)))";
    NUMBERS =
        "SELECT contact_id, number FROM contact_numbers
          WHERE team_id = $1 AND contact_id IN (SELECT value FROM json_each(CAST($2 AS TEXT)))
          ORDER BY contact_id, position";
    EMAILS =
        "SELECT contact_id, email FROM contact_emails
          WHERE team_id = $1 AND contact_id IN (SELECT value FROM json_each(CAST($2 AS TEXT)))
          ORDER BY contact_id, position";
}

fn map(row: &Row<'_>) -> Result<PersonDetail, StoreError> {
    let contact = ContactRow {
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
        archived_at: row.get::<Option<Millis>>(10)?,
        numbers: row.get::<Option<Json<_>>>(11)?.map(|json| json.0).unwrap_or_default(),
        emails: Vec::new(),
        created_at: row.get(12)?,
        updated_at: row.get(13)?,
    };
    Ok(PersonDetail { contact, company: row.get(14)? })
}

/// The people with these ids, in their order, archived or not; unknown ones are left out.
///
/// # Errors
/// Of the engine.
pub fn many(conn: &mut Conn<'_>, team: TeamKey, ids: &[ContactId]) -> Result<Vec<PersonDetail>, StoreError> {
    let places: HashMap<ContactId, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    let place = |row: &PersonDetail| places.get(&row.contact.id).copied();
    let mut rows = conn.rows(MANY, params![team, &Json(ids)], map)?;
    rows.sort_by_key(place);
    let at: HashMap<ContactId, usize> = rows.iter().enumerate().map(|(i, row)| (row.contact.id, i)).collect();
    conn.for_each(NUMBERS, params![team, &Json(ids)], |row| {
        if let Some(found) = at.get(&row.get(0)?) {
            rows[*found].contact.numbers.push(row.get(1)?);
        }
        Ok(true)
    })?;
    conn.for_each(EMAILS, params![team, &Json(ids)], |row| {
        if let Some(found) = at.get(&row.get(0)?) {
            rows[*found].contact.emails.push(row.get(1)?);
        }
        Ok(true)
    })?;
    Ok(rows)
}

/// The person with this id, archived or not; for the id of one that was merged into another, that other.
///
/// # Errors
/// Of the engine.
pub fn find(conn: &mut Conn<'_>, team: TeamKey, id: ContactId) -> Result<Option<PersonDetail>, StoreError> {
    if let Some(found) = many(conn, team, &[id])?.pop() {
        return Ok(Some(found));
    }
    match merges::into(conn, team, id)? {
        Some(into) => Ok(many(conn, team, &[into])?.pop()),
        None => Ok(None),
    }
}

/// How many people the filter lets through: exact.
///
/// # Errors
/// Of the engine.
pub fn count(conn: &mut Conn<'_>, team: TeamKey, filter: &PeopleFilter) -> Result<i64, StoreError> {
    if *filter == PeopleFilter::default() {
        return crm::total(conn, team, Kind::Person);
    }
    let what = if filter.numbers.is_empty() { "SELECT COUNT(*)" } else { "SELECT COUNT(DISTINCT c.id)" };
    let Builder { sql, values } = filtered(what, team, filter);
    Ok(conn.row(&sql, &values, |row| row.get(0))?.unwrap_or(0))
}

/// The ids of a page of people, with what they are sorted by.
///
/// # Errors
/// Of the engine.
pub fn page(
    conn: &mut Conn<'_>,
    team: TeamKey,
    filter: &PeopleFilter,
    sort: Sort,
    place: &Place,
    limit: i64,
) -> Result<Vec<(ContactId, SortKey)>, StoreError> {
    crm::run_page(conn, page_sql(team, filter, sort, place, limit), sort.by)
}

fn page_sql(team: TeamKey, filter: &PeopleFilter, sort: Sort, place: &Place, limit: i64) -> Builder {
    let column = match sort.by {
        SortBy::Date => "c.active_at",
        SortBy::Created => "c.created_at",
        SortBy::Name => "c.name_key",
    };
    let what = if filter.numbers.is_empty() { "SELECT" } else { "SELECT DISTINCT" };
    let mut builder = filtered(&format!("{what} c.id, {column}"), team, filter);
    crm::paged(&mut builder, column, "c.id", sort, place, limit);
    builder
}

fn filtered(what: &str, team: TeamKey, filter: &PeopleFilter) -> Builder {
    let mut builder = Builder::new(what);
    // Who has a number are few: they lead, which CROSS JOIN has SQLite do.
    builder.push(if filter.numbers.is_empty() {
        " FROM contacts c"
    } else {
        " FROM contact_numbers k CROSS JOIN contacts c"
    });
    if !filter.words.is_empty() {
        builder.push(" LEFT JOIN companies o ON o.team_id = c.team_id AND o.id = c.company_id");
    }
    builder.push(" WHERE c.team_id = ").bind(team);
    builder.push(" AND c.archived_at IS NULL");
    if !filter.numbers.is_empty() {
        builder.push(" AND k.team_id = ").bind(team).push(" AND c.id = k.contact_id AND ");
        builder.any_of("k.number", filter.numbers.iter().copied());
    }
    for (column, wanted) in [
        ("first_key", &filter.first_name),
        ("last_key", &filter.last_name),
        ("title_key", &filter.job_title),
        ("site_key", &filter.website),
    ] {
        if let Some(text) = wanted {
            builder.push(&format!(" AND c.{column} LIKE ")).bind(crm::containing(text)).push(" ESCAPE '!'");
        }
    }
    if let Some(company) = &filter.company {
        builder.push(" AND c.company_id IN (SELECT o.id FROM companies o WHERE o.team_id = ").bind(team);
        builder.push(" AND o.name_key LIKE ").bind(crm::containing(company)).push(" ESCAPE '!')");
    }
    if let Some(email) = &filter.email {
        builder.push(" AND c.id IN (SELECT e.contact_id FROM contact_emails e WHERE e.team_id = ").bind(team);
        builder.push(" AND e.email LIKE ").bind(crm::containing(email)).push(" ESCAPE '!')");
    }
    if let Some(status) = &filter.deal_status {
        builder.push(" AND (c.id IN (SELECT l.contact_id FROM deals d JOIN deal_contacts l ON l.team_id = d.team_id");
        builder.push(" AND l.deal_id = d.id WHERE d.team_id = ").bind(team);
        builder.push(" AND d.status_key = ").bind(status.clone()).push(")");
        builder.push(" OR c.company_id IN (SELECT d.company_id FROM deals d WHERE d.team_id = ").bind(team);
        builder.push(" AND d.company_id IS NOT NULL AND d.status_key = ").bind(status.clone()).push("))");
    }
    for word in &filter.words {
        builder.push(" AND (c.words LIKE ").bind(if is_part_of_number(word) { format!("%{word}%") } else { format!("% {word}%") });
        builder.push(" OR ' ' || o.name_key LIKE ").bind(format!("% {word}%")).push(")");
    }
    builder
}

/// From so many digits on, a word of digits may be anywhere in a number.
const MIN_DIGITS: usize = 4;

/// Whether a word of a search may be anywhere in a word of a person, rather than its beginning.
#[must_use]
pub fn is_part_of_number(word: &str) -> bool {
    word.len() >= MIN_DIGITS && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Every statement the filters can make, for the test that prepares all statements.
#[must_use]
pub fn all_people_statements() -> Vec<String> {
    let some = |on: bool| on.then(|| "x".to_owned());
    let number = PhoneNumber::parse("+14155550100").ok();
    let team = TeamKey(1);
    let mut all = Vec::new();
    for bits in 0u32..128 {
        let on = |bit: u32| bits >> bit & 1 == 1;
        let filter = PeopleFilter {
            first_name: some(on(0)),
            last_name: some(on(0)),
            job_title: some(on(1)),
            website: some(on(1)),
            company: some(on(2)),
            email: some(on(3)),
            numbers: number.into_iter().filter(|_| on(4)).collect(),
            deal_status: some(on(5)),
            words: if on(6) { vec!["x".to_owned(), "1234".to_owned()] } else { vec![] },
        };
        all.push(filtered("SELECT COUNT(*)", team, &filter).sql);
        all.extend(crm::all_pages().iter().map(|(sort, place)| page_sql(team, &filter, *sort, place, 1).sql));
    }
    all
}
