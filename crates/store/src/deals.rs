//! Deals of the CRM. A deal is with the people it names, and with everybody of its company.

use trunkline_domain::{CompanyId, ContactId, DealId, Millis, text};

use crate::crm::{self, Kind, Place, Sort, SortBy, SortKey};
use crate::engine::{Conn, Row, StoreError, Tx};
use crate::search::Builder;
use crate::{TeamKey, companies, params};

/// A deal.
#[derive(Clone, Debug, PartialEq)]
pub struct DealRow {
    /// Public id.
    pub id: DealId,
    /// Name.
    pub name: String,
    /// Where it stands, in the team's own word.
    pub status: Option<String>,
    /// What it is worth, in units of `currency`.
    pub value: Option<f64>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// When it should close, `YYYY-MM-DD`.
    pub close_date: Option<String>,
    /// When it was closed.
    pub closed_at: Option<Millis>,
    /// Its company.
    pub company_id: Option<CompanyId>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was changed last.
    pub updated_at: Millis,
}

/// A deal as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct DealDetail {
    /// The deal.
    pub deal: DealRow,
    /// The name of its company.
    pub company: Option<String>,
}

/// What a search for deals is limited to; all conditions must hold. Texts are folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DealFilter {
    /// Exactly this status.
    pub status: Option<String>,
    /// Each is the beginning of a word in the deal's name or its company's.
    pub words: Vec<String>,
}

/// All that is shown, in the order of [`map`].
macro_rules! deal {
    ($rest:literal) => {
        concat!(
            "SELECT d.id, d.name, d.status, d.value, d.currency, d.close_date, d.closed_at, d.company_id, d.created_at,
                    d.updated_at, o.name
               FROM deals d LEFT JOIN companies o ON o.team_id = d.team_id AND o.id = d.company_id
              WHERE d.team_id = $1 AND ",
            $rest
        )
    };
}

statements! {
    INSERT =
        "INSERT INTO deals (team_id, id, name, name_key, status, status_key, value, currency, close_date, closed_at,
                            company_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    UPDATE =
        "UPDATE deals
            SET name = $1, name_key = $2, status = $3, status_key = $4, value = $5, currency = $6, close_date = $7,
                closed_at = $8, company_id = $9, updated_at = $10
          WHERE team_id = $11 AND id = $12";
    DELETE = "DELETE FROM deals WHERE team_id = $1 AND id = $2";
    GET = deal!("d.id = $2");
    BY_IDS = deal!("d.id IN (SELECT value FROM json_each(CAST($2 AS TEXT)))");
    INSERT_CONTACT =
        "INSERT INTO deal_contacts (team_id, contact_id, deal_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    CONTACTS = "SELECT contact_id FROM deal_contacts WHERE team_id = $1 AND deal_id = $2";
    DELETE_CONTACTS = "DELETE FROM deal_contacts WHERE team_id = $1 AND deal_id = $2";
    MARK_CONTACT =
        "UPDATE contacts SET has_deals = EXISTS (SELECT 1 FROM deal_contacts l WHERE l.team_id = $1 AND l.contact_id = $2)
          WHERE team_id = $1 AND id = $2";
}

fn map(row: &Row<'_>) -> Result<DealDetail, StoreError> {
    let status: String = row.get(2)?;
    let deal = DealRow {
        id: row.get(0)?,
        name: row.get(1)?,
        status: (!status.is_empty()).then_some(status),
        value: row.get(3)?,
        currency: row.get(4)?,
        close_date: row.get(5)?,
        closed_at: row.get(6)?,
        company_id: row.get(7)?,
        created_at: row.get(8)?,
        updated_at: row.get(9)?,
    };
    Ok(DealDetail { deal, company: row.get(10)? })
}

/// Stores a new deal with these people, and counts it. The team's row must be locked.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, deal: &DealRow, with: &[ContactId]) -> Result<(), StoreError> {
    let status = deal.status.as_deref().unwrap_or_default();
    let values = params![
        team,
        deal.id,
        &deal.name,
        text::fold(&deal.name),
        status,
        text::fold(status),
        deal.value,
        deal.currency.as_deref(),
        deal.close_date.as_deref(),
        deal.closed_at,
        deal.company_id,
        deal.created_at,
        deal.updated_at
    ];
    tx.execute(INSERT, values)?;
    for contact in with {
        tx.execute(INSERT_CONTACT, params![team, *contact, deal.id])?;
        tx.execute(MARK_CONTACT, params![team, *contact])?;
    }
    if let Some(company) = deal.company_id {
        companies::mark_deals(tx, team, company)?;
    }
    crm::add(tx, team, Kind::Deal, 1)
}

/// Replaces `before` by `after`. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, before: &DealRow, after: &DealRow) -> Result<(), StoreError> {
    let status = after.status.as_deref().unwrap_or_default();
    let values = params![
        &after.name,
        text::fold(&after.name),
        status,
        text::fold(status),
        after.value,
        after.currency.as_deref(),
        after.close_date.as_deref(),
        after.closed_at,
        after.company_id,
        after.updated_at,
        team,
        after.id
    ];
    tx.execute(UPDATE, values)?;
    if before.company_id != after.company_id {
        for company in [before.company_id, after.company_id].into_iter().flatten() {
            companies::mark_deals(tx, team, company)?;
        }
    }
    Ok(())
}

/// Deletes a deal. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn delete(tx: &mut Tx<'_>, team: TeamKey, deal: &DealRow) -> Result<(), StoreError> {
    let with: Vec<ContactId> = tx.rows(CONTACTS, params![team, deal.id], |row| row.get(0))?;
    tx.execute(DELETE_CONTACTS, params![team, deal.id])?;
    tx.execute(DELETE, params![team, deal.id])?;
    for contact in with {
        tx.execute(MARK_CONTACT, params![team, contact])?;
    }
    if let Some(company) = deal.company_id {
        companies::mark_deals(tx, team, company)?;
    }
    crm::add(tx, team, Kind::Deal, -1)
}

/// The deal with this id.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, id: DealId) -> Result<Option<DealDetail>, StoreError> {
    conn.row(GET, params![team, id], map)
}

/// The deals with these ids, in their order; unknown ones are left out.
///
/// # Errors
/// Of the engine.
pub fn many(conn: &mut Conn<'_>, team: TeamKey, ids: &[DealId]) -> Result<Vec<DealDetail>, StoreError> {
    let mut rows = conn.rows(BY_IDS, params![team, &crate::Json(ids)], map)?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.deal.id));
    Ok(rows)
}

/// How many deals the filter lets through: exact.
///
/// # Errors
/// Of the engine.
pub fn count(conn: &mut Conn<'_>, team: TeamKey, filter: &DealFilter) -> Result<i64, StoreError> {
    if *filter == DealFilter::default() {
        return crm::total(conn, team, Kind::Deal);
    }
    let Builder { sql, values } = filtered("SELECT COUNT(*)", team, filter);
    Ok(conn.row(&sql, &values, |row| row.get(0))?.unwrap_or(0))
}

/// The ids of a page of deals, with what they are sorted by.
///
/// # Errors
/// Of the engine.
pub fn page(
    conn: &mut Conn<'_>,
    team: TeamKey,
    filter: &DealFilter,
    sort: Sort,
    place: &Place,
    limit: i64,
) -> Result<Vec<(DealId, SortKey)>, StoreError> {
    crm::run_page(conn, page_sql(team, filter, sort, place, limit), sort.by)
}

fn page_sql(team: TeamKey, filter: &DealFilter, sort: Sort, place: &Place, limit: i64) -> Builder {
    let column = match sort.by {
        SortBy::Date => "d.updated_at",
        SortBy::Created => "d.created_at",
        SortBy::Name => "d.name_key",
    };
    let mut builder = filtered(&format!("SELECT d.id, {column}"), team, filter);
    crm::paged(&mut builder, column, "d.id", sort, place, limit);
    builder
}

fn filtered(what: &str, team: TeamKey, filter: &DealFilter) -> Builder {
    let mut builder = Builder::new(what);
    builder.push(" FROM deals d");
    if !filter.words.is_empty() {
        builder.push(" LEFT JOIN companies o ON o.team_id = d.team_id AND o.id = d.company_id");
    }
    builder.push(" WHERE d.team_id = ").bind(team);
    if let Some(status) = &filter.status {
        builder.push(" AND d.status_key = ").bind(status.clone());
    }
    for word in &filter.words {
        builder.push(" AND ' ' || d.name_key || ' ' || COALESCE(o.name_key, '') LIKE ").bind(format!("% {word}%"));
    }
    builder
}

/// Every statement the filters can make, for the test that prepares all statements.
#[must_use]
pub fn all_deal_statements() -> Vec<String> {
    let team = TeamKey(1);
    let mut all = Vec::new();
    for status in [None, Some("x".to_owned())] {
        for words in [vec![], vec!["x".to_owned(); 2]] {
            let filter = DealFilter { status: status.clone(), words };
            all.push(filtered("SELECT COUNT(*)", team, &filter).sql);
            all.extend(crm::all_pages().iter().map(|(sort, place)| page_sql(team, &filter, *sort, place, 1).sql));
        }
    }
    all
}
