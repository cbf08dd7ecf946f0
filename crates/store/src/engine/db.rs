//! The database as the rest of the program sees it.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use super::conn::{Conn, Tx};
use super::error::{EngineError, StoreError};
use super::migrate::{self, MigrateError, Schema};
use super::pg::{self, Postgres, PostgresOptions};
use super::sqlite::{self, Scrubbed, Sqlite, SqliteOptions};
use super::steps::{noted_read, noted_unit};
use super::unit::{UnitError, Work};

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file; its folder must exist.
    Sqlite(PathBuf),
    /// A `postgres://` URL. It may hold a password, so it is never shown.
    Postgres(String),
}

impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres:<hidden>"),
        }
    }
}

/// What may be adjusted.
#[derive(Clone, Copy, Debug, Default)]
pub struct DbOptions {
    /// For SQLite.
    pub sqlite: SqliteOptions,
    /// For PostgreSQL.
    pub postgres: PostgresOptions,
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<DbInner>,
}

struct DbInner {
    engine: Engine,
    appended: Arc<watch::Sender<u64>>,
    scans: Semaphore,
    location: Location,
    options: DbOptions,
}

enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// Long reads of SQLite that may run at a time; each occupies a blocking thread.
const SCANS: usize = 4;

impl Db {
    /// Opens the database, which must be of this program's version: see [`Db::migrate`]. Blocks, and must not be
    /// called on an async thread: PostgreSQL's client drives a runtime of its own.
    ///
    /// # Errors
    /// A [`MigrateError`] that tells an operator what is wrong and what to do.
    pub fn open(location: &Location, options: DbOptions) -> Result<Self, MigrateError> {
        let schema = migrate::inspect(location)?;
        if schema != Schema::Current {
            return Err(MigrateError::Outdated { schema });
        }
        let appended = Arc::new(watch::Sender::new(0));
        let engine = match location {
            Location::Sqlite(path) => Engine::Sqlite(
                Sqlite::start(path, options.sqlite, appended.clone())
                    .map_err(|error| migrate::explain(path, error))?,
            ),
            Location::Postgres(url) => {
                Engine::Postgres(Postgres::start(&pg::configuration(url)?, options.postgres)?)
            }
        };
        let inner = DbInner {
            engine,
            appended,
            scans: Semaphore::new(SCANS),
            location: location.clone(),
            options,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Brings the database to this program's version, creating it where there is none, and opens it. Blocks, as
    /// [`Db::open`] does.
    ///
    /// # Errors
    /// A [`MigrateError`] that tells an operator what is wrong and what to do.
    pub fn migrate(location: &Location, options: DbOptions) -> Result<Self, MigrateError> {
        migrate::run(location)?;
        Self::open(location, options)
    }

    /// A short read. On SQLite it runs here and now, without leaving the async thread (a few microseconds); on
    /// PostgreSQL it is sent to a connection's thread.
    ///
    /// # Errors
    /// What `read` returned, or [`StoreError`] where the engine failed.
    pub async fn read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Conn<'_>) -> Result<T, E> + Send + 'static,
    {
        let read = noted_read(read);
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.read(self.inner.options.sqlite.cache_kib, read),
            Engine::Postgres(postgres) => postgres
                .submit_read(false, read)?
                .await
                .map_err(|_| E::from(StoreError::Closed))?,
        }
    }

    /// A long read: it always leaves the async threads, and only a few run at a time. On SQLite it sees one moment
    /// of the database.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn scan<T, E, F>(&self, read: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Conn<'_>) -> Result<T, E> + Send + 'static,
    {
        let read = noted_read(read);
        match &self.inner.engine {
            Engine::Sqlite(_) => {
                let _permit = self
                    .inner
                    .scans
                    .acquire()
                    .await
                    .map_err(|_| E::from(StoreError::Closed))?;
                let this = self.clone();
                tokio::task::spawn_blocking(move || this.scan_here(read))
                    .await
                    .unwrap_or_else(|_| Err(StoreError::Panicked.into()))
            }
            Engine::Postgres(postgres) => postgres
                .submit_read(true, read)?
                .await
                .map_err(|_| E::from(StoreError::Closed))?,
        }
    }

    fn scan_here<T, E: From<StoreError>>(
        &self,
        read: impl FnOnce(&mut Conn<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.snapshot(self.inner.options.sqlite.cache_kib, read),
            Engine::Postgres(_) => Err(StoreError::Closed.into()),
        }
    }

    /// A unit of work in one transaction. It never awaits and never does network I/O; it may be run again where the
    /// engine asks for it, so it must not consume what it captured. When this returns `Ok`, the changes are on disk.
    ///
    /// A unit in which a statement failed must fail too, unless the statement ran in [`Tx::nested`]: PostgreSQL keeps
    /// nothing of such a transaction, and the caller is told so.
    ///
    /// # Errors
    /// What `work` returned, [`StoreError::Busy`] when too much waits already, or the engine's failure.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: UnitError,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (unit, answer) = Work::boxed(noted_unit(work));
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.submit(unit)?,
            Engine::Postgres(postgres) => postgres.submit_write(unit, self.inner.appended.clone())?,
        }
        answer.await.map_err(|_| E::from(StoreError::Closed))?
    }

    /// Gets rid of what was deleted before: on SQLite in the file and its log, on PostgreSQL by a vacuum of the tables that
    /// tell of people.
    ///
    /// # Errors
    /// The engine's failure.
    pub async fn scrub(&self) -> Result<Scrubbed, StoreError> {
        let DbInner {
            location, options, ..
        } = &*self.inner;
        let (location, vacuum_mib) = (location.clone(), options.sqlite.vacuum_mib);
        let work = move || match location {
            Location::Sqlite(path) => sqlite::scrub(&path, vacuum_mib),
            Location::Postgres(url) => {
                pg::vacuum(&pg::configuration(&url)?, &crate::erasures::TABLES).map(|()| Scrubbed::Rows)
            }
        };
        let (reply, answer) = tokio::sync::oneshot::channel();
        // A thread of its own: PostgreSQL's client drives a runtime, which none of the program's threads may hold.
        std::thread::Builder::new()
            .name("store-scrub".into())
            .spawn(move || drop(reply.send(work())))
            .map_err(|error| {
                StoreError::Engine(EngineError::Earlier(format!("cannot start a thread: {error}")))
            })?;
        answer.await.map_err(|_| StoreError::Panicked)?
    }

    /// A counter that grows after every commit of this process that appended events.
    #[must_use]
    pub fn appended(&self) -> watch::Receiver<u64> {
        self.inner.appended.subscribe()
    }

    /// Units of work that wait just now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.waiting(),
            Engine::Postgres(postgres) => postgres.waiting(),
        }
    }

    /// The name of the engine.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match &self.inner.engine {
            Engine::Sqlite(_) => "SQLite",
            Engine::Postgres(_) => "PostgreSQL",
        }
    }

    /// Whether this is SQLite, which one server process has to itself.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        matches!(self.inner.engine, Engine::Sqlite(_))
    }

    /// Finishes what was accepted and closes all connections; later calls get [`StoreError::Closed`]. Blocks.
    pub fn close(&self) {
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.close(),
            Engine::Postgres(postgres) => postgres.close(),
        }
    }
}
