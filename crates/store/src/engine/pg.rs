//! PostgreSQL: a few threads, each with a connection of its own.
//!
//! The blocking client drives a runtime of its own, so it lives on its thread from birth to death. Work is sent to
//! the threads through a bounded queue; long reads have threads of their own, so that they delay nobody.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parking_lot::Mutex;
use postgres::NoTls;
use tokio::sync::watch;

use super::conn::{Conn, Inner, PgSession, Tx};
use super::error::{EngineError, StoreError};
use super::unit::Unit;

/// What may be adjusted.
#[derive(Clone, Copy, Debug)]
pub struct PostgresOptions {
    /// Connections for short reads and writes.
    pub connections: usize,
    /// Connections for long reads.
    pub scan_connections: usize,
    /// The most pieces of work that may wait.
    pub queue: usize,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections: 8,
            scan_connections: 2,
            queue: 4_096,
        }
    }
}

/// How often a transaction is run again when the server asks for it.
const MAX_RERUNS: u32 = 8;

type Task = Box<dyn FnOnce(Result<&mut PgSession, StoreError>) + Send>;

pub(crate) struct Postgres {
    short: Mutex<Option<Sender<Task>>>,
    long: Mutex<Option<Sender<Task>>>,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

/// Reads a `postgres://` URL and sets what all connections share.
pub(crate) fn configuration(url: &str) -> Result<postgres::Config, StoreError> {
    let mut config: postgres::Config = url.parse().map_err(|error: postgres::Error| {
        // The URL may hold a password: what the parser says of it is told, the URL itself is not.
        StoreError::Engine(EngineError::Earlier(format!(
            "the database URL cannot be read: {error}"
        )))
    })?;
    config
        .connect_timeout(Duration::from_secs(5))
        .keepalives_idle(Duration::from_secs(30))
        .application_name("trunkline");
    Ok(config)
}

/// What holds in every session.
///
/// Every statement of ours finds its rows by an index and is written in the order in which they are to be found. Left
/// to itself the planner goes by statistics, and without any (a new installation, the first minute of an import) it
/// takes a team for a handful of rows and reads all of it, for each row of what it is joined with. So it is told to
/// follow indexes from row to row, and to plan a statement once.
const SESSION: &str =
    "SET statement_timeout = '60s'; SET lock_timeout = '10s'; SET TIME ZONE 'UTC'; SET jit = off;
    SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off;
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off";

/// Connects and sets up the session.
pub(crate) fn connect(config: &postgres::Config) -> Result<PgSession, StoreError> {
    let mut client = config.connect(NoTls).map_err(|error| StoreError::Unavailable {
        doing: "connecting to PostgreSQL",
        source: error.into(),
    })?;
    client.batch_execute(SESSION)?;
    Ok(PgSession::new(client, config.clone()))
}

/// Has the server reclaim what was deleted in these tables, and gather their statistics anew, which hold values of rows.
pub(crate) fn vacuum(config: &postgres::Config, tables: &[&str]) -> Result<(), StoreError> {
    let mut session = connect(config)?;
    session.command("SET statement_timeout = 0; SET lock_timeout = 0")?;
    for table in tables {
        session.command(&format!("VACUUM (ANALYZE) {table}"))?;
    }
    Ok(())
}

impl Postgres {
    pub(crate) fn start(config: &postgres::Config, options: PostgresOptions) -> Result<Self, StoreError> {
        let (short, short_tasks) = bounded(options.queue);
        let (long, long_tasks) = bounded(options.queue);
        let mut threads = Vec::new();
        for i in 0..options.connections + options.scan_connections {
            let tasks = if i < options.connections {
                short_tasks.clone()
            } else {
                long_tasks.clone()
            };
            let config = config.clone();
            threads.push(
                std::thread::Builder::new()
                    .name(format!("store-pg-{i}"))
                    .spawn(move || work_loop(&config, &tasks))
                    .map_err(|error| {
                        StoreError::Engine(EngineError::Earlier(format!("cannot start a thread: {error}")))
                    })?,
            );
        }
        Ok(Self {
            short: Mutex::new(Some(short)),
            long: Mutex::new(Some(long)),
            threads: Mutex::new(threads),
        })
    }

    pub(crate) fn submit_read<T, E, F>(
        &self,
        long: bool,
        read: F,
    ) -> Result<tokio::sync::oneshot::Receiver<Result<T, E>>, StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Conn<'_>) -> Result<T, E> + Send + 'static,
    {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.submit(
            long,
            Box::new(move |session| {
                let outcome = match session {
                    Ok(session) => {
                        let mut conn = Conn(Inner::Postgres(session));
                        let outcome =
                            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read(&mut conn)));
                        outcome.unwrap_or_else(|_| {
                            // It may have been at one moment, which would last for ever.
                            session.lost = true;
                            Err(StoreError::Panicked.into())
                        })
                    }
                    Err(error) => Err(error.into()),
                };
                drop(reply.send(outcome));
            }),
        )?;
        Ok(answer)
    }

    pub(crate) fn submit_write(
        &self,
        mut unit: Box<dyn Unit>,
        appended: Arc<watch::Sender<u64>>,
    ) -> Result<(), StoreError> {
        self.submit(
            false,
            Box::new(move |session| match session {
                Ok(session) => {
                    let outcome = transaction(session, unit.as_mut());
                    let any_appended = matches!(outcome, Ok(true));
                    unit.finish(outcome.map(|_| ()));
                    if any_appended {
                        appended.send_modify(|commits| *commits += 1);
                    }
                }
                Err(error) => unit.finish(Err(error)),
            }),
        )
    }

    fn submit(&self, long: bool, task: Task) -> Result<(), StoreError> {
        let queue = if long { self.long.lock() } else { self.short.lock() };
        match queue.as_ref().map(|sender| sender.try_send(task)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_))) => Err(StoreError::Busy),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(StoreError::Closed),
        }
    }

    pub(crate) fn waiting(&self) -> usize {
        self.short.lock().as_ref().map_or(0, Sender::len)
    }

    /// Finishes what was accepted and ends the threads.
    pub(crate) fn close(&self) {
        drop(self.short.lock().take());
        drop(self.long.lock().take());
        for thread in self.threads.lock().drain(..) {
            drop(thread.join());
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.close();
    }
}

fn work_loop(config: &postgres::Config, tasks: &Receiver<Task>) {
    let mut session: Option<PgSession> = None;
    while let Ok(task) = tasks.recv() {
        if session.as_ref().is_some_and(|session| session.lost) {
            session = None;
        }
        let opened = match session.take() {
            Some(open) => Ok(open),
            None => connect(config),
        };
        match opened {
            Ok(open) => task(Ok(session.insert(open))),
            Err(error) => task(Err(error)),
        }
    }
}

/// Runs a unit in a transaction, again when the server asks for it. Tells whether events were appended.
fn transaction(session: &mut PgSession, unit: &mut dyn Unit) -> Result<bool, StoreError> {
    for attempt in 0.. {
        session.begin()?;
        let mut tx = Tx::new(Conn(Inner::Postgres(session)));
        let keep = unit.run(&mut tx);
        let appended = tx.appended;
        if keep && session.failed {
            session.command("ROLLBACK")?;
            let problem = "a statement failed and the unit of work went on; nothing of it was kept";
            return Err(StoreError::Engine(EngineError::Earlier(problem.into())));
        }
        if keep {
            match session.command("COMMIT") {
                Ok(()) => return Ok(appended),
                Err(error) if error.is_serialization_failure() && attempt < MAX_RERUNS => {}
                Err(error) => return Err(error),
            }
        } else {
            session.command("ROLLBACK")?;
            if !unit.wants_rerun() || attempt >= MAX_RERUNS {
                return Ok(false);
            }
        }
        std::thread::sleep(Duration::from_millis(1 << attempt.min(6)));
    }
    Ok(false)
}
