//! What the index of people is made of, and what has changed since.
//!
//! Each row says under which number of the event log it was last written: the one that the team's next event had just then,
//! with the team's row locked. So whoever has read all rows at a moment when the last event was `n` finds whatever was
//! written later behind `n`, and perhaps a little that it knows already.

use trunkline_domain::{CompanyId, ContactId, Millis};

use crate::engine::{Conn, Json, Row, StoreError, Tx};
use crate::{TeamKey, params};

/// What a search for people looks into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonTexts {
    /// The person.
    pub id: ContactId,
    /// First name, folded.
    pub first: String,
    /// Last name, folded.
    pub last: String,
    /// Job title, folded.
    pub title: String,
    /// Website, folded.
    pub site: String,
    /// What names are sorted by.
    pub name: String,
    /// The words of the free-text search, a space before each.
    pub words: String,
    /// Company.
    pub company: Option<CompanyId>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// The last activity, or since when the person is known.
    pub active_at: Millis,
    /// When the person was made.
    pub created_at: Millis,
    /// Whether no search finds it.
    pub archived: bool,
}

statements! {
    STANDING =
        "SELECT t.last_event,
                EXISTS (SELECT 1 FROM contacts c WHERE c.team_id = $1 AND c.change > $2)
             OR EXISTS (SELECT 1 FROM removed_contacts r WHERE r.team_id = $1 AND r.change > $2)
             OR EXISTS (SELECT 1 FROM companies o WHERE o.team_id = $1 AND o.change > $2)
           FROM teams t WHERE t.team_id = $1";
    CHANGED =
        "SELECT id FROM contacts WHERE team_id = $1 AND change > $2
          UNION ALL
         SELECT id FROM removed_contacts WHERE team_id = $1 AND change > $2";
    PRUNE = "DELETE FROM removed_contacts WHERE team_id = $1 AND change <= $2";
    COMPANIES = "SELECT id, name_key FROM companies WHERE team_id = $1 AND change > $2";
    TEXTS =
        "SELECT id, first_key, last_key, title_key, site_key, name_key, words, company_id, active_at, created_at,
                archived_at IS NOT NULL
           FROM contacts WHERE team_id = $1 AND id IN (SELECT value FROM json_each(CAST($2 AS TEXT)))";
    EMAILS =
        "SELECT contact_id, email FROM contact_emails
          WHERE team_id = $1 AND contact_id IN (SELECT value FROM json_each(CAST($2 AS TEXT)))
          ORDER BY contact_id, position";
    TEXTS_BEHIND =
        "SELECT id, first_key, last_key, title_key, site_key, name_key, words, company_id, active_at, created_at,
                archived_at IS NOT NULL
           FROM contacts WHERE team_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    EMAILS_BETWEEN =
        "SELECT contact_id, email FROM contact_emails
          WHERE team_id = $1 AND contact_id > $2 AND contact_id <= $3 ORDER BY contact_id, position";
    WITH_DEAL =
        "SELECT l.contact_id FROM deals d JOIN deal_contacts l ON l.team_id = d.team_id AND l.deal_id = d.id
          WHERE d.team_id = $1 AND d.status_key = $2";
    COMPANIES_WITH_DEAL =
        "SELECT company_id FROM deals WHERE team_id = $1 AND status_key = $2 AND company_id IS NOT NULL";
}

fn map(row: &Row<'_>) -> Result<PersonTexts, StoreError> {
    Ok(PersonTexts {
        id: row.get(0)?,
        first: row.get(1)?,
        last: row.get(2)?,
        title: row.get(3)?,
        site: row.get(4)?,
        name: row.get(5)?,
        words: row.get(6)?,
        company: row.get(7)?,
        emails: Vec::new(),
        active_at: row.get(8)?,
        created_at: row.get(9)?,
        archived: row.get(10)?,
    })
}

/// The number of the team's last event, and whether people or names of companies may have changed behind event `since`.
///
/// # Errors
/// Of the engine.
pub fn standing(conn: &mut Conn<'_>, team: TeamKey, since: i64) -> Result<(i64, bool), StoreError> {
    let found = conn.row(STANDING, params![team, since], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.unwrap_or((0, false)))
}

/// Who was written or removed behind event `since`.
///
/// # Errors
/// Of the engine.
pub fn changed(conn: &mut Conn<'_>, team: TeamKey, since: i64) -> Result<Vec<ContactId>, StoreError> {
    conn.rows(CHANGED, params![team, since], |row| row.get(0))
}

/// Forgets who was removed up to event `until`, which every index of people must have read.
///
/// # Errors
/// Of the engine.
pub fn prune(tx: &mut Tx<'_>, team: TeamKey, until: i64) -> Result<u64, StoreError> {
    tx.execute(PRUNE, params![team, until])
}

/// The folded names of companies that were written behind event `since`; of all for -1.
///
/// # Errors
/// Of the engine.
pub fn companies(
    conn: &mut Conn<'_>,
    team: TeamKey,
    since: i64,
) -> Result<Vec<(CompanyId, String)>, StoreError> {
    conn.rows(COMPANIES, params![team, since], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The texts of these people, archived or not; who is no more is left out.
///
/// # Errors
/// Of the engine.
pub fn texts(conn: &mut Conn<'_>, team: TeamKey, ids: &[ContactId]) -> Result<Vec<PersonTexts>, StoreError> {
    let mut found = conn.rows(TEXTS, params![team, &Json(ids)], map)?;
    found.sort_unstable_by_key(|person| person.id);
    conn.for_each(EMAILS, params![team, &Json(ids)], |row| add_email(&mut found, row))?;
    Ok(found)
}

/// The texts of at most `limit` people with ids behind `after`, by id, archived or not.
///
/// # Errors
/// Of the engine.
pub fn texts_behind(
    conn: &mut Conn<'_>,
    team: TeamKey,
    after: Option<ContactId>,
    limit: i64,
) -> Result<Vec<PersonTexts>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let mut found = conn.rows(TEXTS_BEHIND, params![team, &after, limit], map)?;
    if let Some(last) = found.last().map(|person| person.id) {
        conn.for_each(EMAILS_BETWEEN, params![team, &after, last], |row| add_email(&mut found, row))?;
    }
    Ok(found)
}

fn add_email(people: &mut [PersonTexts], row: &Row<'_>) -> Result<bool, StoreError> {
    let id = row.get(0)?;
    if let Ok(place) = people.binary_search_by_key(&id, |person| person.id) {
        people[place].emails.push(row.get(1)?);
    }
    Ok(true)
}

/// The people, and the companies, that have a deal of this status (folded).
///
/// # Errors
/// Of the engine.
pub fn with_deal(
    conn: &mut Conn<'_>,
    team: TeamKey,
    status: &str,
) -> Result<(Vec<ContactId>, Vec<CompanyId>), StoreError> {
    let people = conn.rows(WITH_DEAL, params![team, status], |row| row.get(0))?;
    let companies = conn.rows(COMPANIES_WITH_DEAL, params![team, status], |row| row.get(0))?;
    Ok((people, companies))
}
