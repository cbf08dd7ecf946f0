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

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use std::{env, process, thread};

use postgres::{Client, Config, NoTls};
use tempfile::TempDir;

/// Environment variable naming the folder of PostgreSQL's programs, when they are not found or another version
/// is wanted.
pub const PROGRAMS_VARIABLE: &str = "TRUNKLINE_TEST_PG_BIN";

/// Seconds for which the shared server outlives the last test process, so that the next run finds it warm.
pub const IDLE_SECONDS: u32 = 30;

/// Where Debian and Ubuntu put PostgreSQL, one folder per version, off the PATH.
const DEBIAN_PROGRAMS: &str = "/usr/lib/postgresql";

const SUPERUSER: &str = "trunkline";

const WATCHDOG: &str = include_str!("postgres.sh");

/// Settings of every server, whatever its durability.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
shared_buffers = 64MB
wal_level = minimal
max_wal_senders = 0
max_wal_size = 256MB
checkpoint_timeout = 30min
timezone = 'UTC'
# Databases live for seconds; a worker that visits them all would only disturb.
autovacuum = off
# What a client is told need not be logged as well.
log_min_messages = fatal
";

/// How often, and how long, to look whether a server answers: 30 seconds in all.
const ANSWER_ATTEMPTS: u32 = 300;
const ANSWER_PAUSE: Duration = Duration::from_millis(100);

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

/// Where a server is, as its state file says.
#[derive(Debug)]
struct Address {
    run: PathBuf,
    port: u16,
    password: String,
}

impl Address {
    /// The server that runs in `folder`, or `None` when one has to be started.
    fn of_running(folder: &Path) -> Result<Option<Self>, PostgresError> {
        let state = match fs::read_to_string(folder.join("state")) {
            Ok(state) => state,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(PostgresError::Io {
                    doing: "read the state of the PostgreSQL for tests",
                    source,
                });
            }
        };
        let mut lines = state.lines();
        let (Some(run), Some(Ok(port)), Some(password)) =
            (lines.next(), lines.next().map(str::parse), lines.next())
        else {
            return Ok(None);
        };
        let address = Self {
            run: folder.join(run),
            port,
            password: password.to_owned(),
        };
        match address.wait() {
            Ok(()) => Ok(Some(address)),
            Err(Absent::Ended) => Ok(None),
            Err(Absent::Silent(source)) => Err(PostgresError::Query {
                doing: "answer",
                source,
            }),
        }
    }

    /// Waits until the server answers, as long as its watchdog lives.
    fn wait(&self) -> Result<(), Absent> {
        let mut attempts = 0;
        loop {
            if !is_locked(&self.run.join("watchdog.lock")) {
                return Err(Absent::Ended);
            }
            attempts += 1;
            // Its name tells it from any other server that came to have this port.
            match self.ask(|connection| connection.query_one("SHOW cluster_name", &[])) {
                Ok(row) if row.get::<_, String>(0) == self.cluster_name() => return Ok(()),
                Ok(_) => return Err(Absent::Ended),
                Err(error) if attempts >= ANSWER_ATTEMPTS => return Err(Absent::Silent(error)),
                Err(_) => thread::sleep(ANSWER_PAUSE),
            }
        }
    }

    fn cluster_name(&self) -> String {
        let run = self.run.file_name().unwrap_or_default().to_string_lossy();
        format!("trunkline-test-{run}")
    }

    fn url(&self, database: &str) -> String {
        format!(
            "postgres://{SUPERUSER}:{}@127.0.0.1:{}/{database}",
            self.password, self.port
        )
    }

    /// Does something as superuser, on a thread of its own: the blocking client drives an async runtime, which
    /// must not be started inside the one of an async test.
    fn ask<T: Send>(
        &self,
        work: impl FnOnce(&mut Client) -> Result<T, postgres::Error> + Send,
    ) -> Result<T, postgres::Error> {
        let mut config = Config::new();
        config
            .host("127.0.0.1")
            .port(self.port)
            .user(SUPERUSER)
            .password(&self.password)
            .dbname("postgres")
            .connect_timeout(Duration::from_secs(5));
        thread::scope(|scope| {
            let asking = scope.spawn(move || work(&mut config.connect(NoTls)?));
            asking
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

/// Why a server does not answer.
enum Absent {
    Ended,
    Silent(postgres::Error),
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

/// Starts a server in `folder`, whose start lock the caller holds. Tries again when somebody else takes the port
/// between choosing and using it.
fn start(folder: &Path, idle_seconds: u32, durability: Durability) -> Result<Address, PostgresError> {
    remove_leftovers(folder);
    let mut attempts = 0;
    loop {
        attempts += 1;
        match start_once(folder, idle_seconds, durability) {
            Err(PostgresError::Start(log)) if attempts < 5 && log.contains("Address already in use") => {}
            result => return result,
        }
    }
}

fn start_once(folder: &Path, idle_seconds: u32, durability: Durability) -> Result<Address, PostgresError> {
    let io = |doing| move |source| PostgresError::Io { doing, source };

    let programs = programs()?;
    let account = Account::for_server()?;
    let run = tempfile::Builder::new()
        .prefix("run-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(folder)
        .map_err(io("make the folder of the PostgreSQL for tests"))?
        .keep();
    let password = random_hex();
    write_private(&run.join("password"), &password)
        .map_err(io("write the password of the PostgreSQL for tests"))?;
    DirBuilder::new()
        .mode(0o700)
        .create(run.join("clients"))
        .map_err(io("make the folder of the clients"))?;
    for path in [run.clone(), run.join("password"), run.join("clients")] {
        account.own(&path).map_err(io("give the server its files"))?;
    }

    let initdb = account
        .command(programs.join("initdb"))
        .args([
            "--encoding=UTF8",
            "--locale=C",
            "--auth=password",
            "--no-sync",
            "--username",
            SUPERUSER,
        ])
        .arg("--pwfile")
        .arg(run.join("password"))
        .arg("--pgdata")
        .arg(run.join("data"))
        .output()
        .map_err(io("run initdb"))?;
    if !initdb.status.success() {
        return Err(PostgresError::Initdb(
            String::from_utf8_lossy(&initdb.stderr).trim().to_owned(),
        ));
    }

    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(io("choose a port for the PostgreSQL for tests"))?
        .port();
    let address = Address {
        run: run.clone(),
        port,
        password,
    };
    let name = run.file_name().unwrap_or_default().to_string_lossy();
    // Before the server is there: if this process is killed now, the next one finds what it started.
    write_private(
        &folder.join("state.new"),
        &format!("{name}\n{port}\n{}\n", address.password),
    )
    .and_then(|()| fs::rename(folder.join("state.new"), folder.join("state")))
    .map_err(io("write the state of the PostgreSQL for tests"))?;

    OpenOptions::new()
        .append(true)
        .open(run.join("data/postgresql.conf"))
        .and_then(|mut settings| {
            settings.write_all(SETTINGS.as_bytes())?;
            settings.write_all(durability.settings().as_bytes())?;
            writeln!(
                settings,
                "port = {port}\ncluster_name = '{}'",
                address.cluster_name()
            )
        })
        .map_err(io("write the settings of the PostgreSQL for tests"))?;
    fs::write(run.join("watchdog.sh"), WATCHDOG)
        .map_err(io("write the watchdog of the PostgreSQL for tests"))?;
    account
        .own(&run.join("watchdog.sh"))
        .map_err(io("give the server its files"))?;

    let log = File::create(run.join("log")).map_err(io("make the log of the PostgreSQL for tests"))?;
    let log_too = log
        .try_clone()
        .map_err(io("make the log of the PostgreSQL for tests"))?;
    // The outer shell returns at once; what stays is nobody's child, and in a process group of its own, so that
    // neither Ctrl-C nor the end of this test reaches it.
    let status = account
        .command("sh")
        .arg(run.join("watchdog.sh"))
        .args([
            run.as_os_str(),
            programs.as_os_str(),
            folder.join("users.lock").as_os_str(),
        ])
        .arg(idle_seconds.to_string())
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", port.to_string())
        .env("PGUSER", SUPERUSER)
        .env("PGPASSWORD", &address.password)
        .stdout(log)
        .stderr(log_too)
        .process_group(0)
        .status()
        .map_err(io("start the PostgreSQL for tests"))?;

    let watched = || is_locked(&run.join("watchdog.lock")) || run.join("ended").exists();
    let mut attempts = 0;
    while status.success() && !watched() && attempts < ANSWER_ATTEMPTS {
        attempts += 1;
        thread::sleep(ANSWER_PAUSE / 10);
    }
    match address.wait() {
        Ok(()) => Ok(address),
        Err(Absent::Ended) => {
            let log = fs::read_to_string(run.join("log")).unwrap_or_default();
            Err(PostgresError::Start(log.trim().to_owned()))
        }
        Err(Absent::Silent(source)) => Err(PostgresError::Query {
            doing: "answer",
            source,
        }),
    }
}

/// Deletes what earlier servers left in `folder`, except for one that is still looked after.
fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let run = entry.path();
        if entry.file_name().to_string_lossy().starts_with("run-") && !is_locked(&run.join("watchdog.lock")) {
            // What cannot be deleted does not hinder the next server.
            let _ = fs::remove_dir_all(run);
        }
    }
}

/// The folder of the shared server: one per user, workspace and way of starting it.
fn shared_folder() -> Result<PathBuf, PostgresError> {
    let user = own_user()?;
    let mut key = DefaultHasher::new();
    (
        env!("CARGO_MANIFEST_DIR"),
        WATCHDOG,
        SETTINGS,
        Durability::Relaxed.settings(),
        programs()?,
    )
        .hash(&mut key);
    let folder = env::temp_dir().join(format!("trunkline-postgres-{user}-{:016x}", key.finish()));

    let io = |source| PostgresError::Io {
        doing: "make the folder of the PostgreSQL for tests",
        source,
    };
    match DirBuilder::new().mode(0o711).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io(error)),
        _ => {}
    }
    let found = fs::symlink_metadata(&folder).map_err(io)?;
    if !found.is_dir() || found.uid() != user {
        return Err(PostgresError::ForeignFolder(folder));
    }
    let_through(&folder).map_err(io)?;
    Ok(folder)
}

/// Lets the server's account reach what it owns in `folder`, whatever the umask said.
fn let_through(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o711))
}

/// The user this process runs as, which the owner of a file it makes tells without unsafe code.
fn own_user() -> Result<u32, PostgresError> {
    tempfile::tempfile()
        .and_then(|file| file.metadata())
        .map(|metadata| metadata.uid())
        .map_err(|source| PostgresError::Io {
            doing: "make a temporary file",
            source,
        })
}

/// Whom the server runs as: `None` for the user of the tests, otherwise a user and group to switch to.
struct Account(Option<(u32, u32)>);

impl Account {
    fn for_server() -> Result<Self, PostgresError> {
        if own_user()? != 0 {
            return Ok(Self(None));
        }
        let number = |option: &str, name: &str| -> Option<u32> {
            let output = Command::new("id")
                .args([option, name])
                .stderr(Stdio::null())
                .output()
                .ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| Some((number("-u", name)?, number("-g", name)?)))
            .filter(|(user, _)| *user != 0)
            .map(|ids| Self(Some(ids)))
            .ok_or(PostgresError::NoAccount)
    }

    fn own(&self, path: &Path) -> io::Result<()> {
        match self.0 {
            Some((user, group)) => chown(path, Some(user), Some(group)),
            None => Ok(()),
        }
    }

    /// A command of this account that neither the caller's folder nor its environment (PGPORT, say) reaches.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir("/")
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}

/// Makes this process's file among the clients and locks it. It gets its final name only when locked, so the
/// watchdog never takes it for a leftover.
fn register(run: &Path, name: &str) -> io::Result<File> {
    let nascent = run.join(format!("{name}.new"));
    let file = OpenOptions::new().append(true).create_new(true).open(&nascent)?;
    // Root's file, which the server's account has to read and lock.
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.lock()?;
    fs::rename(nascent, run.join("clients").join(name))?;
    Ok(file)
}

/// Opens a file that serves as a lock, making it if need be. The server's account may lock it too.
fn lock_file(path: &Path) -> Result<File, PostgresError> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .and_then(|file| file.set_permissions(Permissions::from_mode(0o644)).map(|()| file))
        .map_err(|source| PostgresError::Io {
            doing: "open the lock of the PostgreSQL for tests",
            source,
        })
}

/// Whether somebody holds the exclusive lock of `path`.
fn is_locked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn write_private(path: &Path, content: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content.as_bytes())
}

/// 128 bits nobody can guess, from the keys that the standard library seeds its hash maps with.
fn random_hex() -> String {
    let number = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", number(), number())
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

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
