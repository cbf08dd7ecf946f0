//! Migrations: embedded, forward only, one folder an engine, the same numbers in both.

use std::fmt;
use std::path::{Path, PathBuf};

use super::conn::{Conn, Inner};
use super::db::Location;
use super::error::{EngineError, StoreError};
use super::{pg, sqlite};

struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal;)*) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres/", $name, ".sql")),
        }),*]
    };
}

const MIGRATIONS: &[Migration] = migrations! {
    1 "0001_spine";
    2 "0002_webhooks";
    3 "0003_taken";
    4 "0004_notes";
    5 "0005_people";
    6 "0006_texts";
    7 "0007_media";
    8 "0008_analytics";
    9 "0009_dialer";
    10 "0010_access";
    11 "0011_transfer";
    12 "0012_people_changes";
    13 "0013_partners";
    14 "0014_invitations";
    15 "0015_lines";
    16 "0016_usage";
    17 "0017_access";
    18 "0018_installation";
};

/// The version of the schema that this program works with.
#[must_use]
pub fn schema_version() -> i64 {
    MIGRATIONS.last().map_or(0, |last| last.version)
}

/// How the database stands to this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// There is nothing yet.
    Empty,
    /// Older: migrations are due.
    Behind {
        /// Its version.
        version: i64,
    },
    /// Just right.
    Current,
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::Behind { version } => {
                write!(f, "version {version}, this program's is {}", schema_version())
            }
            Self::Current => f.write_str("it is"),
        }
    }
}

/// Why a database cannot be opened, in words for the operator.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A newer program has written it.
    #[error(
        "the database has schema version {found}, this program knows versions up to {known}: a newer Trunkline has \
         used it; run that one, or restore a backup from before the upgrade"
    )]
    Newer {
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Migrations are due.
    #[error("the database is not up to date ({schema}): run `trunkline migrate`")]
    Outdated {
        /// Where it stands.
        schema: Schema,
    },
    /// Another program's database.
    #[error(
        "{place} is another program's database: it has a table {table:?} and no schema version of Trunkline's; nothing \
         was changed; {remedy}"
    )]
    Foreign {
        /// The file, or "the database".
        place: String,
        /// What was found.
        table: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The file is no database of ours.
    #[error("{} is not a Trunkline database, or it is damaged: {problem}; restore it from a backup, or name another --data-dir", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        problem: String,
    },
    /// The file cannot be opened or written.
    #[error("{} cannot be used: {problem}; {remedy}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// PostgreSQL cannot be reached or refuses us.
    #[error("the database cannot be used: {}; check --database, that the server runs, and the user's rights", said(.0))]
    Server(#[source] StoreError),
    /// A migration failed; nothing of it was kept.
    #[error("migration {name} failed and was rolled back: {source}")]
    Failed {
        /// Its name.
        name: &'static str,
        /// What the engine says.
        #[source]
        source: StoreError,
    },
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

const SELECT_TABLES_SQLITE: &str = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name";
const SELECT_TABLES_POSTGRES: &str = "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY table_name";
/// The table that tells the version.
const VERSION_TABLE: &str = "schema_version";
const SELECT_VERSION: &str = "SELECT version FROM schema_version";

/// Tells how the database stands, without changing it.
///
/// # Errors
/// Where it cannot be read, or is newer than this program.
pub(crate) fn inspect(location: &Location) -> Result<Schema, MigrateError> {
    match location {
        Location::Sqlite(path) => {
            if !path.exists() {
                return Ok(Schema::Empty);
            }
            let connection = sqlite::connect(path, true, 1_024).map_err(|error| explain(path, error))?;
            standing(&mut Conn(Inner::Sqlite(&connection))).map_err(|error| explained(path, error))
        }
        Location::Postgres(url) => {
            let mut session = pg::configuration(url)
                .and_then(|config| pg::connect(&config))
                .map_err(MigrateError::Server)?;
            standing(&mut Conn(Inner::Postgres(&mut session))).map_err(of_server)
        }
    }
}

/// Brings the database to this program's version.
///
/// # Errors
/// Where it cannot be written, is newer than this program, or a migration fails.
pub(crate) fn run(location: &Location) -> Result<(), MigrateError> {
    match location {
        Location::Sqlite(path) => {
            // Looked at first without any right to write: opening for writing switches the file's journal mode.
            if path.is_file() {
                inspect(location)?;
            }
            let connection = sqlite::connect(path, false, 1_024).map_err(|error| explain(path, error))?;
            let mut conn = Conn(Inner::Sqlite(&connection));
            apply(&mut conn, "BEGIN IMMEDIATE").map_err(|error| explained(path, error))
        }
        Location::Postgres(url) => {
            let mut session = pg::configuration(url)
                .and_then(|config| pg::connect(&config))
                .map_err(MigrateError::Server)?;
            apply(&mut Conn(Inner::Postgres(&mut session)), "BEGIN").map_err(of_server)
        }
    }
}

fn standing(conn: &mut Conn<'_>) -> Result<Schema, MigrateError> {
    let select = if conn.is_postgres() {
        SELECT_TABLES_POSTGRES
    } else {
        SELECT_TABLES_SQLITE
    };
    let tables = conn.rows(select, &[], |row| row.get::<String>(0))?;
    if let Some(table) = foreign(&tables, conn.is_postgres()) {
        return Err(MigrateError::Foreign {
            place: "the database".to_owned(),
            table: table.to_owned(),
            remedy: "give Trunkline a database, or a schema, of its own",
        });
    }
    if !tables.iter().any(|table| table == VERSION_TABLE) {
        return Ok(Schema::Empty);
    }
    let found = conn
        .row(SELECT_VERSION, &[], |row| row.get::<i64>(0))?
        .unwrap_or(0);
    let known = MIGRATIONS.last().map_or(0, |last| last.version);
    match found.cmp(&known) {
        std::cmp::Ordering::Less => Ok(Schema::Behind { version: found }),
        std::cmp::Ordering::Equal => Ok(Schema::Current),
        std::cmp::Ordering::Greater => Err(MigrateError::Newer { found, known }),
    }
}

/// A table that tells that another program uses this database. A file is one program's, so there any table does; a
/// PostgreSQL schema may be shared, as long as nobody has a table that we need.
fn foreign(tables: &[String], shared: bool) -> Option<&str> {
    let ours = |table: &str| {
        let mut lines = MIGRATIONS.iter().flat_map(|migration| migration.postgres.lines());
        lines.any(|line| {
            line.strip_prefix("CREATE TABLE ")
                .and_then(|rest| rest.split(' ').next())
                == Some(table)
        })
    };
    let versioned = tables.iter().any(|table| table == VERSION_TABLE);
    let mut tables = tables.iter().map(String::as_str);
    if versioned {
        // Others keep a table of this name, too; with the first migration comes the table of teams.
        let complete = tables.any(|table| table == "teams");
        return (!complete).then_some(VERSION_TABLE);
    }
    tables.find(|table| !shared || ours(table))
}

fn apply(conn: &mut Conn<'_>, begin: &str) -> Result<(), MigrateError> {
    // Checked first without a lock: the usual case, and the only one on a file that cannot be written.
    if standing(conn)? == Schema::Current {
        return Ok(());
    }
    conn.batch(begin)?;
    let outcome = apply_all(conn);
    conn.batch(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    outcome
}

fn apply_all(conn: &mut Conn<'_>) -> Result<(), MigrateError> {
    if conn.is_postgres() {
        // Two nodes may start at once on one database; the number is ours alone.
        conn.batch("SELECT pg_advisory_xact_lock(7215630914)")?;
    }
    let from = match standing(conn)? {
        Schema::Current => return Ok(()),
        Schema::Behind { version } => version,
        Schema::Empty => {
            conn.batch("CREATE TABLE schema_version (version BIGINT NOT NULL); INSERT INTO schema_version VALUES (0)")?;
            0
        }
    };
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > from) {
        let sql = if conn.is_postgres() {
            migration.postgres
        } else {
            migration.sqlite
        };
        let failed = |source| MigrateError::Failed {
            name: migration.name,
            source,
        };
        conn.batch(sql).map_err(failed)?;
        conn.batch(&format!(
            "UPDATE schema_version SET version = {}",
            migration.version
        ))
        .map_err(failed)?;
    }
    Ok(())
}

fn of_server(error: MigrateError) -> MigrateError {
    match error {
        MigrateError::Store(error) => MigrateError::Server(error),
        other => other,
    }
}

fn explained(path: &Path, error: MigrateError) -> MigrateError {
    match error {
        MigrateError::Store(error) => explain(path, error),
        MigrateError::Foreign { table, .. } => MigrateError::Foreign {
            place: path.display().to_string(),
            table,
            remedy: "name another --data-dir",
        },
        other => other,
    }
}

/// What the engine said, which an operator can look up.
fn said(error: &StoreError) -> String {
    match error {
        StoreError::Unavailable { source, .. } | StoreError::Engine(source) => source.to_string(),
        other => other.to_string(),
    }
}

/// Turns what SQLite says of a file into what an operator can act on.
pub(crate) fn explain(path: &Path, error: StoreError) -> MigrateError {
    use rusqlite::ErrorCode as Code;
    let path = path.to_owned();
    let code = match &error {
        StoreError::Unavailable {
            source: EngineError::Sqlite(error),
            ..
        }
        | StoreError::Engine(EngineError::Sqlite(error)) => error.sqlite_error_code(),
        _ => None,
    };
    let problem = said(&error);
    match code {
        Some(Code::NotADatabase | Code::DatabaseCorrupt) => MigrateError::Corrupt { path, problem },
        Some(Code::CannotOpen) => {
            let remedy = "check that the folder exists and that this user may write to it";
            MigrateError::File {
                path,
                problem,
                remedy,
            }
        }
        Some(Code::ReadOnly | Code::PermissionDenied) => MigrateError::File {
            path,
            problem,
            remedy: "give this user the right to write to the file and its folder",
        },
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => {
            let remedy = "another process holds it for long; end that one, or try again";
            MigrateError::File {
                path,
                problem,
                remedy,
            }
        }
        Some(Code::DiskFull) => MigrateError::File {
            path,
            problem,
            remedy: "make room on the disk",
        },
        Some(Code::SystemIoFailure) => MigrateError::File {
            path,
            problem,
            remedy: "check that the disk has room, and that it works",
        },
        _ => MigrateError::Store(error),
    }
}
