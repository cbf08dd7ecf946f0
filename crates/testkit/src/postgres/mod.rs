//! A throw-away PostgreSQL for tests, started from the installed programs.
//!
//! One server serves every test process of a workspace: nextest runs each test in a process of its own, and a
//! server for each would cost seconds per test. The first process starts it, the others find it through a state
//! file, and all hold a shared lock on one file for as long as they live. A small shell script
//! (`postgres.sh`) is the server's parent; it drops the databases of processes that ended, and ends the server
//! once the lock has been free for [`IDLE_SECONDS`]. Nothing has to be set up before a test run or cleaned up
//! after it, and a killed test run leaves nothing running.
//!
//! Nothing is ever skipped for want of a PostgreSQL: a test that asks for one and cannot have it fails and says
//! what to install.
//!
//! A server whose script was killed is not reused. Its data folder is deleted by whoever comes next, and
//! PostgreSQL stops by itself within a minute when that happens.

mod account;
mod address;
mod files;
mod starting;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::{env, process, thread};

use tempfile::TempDir;

use address::{ANSWER_ATTEMPTS, ANSWER_PAUSE, Address};
use files::{let_through, lock_file, random_hex, register, shared_folder};
use starting::start;

/// Environment variable naming the folder of PostgreSQL's programs, when they are not found or another version
/// is wanted.
pub const PROGRAMS_VARIABLE: &str = "TRUNKLINE_TEST_PG_BIN";

/// Seconds for which the shared server outlives the last test process, so that the next run finds it warm.
pub const IDLE_SECONDS: u32 = 30;

/// Where Debian and Ubuntu put PostgreSQL, one folder per version, off the PATH.
const DEBIAN_PROGRAMS: &str = "/usr/lib/postgresql";

const SUPERUSER: &str = "trunkline";

const WATCHDOG: &str = include_str!("postgres.sh");

/// What survives when the server itself is killed. (A client that is killed loses nothing either way.)
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Durability {
    /// Commits are acknowledged before they are written. Fast: what nearly every test wants.
    Relaxed,
    /// Commits are on the disk when they are acknowledged, as in production.
    Full,
}

impl Durability {
    fn settings(self) -> &'static str {
        match self {
            Self::Relaxed => "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n",
            Self::Full => "fsync = on\nsynchronous_commit = on\nfull_page_writes = on\n",
        }
    }
}

/// Why there is no PostgreSQL to test with.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The programs were found nowhere.
    #[error(
        "no PostgreSQL to test with: looked for `initdb`, `postgres` and `dropdb` in ${PROGRAMS_VARIABLE}, on the \
         PATH and in {DEBIAN_PROGRAMS}/*/bin. Install it (Debian and Ubuntu: `apt-get install postgresql`, or \
         `cargo xtask setup --install`) or set {PROGRAMS_VARIABLE} to the folder of the programs"
    )]
    NoPrograms,
    /// The variable is set but wrong; falling back to another version would hide that.
    #[error("{PROGRAMS_VARIABLE} is {}, which lacks `initdb`, `postgres` or `dropdb`", .0.display())]
    WrongPrograms(PathBuf),
    /// PostgreSQL refuses to run as root, and there is nobody to run it as.
    #[error("PostgreSQL does not run as root, and this machine has no user `postgres` or `nobody`")]
    NoAccount,
    /// The shared folder belongs to somebody else, who could read or replace what is in it.
    #[error("{} is not a folder of the user who runs the tests", .0.display())]
    ForeignFolder(PathBuf),
    /// A file could not be made, read or locked, or a program not run.
    #[error("could not {doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// `initdb` failed.
    #[error("initdb failed: {0}")]
    Initdb(String),
    /// The server did not come up.
    #[error("the PostgreSQL for tests did not start: {0}")]
    Start(String),
    /// The server runs, but does not answer a query.
    #[error("the PostgreSQL for tests failed to {doing}: {source}")]
    Query {
        /// What was asked of it.
        doing: &'static str,
        /// Its answer.
        source: postgres::Error,
    },
}

/// A running PostgreSQL, in use by this process until dropped.
#[derive(Debug)]
pub struct PostgresServer {
    address: Address,
    /// Locked shared while this process uses the server.
    users: File,
    /// Locked while this process lives; lists its databases, which the watchdog drops afterwards.
    client: Mutex<File>,
    databases: AtomicU64,
    /// What tells this process's databases from those of others.
    prefix: String,
    /// The folder of a private server, deleted with it.
    own_folder: Option<TempDir>,
}

impl PostgresServer {
    /// The server that all tests of this workspace share, started if it does not run yet.
    ///
    /// Its durability is [`Durability::Relaxed`]. May be called from anywhere, async code included; it blocks for
    /// some milliseconds, or seconds when the server has to be started.
    ///
    /// # Panics
    ///
    /// When there is no PostgreSQL, with a message that says how to get one.
    pub fn shared() -> &'static Self {
        match Self::try_shared() {
            Ok(server) => server,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`shared`](Self::shared), for callers that handle the failure. It is tried once per process.
    ///
    /// # Errors
    ///
    /// When there is no PostgreSQL or it does not start.
    pub fn try_shared() -> Result<&'static Self, &'static PostgresError> {
        static SHARED: OnceLock<Result<PostgresServer, PostgresError>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::join(&shared_folder()?, IDLE_SECONDS, Durability::Relaxed))
            .as_ref()
    }

    /// A server of the caller's own, for tests that need durable commits or disturb the whole server. It costs
    /// some seconds to start, and ends when dropped or when the process does.
    ///
    /// # Errors
    ///
    /// When there is no PostgreSQL or it does not start.
    pub fn private(durability: Durability) -> Result<Self, PostgresError> {
        let folder = tempfile::Builder::new()
            .prefix("trunkline-postgres-private-")
            .tempdir()
            .and_then(|folder| let_through(folder.path()).map(|()| folder))
            .map_err(|source| PostgresError::Io {
                doing: "make a temporary folder",
                source,
            })?;
        let mut server = Self::join(folder.path(), 0, durability)?;
        server.own_folder = Some(folder);
        Ok(server)
    }

    /// The `postgres://` URL of a new, empty database (UTF-8, locale C) whose user may do everything. It is
    /// dropped after this process has ended.
    ///
    /// # Panics
    ///
    /// When the server does not make it.
    pub fn fresh_database(&self) -> String {
        match self.try_fresh_database() {
            Ok(url) => url,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`fresh_database`](Self::fresh_database), for callers that handle the failure.
    ///
    /// # Errors
    ///
    /// When the server does not make the database.
    pub fn try_fresh_database(&self) -> Result<String, PostgresError> {
        let name = format!(
            "{}_{}",
            self.prefix,
            self.databases.fetch_add(1, Ordering::Relaxed)
        );
        // Listed first: a database nobody knows of would stay as long as the server.
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(client, "{name}").map_err(|source| PostgresError::Io {
            doing: "note the new database",
            source,
        })?;
        drop(client);

        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        self.address
            .ask(|connection| connection.batch_execute(&create))
            .map_err(|source| PostgresError::Query {
                doing: "create a database",
                source,
            })?;
        Ok(self.address.url(&name))
    }

    /// Uses the server that lives in `folder`, starting it if need be.
    fn join(folder: &Path, idle_seconds: u32, durability: Durability) -> Result<Self, PostgresError> {
        // Before anything else: from here on the watchdog cannot decide to stop.
        let users = lock_file(&folder.join("users.lock"))?;
        users.lock_shared().map_err(|source| PostgresError::Io {
            doing: "lock the PostgreSQL for tests",
            source,
        })?;

        let address = match Address::of_running(folder)? {
            Some(address) => address,
            None => {
                let starting = lock_file(&folder.join("start.lock"))?;
                starting.lock().map_err(|source| PostgresError::Io {
                    doing: "wait for the PostgreSQL for tests to be started",
                    source,
                })?;
                match Address::of_running(folder)? {
                    Some(address) => address,
                    None => start(folder, idle_seconds, durability)?,
                }
            }
        };

        let prefix = format!("test_{}_{}", process::id(), &random_hex()[..8]);
        let client = register(&address.run, &prefix).map_err(|source| PostgresError::Io {
            doing: "register with the PostgreSQL for tests",
            source,
        })?;
        Ok(Self {
            address,
            users,
            client: Mutex::new(client),
            databases: AtomicU64::new(1),
            prefix,
            own_folder: None,
        })
    }
}

impl Drop for PostgresServer {
    /// A private server is gone when this returns.
    fn drop(&mut self) {
        if self.own_folder.is_some() && self.users.unlock().is_ok() {
            for _ in 0..ANSWER_ATTEMPTS {
                if self.address.run.join("ended").exists() {
                    break;
                }
                thread::sleep(ANSWER_PAUSE);
            }
        }
    }
}

/// The folder with PostgreSQL's programs: the one named by [`PROGRAMS_VARIABLE`], else the first on the PATH, else
/// Debian's newest.
///
/// # Errors
///
/// When there is none, or the variable names a folder without them.
pub fn programs() -> Result<PathBuf, PostgresError> {
    if let Some(folder) = env::var_os(PROGRAMS_VARIABLE).filter(|value| !value.is_empty()) {
        return complete(Path::new(&folder)).ok_or_else(|| PostgresError::WrongPrograms(folder.into()));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    if let Some(folder) = env::split_paths(&path).find_map(|folder| complete(&folder)) {
        return Ok(folder);
    }
    let version = |entry: &fs::DirEntry| {
        entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
    };
    fs::read_dir(DEBIAN_PROGRAMS)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((version(&entry)?, complete(&entry.path().join("bin"))?)))
        .max()
        .map(|(_, folder)| folder)
        .ok_or(PostgresError::NoPrograms)
}

/// The folder in which all programs are, if `initdb` is found in the given one; that may only hold a link to it.
fn complete(folder: &Path) -> Option<PathBuf> {
    let initdb = fs::canonicalize(folder.join("initdb")).ok()?;
    let folder = initdb.parent()?;
    ["initdb", "postgres", "dropdb"]
        .iter()
        .all(|program| folder.join(program).is_file())
        .then(|| folder.to_owned())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};
    use std::time::Duration;

    use postgres::{Client, NoTls};

    use super::*;

    #[test]
    fn databases_are_isolated() {
        let server = PostgresServer::shared();
        let mut first = Client::connect(&server.fresh_database(), NoTls).unwrap();
        let mut second = Client::connect(&server.fresh_database(), NoTls).unwrap();
        first
            .batch_execute("CREATE TABLE notes (text TEXT NOT NULL)")
            .unwrap();
        let there = "SELECT to_regclass('notes') IS NOT NULL";
        assert!(first.query_one(there, &[]).unwrap().get::<_, bool>(0));
        assert!(!second.query_one(there, &[]).unwrap().get::<_, bool>(0));
    }

    #[test]
    fn server_is_reused_by_other_processes() {
        let ours = PostgresServer::shared();
        // What another process does: it knows nothing of this one but the folder.
        let theirs =
            PostgresServer::join(&shared_folder().unwrap(), IDLE_SECONDS, Durability::Relaxed).unwrap();
        assert_eq!(ours.address.run, theirs.address.run);
        assert_eq!(ours.address.port, theirs.address.port);
        assert_ne!(ours.fresh_database(), theirs.fresh_database());
    }

    #[test]
    fn databases_of_ended_processes_are_dropped() {
        let ours = PostgresServer::shared();
        let theirs =
            PostgresServer::join(&shared_folder().unwrap(), IDLE_SECONDS, Durability::Relaxed).unwrap();
        let left = theirs.fresh_database();
        let name = left.rsplit('/').next().unwrap().to_owned();
        let exists = || {
            let find = "SELECT count(*) FROM pg_database WHERE datname = $1";
            ours.address
                .ask(|connection| connection.query_one(find, &[&name]))
                .unwrap()
                .get::<_, i64>(0)
                == 1
        };
        assert!(exists());
        // Even one that somebody is still connected to.
        let _connection = Client::connect(&left, NoTls).unwrap();
        drop(theirs);
        for _ in 0..200 {
            if !exists() {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("database {name} outlived its process");
    }

    #[test]
    fn private_server_is_durable_and_ends_with_its_owner() {
        let server = PostgresServer::private(Durability::Full).unwrap();
        let folder = server.own_folder.as_ref().unwrap().path().to_owned();
        let port = server.address.port;
        let mut client = Client::connect(&server.fresh_database(), NoTls).unwrap();
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let row = client
                .query_one("SELECT current_setting($1)", &[&setting])
                .unwrap();
            assert_eq!(row.get::<_, String>(0), "on", "{setting}");
        }
        drop(server);
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn works_inside_an_async_runtime() {
        let url = PostgresServer::shared().fresh_database();
        assert!(url.starts_with("postgres://"));
    }
}
