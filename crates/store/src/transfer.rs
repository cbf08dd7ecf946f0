//! A team's rows as they are, for taking a team from one installation to another.
//!
//! Which tables a team has, and what becomes of each, is told in [`TABLES`]; their columns are asked of the database, so
//! that no column can be forgotten. Rows come in the order of their primary keys and with their columns in one order on
//! both engines: the same team gives the same rows. A team that is being brought in has its row from the start, marked
//! in `teams.importing_at`, so that nobody else gets its key; it is not listed and nothing leads to it until
//! [`finish`].

use std::fmt::Write;

use trunkline_domain::{Millis, TeamId};

use crate::engine::{Column as Cell, Conn, StoreError, Tx, Value};
use crate::{TeamKey, analytics_upkeep, params};

/// What becomes of a table when a team moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Its rows come along.
    Moves,
    /// Its rows come along, in the transaction that makes the team visible: somebody looks through the rows of all
    /// teams.
    MovesLast,
    /// The same, and they are what waits to be done: a copy of a team does without.
    Waits,
    /// It follows from the others and is computed anew.
    Derived,
}

/// Every table whose key begins with a team, and what becomes of it.
pub const TABLES: &[(&str, Fate)] = &[
    ("users", Fate::Moves),
    ("invitations", Fate::Moves),
    ("api_keys", Fate::Moves),
    ("numbers", Fate::Moves),
    ("number_members", Fate::Moves),
    ("companies", Fate::Moves),
    ("contacts", Fate::Moves),
    ("contact_numbers", Fate::Moves),
    ("contact_emails", Fate::Moves),
    ("merged_contacts", Fate::Moves),
    ("removed_contacts", Fate::Moves),
    ("property_definitions", Fate::Moves),
    ("deals", Fate::Moves),
    ("deal_contacts", Fate::Moves),
    ("tags", Fate::Moves),
    ("summary_templates", Fate::Moves),
    ("conversations", Fate::Moves),
    ("items", Fate::Moves),
    ("item_tags", Fate::Moves),
    ("calls", Fate::Moves),
    ("messages", Fate::Moves),
    ("media", Fate::Moves),
    ("transcripts", Fate::Moves),
    ("summaries", Fate::Moves),
    ("notes", Fate::Moves),
    ("threads", Fate::Moves),
    ("thread_comments", Fate::Moves),
    ("text_consents", Fate::Moves),
    ("text_counts", Fate::Moves),
    ("line_text_counts", Fate::Moves),
    ("dialing_queues", Fate::Moves),
    ("dialing_entries", Fate::Moves),
    ("partner_accounts", Fate::Moves),
    ("imports", Fate::Moves),
    ("import_chunks", Fate::Moves),
    ("idempotency", Fate::Moves),
    ("audit", Fate::Moves),
    ("events", Fate::Moves),
    ("webhook_messages", Fate::Moves),
    ("webhook_endpoints", Fate::MovesLast),
    ("webhook_cursors", Fate::MovesLast),
    ("jobs", Fate::Waits),
    ("text_queue", Fate::Waits),
    ("text_lanes", Fate::Waits),
    ("conversation_counts", Fate::Derived),
    ("item_totals", Fate::Derived),
    ("item_days", Fate::Derived),
    ("crm_totals", Fate::Derived),
    ("call_slots", Fate::Derived),
    ("call_days", Fate::Derived),
    ("call_tags", Fate::Derived),
    ("text_days", Fate::Derived),
];

/// Tables that belong to no team alone: teams themselves, what leads to one (computed anew), the installation, processes, and
/// the version.
pub const WITHOUT_TEAM: &[&str] = &["directory", "installation", "nodes", "schema_version", "teams"];

/// Columns that are sealed with the installation's secret key: table, column, and the column of the subject.
pub const SEALED: &[(&str, &str, &str)] = &[
    ("numbers", "carrier_settings", "id"),
    ("webhook_endpoints", "secrets", "id"),
    ("webhook_endpoints", "headers", "id"),
];

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers.
    Int,
    /// Truth values, which are 0 or 1 outside of PostgreSQL.
    Bool,
    /// Numbers.
    Real,
    /// Texts.
    Text,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be NULL.
    pub nullable: bool,
}

/// A table, without the column of the team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// First those of the primary key, in its order, then the others by name.
    pub columns: Vec<Column>,
    /// How many of them are of the primary key.
    pub key: usize,
}

/// A row, a value for each column.
pub type Values = Vec<Value<'static>>;

/// Rows that are read at a time: they may be long.
const PAGE: i64 = 200;

/// Rows that one statement stores.
const TOGETHER: usize = 50;

/// Rows that are deleted in one transaction.
const FORGET: i64 = 5_000;

statements! {
    RESERVE =
        "INSERT INTO teams (id, name, plan, time_zone, country, sandbox, read_per_second, write_per_second, create_tags,
                            last_event, last_item, last_conversation, last_line, created_at, importing_at)
         VALUES ($1, '', 'TRIAL', 'UTC', 'US', $2, 0, 0, $3, 0, 0, 0, 0, $4, $5) RETURNING team_id";
    SEEN = "UPDATE teams SET importing_at = $1 WHERE team_id = $2 AND importing_at IS NOT NULL";
    UNFINISHED = "SELECT team_id, importing_at FROM teams WHERE importing_at IS NOT NULL";
    UNRESERVE = "DELETE FROM teams WHERE team_id = $1 AND importing_at IS NOT NULL";
    KEYS_IN_DIRECTORY = "INSERT INTO directory (kind, key, team_id) SELECT 'key', hash, team_id FROM api_keys WHERE team_id = $1";
    FORGET_RELEASED =
        "DELETE FROM directory
          WHERE kind = 'number' AND released_at IS NOT NULL
            AND key IN (SELECT number FROM numbers WHERE team_id = $1 AND number IS NOT NULL AND removed_at IS NULL)";
    NUMBERS_IN_DIRECTORY =
        "INSERT INTO directory (kind, key, team_id)
         SELECT 'number', number, team_id FROM numbers
          WHERE team_id = $1 AND number IS NOT NULL AND removed_at IS NULL";
    INVITATIONS_IN_DIRECTORY =
        "INSERT INTO directory (kind, key, team_id) SELECT 'invitation', hash, team_id FROM invitations WHERE team_id = $1";
    COUNT_CONVERSATIONS =
        "INSERT INTO conversation_counts (team_id, line, unread, archived, n)
         SELECT team_id, line, unread, archived, COUNT(*) FROM conversations WHERE team_id = $1 GROUP BY 1, 2, 3, 4";
    COUNT_ITEMS =
        "INSERT INTO item_totals (team_id, line, user_id, kind, direction, result, n)
         SELECT team_id, line, COALESCE(user_id, ''), kind, direction, COALESCE(result, ''), COUNT(*)
           FROM items WHERE team_id = $1 GROUP BY 1, 2, 3, 4, 5, 6";
    COUNT_DAYS =
        "INSERT INTO item_days (team_id, day, line, user_id, kind, direction, result, n)
         SELECT team_id, day, line, COALESCE(user_id, ''), kind, direction, COALESCE(result, ''), COUNT(*)
           FROM items WHERE team_id = $1 GROUP BY 1, 2, 3, 4, 5, 6, 7";
    COUNT_PEOPLE =
        "INSERT INTO crm_totals (team_id, kind, n)
         SELECT team_id, 'PERSON', COUNT(*) FROM contacts WHERE team_id = $1 AND archived_at IS NULL GROUP BY 1";
    COUNT_COMPANIES =
        "INSERT INTO crm_totals (team_id, kind, n) SELECT team_id, 'COMPANY', COUNT(*) FROM companies WHERE team_id = $1 GROUP BY 1";
    COUNT_DEALS =
        "INSERT INTO crm_totals (team_id, kind, n) SELECT team_id, 'DEAL', COUNT(*) FROM deals WHERE team_id = $1 GROUP BY 1";
}

/// The columns of a table; each engine tells them in its own way.
const SQLITE_COLUMNS: &str = "SELECT name, type, \"notnull\", pk FROM pragma_table_info($1)";
const POSTGRES_COLUMNS: &str = "SELECT CAST(c.column_name AS TEXT), CAST(c.data_type AS TEXT), c.is_nullable = 'NO',
           CAST(COALESCE((SELECT array_position(x.indkey, a.attnum) + 1
                       FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid
                      WHERE x.indrelid = CAST(CAST($1 AS TEXT) AS REGCLASS) AND x.indisprimary
                        AND a.attname = c.column_name AND a.attnum = ANY (x.indkey)), 0) AS BIGINT)
      FROM information_schema.columns c WHERE c.table_schema = current_schema() AND c.table_name = CAST($1 AS TEXT)";

/// Columns of `teams` that say where a team is, not what it is.
const OF_THE_INSTALLATION: [&str; 2] = ["team_id", "importing_at"];

/// Asks the database for the columns of a table.
///
/// # Errors
/// Of the engine; a column of a type that this does not know.
pub fn describe(conn: &mut Conn<'_>, name: &'static str) -> Result<Table, StoreError> {
    let sql = if conn.is_postgres() { POSTGRES_COLUMNS } else { SQLITE_COLUMNS };
    let mut found: Vec<(i64, Column)> = Vec::new();
    conn.for_each(sql, params![name], |row| {
        let (column, kind, not_null, place): (String, String, bool, i64) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let kind = match kind.as_str() {
            "INTEGER" | "BIGINT" | "bigint" => Kind::Int,
            "boolean" => Kind::Bool,
            "REAL" | "double precision" => Kind::Real,
            "TEXT" | "text" => Kind::Text,
            other => {
                let problem = format!("{name}.{column} has the type {other}");
                return Err(StoreError::Column { column: 0, problem });
            }
        };
        if !OF_THE_INSTALLATION.contains(&column.as_str()) {
            let nullable = !not_null && place == 0;
            let place = if place == 0 { i64::MAX } else { place };
            found.push((place, Column { name: column, kind, nullable }));
        }
        Ok(true)
    })?;
    found.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.name.cmp(&other.name)));
    let key = found.iter().filter(|(place, _)| *place < i64::MAX).count();
    let columns = found.into_iter().map(|(_, column)| column).collect();
    Ok(Table { name, columns, key })
}

impl Table {
    fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }

    fn key_names(&self) -> String {
        let names: Vec<&str> = self.columns[..self.key].iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }
}

/// How many rows a team has in a table.
///
/// # Errors
/// Of the engine.
pub fn count(conn: &mut Conn<'_>, table: &Table, team: TeamKey) -> Result<i64, StoreError> {
    let sql = format!("SELECT COUNT(*) FROM {} WHERE team_id = $1", table.name);
    Ok(conn.row(&sql, params![team], |row| row.get(0))?.unwrap_or(0))
}

/// The next rows of a team behind the row `after`, in the order of the key; none at the end.
///
/// # Errors
/// Of the engine.
pub fn page(
    conn: &mut Conn<'_>,
    table: &Table,
    team: TeamKey,
    after: Option<&Values>,
) -> Result<Vec<Values>, StoreError> {
    let mut sql = format!("SELECT {} FROM {} WHERE team_id = $1", table.names(), table.name);
    let mut values = vec![Value::from(team)];
    if let Some(after) = after {
        if table.key == 0 {
            // A row a team.
            return Ok(Vec::new());
        }
        let places: Vec<String> = (2..2 + table.key).map(|place| format!("${place}")).collect();
        append(&mut sql, format_args!(" AND ({}) > ({})", table.key_names(), places.join(", ")));
        values.extend(after[..table.key].iter().cloned());
    }
    if table.key > 0 {
        append(&mut sql, format_args!(" ORDER BY {} LIMIT {PAGE}", table.key_names()));
    }
    conn.rows(&sql, &values, |row| {
        let cells = table.columns.iter().enumerate();
        cells.map(|(place, column)| Ok(owned(row.column(place)?, column.kind))).collect()
    })
}

fn owned(cell: Cell<'_>, kind: Kind) -> Value<'static> {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) if kind == Kind::Bool => Value::Bool(number != 0),
        #[expect(clippy::cast_precision_loss, reason = "a number that was stored without a fraction")]
        Cell::Int(number) if kind == Kind::Real => Value::Real(number as f64),
        Cell::Int(number) => Value::Int(number),
        Cell::Real(number) => Value::Real(number),
        Cell::Text(text) => Value::Text(text.to_owned().into()),
    }
}

// Writing to a String cannot fail.
fn append(sql: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = sql.write_fmt(text);
}

/// Stores rows of a team. Each has a value for every column of the table.
///
/// # Errors
/// [`StoreError::Duplicate`] when a row exists, or of the engine.
pub fn insert(tx: &mut Tx<'_>, table: &Table, team: TeamKey, rows: &[Values]) -> Result<(), StoreError> {
    for rows in rows.chunks(TOGETHER) {
        // Two texts of the statement a table, so that it is prepared once.
        let size = if rows.len() == TOGETHER { TOGETHER } else { 1 };
        let mut sql = format!("INSERT INTO {} (team_id, {}) VALUES ", table.name, table.names());
        let mut place = 0;
        for i in 0..size {
            sql.push_str(if i > 0 { ", (" } else { "(" });
            for column in 0..=table.columns.len() {
                place += 1;
                append(&mut sql, format_args!("{}${place}", if column > 0 { ", " } else { "" }));
            }
            sql.push(')');
        }
        for some in rows.chunks(size) {
            let mut values = Vec::with_capacity(size * (1 + table.columns.len()));
            for row in some {
                values.push(Value::from(team));
                values.extend(row.iter().cloned());
            }
            tx.execute(&sql, &values)?;
        }
    }
    Ok(())
}

/// Takes a key for a team that is to be brought in. `id` is a stand-in.
///
/// # Errors
/// Of the engine.
pub fn reserve(tx: &mut Tx<'_>, id: TeamId, now: Millis) -> Result<TeamKey, StoreError> {
    let key = tx.row(RESERVE, params![id, false, false, now, now], |row| row.get(0))?;
    key.ok_or(StoreError::Column { column: 0, problem: "no key was handed out".into() })
}

/// Says that somebody is still at it; fails when the reservation is gone.
///
/// # Errors
/// [`StoreError::Column`] when somebody has taken the import for abandoned, or of the engine.
pub fn seen(tx: &mut Tx<'_>, team: TeamKey, now: Millis) -> Result<(), StoreError> {
    if tx.execute(SEEN, params![now, team])? == 0 {
        let problem = "the import was taken for abandoned and undone".into();
        return Err(StoreError::Column { column: 0, problem });
    }
    Ok(())
}

/// Teams that are being brought in, or were when a process ended, and when somebody was last seen at it.
///
/// # Errors
/// Of the engine.
pub fn unfinished(conn: &mut Conn<'_>) -> Result<Vec<(TeamKey, Millis)>, StoreError> {
    conn.rows(UNFINISHED, &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Deletes some rows of a team that is not there yet; tells whether there may be more.
///
/// # Errors
/// Of the engine.
pub fn forget(tx: &mut Tx<'_>, table: &Table, team: TeamKey) -> Result<bool, StoreError> {
    let Table { name, key, .. } = table;
    if *key == 0 {
        tx.execute(&format!("DELETE FROM {name} WHERE team_id = $1"), params![team])?;
        return Ok(false);
    }
    let names = table.key_names();
    let sql = format!(
        "DELETE FROM {name} WHERE team_id = $1 AND ({names}) IN (SELECT {names} FROM {name} WHERE team_id = $2 LIMIT {FORGET})"
    );
    let deleted = tx.execute(&sql, params![team, team])?;
    Ok(i64::try_from(deleted).is_ok_and(|deleted| deleted >= FORGET))
}

/// Gives a reserved key back, once the team has no rows.
///
/// # Errors
/// Of the engine.
pub fn unreserve(tx: &mut Tx<'_>, team: TeamKey) -> Result<(), StoreError> {
    tx.execute(UNRESERVE, params![team]).map(drop)
}

/// Computes what follows from the rows that were stored.
///
/// # Errors
/// Of the engine.
pub fn derive(tx: &mut Tx<'_>, team: TeamKey) -> Result<(), StoreError> {
    analytics_upkeep::rebuild(tx, team)?;
    for sql in [COUNT_CONVERSATIONS, COUNT_ITEMS, COUNT_DAYS, COUNT_PEOPLE, COUNT_COMPANIES, COUNT_DEALS] {
        tx.execute(sql, params![team])?;
    }
    Ok(())
}

/// Makes a team that was brought in visible: gives its row the values of `row`, and lets numbers, keys and invitations
/// lead to it.
///
/// # Errors
/// [`StoreError::Duplicate`] when the team, one of its numbers or one of its keys exists already.
pub fn finish(tx: &mut Tx<'_>, teams: &Table, team: TeamKey, row: &Values) -> Result<(), StoreError> {
    let mut sql = String::from("UPDATE teams SET importing_at = NULL");
    let mut values = row.clone();
    for (i, column) in teams.columns.iter().enumerate() {
        append(&mut sql, format_args!(", {} = ${}", column.name, i + 1));
    }
    append(&mut sql, format_args!(" WHERE team_id = ${} AND importing_at IS NOT NULL", values.len() + 1));
    values.push(team.into());
    if tx.execute(&sql, &values)? == 0 {
        let problem = "the import was taken for abandoned and undone".into();
        return Err(StoreError::Column { column: 0, problem });
    }
    for sql in [FORGET_RELEASED, KEYS_IN_DIRECTORY, NUMBERS_IN_DIRECTORY, INVITATIONS_IN_DIRECTORY] {
        tx.execute(sql, params![team])?;
    }
    tx.mark_appended();
    Ok(())
}
