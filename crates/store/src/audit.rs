//! Who changed keys and settings, and when.

use trunkline_domain::{ApiKeyId, Millis};

use crate::engine::{Conn, Row, StoreError, Tx};
use crate::search::Builder;
use crate::{TeamKey, params};

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Unique in the team.
    pub id: String,
    /// When.
    pub at: Millis,
    /// Who: a user's id, or `operator` for the command line.
    pub actor: String,
    /// With which API key; `None` where there was none.
    pub api_key: Option<ApiKeyId>,
    /// What was done, such as `key.created`.
    pub action: String,
    /// To what: an id.
    pub subject: String,
    /// More, as JSON; never a secret.
    pub detail: Option<String>,
}

/// Which entries are wanted: all conditions hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this actor.
    pub actor: Option<String>,
    /// This was done.
    pub action: Option<String>,
    /// To this.
    pub subject: Option<String>,
    /// Then or later.
    pub from: Option<Millis>,
    /// Earlier than then.
    pub until: Option<Millis>,
}

statements! {
    INSERT =
        "INSERT INTO audit (team_id, id, at, actor, action, subject, detail, api_key)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIST =
        "SELECT id, at, actor, action, subject, detail, api_key
           FROM audit WHERE team_id = $1 ORDER BY at DESC, id DESC LIMIT $2";
}

/// Stores an entry, in the transaction of the change.
///
/// # Errors
/// Of the engine.
pub fn insert(tx: &mut Tx<'_>, team: TeamKey, entry: &AuditRow) -> Result<(), StoreError> {
    let AuditRow { id, at, actor, api_key, action, subject, detail } = entry;
    tx.execute(INSERT, params![team, id, *at, actor, action, subject, detail.as_deref(), *api_key]).map(drop)
}

fn map(row: &Row<'_>) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        id: row.get(0)?,
        at: row.get(1)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        detail: row.get(5)?,
        api_key: row.get(6)?,
    })
}

/// At most `limit` entries, newest first.
///
/// # Errors
/// Of the engine.
pub fn list(conn: &mut Conn<'_>, team: TeamKey, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
    conn.rows(LIST, params![team, limit], map)
}

/// At most `limit` entries that `filter` lets through, newest first, behind the entry with this instant and id.
///
/// # Errors
/// Of the engine.
pub fn page(
    conn: &mut Conn<'_>,
    team: TeamKey,
    filter: &AuditFilter,
    behind: Option<(Millis, &str)>,
    limit: i64,
) -> Result<Vec<AuditRow>, StoreError> {
    let Builder { sql, values } = page_sql(team, filter, behind, limit);
    conn.rows(&sql, &values, map)
}

fn page_sql(team: TeamKey, filter: &AuditFilter, behind: Option<(Millis, &str)>, limit: i64) -> Builder {
    let mut builder = Builder::new("SELECT id, at, actor, action, subject, detail, api_key FROM audit WHERE team_id = ");
    builder.bind(team);
    for (column, wanted) in [("actor", &filter.actor), ("action", &filter.action), ("subject", &filter.subject)] {
        if let Some(wanted) = wanted {
            builder.push(" AND ").push(column).push(" = ").bind(wanted.clone());
        }
    }
    if let Some(from) = filter.from {
        builder.push(" AND at >= ").bind(from.0);
    }
    if let Some(until) = filter.until {
        builder.push(" AND at < ").bind(until.0);
    }
    if let Some((at, id)) = behind {
        builder.push(" AND (at, id) < (").bind(at.0).push(", ").bind(id.to_owned()).push(")");
    }
    builder.push(" ORDER BY at DESC, id DESC LIMIT ").bind(limit);
    builder
}

/// The statement of a page for every set of filters, for the test that prepares all statements.
#[must_use]
pub fn all_page_statements() -> Vec<String> {
    let mut all = Vec::new();
    for bits in 0..32_u8 {
        let text = |bit: u8| (bits & bit != 0).then(|| "x".to_owned());
        let filter = AuditFilter {
            actor: text(1),
            action: text(2),
            subject: text(4),
            from: (bits & 8 != 0).then_some(Millis(0)),
            until: (bits & 16 != 0).then_some(Millis(1)),
        };
        for behind in [None, Some((Millis(0), "x"))] {
            all.push(page_sql(TeamKey(1), &filter, behind, 20).sql);
        }
    }
    all
}
