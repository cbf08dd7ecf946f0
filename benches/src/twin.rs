//! The bare twin: axum and rusqlite returning the same bytes as the product, with nothing in between.
//!
//! There are two of it. One has the answers prepared, and reads and copies their text: no server that reads rows can be
//! as fast. The other ([`rows`]) reads the product's own rows and writes the answer with serde.

mod rows;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use serde_json::value::RawValue;

/// What a twin is started with.
#[derive(clap::Args)]
pub struct Arguments {
    /// Where it listens
    pub address: SocketAddr,
    /// The database of prepared answers
    pub prepared: PathBuf,
    /// The database of the product
    pub product: PathBuf,
    /// The number of which conversations are listed
    pub number: String,
    /// What the list ends with: the JSON of `pagination`
    pub pagination: String,
}

/// A database and the connections to it that are free.
#[derive(Clone)]
struct Database {
    file: Arc<Path>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

#[derive(Clone)]
struct Twin {
    prepared: Database,
    product: Database,
    team: i64,
    line: i64,
    pagination: Arc<RawValue>,
}

impl Database {
    fn at(file: &Path) -> Self {
        Self {
            file: file.into(),
            idle: Arc::default(),
        }
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.file, flags)?;
        // As the product does: without it, SQLite prepares some statements anew at every execution.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(connection)
    }
}

impl Twin {
    fn with<T>(
        &self,
        database: &Database,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let idle = database.idle.lock().ok().and_then(|mut idle| idle.pop());
        let connection = match idle {
            Some(connection) => connection,
            None => database.open()?,
        };
        let outcome = work(&connection);
        if let Ok(mut idle) = database.idle.lock() {
            idle.push(connection);
        }
        outcome
    }
}

/// Makes the database of prepared answers: items by id, and the entries of a list in order.
///
/// # Errors
/// When the file cannot be written.
pub fn prepare(file: &Path, bodies: &[(String, String)], entries: &[&str]) -> Result<()> {
    let mut connection = Connection::open(file)?;
    connection.execute_batch(
        "CREATE TABLE bodies (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
         CREATE TABLE entries (line INTEGER NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL);
         CREATE INDEX entries_at ON entries (line, at);",
    )?;
    let transaction = connection.transaction()?;
    for (id, body) in bodies {
        transaction.execute("INSERT INTO bodies VALUES (?1, ?2)", (id, body))?;
    }
    for (place, body) in entries.iter().enumerate() {
        transaction.execute(
            "INSERT INTO entries VALUES (1, ?1, ?2)",
            (-i64::try_from(place)?, body),
        )?;
    }
    Ok(transaction.commit()?)
}

/// Serves it.
///
/// # Errors
/// When it cannot listen.
pub fn serve(arguments: Arguments) -> Result<()> {
    let (team, line) = Connection::open(&arguments.product)?.query_row(
        "SELECT team_id, line FROM numbers WHERE number = ?1",
        [&arguments.number],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let twin = Twin {
        prepared: Database::at(&arguments.prepared),
        product: Database::at(&arguments.product),
        team,
        line,
        pagination: RawValue::from_string(arguments.pagination)?.into(),
    };
    let router = Router::new()
        .route("/items/{id}", get(item))
        .route("/list", get(list))
        .route("/rows/items/{id}", get(rows::item))
        .route("/rows/list", get(rows::list))
        .with_state(twin);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind(arguments.address).await?;
        Ok(axum::serve(listener, router).await?)
    })
}

async fn item(State(twin): State<Twin>, UrlPath(id): UrlPath<String>) -> Response {
    answer(twin.with(&twin.prepared, |connection| {
        connection
            .prepare_cached("SELECT body FROM bodies WHERE id = ?1")?
            .query_row([&id], |row| row.get::<_, String>(0))
    }))
}

async fn list(State(twin): State<Twin>) -> Response {
    answer(twin.with(&twin.prepared, |connection| {
        let mut statement =
            connection.prepare_cached("SELECT body FROM entries WHERE line = 1 ORDER BY at DESC LIMIT 20")?;
        let mut rows = statement.query([])?;
        let mut body = String::with_capacity(16_384);
        body.push_str("{\"data\":[");
        let mut first = true;
        while let Some(row) = rows.next()? {
            if !first {
                body.push(',');
            }
            first = false;
            body.push_str(row.get_ref(0)?.as_str()?);
        }
        body.push_str("],\"pagination\":");
        body.push_str(twin.pagination.get());
        body.push('}');
        Ok(body)
    }))
}

fn answer(read: rusqlite::Result<String>) -> Response {
    match read {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
