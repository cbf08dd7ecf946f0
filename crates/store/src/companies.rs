//! Companies of the CRM, with what their people add up to.

use trunkline_domain::{CompanyId, Millis, text};

use crate::crm::{self, Kind, Place, Sort, SortBy, SortKey};
use crate::engine::{Conn, Row, StoreError, Tx};
use crate::search::Builder;
use crate::{TeamKey, params};

/// A company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompanyRow {
    /// Public id.
    pub id: CompanyId,
    /// Name.
    pub name: String,
    /// Website.
    pub website: Option<String>,
    /// Industry.
    pub industry: Option<String>,
    /// How many people it has, the archived ones left out.
    pub person_count: i64,
    /// Calls and messages of these people.
    pub interactions: i64,
    /// When the last of them was.
    pub last_at: Option<Millis>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was changed last.
    pub updated_at: Millis,
}

/// What a search for companies is limited to; all conditions must hold. Texts are folded, and may be anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompanyFilter {
    /// In the name.
    pub name: Option<String>,
    /// In the website.
    pub website: Option<String>,
    /// In the industry.
    pub industry: Option<String>,
}

/// All columns, in the order of [`map`].
macro_rules! company {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, website, industry, person_count, interactions, last_at, created_at, updated_at
               FROM companies WHERE team_id = $1 AND ",
            $rest
        )
    };
}

// `created_at + 0`: else SQLite walks over the index by age to save itself the sorting of one row or two.
statements! {
    INSERT =
        "INSERT INTO companies (team_id, id, name, name_key, website, site_key, industry, industry_key, active_at,
                                created_at, updated_at, change)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
                 (SELECT t.last_event + 1 FROM teams t WHERE t.team_id = $1))";
    UPDATE =
        "UPDATE companies
            SET name = $1, name_key = $2, website = $3, site_key = $4, industry = $5, industry_key = $6, updated_at = $7,
                change = (SELECT t.last_event + 1 FROM teams t WHERE t.team_id = $8)
          WHERE team_id = $8 AND id = $9";
    GET = company!("id = $2");
    BY_NAME = company!("name_key = $2 ORDER BY created_at + 0, id LIMIT 1");
    BY_IDS = company!("id IN (SELECT value FROM json_each(CAST($2 AS TEXT)))");
    SHIFT =
        "UPDATE companies
            SET person_count = person_count + $1, interactions = interactions + $2,
                last_at = (SELECT MAX(c.last_at) FROM contacts c
                            WHERE c.team_id = $3 AND c.company_id = $4 AND c.archived_at IS NULL),
                active_at = COALESCE((SELECT MAX(c.last_at) FROM contacts c
                                       WHERE c.team_id = $3 AND c.company_id = $4 AND c.archived_at IS NULL), created_at)
          WHERE team_id = $3 AND id = $4";
    TOUCH =
        "UPDATE companies
            SET interactions = interactions + $1,
                last_at = CASE WHEN last_at > $2 THEN last_at ELSE $2 END,
                active_at = CASE WHEN last_at > $2 THEN last_at ELSE $2 END
          WHERE team_id = $3 AND id = $4";
    MARK_DEALS =
        "UPDATE companies SET has_deals = EXISTS (SELECT 1 FROM deals d WHERE d.team_id = $1 AND d.company_id = $2)
          WHERE team_id = $1 AND id = $2";
}

fn map(row: &Row<'_>) -> Result<CompanyRow, StoreError> {
    Ok(CompanyRow {
        id: row.get(0)?,
        name: row.get(1)?,
        website: row.get(2)?,
        industry: row.get(3)?,
        person_count: row.get(4)?,
        interactions: row.get(5)?,
        last_at: row.get(6)?,
        created_at: row.get(7)?,
        updated_at: row.get(8)?,
    })
}

fn folded(text: Option<&str>) -> String {
    text.map(text::fold).unwrap_or_default()
}

/// Stores a new company and counts it. It has no people yet. The team's row must be locked.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id exists.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, company: &CompanyRow) -> Result<(), StoreError> {
    let (website, industry) = (company.website.as_deref(), company.industry.as_deref());
    let values = params![
        team,
        company.id,
        &company.name,
        text::fold(&company.name),
        website,
        folded(website),
        industry,
        folded(industry),
        company.created_at,
        company.created_at,
        company.updated_at
    ];
    tx.execute(INSERT, values)?;
    crm::add(tx, team, Kind::Company, 1)
}

/// Stores name, website, industry and the time of the change.
///
/// # Errors
/// Of the engine.
pub fn update(tx: &mut Tx<'_>, team: TeamKey, company: &CompanyRow) -> Result<(), StoreError> {
    let (website, industry) = (company.website.as_deref(), company.industry.as_deref());
    let values = params![
        &company.name,
        text::fold(&company.name),
        website,
        folded(website),
        industry,
        folded(industry),
        company.updated_at,
        team,
        company.id
    ];
    tx.execute(UPDATE, values).map(drop)
}

/// The company with this id.
///
/// # Errors
/// Of the engine.
pub fn get(conn: &mut Conn<'_>, team: TeamKey, id: CompanyId) -> Result<Option<CompanyRow>, StoreError> {
    conn.row(GET, params![team, id], map)
}

/// The company of this name, whatever its case and accents; of several the oldest.
///
/// # Errors
/// Of the engine.
pub fn by_name(conn: &mut Conn<'_>, team: TeamKey, name: &str) -> Result<Option<CompanyRow>, StoreError> {
    conn.row(BY_NAME, params![team, text::fold(name)], map)
}

/// The companies with these ids, in their order; unknown ones are left out.
///
/// # Errors
/// Of the engine.
pub fn many(conn: &mut Conn<'_>, team: TeamKey, ids: &[CompanyId]) -> Result<Vec<CompanyRow>, StoreError> {
    let mut rows = conn.rows(BY_IDS, params![team, &crate::Json(ids)], map)?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
    Ok(rows)
}

/// So many people joined the company (or left it), with so many interactions; its last activity is looked up. Their own
/// rows are stored already. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn shift(
    tx: &mut Tx<'_>,
    team: TeamKey,
    id: CompanyId,
    people: i64,
    interactions: i64,
) -> Result<(), StoreError> {
    tx.execute(SHIFT, params![people, interactions, team, id]).map(drop)
}

/// People of the company had `n` interactions more, the last of them at `at`. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub(crate) fn touch(tx: &mut Tx<'_>, team: TeamKey, id: CompanyId, n: i64, at: Millis) -> Result<(), StoreError> {
    tx.execute(TOUCH, params![n, at, team, id]).map(drop)
}

/// Notes whether the company has deals.
///
/// # Errors
/// Of the engine.
pub(crate) fn mark_deals(tx: &mut Tx<'_>, team: TeamKey, id: CompanyId) -> Result<(), StoreError> {
    tx.execute(MARK_DEALS, params![team, id]).map(drop)
}

/// How many companies the filter lets through: exact.
///
/// # Errors
/// Of the engine.
pub fn count(conn: &mut Conn<'_>, team: TeamKey, filter: &CompanyFilter) -> Result<i64, StoreError> {
    if *filter == CompanyFilter::default() {
        return crm::total(conn, team, Kind::Company);
    }
    let Builder { sql, values } = filtered("SELECT COUNT(*)", team, filter);
    Ok(conn.row(&sql, &values, |row| row.get(0))?.unwrap_or(0))
}

/// The ids of a page of companies, with what they are sorted by.
///
/// # Errors
/// Of the engine.
pub fn page(
    conn: &mut Conn<'_>,
    team: TeamKey,
    filter: &CompanyFilter,
    sort: Sort,
    place: &Place,
    limit: i64,
) -> Result<Vec<(CompanyId, SortKey)>, StoreError> {
    crm::run_page(conn, page_sql(team, filter, sort, place, limit), sort.by)
}

fn page_sql(team: TeamKey, filter: &CompanyFilter, sort: Sort, place: &Place, limit: i64) -> Builder {
    let column = match sort.by {
        SortBy::Date => "c.active_at",
        SortBy::Created => "c.created_at",
        SortBy::Name => "c.name_key",
    };
    let mut builder = filtered(&format!("SELECT c.id, {column}"), team, filter);
    crm::paged(&mut builder, column, "c.id", sort, place, limit);
    builder
}

fn filtered(what: &str, team: TeamKey, filter: &CompanyFilter) -> Builder {
    let mut builder = Builder::new(what);
    builder.push(" FROM companies c WHERE c.team_id = ").bind(team);
    for (column, wanted) in
        [("name_key", &filter.name), ("site_key", &filter.website), ("industry_key", &filter.industry)]
    {
        if let Some(text) = wanted {
            builder.push(&format!(" AND c.{column} LIKE ")).bind(crm::containing(text)).push(" ESCAPE '!'");
        }
    }
    builder
}

/// Every statement the filters can make, for the test that prepares all statements.
#[must_use]
pub fn all_company_statements() -> Vec<String> {
    let some = || Some("x".to_owned());
    let full = CompanyFilter { name: some(), website: some(), industry: some() };
    let team = TeamKey(1);
    let mut all = Vec::new();
    for filter in [CompanyFilter::default(), full] {
        all.push(filtered("SELECT COUNT(*)", team, &filter).sql);
        all.extend(crm::all_pages().iter().map(|(sort, place)| page_sql(team, &filter, *sort, place, 1).sql));
    }
    all
}
