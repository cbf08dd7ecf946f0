//! The bare twin: axum and rusqlite returning the same bytes, with nothing in between.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rusqlite::{Connection, OpenFlags};

/// The variable that names the address to listen on.
pub const ADDRESS_VARIABLE: &str = "TWIN_ADDRESS";

type Connections = Arc<Mutex<Vec<Connection>>>;

#[derive(Clone)]
struct Twin {
    file: Arc<Path>,
    idle: Connections,
}

impl Twin {
    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        let connection = match idle {
            Some(connection) => connection,
            None => Connection::open_with_flags(
                &self.file,
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )?,
        };
        let outcome = work(&connection);
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(connection);
        }
        outcome
    }
}

/// Makes the database: bodies of items by id, and the parts of a list in order.
///
/// # Errors
/// When the file cannot be written.
pub fn prepare(file: &Path, bodies: &[(String, String)], entries: &[String]) -> Result<()> {
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
    for (at, body) in entries.iter().enumerate() {
        transaction.execute(
            "INSERT INTO entries VALUES (1, ?1, ?2)",
            (i64::try_from(at)?, body),
        )?;
    }
    Ok(transaction.commit()?)
}

/// Serves it.
///
/// # Errors
/// When it cannot listen.
pub fn serve(file: &Path) -> Result<()> {
    let address: SocketAddr = std::env::var(ADDRESS_VARIABLE).context("no address")?.parse()?;
    let twin = Twin {
        file: file.into(),
        idle: Connections::default(),
    };
    let router = Router::new()
        .route("/items/{id}", get(item))
        .route("/list", get(list))
        .with_state(twin);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind(address).await?;
        Ok(axum::serve(listener, router).await?)
    })
}

async fn item(State(twin): State<Twin>, UrlPath(id): UrlPath<String>) -> Response {
    let read = twin.with(|connection| {
        connection
            .prepare_cached("SELECT body FROM bodies WHERE id = ?1")?
            .query_row([&id], |row| row.get::<_, String>(0))
    });
    answer(read)
}

async fn list(State(twin): State<Twin>) -> Response {
    let read = twin.with(|connection| {
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
        body.push_str("]}");
        Ok(body)
    });
    answer(read)
}

fn answer(read: rusqlite::Result<String>) -> Response {
    match read {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
