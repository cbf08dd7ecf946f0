//! A connection to either engine, behind one set of functions.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};

use super::error::{StoreError, ends_connection};
use super::steps::note;
use super::value::{Row, Value};

/// A connection. Statements are SQL that both engines understand, with `$1`, `$2`, … appearing for the first time in
/// that order; they are prepared once per connection and kept.
pub struct Conn<'c>(pub(crate) Inner<'c>);

pub(crate) enum Inner<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(&'c mut PgSession),
}

/// A PostgreSQL client and its prepared statements.
pub(crate) struct PgSession {
    client: postgres::Client,
    config: postgres::Config,
    prepared: HashMap<String, postgres::Statement>,
    /// Whether a statement of the transaction failed: the server then answers its COMMIT with a silent ROLLBACK.
    pub(crate) failed: bool,
    /// Whether the connection is lost, or the server is about to end it.
    pub(crate) lost: bool,
}

/// Statements that depend on a request's filters are many; beyond this number the cache starts anew.
const MAX_PREPARED: usize = 512;

/// How both engines are asked for what is in a list, as far as it is the same in every statement.
const IN_LIST: (&str, &str) = (" IN (SELECT ", " FROM json_each(");

/// Says `= ANY(ARRAY(SELECT …))` for `IN (SELECT … FROM json_each(…))`. PostgreSQL joins with what is in a subquery, and
/// does so last where a statement joins much else: it would read a whole team to find twenty items. The elements of an
/// array are looked up in an index.
fn with_lists_first(sql: &str) -> Cow<'_, str> {
    let mut parts = sql.split(IN_LIST.0);
    let mut made = parts.next().unwrap_or_default().to_owned();
    let mut is_changed = false;
    for part in parts {
        let list = part
            .split_once(IN_LIST.1)
            .filter(|(what, _)| !what.contains(" FROM "))
            .and_then(|_| Some(part.split_at(end_of_parenthesis(part)?)));
        match list {
            Some((list, rest)) => {
                made.push_str(" = ANY(ARRAY(SELECT ");
                made.push_str(list);
                made.push(')');
                made.push_str(rest);
                is_changed = true;
            }
            None => {
                made.push_str(IN_LIST.0);
                made.push_str(part);
            }
        }
    }
    if is_changed { made.into() } else { sql.into() }
}

/// Where the parenthesis that was opened before `text` is closed. (Our statements have none in quotes.)
fn end_of_parenthesis(text: &str) -> Option<usize> {
    let mut depth = 1_u32;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

impl PgSession {
    pub(crate) fn new(client: postgres::Client, config: postgres::Config) -> Self {
        Self {
            client,
            config,
            prepared: HashMap::new(),
            failed: false,
            lost: false,
        }
    }

    /// Begins a transaction; on a new connection if the server has ended the old one meanwhile.
    pub(crate) fn begin(&mut self) -> Result<(), StoreError> {
        self.failed = false;
        if self.command("BEGIN").is_ok() {
            return Ok(());
        }
        *self = super::pg::connect(&self.config)?;
        self.command("BEGIN")
    }

    /// Runs a statement without parameters and results.
    pub(crate) fn command(&mut self, sql: &str) -> Result<(), StoreError> {
        self.ask(|session| session.client.batch_execute(sql))
    }

    /// Talks to the server, and remembers that the transaction is lost if it says no, or the connection if it is silent.
    fn ask<T>(
        &mut self,
        talk: impl FnOnce(&mut Self) -> Result<T, postgres::Error>,
    ) -> Result<T, StoreError> {
        let answer = talk(self);
        if let Err(error) = &answer {
            self.failed = true;
            self.lost |= ends_connection(error);
        }
        Ok(answer?)
    }

    fn prepare(&mut self, sql: &str) -> Result<postgres::Statement, postgres::Error> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        if self.prepared.len() >= MAX_PREPARED {
            self.prepared.clear();
        }
        let statement = self.client.prepare(&with_lists_first(sql))?;
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

fn borrowed<'a>(
    params: &'a [Value<'a>],
) -> impl ExactSizeIterator<Item = &'a (dyn postgres::types::ToSql + Sync)> {
    params
        .iter()
        .map(|value| value as &(dyn postgres::types::ToSql + Sync))
}

fn bind(statement: &mut rusqlite::CachedStatement<'_>, params: &[Value<'_>]) -> rusqlite::Result<()> {
    for (position, value) in params.iter().enumerate() {
        debug_assert_eq!(
            statement.parameter_name(position + 1),
            Some(format!("${}", position + 1).as_str()),
            "parameters must first appear in the order of their numbers"
        );
        statement.raw_bind_parameter(position + 1, value)?;
    }
    Ok(())
}

impl Conn<'_> {
    /// Runs a statement and tells how many rows it touched.
    ///
    /// # Errors
    /// Whatever the engine says.
    pub fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64, StoreError> {
        note(sql);
        match &mut self.0 {
            Inner::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                bind(&mut statement, params)?;
                Ok(statement.raw_execute()? as u64)
            }
            Inner::Postgres(session) => session.ask(|session| {
                let statement = session.prepare(sql)?;
                let params: Vec<_> = borrowed(params).collect();
                session.client.execute(&statement, &params)
            }),
        }
    }

    /// Runs a query and maps every row.
    ///
    /// # Errors
    /// Whatever the engine or `map` says.
    pub fn rows<T>(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        mut map: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::new();
        self.for_each(sql, params, |row| {
            all.push(map(row)?);
            Ok(true)
        })?;
        Ok(all)
    }

    /// Runs a query and maps its first row, if there is one.
    ///
    /// # Errors
    /// Whatever the engine or `map` says.
    pub fn row<T>(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        mut map: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut first = None;
        self.for_each(sql, params, |row| {
            first = Some(map(row)?);
            Ok(false)
        })?;
        Ok(first)
    }

    /// Runs a query and hands every row to `each` until it says `false`.
    ///
    /// # Errors
    /// Whatever the engine or `each` says.
    pub fn for_each(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        note(sql);
        match &mut self.0 {
            Inner::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                bind(&mut statement, params)?;
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next()? {
                    if !each(&Row::Sqlite(row))? {
                        break;
                    }
                }
                Ok(())
            }
            Inner::Postgres(session) => {
                let rows = session.ask(|session| {
                    let statement = session.prepare(sql)?;
                    let params: Vec<_> = borrowed(params).collect();
                    session.client.query(&statement, &params)
                })?;
                for row in rows {
                    if !each(&Row::Postgres(&row))? {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Prepares a statement without running it: what the statement test uses.
    ///
    /// # Errors
    /// Whatever the engine says of the statement, or a parameter out of order.
    pub fn check(&mut self, sql: &str) -> Result<(), StoreError> {
        match &mut self.0 {
            Inner::Sqlite(connection) => {
                let statement = connection.prepare(sql)?;
                for position in 1..=statement.parameter_count() {
                    if statement.parameter_name(position) != Some(format!("${position}").as_str()) {
                        let problem = format!("parameter {position} does not appear in its place: {sql}");
                        return Err(StoreError::Column {
                            column: position,
                            problem,
                        });
                    }
                }
                Ok(())
            }
            Inner::Postgres(session) => session
                .ask(|session| session.client.prepare(&with_lists_first(sql)))
                .map(drop),
        }
    }

    /// Runs `read` so that all its statements see the same moment of the database: a total and a page then agree,
    /// whoever writes meanwhile. Not for a unit of work, which has a transaction of its own.
    ///
    /// # Errors
    /// What `read` returned, or whatever the engine says.
    pub fn at_one_moment<T, E: From<StoreError>>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        match &mut self.0 {
            // A scan has begun already.
            Inner::Sqlite(connection) if !connection.is_autocommit() => return read(self),
            Inner::Sqlite(_) => drop(self.execute("BEGIN", &[])?),
            Inner::Postgres(session) => session.command("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?,
        }
        let outcome = read(self);
        match &mut self.0 {
            Inner::Sqlite(_) => drop(self.execute("COMMIT", &[])?),
            Inner::Postgres(session) => session.command("COMMIT")?,
        }
        outcome
    }

    /// Runs several statements without parameters, as migrations do.
    ///
    /// # Errors
    /// Whatever the engine says.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        match &mut self.0 {
            Inner::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Inner::Postgres(session) => session.command(sql),
        }
    }

    pub(crate) const fn is_postgres(&self) -> bool {
        matches!(self.0, Inner::Postgres(_))
    }
}

/// A connection inside of a write transaction. A unit of work never awaits and never does network I/O.
pub struct Tx<'c> {
    conn: Conn<'c>,
    pub(crate) appended: bool,
}

impl<'c> Tx<'c> {
    pub(crate) const fn new(conn: Conn<'c>) -> Self {
        Self {
            conn,
            appended: false,
        }
    }

    /// Says that events were appended, so that followers are woken after the commit.
    pub const fn mark_appended(&mut self) {
        self.appended = true;
    }

    /// Runs `work` in a transaction of its own inside of this one: if it fails, its changes alone are undone.
    ///
    /// # Errors
    /// What `work` returned, or the engine's refusal to open or close the savepoint.
    pub fn nested<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.batch("SAVEPOINT nested")?;
        let outcome = work(self);
        match &outcome {
            Ok(_) => self.batch("RELEASE SAVEPOINT nested")?,
            Err(_) => {
                self.batch("ROLLBACK TO SAVEPOINT nested; RELEASE SAVEPOINT nested")?;
                if let Inner::Postgres(session) = &mut self.0 {
                    session.failed = false;
                }
            }
        }
        outcome
    }
}

impl<'c> Deref for Tx<'c> {
    type Target = Conn<'c>;

    fn deref(&self) -> &Conn<'c> {
        &self.conn
    }
}

impl<'c> DerefMut for Tx<'c> {
    fn deref_mut(&mut self) -> &mut Conn<'c> {
        &mut self.conn
    }
}

#[cfg(test)]
mod tests {
    use super::with_lists_first;

    #[test]
    fn lists_are_looked_up_and_other_subqueries_left_alone() {
        let list = "a IN (SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT))) AND b = f($3)";
        let found =
            "a = ANY(ARRAY(SELECT CAST(value AS BIGINT) FROM json_each(CAST($2 AS TEXT)))) AND b = f($3)";
        assert_eq!(with_lists_first(list), found);
        assert_eq!(
            with_lists_first(&format!("{list} OR {list}")),
            format!("{found} OR {found}")
        );
        let table = "a IN (SELECT b FROM c) AND d IN (1, 2)";
        assert_eq!(with_lists_first(table), table);
        assert_eq!(
            with_lists_first(&format!("{table} AND {list}")),
            format!("{table} AND {found}")
        );
        let unclosed = "a IN (SELECT value FROM json_each($1)";
        assert_eq!(with_lists_first(unclosed), unclosed);
    }
}
