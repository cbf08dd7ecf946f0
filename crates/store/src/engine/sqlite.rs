//! SQLite: readers from a pool, one writer thread with group commit.
//!
//! The writer takes whatever units wait, runs them behind savepoints, commits them together with one fsync
//! (`synchronous=FULL`) and only then answers. A unit that fails is rolled back alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parking_lot::Mutex;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::watch;

use super::conn::{Conn, Inner, Tx};
use super::error::{EngineError, StoreError};
use super::unit::Unit;

/// The most units that share one commit; what waits beyond goes into the next.
const MAX_BATCH: usize = 512;

/// The most units that share a savepoint: as many may have to be run again because one of them failed.
const GROUP: usize = 16;

/// How long a process waits for another one that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements kept per connection.
const STATEMENTS: usize = 256;

pub(crate) struct Sqlite {
    readers: Readers,
    units: Mutex<Option<Sender<Box<dyn Unit>>>>,
    /// Hands its connection back when it ends.
    writer: Mutex<Option<JoinHandle<Connection>>>,
}

struct Readers {
    path: PathBuf,
    /// `None` once the store is closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

/// What may be adjusted; the rest is fixed.
#[derive(Clone, Copy, Debug)]
pub struct SqliteOptions {
    /// The most units of work that may wait for the writer.
    pub queue: usize,
    /// Page cache of each connection, in KiB.
    pub cache_kib: u32,
    /// The largest database that is written anew after an erasure, in MiB: nobody else writes meanwhile.
    pub vacuum_mib: u32,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            queue: 4_096,
            cache_kib: 4_096,
            vacuum_mib: 128,
        }
    }
}

/// How thoroughly what was deleted is gone from the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scrubbed {
    /// Every page was written anew: nothing is left.
    Whole,
    /// What was deleted was overwritten, and the log is empty. Copies that the engine made when it moved rows from page to
    /// page, and older ones in free space, may be left until all is written anew.
    Rows,
    /// Somebody reads or writes; it must be tried again.
    Busy,
}

/// How long a scrub waits for others: while it waits, nobody else writes.
const SCRUB_TIMEOUT: Duration = Duration::from_millis(500);

/// Gets rid of what was deleted in the file at `path`, and in its log.
pub(crate) fn scrub(path: &Path, vacuum_mib: u32) -> Result<Scrubbed, StoreError> {
    let connection = connect(path, false, 1_024)?;
    connection.busy_timeout(SCRUB_TIMEOUT)?;
    let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let bytes: i64 = connection.query_row(size, [], |row| row.get(0))?;
    let whole = bytes >> 20 < i64::from(vacuum_mib);
    if whole && let Err(error) = connection.execute_batch("VACUUM") {
        return match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                Ok(Scrubbed::Busy)
            }
            _ => Err(error.into()),
        };
    }
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(match (busy, whole) {
        (0, true) => Scrubbed::Whole,
        (0, false) => Scrubbed::Rows,
        _ => Scrubbed::Busy,
    })
}

/// Opens a connection with the settings all connections share.
pub(crate) fn connect(path: &Path, read_only: bool, cache_kib: u32) -> Result<Connection, StoreError> {
    let flags = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    };
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Plans must not depend on bound values: without this, SQLite prepares a statement anew at every execution when a
    // parameter could decide whether a partial index serves (33 µs of a point read's 38).
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(&format!(
        "PRAGMA cache_size = -{cache_kib}; PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY;"
    ))?;
    if !read_only {
        use_wal(&connection)?;
        connection.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;
             PRAGMA secure_delete = ON;",
        )?;
    }
    Ok(connection)
}

/// Switches the file to write-ahead logging, for good. Processes that do so with a new file at the same time are told
/// "busy" without any waiting, since SQLite fears a deadlock: so the waiting is done here.
fn use_wal(connection: &Connection) -> Result<(), StoreError> {
    let step = BUSY_TIMEOUT / 100;
    connection.busy_timeout(step)?;
    for attempts_left in (0..100).rev() {
        match connection.execute_batch("PRAGMA journal_mode = WAL") {
            Ok(()) => break,
            Err(error)
                if attempts_left > 0
                    && error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) =>
            {
                std::thread::sleep(step / 10);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(connection.busy_timeout(BUSY_TIMEOUT)?)
}

impl Sqlite {
    pub(crate) fn start(
        path: &Path,
        options: SqliteOptions,
        appended: Arc<watch::Sender<u64>>,
    ) -> Result<Self, StoreError> {
        let connection = connect(path, false, options.cache_kib * 4)?;
        if connection.is_readonly("main")? {
            // SQLite opens a file that it may not write as if nothing were wrong; the first write would fail.
            let read_only = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY);
            return Err(rusqlite::Error::SqliteFailure(read_only, None).into());
        }
        let (sender, receiver) = bounded(options.queue);
        let writer = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                write_loop(&connection, &receiver, &appended);
                connection
            })
            .map_err(|error| {
                StoreError::Engine(EngineError::Earlier(format!("cannot start a thread: {error}")))
            })?;
        Ok(Self {
            readers: Readers {
                path: path.to_owned(),
                idle: Mutex::new(Some(Vec::new())),
            },
            units: Mutex::new(Some(sender)),
            writer: Mutex::new(Some(writer)),
        })
    }

    /// Runs `read` on this thread with a pooled connection. Its panic is an error to the caller, as that of a unit of
    /// work is.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        cache_kib: u32,
        read: impl FnOnce(&mut Conn<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = self.readers.idle.lock().as_mut().ok_or(StoreError::Closed)?.pop();
        let connection = idle.map_or_else(|| connect(&self.readers.path, true, cache_kib), Ok)?;
        // What it captured may be half-changed after a panic, but is only dropped afterwards; so is the connection, which
        // may be at one moment.
        let outcome = catch_unwind(AssertUnwindSafe(|| read(&mut Conn(Inner::Sqlite(&connection)))))
            .map_err(|_| StoreError::Panicked)?;
        if let Some(idle) = self
            .readers
            .idle
            .lock()
            .as_mut()
            .filter(|_| connection.is_autocommit())
        {
            idle.push(connection);
        }
        outcome
    }

    /// Runs `read` in one transaction, so that all its statements see the same moment.
    pub(crate) fn snapshot<T, E: From<StoreError>>(
        &self,
        cache_kib: u32,
        read: impl FnOnce(&mut Conn<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.read(cache_kib, |conn| {
            conn.batch("BEGIN")?;
            let outcome = read(conn);
            conn.batch("COMMIT")?;
            outcome
        })
    }

    pub(crate) fn submit(&self, unit: Box<dyn Unit>) -> Result<(), StoreError> {
        let units = self.units.lock();
        match units.as_ref().map(|sender| sender.try_send(unit)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_))) => Err(StoreError::Busy),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(StoreError::Closed),
        }
    }

    pub(crate) fn waiting(&self) -> usize {
        self.units.lock().as_ref().map_or(0, Sender::len)
    }

    /// Finishes what was accepted and ends the writer. Its connection is closed last: the last one that may write moves
    /// everything from the log into the database file, and removes the log.
    pub(crate) fn close(&self) {
        drop(self.units.lock().take());
        let connection = self.writer.lock().take().map(JoinHandle::join);
        drop(self.readers.idle.lock().take());
        drop(connection);
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.close();
    }
}

fn write_loop(connection: &Connection, units: &Receiver<Box<dyn Unit>>, appended: &watch::Sender<u64>) {
    let mut batch: Vec<Box<dyn Unit>> = Vec::with_capacity(MAX_BATCH);
    while let Ok(first) = units.recv() {
        let outcome = run_batch(connection, first, units, &mut batch);
        metrics::histogram!("trunkline_store_batch_units").record(batch.len() as f64);
        let (committed, any_appended) = match outcome {
            Ok(any_appended) => (Ok(()), any_appended),
            Err(error) => {
                tracing::error!(error = %error, units = batch.len(), "a group commit failed; nothing of it was kept");
                if !connection.is_autocommit() {
                    // Left open, it would fail every batch to come.
                    drop(connection.execute_batch("ROLLBACK"));
                }
                (Err(error), false)
            }
        };
        for unit in batch.drain(..) {
            unit.finish(match &committed {
                Ok(()) => Ok(()),
                Err(error) => Err(repeat(error)),
            });
        }
        if any_appended {
            appended.send_modify(|commits| *commits += 1);
        }
    }
}

/// Runs units until none waits or the batch is full, and commits. Tells whether events were appended.
fn run_batch(
    connection: &Connection,
    first: Box<dyn Unit>,
    units: &Receiver<Box<dyn Unit>>,
    batch: &mut Vec<Box<dyn Unit>>,
) -> Result<bool, StoreError> {
    let mut any_appended = false;
    let mut next = Some(first);
    if let Err(error) = command(connection, "BEGIN IMMEDIATE") {
        batch.extend(next.take());
        // Another process may hold the file for long: whoever waits is told now, not one time-out after the other.
        batch.extend(units.try_iter().take(MAX_BATCH));
        return Err(error);
    }
    while let Some(unit) = next.take() {
        let start = batch.len();
        batch.push(unit);
        batch.extend(units.try_iter().take((MAX_BATCH - batch.len()).min(GROUP - 1)));
        any_appended |= run_group(connection, &mut batch[start..])?;
        if connection.is_autocommit() {
            // The engine gave up the whole transaction (disk full, out of memory): nothing before it was kept either.
            return Err(StoreError::Unavailable {
                doing: "writing; the engine rolled back",
                source: EngineError::Earlier("the disk is full or failing".into()),
            });
        }
        if batch.len() < MAX_BATCH {
            next = units.try_recv().ok();
        }
    }
    command(connection, "COMMIT")?;
    Ok(any_appended)
}

fn command(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    Ok(connection.prepare_cached(sql)?.raw_execute().map(drop)?)
}

/// Runs units within one savepoint: a savepoint copies each page that is changed behind it, and units change mostly the
/// same pages. A unit that fails before it has changed anything needs no undoing. One that fails later spoils the
/// group, whose units are then run again, each in a savepoint of its own. Tells whether events were appended.
fn run_group(connection: &Connection, units: &mut [Box<dyn Unit>]) -> Result<bool, StoreError> {
    command(connection, "SAVEPOINT units")?;
    let (mut any_appended, mut spoilt) = (false, false);
    for unit in units.iter_mut() {
        let changes = connection.total_changes();
        let mut tx = Tx::new(Conn(Inner::Sqlite(connection)));
        let kept = unit.run(&mut tx);
        any_appended |= kept && tx.appended;
        if connection.is_autocommit() {
            return Ok(false);
        }
        spoilt = !kept && connection.total_changes() != changes;
        if spoilt {
            break;
        }
    }
    if spoilt {
        command(connection, "ROLLBACK TO units")?;
        any_appended = units.len() > 1 && run_apart(connection, units)?;
        if connection.is_autocommit() {
            return Ok(false);
        }
    }
    command(connection, "RELEASE units")?;
    Ok(any_appended)
}

/// Runs units, each in a savepoint of its own. Tells whether events were appended.
fn run_apart(connection: &Connection, units: &mut [Box<dyn Unit>]) -> Result<bool, StoreError> {
    let mut any_appended = false;
    for unit in units {
        command(connection, "SAVEPOINT unit")?;
        let mut tx = Tx::new(Conn(Inner::Sqlite(connection)));
        let kept = unit.run(&mut tx);
        any_appended |= kept && tx.appended;
        if connection.is_autocommit() {
            return Ok(false);
        }
        if !kept {
            command(connection, "ROLLBACK TO unit")?;
        }
        command(connection, "RELEASE unit")?;
    }
    Ok(any_appended)
}

/// The same failure for every caller of a batch.
fn repeat(error: &StoreError) -> StoreError {
    match error {
        StoreError::Unavailable { doing, source } => StoreError::Unavailable {
            doing,
            source: EngineError::Earlier(source.to_string()),
        },
        StoreError::Busy => StoreError::Busy,
        other => StoreError::Engine(EngineError::Earlier(other.to_string())),
    }
}
