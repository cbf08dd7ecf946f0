//! What people, companies and deals have in common: exact totals, the orders of their lists, and where a page begins.

use crate::engine::{Conn, StoreError, Tx};
use crate::search::{Builder, Order};
use crate::{TeamKey, params};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// People who are not archived.
    Person,
    /// Companies.
    Company,
    /// Deals.
    Deal,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "PERSON",
            Self::Company => "COMPANY",
            Self::Deal => "DEAL",
        }
    }
}

/// What a list is sorted by; then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortBy {
    /// People and companies: the last activity, or since when they are known. Deals: the last change.
    Date,
    /// When it was made.
    Created,
    /// The folded name.
    Name,
}

/// An order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub by: SortBy,
    /// Upwards or downwards.
    pub order: Order,
}

/// What an entry is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// Epoch milliseconds.
    Time(i64),
    /// A folded name.
    Name(String),
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// So many entries from the start.
    Offset(i64),
    /// Behind the entry with this key and id.
    Behind(SortKey, String),
}

statements! {
    ADD =
        "INSERT INTO crm_totals AS t (team_id, kind, n) VALUES ($1, $2, $3)
             ON CONFLICT (team_id, kind) DO UPDATE SET n = t.n + excluded.n";
    TOTAL = "SELECT n FROM crm_totals WHERE team_id = $1 AND kind = $2";
}

/// Adds `n` to a total. The team's row must be locked.
///
/// # Errors
/// Of the engine.
pub fn add(tx: &mut Tx<'_>, team: TeamKey, kind: Kind, n: i64) -> Result<(), StoreError> {
    tx.execute(ADD, params![team, kind.as_str(), n]).map(drop)
}

/// How many there are.
///
/// # Errors
/// Of the engine.
pub fn total(conn: &mut Conn<'_>, team: TeamKey, kind: Kind) -> Result<i64, StoreError> {
    Ok(conn.row(TOTAL, params![team, kind.as_str()], |row| row.get(0))?.unwrap_or(0))
}

/// Runs the statement of a page, which selects id and sort key.
pub(crate) fn run_page<I: crate::FromColumn>(
    conn: &mut Conn<'_>,
    Builder { sql, values }: Builder,
    by: SortBy,
) -> Result<Vec<(I, SortKey)>, StoreError> {
    conn.rows(&sql, &values, |row| {
        let key = match by {
            SortBy::Name => SortKey::Name(row.get(1)?),
            SortBy::Date | SortBy::Created => SortKey::Time(row.get(1)?),
        };
        Ok((row.get(0)?, key))
    })
}

/// Ends a statement with the order and the beginning of a page. `column` is what `sort` sorts by, `id` the id.
pub(crate) fn paged(builder: &mut Builder, column: &str, id: &str, sort: Sort, place: &Place, limit: i64) {
    let (compare, direction) = match sort.order {
        Order::NewestFirst => ("<", "DESC"),
        Order::OldestFirst => (">", "ASC"),
    };
    if let Place::Behind(key, last) = place {
        builder.push(&format!(" AND ({column}, {id}) {compare} ("));
        match key {
            SortKey::Time(at) => builder.bind(*at),
            SortKey::Name(name) => builder.bind(name.clone()),
        };
        builder.push(", ").bind(last.clone()).push(")");
    }
    builder.push(&format!(" ORDER BY {column} {direction}, {id} {direction} LIMIT ")).bind(limit);
    if let Place::Offset(offset) = place {
        builder.push(" OFFSET ").bind(*offset);
    }
}

/// What to compare a column with so that `text` must be somewhere in it; `!` is the escape character.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// Every order a list can have, for the test that prepares all statements.
pub(crate) fn all_pages() -> Vec<(Sort, Place)> {
    let mut all = Vec::new();
    for by in [SortBy::Date, SortBy::Created, SortBy::Name] {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let key = if by == SortBy::Name { SortKey::Name(String::new()) } else { SortKey::Time(0) };
            all.push((Sort { by, order }, Place::Offset(0)));
            all.push((Sort { by, order }, Place::Behind(key, String::new())));
        }
    }
    all
}
